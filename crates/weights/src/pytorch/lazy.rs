//! A tensor that stays in its file until its numbers are asked for.

use super::problem::gave_up;
use crate::error::{Error, Result};
use crate::text::short;
use cnn_system::guard;
use std::path::PathBuf;

/// A tensor whose numbers are in a file.
pub(crate) struct Lazy {
    pub path: PathBuf,
    pub(super) tensor: pytorch_reader::Tensor,
}

impl Lazy {
    /// Its numbers, row by row.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let broken = |problem| Error::Pytorch { path: self.path.clone(), problem };
        let read = guard::caught(|| self.tensor.read()).map_err(|panic| broken(gave_up(&panic)))?;
        let bytes = read.map_err(|error| broken(short(&error.to_string())))?;
        match bytes.len() == self.tensor.byte_len() {
            true => Ok(bytes),
            false => Err(broken(format!("tensor {} has another length than it says", short(&self.tensor.name)))),
        }
    }
}
