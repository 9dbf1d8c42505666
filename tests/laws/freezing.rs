//! Planned steps in which tensors are frozen: no gradient for them, and everyone else's as if nothing had happened.

use crate::Failure;
use crate::memory::{alone, narrow};
use crate::step::{DROPOUT, Outcome, Problem, SEED};
use cnn_core::op::Op;
use cnn_core::tensors::Role;
use cnn_core::{Network, initialisation::Init};
use cnn_plan::{TrainingOptions, TrainingPlan, TrainingRun};

fn network(name: &str, input: [usize; 3]) -> Result<Network, Failure> {
    narrow(cnn_zoo::find(name)?.architecture(7).at(input)?)
}

/// For each tensor whether it is of a layer under one of these paths.
fn under(network: &Network, paths: &[&str]) -> Vec<bool> {
    let is_under =
        |name: &str| paths.iter().any(|path| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
    network.tensors().map(|spec| is_under(&spec.name)).collect()
}

/// A step in which these tensors are frozen, after which they are as they were.
fn step(problem: &Problem, values: &[Vec<f64>], frozen: &[bool]) -> Result<Outcome, Failure> {
    let options = TrainingOptions { frozen, ..TrainingOptions::default() };
    let outcome = problem.planned(values.to_vec(), options)?;
    outcome.has_gradients(&problem.network, frozen)?;
    Ok(outcome)
}

/// For each batch normalisation the position of its first tensor, and how many numbers of a batch of 3 a channel has.
fn norms(network: &Network) -> Vec<(usize, f64)> {
    let mut first = 0;
    let mut norms = Vec::new();
    for node in network.nodes() {
        if let Op::BatchNorm(_) = node.op {
            norms.push((first, (3 * node.shape.elements() / node.shape.channels()) as f64));
        }
        first += node.tensors.len();
    }
    norms
}

#[test]
fn what_a_frozen_layer_leaves_is_candles() -> Result<(), Failure> {
    for (name, input, paths) in [
        ("vgg11", [3, 32, 32], &["features"][..]),
        ("lenet_paper", [1, 32, 32], &["s2", "c3"]),
        ("googlenet_d2l", [1, 32, 32], &["0", "1"]),
        ("googlenet_d2l", [1, 32, 32], &["1.2", "2.1", "5"]),
    ] {
        let network = network(name, input)?;
        let _alone = alone(&network);
        let problem = Problem::new(network)?;
        let frozen = under(&problem.network, paths);
        assert!(frozen.contains(&true), "{name} has nothing under {paths:?}");
        let values = problem.values()?;
        let found = step(&problem, &values, &frozen)?;
        let (difference, tensor) = found.away(&problem.network, &problem.candle(true)?)?;
        assert!(difference < 1e-8, "{name}, {paths:?} frozen: {tensor}: {difference}");
    }
    Ok(())
}

/// With the weight of every batch normalisation frozen a training step is one of candle in evaluation mode, whatever
/// other tensors are frozen.
#[test]
fn frozen_norms_are_constants() -> Result<(), Failure> {
    for (name, input, paths) in [
        ("resnet18", [3, 64, 32], &["layer2.0.conv1", "layer2.0.bn1"][..]),
        ("densenet121", [3, 32, 32], &["features.denseblock2.denselayer3"]),
        ("resnet18_d2l", [1, 32, 32], &[]),
        ("resnet18_preact", [3, 32, 32], &["layer1"]),
    ] {
        let network = network(name, input)?;
        let _alone = alone(&network);
        let problem = Problem::new(network)?;
        let mut frozen = under(&problem.network, paths);
        norms(&problem.network).iter().for_each(|(first, _)| frozen[*first] = true);
        seen_statistics(&problem)?;
        let values = problem.values()?;
        let found = step(&problem, &values, &frozen)?;
        assert!(found.values == values, "{name}: something has moved");
        let (difference, tensor) = found.away(&problem.network, &problem.candle(false)?)?;
        assert!(difference < 1e-8, "{name}: {tensor}: {difference}");
    }
    Ok(())
}

/// Gives batch normalisations other statistics than 0 and 1.
fn seen_statistics(problem: &Problem) -> Result<(), Failure> {
    let data = problem.weights.data().lock().map_err(|_| "poisoned")?;
    for spec in problem.network.tensors().filter(|spec| spec.role == Role::Statistic) {
        let var = &data[&spec.name];
        let noise: Vec<f64> =
            Init::Uniform { bound: 0.2 }.draw(SEED, &spec.name, spec.elements()).into_iter().map(f64::from).collect();
        let noise = cnn_core::candle_core::Tensor::new(noise, var.device())?;
        var.set(&(var.as_tensor() + noise)?)?;
    }
    Ok(())
}

/// A frozen beginning whose statistics happen to be the batch's computes what training computes.
#[test]
fn a_frozen_beginning_normalises_by_its_own_statistics() -> Result<(), Failure> {
    for (name, input, paths) in [
        ("resnet18", [3, 64, 32], &["conv1", "bn1", "layer1"][..]),
        ("densenet121", [3, 32, 64], &["features.conv0", "features.norm0", "features.denseblock1"]),
        (
            "densenet121",
            [3, 32, 64],
            &[
                "features.conv0",
                "features.norm0",
                "features.denseblock1.denselayer1",
                "features.denseblock1.denselayer2",
            ],
        ),
    ] {
        let network = network(name, input)?;
        let _alone = alone(&network);
        let problem = Problem::new(network)?;
        let frozen = under(&problem.network, paths);
        let mut values = problem.values()?;
        let mut expected = problem.candle(true)?;
        for (first, count) in norms(&problem.network).into_iter().filter(|(first, _)| frozen[*first]) {
            // The running statistics have moved a tenth of the way; the running variance is the unbiased one.
            for (statistic, factor) in [(first + 2, 1.0), (first + 3, (count - 1.0) / count)] {
                let moved = expected.values[statistic].iter().zip(&values[statistic]);
                values[statistic] = moved.map(|(after, before)| (after - 0.9 * before) / 0.1 * factor).collect();
                expected.values[statistic].clone_from(&values[statistic]);
            }
        }
        let found = step(&problem, &values, &frozen)?;
        let (difference, tensor) = found.away(&problem.network, &expected)?;
        assert!(difference < 1e-8, "{name}: {tensor}: {difference}");
    }
    Ok(())
}

/// A frozen layer between trained ones: the gradients are the differences of the loss.
#[test]
fn gradients_pass_a_frozen_layer() -> Result<(), Failure> {
    let network = network("resnet18", [3, 64, 32])?;
    let _alone = alone(&network);
    let problem = Problem::new(network)?;
    let frozen = under(&problem.network, &["layer2"]);
    seen_statistics(&problem)?;
    let values = problem.values()?;
    let found = step(&problem, &values, &frozen)?;
    for name in ["conv1.weight", "bn1.bias", "layer1.0.bn1.weight", "layer1.1.conv2.weight", "layer3.0.conv1.weight"] {
        let tensor = problem.network.tensors().position(|spec| spec.name == name).ok_or("no such tensor")?;
        let gradient = found.gradients[tensor].as_ref().ok_or("no gradient")?;
        let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        // Along the gradient the loss rises by its length.
        let loss = |by: f64| -> Result<f64, Failure> {
            let mut moved = values.clone();
            moved[tensor].iter_mut().zip(gradient).for_each(|(value, g)| *value += by * g / length);
            Ok(step(&problem, &moved, &frozen)?.loss)
        };
        let difference = (loss(1e-6)? - loss(-1e-6)?) / 2e-6;
        assert!((difference / length - 1.0).abs() < 1e-5, "{name}: {difference}, not {length}");
    }
    Ok(())
}

/// What has no trained tensor upstream takes no time backwards, and no memory.
#[test]
fn nothing_is_done_for_what_is_frozen() -> Result<(), Failure> {
    let problem = Problem::new(network("resnet18", [3, 32, 32])?)?;
    let beginning = ["conv1", "bn1", "layer1", "layer2"];
    let frozen = under(&problem.network, &beginning);
    let plan = TrainingPlan::new(&problem.network, TrainingOptions { frozen: &frozen, ..Default::default() })?;
    let mut run = TrainingRun::<f64>::new(&plan, DROPOUT);
    problem.with(&mut run, problem.values()?)?;
    let mut backward = 0;
    for (path, work, time) in run.times() {
        let first = path.split('.').next().ok_or("no path")?;
        if beginning.contains(&first) {
            assert!(time.inputs.is_zero() && time.weights.is_zero(), "{path}, {work}");
        } else {
            backward += usize::from(!time.weights.is_zero());
        }
    }
    // Two blocks of two convolutions and one more in each of two stages, and the classifier.
    assert_eq!(backward, 11);
    let trained = TrainingPlan::new(&problem.network, TrainingOptions::default())?;
    assert!(plan.numbers_per_image() * 2 < trained.numbers_per_image());
    Ok(())
}

#[test]
fn the_list_of_frozen_tensors_is_of_all() -> Result<(), Failure> {
    let network = network("lenet", [1, 28, 28])?;
    let refused = TrainingPlan::new(&network, TrainingOptions { frozen: &[true], ..Default::default() });
    let sentence = refused.err().ok_or("taken")?.to_string();
    assert_eq!(sentence, "lenet: the list of frozen tensors has 1 entries, the network 10 tensors");
    Ok(())
}

#[test]
fn a_model_refuses_a_list_that_is_not_of_all_tensors() -> Result<(), Failure> {
    use cnn_core::candle_core::{DType, Device};
    let network = network("mnist_conv", [1, 28, 28])?;
    let weights = cnn_core::Weights::initialised(&network, 1);
    let count = network.tensors().count();
    for (length, accepted) in [(0, true), (count, true), (1, false), (count - 1, false), (count + 1, false)] {
        let model = cnn_core::Model::from_weights(&network, &weights, DType::F32, &Device::Cpu)?;
        assert_eq!(model.freeze(&vec![true; length]).is_ok(), accepted, "{length}");
    }
    Ok(())
}
