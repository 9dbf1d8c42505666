//! The pre-activation networks (He et al. 2016).

use crate::imagenet::{Column, Depth, Unit};
use crate::{cifar, imagenet};
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_residual::{Names, UnitPosition, preact_basic, preact_bottleneck, stage};

/// A column of ResNet's table 1 with pre-activation units (He et al. 2016, table 5), in timm's structure and names:
/// its `resnetv2_18` to `resnetv2_152`.
///
/// As timm's, it classifies by a 1×1 convolution, so `head.fc.weight` has the dimensions `[classes, channels, 1, 1]`.
pub fn resnet_preact(depth: Depth, classes: usize) -> Architecture {
    let Column { layers, unit, units } = depth.column();
    let unit = |at: UnitPosition| match unit {
        Unit::Basic => preact_basic(at, Names::Timm),
        Unit::Bottleneck => preact_bottleneck(at, Names::Timm),
    };
    let stages = imagenet::stages(units).map(|numbers| chain().then("blocks", stage(numbers, unit)));
    let stem =
        chain().then("conv", conv(7).out(64).stride(2).pad(3).no_bias()).then("pool", max_pool(3).stride(2).pad(1));
    let classifier = conv(1).out(classes).weights(Law::Normal(0.01)).biases(Law::Constant(0.0));
    let head = chain().then("global_pool", adaptive_avg_pool(1)).then("fc", classifier).flatten();
    chain()
        .then("stem", stem)
        .then("stages", chain().numbered().and_all(stages))
        .then("norm", batch_norm())
        .relu()
        .then("head", head)
        .named(format!("resnet{layers}_preact"), [3, 224, 224])
        .initialised(Scheme::TORCH.conv(Law::KaimingFanOut))
}

/// A pre-activation network for CIFAR-10: a row of table 3 in He et al. 2016.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreactCifar {
    /// 110 layers with weights, basic units.
    D110,
    /// 164 layers with weights, bottlenecks.
    D164,
    /// 1001 layers with weights, bottlenecks.
    D1001,
}

/// The pre-activation network of `6n + 2` layers with basic units or `9n + 2` with bottlenecks, projecting where the
/// channels change.
pub fn resnet_preact_cifar(depth: PreactCifar, classes: usize) -> Architecture {
    let (layers, unit, n): (usize, fn(UnitPosition, Names) -> Chain, usize) = match depth {
        PreactCifar::D110 => (110, preact_basic, 18),
        PreactCifar::D164 => (164, preact_bottleneck, 18),
        PreactCifar::D1001 => (1001, preact_bottleneck, 111),
    };
    let [layer1, layer2, layer3] = cifar::stages(n).map(|numbers| stage(numbers, |at| unit(at, Names::Cifar)));
    chain()
        .then("conv1", conv(3).out(16).pad(1).no_bias())
        .then("layer1", layer1)
        .then("layer2", layer2)
        .then("layer3", layer3)
        .then("bn", batch_norm())
        .relu()
        .global_avg_pool()
        .then("linear", linear(classes))
        .named(format!("resnet{layers}_preact_cifar"), [3, 32, 32])
        .initialised(cifar::INITIALISATION)
}
