//! Both ends: what several networks share in front of their first block and behind their last.

use cnn_core::Op;
use cnn_core::definition::{
    Chain, MaxPool, adaptive_avg_pool, chain, conv, dropout, flatten, input_affine, linear, max_pool,
};
use cnn_core::op::Conv;
use cnn_inception::conv_bn;

/// The pool between the stages of GoogLeNet: 3×3, stride 2, hanging over the edge where it must.
pub(crate) fn stage_pool() -> MaxPool {
    max_pool(3).stride(2).ceil()
}

/// From 224×224 to 192 maps of 28×28 (Szegedy et al. 2015, first rows of Table 1), with `normalise` where the paper
/// normalises.
pub(crate) fn googlenet_stem(unit: fn(Conv) -> Chain, normalise: fn(&str) -> Chain) -> Chain {
    chain()
        .then("conv1", unit(conv(7).out(64).stride(2).pad(3)))
        .then("maxpool1", stage_pool())
        .and(normalise("norm1"))
        .then("conv2", unit(conv(1).out(64)))
        .then("conv3", unit(conv(3).out(192).pad(1)))
        .and(normalise("norm2"))
        .then("maxpool2", stage_pool())
}

/// From 299×299 to 192 maps of 71×71 (Szegedy et al. 2017, figure 14), under the labels of the network.
pub(crate) fn inception_stem(labels: [&str; 6]) -> Chain {
    let [first, second, third, pool, fourth, fifth] = labels;
    chain()
        .then(first, conv_bn(conv(3).out(32).stride(2)))
        .then(second, conv_bn(conv(3).out(32)))
        .then(third, conv_bn(conv(3).out(64).pad(1)))
        .then(pool, max_pool(3).stride(2))
        .then(fourth, conv_bn(conv(1).out(80)))
        .then(fifth, conv_bn(conv(3).out(192)))
}

/// Average pool, dropout that keeps 0.8, linear layer under `label` (Szegedy et al. 2017, figures 9 and 15).
pub(crate) fn classifier(label: &str, classes: usize) -> Chain {
    chain()
        .then("global_pool", chain().then("pool", adaptive_avg_pool(1)).then("flatten", flatten()))
        .then("head_drop", dropout(0.2))
        .then(label, linear(classes))
}

/// From ImageNet's mean and standard deviation, with which a user of torchvision normalises, to mean 0.5 and standard
/// deviation 0.5, with which the weights ported from TensorFlow were trained: `x·σ/0.5 + (μ − 0.5)/0.5`.
///
/// torchvision does this inside `googlenet` and `inception_v3` whenever it loads its published weights. Three channels,
/// red, green and blue; nothing is trained or saved.
pub fn transform_input() -> Op {
    let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    input_affine(&deviation.map(|deviation| deviation / 0.5), &mean.map(|mean| (mean - 0.5) / 0.5))
}
