//! Weights that come with this crate, so that there is an answer without a file, a network or a training.

use crate::error::Result;
use cnn_core::Weights;

/// The names of the weights that come with this crate, the first of which is the default.
pub const NAMES: [&str; 2] = ["lenet", "resnet20_cifar"];

/// The weights of a name, if it is one of [`NAMES`].
///
/// # Errors
///
/// Never in practice: a test reads both.
pub fn weights(name: &str) -> Result<Option<Weights>> {
    let bytes: &[u8] = match name {
        "lenet" => include_bytes!("../weights/lenet.safetensors"),
        "resnet20_cifar" => include_bytes!("../weights/resnet20_cifar.safetensors"),
        _ => return Ok(None),
    };
    Ok(Some(Weights::from_bytes(bytes, &format!("the {name} in this program"))?))
}
