//! What holds for every network of the zoo.

use crate::Failure;
use cnn_core::candle_core::{DType, Device, Tensor};
use cnn_core::candle_nn::VarBuilder;
use cnn_core::{Model, Network, initialisation, model};
use cnn_train::{Optimiser, Rule};
use cnn_zoo::Entry;
use std::collections::BTreeSet;

/// Another input than the usual one, which the network takes. Those that end in a linear layer over the whole map get
/// a size of their own, which changes that layer.
fn other_size(entry: &Entry) -> [usize; 3] {
    let [c, h, w] = entry.architecture(10).usual_input();
    [c, h + 8, w + 16]
}

#[test]
fn every_network_takes_its_usual_input_and_another() -> Result<(), Failure> {
    for entry in cnn_zoo::all() {
        for input in [entry.architecture(10).usual_input(), other_size(&entry)] {
            let network = entry.architecture(10).at(input).map_err(|error| format!("{}: {error}", entry.name))?;
            assert_eq!(network.input().dims(), input, "{}", entry.name);
            for output in network.outputs() {
                assert_eq!(network.node(output.node).shape.dims(), [10], "{} {}", entry.name, output.name);
            }
        }
    }
    Ok(())
}

/// Networks with more parameters, or whose image costs more, are too much for a quick test.
const PARAMETERS: usize = 14_000_000;
const MACS: usize = 400_000_000;
/// The deepest: their graphs take minutes.
const NODES: usize = 700;

/// The networks that are too much, have no golden that `cargo xtask verify-parity` holds their gradients to, and why
/// that will do.
const NEITHER: [(&str, &str); 16] = [
    ("vgg11_d2l", "vgg_small_d2l with other widths"),
    ("googlenet_naive", "to be summed up, not trained"),
    ("resnet200", "resnet152 with other counts"),
    ("resnet101_v1", "resnet50_v1 with other counts"),
    ("resnet152_v1", "resnet50_v1 with other counts"),
    ("plain34", "plain18 with other counts"),
    ("resnet34_preact", "resnet18_preact with other counts"),
    ("resnet101_preact", "resnet50_preact with other counts"),
    ("resnet152_preact", "resnet50_preact with other counts"),
    ("resnet200_preact", "resnet50_preact with other counts"),
    ("resnet1202_cifar", "resnet110_cifar with other counts"),
    ("resnet1001_preact_cifar", "resnet164_preact_cifar with other counts"),
    ("densenet100_cifar", "densenet40_cifar with other counts"),
    ("densenet100_k24_cifar", "densenet40_cifar with other counts"),
    ("densenet250bc_cifar", "densenet100bc_cifar with other counts"),
    ("densenet190bc_cifar", "densenet100bc_cifar with other counts"),
];

/// With this variable in the environment every network takes a step: minutes, and several gigabytes. candle walks the
/// graphs of the deepest by recursion, for which `RUST_MIN_STACK` has to be raised too.
const EVERY: &str = "CNN_EVERY_NETWORK";

/// A small image on which the network can train.
fn small(entry: &Entry) -> Result<Network, Failure> {
    let architecture = entry.architecture(10);
    let [c, h, w] = architecture.usual_input();
    let input = match h {
        28 | 32 => [c, h, w],
        _ if entry.name.ends_with("_d2l") && h == 224 => [c, 112, 112],
        // Smaller, the head's batch norm would see two values, which it makes ±1 whatever they are.
        299 if entry.name == "inception_v3" => [c, 347, 299],
        299 => [c, 139, 139],
        _ => [c, 64, 64],
    };
    Ok(architecture.at(input).or_else(|_| architecture.at_usual_input())?)
}

#[test]
fn every_network_takes_a_step_and_every_parameter_a_gradient() -> Result<(), Failure> {
    let (mut tried, mut left) = (0, BTreeSet::new());
    let every = std::env::var_os(EVERY).is_some();
    for entry in cnn_zoo::all() {
        let network = small(&entry)?;
        let summary = network.summary();
        let too_much = summary.parameters > PARAMETERS || summary.macs > MACS || network.nodes().len() > NODES;
        if too_much && !every {
            left.insert(entry.name);
            continue;
        }
        step(&network)?;
        tried += 1;
    }
    let goldens = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/parity");
    let golden = |name: &str| std::path::Path::new(goldens).join(format!("{name}.safetensors")).exists();
    let known: BTreeSet<&str> = NEITHER.iter().map(|(name, _)| *name).collect();
    for name in &left {
        assert!(golden(name) || known.contains(name), "{name} takes no step, has no golden, and nobody says why");
    }
    for name in known {
        assert!(
            every || left.contains(name) && !golden(name),
            "{name} takes a step or has a golden: it needs no excuse"
        );
    }
    assert!(tried >= 30, "only {tried} networks took a step");
    Ok(())
}

fn step(network: &Network) -> Result<(), Failure> {
    let name = network.name();
    let device = Device::Cpu;
    let map = model::initialise(network, 3, DType::F32, &device)?;
    let model = Model::new(network, VarBuilder::from_varmap(&map, DType::F32, &device))?;
    let dims = [vec![2], network.input().dims()].concat();
    let noise = initialisation::Init::Normal { std: 1.0 }.draw(5, "batch", dims.iter().product());
    let batch = Tensor::from_vec(noise, dims.as_slice(), &device)?;
    let labels = Tensor::new(&[3u32, 7], &device)?;
    let outputs = model.outputs_t(&batch, true)?;
    let gradients = model.loss(&outputs, &labels)?.backward()?;
    let cancelled: BTreeSet<&str> = network.cancelled_biases().into_iter().map(|spec| spec.name.as_str()).collect();
    for (spec, var) in model.trainable()? {
        let gradient = gradients.get(&var).ok_or(format!("{name}: {} gets no gradient", spec.name))?;
        let largest = gradient.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
        assert!(largest.is_finite(), "{name}: gradient of {} is {largest}", spec.name);
        assert!(largest > 0.0 || cancelled.contains(spec.name.as_str()), "{name}: gradient of {} is zero", spec.name);
    }
    let before = model.trainable()?[0].1.as_detached_tensor().copy()?;
    Optimiser::new(Rule::sgd(0.9), &model)?.step(&gradients, 0.01)?;
    let moved = (model.trainable()?[0].1.as_tensor() - before)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    assert!(moved > 0.0 && moved.is_finite(), "{name}: the step moves the first tensor by {moved}");
    Ok(())
}
