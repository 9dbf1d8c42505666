//! GoogLeNet's block: 1×1; 1×1 and 3×3; 1×1 and 5×5; max pool and 1×1.
//!
//! Names are torchvision's: `branch1.conv`, `branch2.0.conv`, `branch2.1.conv`, …, `branch4.1.conv`.

use crate::unit::{conv_bn, conv_relu};
use crate::widths::Widths;
use cnn_core::definition::{Branches, Chain, chain, concat, conv, max_pool};
use cnn_core::op::Conv;

/// Figure 2b of Szegedy et al. 2015: biases and ReLU, no normalisation, a 5×5 that is one.
pub fn inception(widths: Widths) -> Branches {
    let [_, five] = widths.five;
    branches(widths, conv(5).out(five).pad(2), conv_relu)
}

/// The same as torchvision has it: batch normalisation, and a 3×3 where the paper has the 5×5.
///
/// The small kernel came with the weights ported from TensorFlow and stayed (pytorch/vision#906).
pub fn inception_bn(widths: Widths) -> Branches {
    let [_, five] = widths.five;
    branches(widths, conv(3).out(five).pad(1), conv_bn)
}

fn branches(widths: Widths, large: Conv, unit: fn(Conv) -> Chain) -> Branches {
    let Widths { one, three: [three_reduce, three], five: [five_reduce, _], pool } = widths;
    let large_path = [conv(1).out(five_reduce), large];
    let three_path = [conv(1).out(three_reduce), conv(3).out(three).pad(1)];
    concat()
        .labelled("branch1", unit(conv(1).out(one)))
        .labelled("branch2", chain().numbered().and_all(three_path.map(unit)))
        .labelled("branch3", chain().numbered().and_all(large_path.map(unit)))
        .labelled("branch4", chain().numbered().and(max_pool(3).stride(1).pad(1)).and(unit(conv(1).out(pool))))
}
