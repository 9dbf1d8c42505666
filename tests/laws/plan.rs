//! The planned training step against candle's autograd.

use crate::Failure;
use crate::memory::{alone, narrow};
use crate::step::Problem;
use cnn_core::{Network, Op};
use cnn_plan::{TrainingOptions, TrainingPlan};

/// Networks that between them have every operation, with sizes small enough for candle.
const NETWORKS: &[(&str, [usize; 3])] = &[
    ("lenet", [1, 28, 28]),
    ("lenet_paper", [1, 32, 32]),
    ("lenet_d2l", [1, 28, 28]),
    ("alexnet", [3, 95, 63]),
    ("alexnet_paper", [3, 99, 67]),
    ("vgg_small_d2l", [1, 64, 64]),
    ("vgg11_bn", [3, 64, 64]),
    ("vgg11_lrn_paper", [3, 32, 32]),
    ("nin_d2l", [1, 99, 67]),
    ("googlenet", [3, 64, 96]),
    ("googlenet_d2l", [1, 64, 96]),
    ("mnist_inception", [1, 28, 28]),
    ("inception_v3", [3, 107, 123]),
    ("inception_v4", [3, 107, 75]),
    ("inception_resnet_v1", [3, 107, 75]),
    ("bn_inception", [3, 64, 64]),
    ("resnet18", [3, 64, 32]),
    ("resnet50", [3, 64, 32]),
    ("resnext50_32x4d", [3, 32, 64]),
    ("resnet18_preact", [3, 64, 32]),
    ("resnet20_cifar", [3, 32, 16]),
    ("plain20_cifar", [3, 16, 32]),
    ("resnet110_preact_cifar", [3, 16, 16]),
    ("mnist_residual", [1, 28, 28]),
    ("densenet121", [3, 32, 64]),
    ("densenet40_cifar", [3, 16, 32]),
    ("densenet100bc_cifar", [3, 16, 16]),
    ("densenet_d2l", [1, 32, 64]),
];

/// Same loss, outputs, running statistics and gradients, dropout, auxiliary heads and mixed labels included, in f64.
#[test]
fn both_engines_give_the_same_gradients() -> Result<(), Failure> {
    let mut worst: (f64, String) = (0.0, String::new());
    for (name, input) in NETWORKS {
        let entry = cnn_zoo::find(name)?;
        // The heads of Inception v3 need more pixels than candle computes in reasonable time.
        let network = match entry.architecture(7).at(*input) {
            Ok(network) => network,
            Err(_) => entry.architecture(7).without_heads().at(*input)?,
        };
        let network = narrow(network)?;
        let _alone = alone(&network);
        let (difference, tensor) = difference(network).map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: {difference:.1e} ({tensor})");
        if difference.is_nan() || difference > worst.0 {
            worst = (difference, format!("{name} {tensor}"));
        }
    }
    assert!(worst.0 < 1e-8, "{}: {}", worst.1, worst.0);
    Ok(())
}

/// Neither the images nor a map that a max pool alone reads is kept: of AlexNet and VGG at the sizes of their sources
/// these are the most. Numbers an image, and those of all maps that convolutions write.
#[test]
fn what_a_pool_alone_reads_is_not_kept() -> Result<(), Failure> {
    for (name, expected) in [("alexnet", 380_864), ("vgg16", 10_838_016)] {
        let network = cnn_zoo::find(name)?.architecture(1000).without_dropout().at([3, 224, 224])?;
        let found = TrainingPlan::new(&network, TrainingOptions::default())?.numbers_per_image();
        let convolutions = network.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_)));
        let written: usize = convolutions.map(|node| node.shape.elements()).sum();
        println!("{name}: {found} numbers an image, {written} written by convolutions");
        // Gradients included, it is less than what convolutions write.
        assert!(found <= expected && found < written, "{name}: {found} numbers an image, {written} written");
    }
    Ok(())
}

/// The largest difference of a tensor, relative to its largest element, and its name.
fn difference(network: Network) -> Result<(f64, String), Failure> {
    let problem = Problem::new(network)?;
    let before = problem.values()?;
    let expected = problem.candle(true)?;
    let found = problem.planned(before, TrainingOptions::default())?;
    found.has_gradients(&problem.network, &[])?;
    found.away(&problem.network, &expected)
}
