//! The networks that share the frame of table 1: a stem, four stages, one linear layer.

use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_residual::{Bottleneck, Shortcut, Stage, Strided, UnitPosition, basic, bottleneck, stage};

/// A column of table 1 in He et al. 2015; 200 is in table 5 of *Identity Mappings*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Depth {
    /// 18 layers with weights, basic units.
    D18,
    /// 34 layers with weights, basic units.
    D34,
    /// 50 layers with weights, bottlenecks.
    D50,
    /// 101 layers with weights, bottlenecks.
    D101,
    /// 152 layers with weights, bottlenecks.
    D152,
    /// 200 layers with weights, bottlenecks.
    D200,
}

/// What a column of table 1 says.
pub(crate) struct Column {
    pub(crate) layers: usize,
    pub(crate) unit: Unit,
    /// Units of the stages conv2_x to conv5_x.
    pub(crate) units: [usize; 4],
}

pub(crate) enum Unit {
    Basic,
    Bottleneck,
}

impl Depth {
    pub(crate) fn column(self) -> Column {
        let (layers, unit, units) = match self {
            Self::D18 => (18, Unit::Basic, [2, 2, 2, 2]),
            Self::D34 => (34, Unit::Basic, [3, 4, 6, 3]),
            Self::D50 => (50, Unit::Bottleneck, [3, 4, 6, 3]),
            Self::D101 => (101, Unit::Bottleneck, [3, 4, 23, 3]),
            Self::D152 => (152, Unit::Bottleneck, [3, 8, 36, 3]),
            Self::D200 => (200, Unit::Bottleneck, [3, 24, 36, 3]),
        };
        Column { layers, unit, units }
    }
}

/// The stages conv2_x to conv5_x of table 1.
pub(crate) fn stages(units: [usize; 4]) -> [Stage; 4] {
    let [n2, n3, n4, n5] = units;
    [
        Stage { width: 64, units: n2, stride: 1 },
        Stage { width: 128, units: n3, stride: 2 },
        Stage { width: 256, units: n4, stride: 2 },
        Stage { width: 512, units: n5, stride: 2 },
    ]
}

/// Table 1 with units of any kind, and torchvision's names and initialisation.
fn network(name: String, units: [usize; 4], unit: impl Fn(UnitPosition) -> Chain, classes: usize) -> Architecture {
    let stem = conv(7).out(64).stride(2).pad(3).no_bias();
    let stem =
        chain().then("conv1", stem).then("bn1", batch_norm()).relu().then("maxpool", max_pool(3).stride(2).pad(1));
    behind(stem, units, unit, classes).named(name, [3, 224, 224]).initialised(INITIALISATION)
}

/// torchvision's.
const INITIALISATION: Scheme = Scheme::TORCH.conv(Law::KaimingFanOut);

/// The four stages and the classifier behind a stem.
fn behind(stem: Chain, units: [usize; 4], unit: impl Fn(UnitPosition) -> Chain, classes: usize) -> Chain {
    let [layer1, layer2, layer3, layer4] = stages(units).map(|numbers| stage(numbers, &unit));
    stem.then("layer1", layer1)
        .then("layer2", layer2)
        .then("layer3", layer3)
        .then("layer4", layer4)
        .then("avgpool", adaptive_avg_pool(1))
        .flatten()
        .then("fc", linear(classes))
}

/// [`resnet`] of 18 layers for images of some 32×32: its first convolution is 3×3 with stride 1, and the pool behind it is
/// gone. A usual change to torchvision's, of no paper; the paper's own networks for such images are
/// [`resnet_cifar`](crate::resnet_cifar)'s.
pub fn resnet18_small_stem(classes: usize) -> Architecture {
    let stem = chain().then("conv1", conv(3).out(64).pad(1).no_bias()).then("bn1", batch_norm()).relu();
    let unit = |at: UnitPosition| basic(at, at.identity_or(Shortcut::Projection));
    behind(stem, Depth::D18.column().units, unit, classes)
        .named("resnet18_small_stem", [3, 32, 32])
        .initialised(INITIALISATION)
}

