//! The blocks of Inception v3 (Szegedy et al. 2016), with torchvision's letters and names.

use crate::unit::conv_bn;
use cnn_core::definition::{Branches, Chain, adaptive_avg_pool, avg_pool, chain, concat, conv, linear, max_pool};
use cnn_core::initialisation::Law;

/// Figure 5, on 35×35 maps: GoogLeNet's block with a third path of two 3×3. `pool_projection` is the width of the 1×1
/// convolution after the pool; 224 + `pool_projection` channels come out.
pub fn inception_a(pool_projection: usize) -> Branches {
    concat()
        .labelled("branch1x1", conv_bn(conv(1).out(64)))
        .branch(
            chain().then("branch5x5_1", conv_bn(conv(1).out(48))).then("branch5x5_2", conv_bn(conv(5).out(64).pad(2))),
        )
        .branch(
            chain()
                .then("branch3x3dbl_1", conv_bn(conv(1).out(64)))
                .then("branch3x3dbl_2", conv_bn(conv(3).out(96).pad(1)))
                .then("branch3x3dbl_3", conv_bn(conv(3).out(96).pad(1))),
        )
        .branch(pool_branch(pool_projection))
}

/// Figure 10, from 35×35 to 17×17: 480 channels and all of the input's.
pub fn inception_b() -> Branches {
    concat()
        .labelled("branch3x3", conv_bn(conv(3).out(384).stride(2)))
        .branch(
            chain()
                .then("branch3x3dbl_1", conv_bn(conv(1).out(64)))
                .then("branch3x3dbl_2", conv_bn(conv(3).out(96).pad(1)))
                .then("branch3x3dbl_3", conv_bn(conv(3).out(96).stride(2))),
        )
        .branch(max_pool(3).stride(2))
}

/// Figure 6, on 17×17 maps: 7×7 convolutions as pairs of 1×7 and 7×1. `width` is that of the layers inside the paths;
/// 768 channels come out.
pub fn inception_c(width: usize) -> Branches {
    let row = || conv([1, 7]).out(width).pad([0, 3]);
    let column = || conv([7, 1]).out(width).pad([3, 0]);
    concat()
        .labelled("branch1x1", conv_bn(conv(1).out(192)))
        .branch(
            chain()
                .then("branch7x7_1", conv_bn(conv(1).out(width)))
                .then("branch7x7_2", conv_bn(row()))
                .then("branch7x7_3", conv_bn(column().out(192))),
        )
        .branch(
            chain()
                .then("branch7x7dbl_1", conv_bn(conv(1).out(width)))
                .then("branch7x7dbl_2", conv_bn(column()))
                .then("branch7x7dbl_3", conv_bn(row()))
                .then("branch7x7dbl_4", conv_bn(column()))
                .then("branch7x7dbl_5", conv_bn(row().out(192))),
        )
        .branch(pool_branch(192))
}

/// From 17×17 to 8×8, not drawn in the paper: 512 channels and all of the input's.
pub fn inception_d() -> Branches {
    concat()
        .branch(
            chain()
                .then("branch3x3_1", conv_bn(conv(1).out(192)))
                .then("branch3x3_2", conv_bn(conv(3).out(320).stride(2))),
        )
        .branch(
            chain()
                .then("branch7x7x3_1", conv_bn(conv(1).out(192)))
                .then("branch7x7x3_2", conv_bn(conv([1, 7]).out(192).pad([0, 3])))
                .then("branch7x7x3_3", conv_bn(conv([7, 1]).out(192).pad([3, 0])))
                .then("branch7x7x3_4", conv_bn(conv(3).out(192).stride(2))),
        )
        .branch(max_pool(3).stride(2))
}

/// Figure 7, on 8×8 maps: 1×3 and 3×1 side by side. 2048 channels come out.
pub fn inception_e() -> Branches {
    let side_by_side = |label: &str| {
        concat()
            .labelled(format!("{label}a"), conv_bn(conv([1, 3]).out(384).pad([0, 1])))
            .labelled(format!("{label}b"), conv_bn(conv([3, 1]).out(384).pad([1, 0])))
    };
    concat()
        .labelled("branch1x1", conv_bn(conv(1).out(320)))
        .branch(chain().then("branch3x3_1", conv_bn(conv(1).out(384))).and(side_by_side("branch3x3_2")))
        .branch(
            chain()
                .then("branch3x3dbl_1", conv_bn(conv(1).out(448)))
                .then("branch3x3dbl_2", conv_bn(conv(3).out(384).pad(1)))
                .and(side_by_side("branch3x3dbl_3")),
        )
        .branch(pool_branch(192))
}

/// Figure 8: the auxiliary classifier on 17×17 maps, which it averages to 5×5. torchvision begins its last layer smaller than
/// the rest of the network. It gives `conv1` a deviation of 0.01 too, but to the unit of convolution and normalisation, where
/// its loop over convolutions and linear layers does not look: the convolution begins as the others do.
pub fn auxiliary_head(classes: usize) -> Chain {
    chain()
        .and(avg_pool(5).stride(3))
        .then("conv0", conv_bn(conv(1).out(128)))
        .then("conv1", conv_bn(conv(5).out(768)))
        .and(adaptive_avg_pool(1))
        .flatten()
        .then("fc", linear(classes).weights(Law::TruncatedNormal(0.001)))
}

fn pool_branch(projection: usize) -> Chain {
    chain().and(avg_pool(3).stride(1).pad(1)).then("branch_pool", conv_bn(conv(1).out(projection)))
}
