//! The blocks of Inception-ResNet v1 and v2 (Szegedy et al. 2017), with timm's names.
//!
//! The branches are joined, brought back to the channels of the input by a linear 1×1 convolution (`conv2d`), scaled
//! down (section 3.3) and added to the input. The scaling keeps wide networks from dying early in training.

use crate::unit::{average_path, conv_bn, path};
use cnn_core::definition::{Branches, Chain, chain, concat, conv, max_pool, relu, scale, sum};
use cnn_core::op::Conv;

/// Widths of an Inception-ResNet-A block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidualA {
    /// 1×1.
    pub one: usize,
    /// 1×1, 3×3.
    pub three: [usize; 2],
    /// 1×1, 3×3, 3×3.
    pub double_three: [usize; 3],
    /// Channels of the input and output.
    pub channels: usize,
    /// Factor of the residual.
    pub scale: f64,
}

/// Widths of an Inception-ResNet-B or -C block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidualBc {
    /// 1×1.
    pub one: usize,
    /// 1×1, then the two one-sided convolutions: 1×7 and 7×1 in B, 1×3 and 3×1 in C.
    pub factorised: [usize; 3],
    /// Channels of the input and output.
    pub channels: usize,
    /// Factor of the residual.
    pub scale: f64,
}

/// Widths of the second reduction of the Inception-ResNets, all of whose last convolutions have stride 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReductionB {
    /// 1×1, 3×3.
    pub three: [usize; 2],
    /// 1×1, 3×3 once more.
    pub other_three: [usize; 2],
    /// 1×1, 3×3, 3×3.
    pub double_three: [usize; 3],
}

/// Inception-ResNet-A, on 35×35 maps: figures 10 (v1) and 16 (v2).
pub fn inception_a(widths: ResidualA) -> Chain {
    let [three_reduce, three] = widths.three;
    let [double_reduce, double_first, double_second] = widths.double_three;
    let branches = concat()
        .labelled("branch0", conv_bn(conv(1).out(widths.one)))
        .labelled("branch1", path([conv(1).out(three_reduce), conv(3).out(three).pad(1)]))
        .labelled(
            "branch2",
            path([conv(1).out(double_reduce), conv(3).out(double_first).pad(1), conv(3).out(double_second).pad(1)]),
        );
    chain().and(residual(branches, conv(1).out(widths.channels), widths.scale)).then("act", relu())
}

/// Inception-ResNet-B, on 17×17 maps: figures 11 (v1) and 17 (v2).
pub fn inception_b(widths: ResidualBc) -> Chain {
    let sides = [conv([1, 7]).pad([0, 3]), conv([7, 1]).pad([3, 0])];
    chain().and(factorised(widths, sides)).then("act", relu())
}

/// Inception-ResNet-C, on 8×8 maps: figures 13 (v1) and 19 (v2).
pub fn inception_c(widths: ResidualBc) -> Chain {
    chain().and(linear_c(widths)).relu()
}

/// [`inception_c`] without the ReLU at its end: the last block of Inception-ResNet-v2 as published.
pub fn linear_c(widths: ResidualBc) -> Branches {
    factorised(widths, [conv([1, 3]).pad([0, 1]), conv([3, 1]).pad([1, 0])])
}

/// The second reduction, from 17×17 to 8×8: figures 12 (v1) and 18 (v2).
pub fn reduction_b(widths: ReductionB) -> Branches {
    let [three_reduce, three] = widths.three;
    let [other_reduce, other] = widths.other_three;
    let [double_reduce, double_first, double_second] = widths.double_three;
    let double = [conv(1).out(double_reduce), conv(3).out(double_first).pad(1), conv(3).out(double_second).stride(2)];
    concat()
        .labelled("branch0", path([conv(1).out(three_reduce), conv(3).out(three).stride(2)]))
        .labelled("branch1", path([conv(1).out(other_reduce), conv(3).out(other).stride(2)]))
        .labelled("branch2", path(double))
        .labelled("branch3", max_pool(3).stride(2))
}

/// The block in front of the residual ones in Inception-ResNet-v2 as published (`Mixed_5b`), from 192 to 320 channels.
/// The paper has Inception-v4's stem in its place.
pub fn entry() -> Branches {
    concat()
        .labelled("branch0", conv_bn(conv(1).out(96)))
        .labelled("branch1", path([conv(1).out(48), conv(5).out(64).pad(2)]))
        .labelled("branch2", path([conv(1).out(64), conv(3).out(96).pad(1), conv(3).out(96).pad(1)]))
        .labelled("branch3", average_path(conv(1).out(64)))
}

fn factorised(widths: ResidualBc, [row, column]: [Conv; 2]) -> Branches {
    let [reduce, first, second] = widths.factorised;
    let branches = concat()
        .labelled("branch0", conv_bn(conv(1).out(widths.one)))
        .labelled("branch1", path([conv(1).out(reduce), row.out(first), column.out(second)]));
    residual(branches, conv(1).out(widths.channels), widths.scale)
}

/// `x + factor · restore(branches(x))`.
fn residual(branches: Branches, restore: Conv, factor: f64) -> Branches {
    sum().branch(chain().and(branches).then("conv2d", restore).and(scale(factor))).branch(chain())
}