/// A column of table 1 with projections where the shape changes (option B) and, in bottlenecks, the stride on the 3×3:
/// torchvision's `resnet18` to `resnet152`, and timm's `resnet200`.
pub fn resnet(depth: Depth, classes: usize) -> Architecture {
    strided(depth, Strided::Spatial, classes)
}

/// [`resnet`] with the stride of a bottleneck on its first 1×1 convolution, as in the paper. Without bottlenecks, in 18
/// and 34 layers, there is no difference but the name.
pub fn resnet_v1(depth: Depth, classes: usize) -> Architecture {
    let architecture = strided(depth, Strided::Reduction, classes);
    let name = format!("{}_v1", architecture.name());
    architecture.renamed(name)
}

fn strided(depth: Depth, strided: Strided, classes: usize) -> Architecture {
    let Column { layers, unit, units } = depth.column();
    let unit = |at: UnitPosition| match unit {
        Unit::Basic => basic(at, at.identity_or(Shortcut::Projection)),
        Unit::Bottleneck => bottleneck(at, Bottleneck { strided, ..Default::default() }),
    };
    network(format!("resnet{layers}"), units, unit, classes)
}

/// A ResNeXt: depth, cardinality and width of a group as in tables 1 and 4 of Xie et al. 2017.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResNext {
    /// 50 layers, 32 groups of 4 channels.
    D50_32x4d,
    /// 101 layers, 32 groups of 8 channels: torchvision's, not in the paper.
    D101_32x8d,
    /// 101 layers, 64 groups of 4 channels.
    D101_64x4d,
}

/// ResNet's table 1 with grouped and wider 3×3 convolutions (Xie et al. 2017, table 1), with torchvision's names.
pub fn resnext(column: ResNext, classes: usize) -> Architecture {
    let (name, depth, groups, widening) = match column {
        ResNext::D50_32x4d => ("resnext50_32x4d", Depth::D50, 32, 2),
        ResNext::D101_32x8d => ("resnext101_32x8d", Depth::D101, 32, 4),
        ResNext::D101_64x4d => ("resnext101_64x4d", Depth::D101, 64, 4),
    };
    let unit = |at| bottleneck(at, Bottleneck { groups, widening, ..Default::default() });
    network(name.to_string(), depth.column().units, unit, classes)
}

/// A wide ResNet for ImageNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wide {
    /// 50 layers: WRN-50-2-bottleneck of Zagoruyko and Komodakis 2016.
    D50,
    /// 101 layers: torchvision's, not in the paper.
    D101,
}

/// ResNet's table 1 with 3×3 convolutions of twice the width (Zagoruyko and Komodakis 2016), with torchvision's
/// names.
pub fn wide_resnet(column: Wide, classes: usize) -> Architecture {
    let (name, depth) = match column {
        Wide::D50 => ("wide_resnet50_2", Depth::D50),
        Wide::D101 => ("wide_resnet101_2", Depth::D101),
    };
    let unit = |at| bottleneck(at, Bottleneck { widening: 2, ..Default::default() });
    network(name.to_string(), depth.column().units, unit, classes)
}

/// A plain network for ImageNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plain {
    /// 18 layers with weights.
    D18,
    /// 34 layers with weights: figure 3, middle.
    D34,
}

/// A column of table 1 without shortcuts (He et al. 2015, figure 4, left): the parameters of the same depth with
/// shortcuts of option A.
pub fn plain(depth: Plain, classes: usize) -> Architecture {
    let Column { layers, units, .. } = match depth {
        Plain::D18 => Depth::D18.column(),
        Plain::D34 => Depth::D34.column(),
    };
    network(format!("plain{layers}"), units, |at| basic(at, Shortcut::None), classes)
}
