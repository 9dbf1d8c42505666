//! Inception-ResNet v1 and v2: the schema of figure 15, filled in twice.

use crate::ends::{classifier, inception_stem};
use cnn_core::Architecture;
use cnn_core::definition::{Chain, chain, conv, max_pool};
use cnn_inception::conv_bn;
use cnn_inception::residual::*;
use cnn_inception::v4::{ReductionA, reduction_a};
use std::iter::repeat_n;

/// What figure 15 leaves to the version.
struct Version {
    /// From the image to 35×35.
    stem: Chain,
    a: ResidualA,
    reduction_a: ReductionA,
    b: ResidualBc,
    reduction_b: ReductionB,
    c: ResidualBc,
    /// How many A, B and C.
    counts: [usize; 3],
    /// What stands between the last C and the pool.
    end: Chain,
}

const STEM: [&str; 6] = ["conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a"];

/// Inception-ResNet-v1 for 299×299: figures 10 to 15 of Szegedy et al. 2017, and Table 1 for the first reduction.
///
/// *Departures*: names are those of [`inception_resnet_v2`]; so are the factors of the residuals, for which the paper
/// gives a range (0.1 to 0.3). Begins with torch's defaults. 22,756,328 parameters.
pub fn inception_resnet_v1(classes: usize) -> Architecture {
    Version {
        stem: inception_stem(STEM).then("conv2d_4b", conv_bn(conv(3).out(256).stride(2))),
        a: ResidualA { one: 32, three: [32, 32], double_three: [32, 32, 32], channels: 256, scale: 0.17 },
        reduction_a: ReductionA { k: 192, l: 192, m: 256, n: 384 },
        b: ResidualBc { one: 128, factorised: [128, 128, 128], channels: 896, scale: 0.10 },
        reduction_b: ReductionB { three: [256, 384], other_three: [256, 256], double_three: [256, 256, 256] },
        c: ResidualBc { one: 192, factorised: [192, 192, 192], channels: 1792, scale: 0.20 },
        counts: [5, 10, 5],
        end: chain(),
    }
    .network(classes)
    .named("inception_resnet_v1", [3, 299, 299])
}

/// Inception-ResNet-v2 for 299×299, with timm's names: figures 15 to 19 of Szegedy et al. 2017 as its authors published
/// the network.
///
/// *Departures* from the paper, all of the published network: the stem is Inception v3's with one more block instead of
/// Inception-v4's; 10, 20 and 10 blocks instead of 5, 10 and 5, the last without ReLU, then a 1×1 convolution to 1,536
/// channels; 320, 1,088 and 2,080 channels in the stages, where the paper's 384, 1,154 and 2,048 do not add up (its
/// branches give 1,152 and 2,144). Dropout is the paper's (keep 0.8), which timm leaves to its user. Begins with
/// torch's defaults, as timm's does. 55,843,464 parameters.
pub fn inception_resnet_v2(classes: usize) -> Architecture {
    let c = ResidualBc { one: 192, factorised: [192, 224, 256], channels: 2080, scale: 0.20 };
    Version {
        stem: inception_stem(STEM).then("maxpool_5a", max_pool(3).stride(2)).then("mixed_5b", entry()),
        a: ResidualA { one: 32, three: [32, 32], double_three: [32, 48, 64], channels: 320, scale: 0.17 },
        reduction_a: ReductionA { k: 256, l: 256, m: 384, n: 384 },
        b: ResidualBc { one: 192, factorised: [128, 160, 192], channels: 1088, scale: 0.10 },
        reduction_b: ReductionB { three: [256, 384], other_three: [256, 288], double_three: [256, 288, 320] },
        c,
        counts: [10, 20, 9],
        end: chain()
            .then("block8", linear_c(ResidualBc { scale: 1.0, ..c }))
            .then("conv2d_7b", conv_bn(conv(1).out(1536))),
    }
    .network(classes)
    .named("inception_resnet_v2", [3, 299, 299])
}

impl Version {
    fn network(self, classes: usize) -> Chain {
        let [a, b, c] = self.counts;
        self.stem
            .then("repeat", chain().numbered().and_all(repeat_n(inception_a(self.a), a)))
            .then("mixed_6a", reduction_a(self.reduction_a))
            .then("repeat_1", chain().numbered().and_all(repeat_n(inception_b(self.b), b)))
            .then("mixed_7a", reduction_b(self.reduction_b))
            .then("repeat_2", chain().numbered().and_all(repeat_n(inception_c(self.c), c)))
            .and(self.end)
            .and(classifier("classif", classes))
    }
}
