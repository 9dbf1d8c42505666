//! The block of the small MNIST network: Inception v3's first, narrowed, with bare convolutions.

use cnn_core::definition::{Branches, avg_pool, chain, concat, conv};

/// 16 + 24 + 24 + 24 = 88 channels, without normalisation or activation: only the ReLUs between two blocks keep the
/// network from being linear.
pub fn inception() -> Branches {
    concat()
        .labelled("branch1x1", conv(1).out(16))
        .branch(chain().then("branch5x5_1", conv(1).out(16)).then("branch5x5_2", conv(5).out(24).pad(2)))
        .branch(
            chain()
                .then("branch3x3_1", conv(1).out(16))
                .then("branch3x3_2", conv(3).out(24).pad(1))
                .then("branch3x3_3", conv(3).out(24).pad(1)),
        )
        .branch(chain().and(avg_pool(3).stride(1).pad(1)).then("branch_pool", conv(1).out(24)))
}
