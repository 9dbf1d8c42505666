//! Planned steps that compute again what they did not keep.

use crate::Failure;
use crate::memory::{alone, narrow};
use crate::step::{DROPOUT, Problem};
use cnn_core::Network;
use cnn_plan::{Numeric, Real, Recompute, TrainingOptions, TrainingPlan, TrainingRun};

const SEGMENTS: TrainingOptions<'_> =
    TrainingOptions { frozen: &[], recompute: Recompute::Segments, nodes: &[], numeric: Numeric::F32 };
const NOTHING: TrainingOptions<'_> = TrainingOptions { recompute: Recompute::Nothing, ..SEGMENTS };

fn network(name: &str, input: [usize; 3]) -> Result<Network, Failure> {
    Ok(cnn_zoo::find(name)?.architecture(7).at(input)?)
}

/// Loss, outputs, gradients and statistics of two steps are the same, bit for bit: dropout, batch normalisation,
/// heads, pools and frozen tensors included, and Winograd's algorithms, which are for f32.
#[test]
fn the_bits_are_the_same() -> Result<(), Failure> {
    for (name, input, frozen, in_64_bits_too) in [
        ("lenet_paper", [1, 32, 32], None, true),
        ("alexnet_paper", [3, 99, 67], None, false),
        ("vgg11", [3, 32, 32], Some("features.3"), false),
        ("vgg11_bn", [3, 64, 64], None, false),
        ("nin_d2l", [1, 99, 67], None, false),
        ("googlenet", [3, 64, 64], None, true),
        ("inception_resnet_v1", [3, 107, 75], None, false),
        ("resnet18", [3, 64, 32], Some("layer1"), true),
        ("resnet50", [3, 32, 32], None, false),
        ("resnet110_preact_cifar", [3, 16, 16], None, false),
        ("densenet121", [3, 32, 64], Some("features.denseblock2.denselayer3"), false),
        ("densenet40_cifar", [3, 32, 32], None, true),
    ] {
        let network = narrow(network(name, input)?)?;
        let _alone = alone(&network);
        let problem = Problem::new(network)?;
        let of_frozen = |name: &str| frozen.is_some_and(|path| name.starts_with(&format!("{path}.")));
        let frozen: Vec<bool> = problem.network.tensors().map(|spec| of_frozen(&spec.name)).collect();
        same_bits::<f32>(&problem, &frozen).map_err(|error| format!("{name}: {error}"))?;
        if in_64_bits_too {
            same_bits::<f64>(&problem, &frozen).map_err(|error| format!("{name} in 64 bits: {error}"))?;
        }
    }
    Ok(())
}

fn same_bits<T: Real>(problem: &Problem, frozen: &[bool]) -> Result<(), Failure> {
    let run = |options| -> Result<TrainingRun<T>, Failure> {
        let plan = TrainingPlan::new(&problem.network, TrainingOptions { frozen, ..options })?;
        Ok(TrainingRun::new(&plan, DROPOUT))
    };
    let (mut kept, mut again) = (run(NOTHING)?, run(SEGMENTS)?);
    let (few, many) = (again.plan().numbers_per_image(), kept.plan().numbers_per_image());
    println!("{}: {few} of {many} numbers an image", problem.network.name());
    assert!(few <= many, "{few} and {many}");
    let mut values = problem.values()?;
    for step in 0..2 {
        let expected = problem.with(&mut kept, values.clone())?;
        let found = problem.with(&mut again, values)?;
        if !found.bits().eq(expected.bits()) {
            return Err(format!("step {step} differs").into());
        }
        values = found.values;
    }
    Ok(())
}

/// How much memory is left of what a step without recomputation takes, at the sizes of the sources.
#[test]
fn the_memory_is_less() -> Result<(), Failure> {
    for (name, most) in [("densenet121", 0.52), ("resnet50", 0.35), ("resnet152", 0.22)] {
        let network = network(name, [3, 224, 224])?;
        let numbers = |options| Ok::<_, Failure>(TrainingPlan::new(&network, options)?.numbers_per_image());
        let (few, many) = (numbers(SEGMENTS)?, numbers(NOTHING)?);
        let share = few as f64 / many as f64;
        println!("{name}: {few} of {many} numbers an image, {share:.3}");
        assert!(share < most, "{name}: {share:.3}");
    }
    Ok(())
}
