//! BN-Inception: GoogLeNet with batch normalisation and two 3×3 for the 5×5.

use crate::ends::googlenet_stem;
use crate::weights;
use cnn_core::Architecture;
use cnn_core::definition::{adaptive_avg_pool, chain, linear};
use cnn_core::initialisation::Law;
use cnn_inception::bn_inception::Pool::{Average, Max};
use cnn_inception::bn_inception::{ReductionWidths, Widths, inception, reduction};
use cnn_inception::conv_bn;

/// BN-Inception for 224×224: figure 5 of Ioffe and Szegedy 2015. No dropout, as section 4.2.1 has it.
///
/// *Departures*: figure 5 prints 576 channels for 4c and 4d, but their branches add up to 608, and the pool passes 608
/// on to 4e (1,056, not 1,024). The widths are followed, as in the Caffe port; the authors' later code projects to 96
/// instead of 128 there. The paper's first layer is separable with multiplier 8; here, as in that port, it is an ordinary
/// convolution. The paper mentions neither heads nor padding: there are no heads, and the pools that halve are padded as
/// the convolutions beside them, so that the branches fit at every size. Names follow GoogLeNet's, and so does the
/// initialisation of [`googlenet`](crate::googlenet()). 11,285,224 parameters.
pub fn bn_inception(classes: usize) -> Architecture {
    googlenet_stem(conv_bn, |_| chain())
        .then("inception3a", inception(Widths { one: 64, three: [64, 64], double: [64, 96], pool: Average(32) }))
        .then("inception3b", inception(Widths { one: 64, three: [64, 96], double: [64, 96], pool: Average(64) }))
        .then("inception3c", reduction(ReductionWidths { three: [128, 160], double: [64, 96] }))
        .then("inception4a", inception(Widths { one: 224, three: [64, 96], double: [96, 128], pool: Average(128) }))
        .then("inception4b", inception(Widths { one: 192, three: [96, 128], double: [96, 128], pool: Average(128) }))
        .then("inception4c", inception(Widths { one: 160, three: [128, 160], double: [128, 160], pool: Average(128) }))
        .then("inception4d", inception(Widths { one: 96, three: [128, 192], double: [160, 192], pool: Average(128) }))
        .then("inception4e", reduction(ReductionWidths { three: [128, 192], double: [192, 256] }))
        .then("inception5a", inception(Widths { one: 352, three: [192, 320], double: [160, 224], pool: Average(128) }))
        .then("inception5b", inception(Widths { one: 352, three: [192, 320], double: [192, 224], pool: Max(128) }))
        .then("avgpool", adaptive_avg_pool(1))
        .flatten()
        .then("fc", linear(classes))
        .named("bn_inception", [3, 224, 224])
        .initialised(weights(Law::TruncatedNormal(0.01)))
}
