//! What holds for every network of the zoo.

use crate::Failure;
use cnn_core::candle_core::{DType, Device, Tensor};
use cnn_core::candle_nn::VarBuilder;
use cnn_core::{Model, Network, initialisation, model};
use cnn_train::{Optimiser, Rule};
use cnn_zoo::Entry;
use std::collections::BTreeSet;
use std::path::Path;

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

/// With this variable in the environment every network takes a step: minutes, and several gigabytes.
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
    let goldens = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/parity"));
    let mut tried = 0;
    let every = std::env::var_os(EVERY).is_some();
    for entry in cnn_zoo::all() {
        // What `cargo xtask verify-parity` holds its gradients to, whether it takes a step here or not.
        assert!(goldens.join(format!("{}.safetensors", entry.name)).exists(), "{} has no golden", entry.name);
        let network = small(&entry)?;
        let summary = network.summary();
        let too_much = summary.parameters > PARAMETERS || summary.macs > MACS || network.nodes().len() > NODES;
        if too_much && !every {
            continue;
        }
        cnn_verify::deep(|| step(&network).map_err(|failure| format!("{}: {failure}", entry.name)))??;
        tried += 1;
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
