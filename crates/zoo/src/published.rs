//! Results as papers and libraries publish them, for the networks that have their structure.

use Source::{Densenet, Identity, Resnet, TorchvisionV1, TorchvisionV2};

/// Who measured a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// torchvision's first weights: the recipes of the papers' time, the middle 224×224 (Inception v3: 299×299).
    TorchvisionV1,
    /// torchvision's weights of 2021: the same networks, a longer recipe with more augmentation.
    TorchvisionV2,
    /// He et al. 2015, table 6: CIFAR-10 with flips and crops.
    Resnet,
    /// He et al. 2016, table 2 and 4: CIFAR-10 with flips and crops, median of five, batches of 128.
    Identity,
    /// Huang et al. 2017, table 2: CIFAR-10 with flips and crops.
    Densenet,
}

/// The data a result is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Benchmark {
    /// The 50,000 validation images of ILSVRC 2012, one crop.
    ImageNet,
    /// The 10,000 test images of CIFAR-10.
    Cifar10,
}

/// A published result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The network's name in the zoo.
    pub network: &'static str,
    /// Who measured it.
    pub source: Source,
    /// Share of images whose class comes first, in percent.
    pub top1: f64,
}

impl Source {
    /// The source in a few words.
    pub fn name(self) -> &'static str {
        match self {
            TorchvisionV1 => "torchvision, V1",
            TorchvisionV2 => "torchvision, V2",
            Resnet => "He et al. 2015",
            Identity => "He et al. 2016",
            Densenet => "Huang et al. 2017",
        }
    }

    /// What it is measured on.
    pub fn benchmark(self) -> Benchmark {
        match self {
            TorchvisionV1 | TorchvisionV2 => Benchmark::ImageNet,
            Resnet | Identity | Densenet => Benchmark::Cifar10,
        }
    }
}

impl Benchmark {
    /// The benchmark's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageNet => "ImageNet",
            Self::Cifar10 => "CIFAR-10",
        }
    }
}

/// Top-1 accuracy as torchvision publishes it.
const ACCURACIES: [(&str, Source, f64); 32] = [
    ("alexnet", TorchvisionV1, 56.522),
    ("vgg11", TorchvisionV1, 69.020),
    ("vgg13", TorchvisionV1, 69.928),
    ("vgg16", TorchvisionV1, 71.592),
    ("vgg19", TorchvisionV1, 72.376),
    ("vgg11_bn", TorchvisionV1, 70.370),
    ("vgg13_bn", TorchvisionV1, 71.586),
    ("vgg16_bn", TorchvisionV1, 73.360),
    ("vgg19_bn", TorchvisionV1, 74.218),
    ("googlenet", TorchvisionV1, 69.778),
    ("inception_v3", TorchvisionV1, 77.294),
    ("resnet18", TorchvisionV1, 69.758),
    ("resnet34", TorchvisionV1, 73.314),
    ("resnet50", TorchvisionV1, 76.130),
    ("resnet50", TorchvisionV2, 80.858),
    ("resnet101", TorchvisionV1, 77.374),
    ("resnet101", TorchvisionV2, 81.886),
    ("resnet152", TorchvisionV1, 78.312),
    ("resnet152", TorchvisionV2, 82.284),
    ("resnext50_32x4d", TorchvisionV1, 77.618),
    ("resnext50_32x4d", TorchvisionV2, 81.198),
    ("resnext101_32x8d", TorchvisionV1, 79.312),
    ("resnext101_32x8d", TorchvisionV2, 82.834),
    ("resnext101_64x4d", TorchvisionV2, 83.246),
    ("wide_resnet50_2", TorchvisionV1, 78.468),
    ("wide_resnet50_2", TorchvisionV2, 81.602),
    ("wide_resnet101_2", TorchvisionV1, 78.848),
    ("wide_resnet101_2", TorchvisionV2, 82.510),
    ("densenet121", TorchvisionV1, 74.434),
    ("densenet161", TorchvisionV1, 77.138),
    ("densenet169", TorchvisionV1, 75.600),
    ("densenet201", TorchvisionV1, 76.896),
];

/// Test errors as the papers print them.
const ERRORS: [(&str, Source, f64); 14] = [
    ("resnet20_cifar", Resnet, 8.75),
    ("resnet32_cifar", Resnet, 7.51),
    ("resnet44_cifar", Resnet, 7.17),
    ("resnet56_cifar", Resnet, 6.97),
    ("resnet110_cifar", Resnet, 6.43),
    ("resnet1202_cifar", Resnet, 7.93),
    ("resnet110_preact_cifar", Identity, 6.37),
    ("resnet164_preact_cifar", Identity, 5.46),
    ("resnet1001_preact_cifar", Identity, 4.92),
    ("densenet40_cifar", Densenet, 5.24),
    ("densenet100_cifar", Densenet, 4.10),
    ("densenet100bc_cifar", Densenet, 4.51),
    ("densenet250bc_cifar", Densenet, 3.62),
    ("densenet190bc_cifar", Densenet, 3.46),
];

/// Every published result, family by family.
pub fn published() -> impl Iterator<Item = Published> {
    let errors = ERRORS.into_iter().map(|(network, source, error)| (network, source, 100.0 - error));
    ACCURACIES.into_iter().chain(errors).map(|(network, source, top1)| Published { network, source, top1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_result_belongs_to_a_network_and_is_named_once() {
        let mut seen = HashSet::new();
        for result in published() {
            assert!(crate::find(result.network).is_ok(), "{}", result.network);
            assert!(seen.insert((result.network, result.source)), "{}", result.network);
            assert!((50.0..100.0).contains(&result.top1), "{}", result.network);
        }
    }
}
