//! The book's networks: any list of blocks, in the book's names.

use crate::table::Layer;
use crate::{Norm, classifier, stage};
use cnn_core::Architecture;
use cnn_core::definition::chain;
use cnn_core::initialisation::Scheme;

/// One entry of the book's `conv_arch`: equal 3×3 convolutions, each with its ReLU, and a pool that halves the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvBlock {
    /// Number of convolutions.
    pub convolutions: usize,
    /// Channels that each of them gives.
    pub channels: usize,
}

/// The blocks of section 8.2.2: the paper's column A.
pub const VGG11: [ConvBlock; 5] = [
    ConvBlock { convolutions: 1, channels: 64 },
    ConvBlock { convolutions: 1, channels: 128 },
    ConvBlock { convolutions: 2, channels: 256 },
    ConvBlock { convolutions: 2, channels: 512 },
    ConvBlock { convolutions: 2, channels: 512 },
];

/// The blocks that section 8.2.3 trains on Fashion-MNIST.
pub const VGG_SMALL: [ConvBlock; 5] = [
    ConvBlock { convolutions: 1, channels: 16 },
    ConvBlock { convolutions: 1, channels: 32 },
    ConvBlock { convolutions: 2, channels: 64 },
    ConvBlock { convolutions: 2, channels: 128 },
    ConvBlock { convolutions: 2, channels: 128 },
];

/// Section 8.2.2 of the book: these blocks, then three fully connected layers, for 1×224×224.
///
/// The names are the book's `Sequential` indices.
///
/// ```
/// use cnn_vgg::{ConvBlock, vgg_d2l};
///
/// let blocks = [8, 16, 32].map(|channels| ConvBlock { convolutions: 2, channels });
/// let network = vgg_d2l(&blocks, 10).at([1, 28, 28])?;
/// assert_eq!(network.node(network.find("2")?).shape.dims(), [32, 3, 3]);
/// # Ok::<(), cnn_vgg::cnn_core::Error>(())
/// ```
pub fn vgg_d2l(conv_arch: &[ConvBlock], classes: usize) -> Architecture {
    let blocks = conv_arch.iter().fold(chain().numbered(), |blocks, block| {
        blocks.and(stage(chain().numbered(), &vec![Layer::Conv3(block.channels); block.convolutions], Norm::None))
    });
    classifier(blocks.flatten(), classes).named("vgg_d2l", [1, 224, 224]).initialised(Scheme::XAVIER)
}

/// [`vgg_d2l`] of [`VGG11`].
pub fn vgg11_d2l(classes: usize) -> Architecture {
    vgg_d2l(&VGG11, classes).renamed("vgg11_d2l")
}

/// [`vgg_d2l`] of [`VGG_SMALL`].
pub fn vgg_small_d2l(classes: usize) -> Architecture {
    vgg_d2l(&VGG_SMALL, classes).renamed("vgg_small_d2l")
}
