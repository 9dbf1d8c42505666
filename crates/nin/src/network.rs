//! The networks.

use crate::mlpconv;
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_core::op::Conv;

/// The authors' network for CIFAR-10 at 3×32×32: figure 2 of the paper, three blocks, with the widths and the
/// initialisation of their published configuration.
pub fn nin_cifar(classes: usize) -> Architecture {
    chain()
        .numbered()
        .and(mlpconv([conv(5).out(192).pad(2), conv(1).out(160), conv(1).out(96)]))
        .and(max_pool(3).stride(2).ceil())
        .dropout(0.5)
        .and(mlpconv([conv(5).out(192).pad(2), conv(1).out(192), conv(1).out(192)]))
        .and(avg_pool(3).stride(2).ceil())
        .dropout(0.5)
        .and(mlpconv([conv(3).out(192).pad(1), conv(1).out(192), conv(1).out(classes)]))
        .global_avg_pool()
        .named("nin_cifar", [3, 32, 32])
        .initialised(AUTHORS)
}

/// The authors' network for ImageNet at 3×224×224, as in the Caffe model zoo, with its initialisation.
pub fn nin(classes: usize) -> Architecture {
    let fine = |convolution: Conv| convolution.weights(Law::Normal(0.01));
    let blocks = [
        mlpconv([fine(conv(11).out(96).stride(4)), conv(1).out(96), conv(1).out(96)]),
        mlpconv([conv(5).out(256).pad(2), conv(1).out(256), conv(1).out(256)]),
        mlpconv([fine(conv(3).out(384).pad(1)), conv(1).out(384), conv(1).out(384)]),
        mlpconv([conv(3).out(1024).pad(1), conv(1).out(1024), fine(conv(1).out(classes))]),
    ];
    four_blocks(blocks, max_pool(3).stride(2).ceil()).named("nin", [3, 224, 224]).initialised(AUTHORS)
}

/// The book's network, section 8.3.2, for Fashion-MNIST at 1×224×224.
pub fn nin_d2l(classes: usize) -> Architecture {
    book(|convolution| mlpconv([convolution, conv(1), conv(1)]), classes)
        .named("nin_d2l", [1, 224, 224])
        .initialised(Scheme::XAVIER)
}

/// [`nin_d2l`] with one of the two 1×1 convolutions of each block removed, as an exercise of section 8.3 asks.
pub fn nin_one_1x1_d2l(classes: usize) -> Architecture {
    book(|convolution| mlpconv([convolution, conv(1)]), classes)
        .named("nin_one_1x1_d2l", [1, 224, 224])
        .initialised(Scheme::XAVIER)
}

/// The filler of the authors' layers, but for the few that have a smaller one.
const AUTHORS: Scheme = Scheme::TORCH.conv(Law::Normal(0.05)).conv_bias(Law::Constant(0.0));

/// Section 8.3.2 of the book, with its blocks made by `block`.
fn book(block: impl Fn(Conv) -> Chain, classes: usize) -> Chain {
    let convolutions =
        [conv(11).out(96).stride(4), conv(5).out(256).pad(2), conv(3).out(384).pad(1), conv(3).out(classes).pad(1)];
    four_blocks(convolutions.map(block), max_pool(3).stride(2))
}

/// What the networks for large images share.
fn four_blocks(blocks: [Chain; 4], pool: MaxPool) -> Chain {
    let [block1, block2, block3, block4] = blocks;
    chain()
        .numbered()
        .and(block1)
        .and(pool)
        .and(block2)
        .and(pool)
        .and(block3)
        .and(pool)
        .dropout(0.5)
        .and(block4)
        .global_avg_pool()
}
