//! Results as papers publish them, for the networks that have their structure.

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

/// Results that papers publish, family by family; not every network has one here. Those of weights that can be had are in
/// `cnn-catalogue`, beside the weights.
pub fn published() -> impl Iterator<Item = Published> {
    ERRORS.into_iter().map(|(network, source, error)| Published { network, source, top1: 100.0 - error })
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
