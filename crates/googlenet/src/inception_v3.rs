//! Inception v3.

use crate::ends::{inception_stem, transform_input};
use crate::weights;
use cnn_core::Architecture;
use cnn_core::definition::{Chain, adaptive_avg_pool, chain, dropout, linear, max_pool};
use cnn_core::initialisation::Law;
use cnn_inception::v3::{auxiliary_head, inception_a, inception_b, inception_c, inception_d, inception_e};

/// Inception v3 for 299×299, with torchvision's names: Table 1 of Szegedy et al. 2016 as its authors published it.
///
/// *Departures* from the paper, all of the published network: a 1×1 convolution to 80 channels, a 3×3 to 192 and a pool
/// end the stem, where Table 1 has three 3×3 convolutions, one with stride 2, to 288; behind a reduction stand four
/// blocks at 17×17, where Table 1 lists five, and their inner width, which the paper leaves open, grows from 128 to 192.
/// Average pools count their padding. Dropout is torchvision's 0.5; the head's loss weight 0.4 is that of the authors'
/// training code. Begins truncated normal with standard deviation 0.1. The head needs 299×299; without it 75×75 will do.
/// 23,834,568 parameters, 27,161,264 with the head (output `AuxLogits`).
pub fn inception_v3(classes: usize) -> Architecture {
    network(chain(), classes).named("inception_v3", [3, 299, 299]).initialised(weights(Law::TruncatedNormal(0.1)))
}

/// [`inception_v3`] behind [`transform_input`], as torchvision's published weights want it.
pub fn inception_v3_transformed(classes: usize) -> Architecture {
    network(chain().and(transform_input()), classes)
        .named("inception_v3_transformed", [3, 299, 299])
        .initialised(weights(Law::TruncatedNormal(0.1)))
}

fn network(input: Chain, classes: usize) -> Chain {
    let stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3"];
    input
        .and(inception_stem(stem))
        .then("maxpool2", max_pool(3).stride(2))
        .then("Mixed_5b", inception_a(32))
        .then("Mixed_5c", inception_a(64))
        .then("Mixed_5d", inception_a(64))
        .then("Mixed_6a", inception_b())
        .then("Mixed_6b", inception_c(128))
        .then("Mixed_6c", inception_c(160))
        .then("Mixed_6d", inception_c(160))
        .then("Mixed_6e", inception_c(192))
        .tap("AuxLogits", 0.4, auxiliary_head(classes))
        .then("Mixed_7a", inception_d())
        .then("Mixed_7b", inception_e())
        .then("Mixed_7c", inception_e())
        .then("avgpool", adaptive_avg_pool(1))
        .then("dropout", dropout(0.5))
        .flatten()
        .then("fc", linear(classes))
}
