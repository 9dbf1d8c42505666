//! `forward`: a network on tensors from a file, for anyone who compares with another framework.

use crate::cli::{self, Common, Mode};
use crate::numbers::{Chosen, scales_of};
use crate::reads::Reads;
use crate::way_out::{self, ends_in};
use crate::weights::{classes_of, of_file, with_size};
use anyhow::{Context, Result, bail};
use cnn_core::device::Device;
use cnn_core::network::NodeId;
use cnn_core::shape::times;
use cnn_core::weights::BorrowedWeights;
use cnn_core::{Architecture, Network};
use cnn_core::{Predictor, Weights};
use cnn_plan::InferencePlan;
use cnn_zoo::Entry;
use std::collections::BTreeSet;
use std::path::Path;

pub fn run(args: &cli::Forward, common: &Common) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let device = common.device.open()?;
    let source = args.weights.to_string_lossy();
    Reads::files([&args.weights, &args.input])
        .and(scales_of(&args.numbers, entry.name, &source))
        .allow(&args.output)?;
    ends_in(&args.output, &["safetensors"])?;
    let weights = Weights::read(&args.weights)?;
    weights.choice().iter().for_each(|note| println!("{note}"));
    let classes = match args.classes {
        Some(classes) => classes as usize,
        None => classes_of(&entry, &weights)?,
    };
    let ([n, c, h, w], images) = input(&args.input)?;
    let network = architecture(args, &entry, classes)?.at([c, h, w])?;
    cnn_train::check_evaluation_fits(&network, n)?;
    let nodes = outputs(args, &network)?;
    let paths: Vec<&str> = nodes.iter().map(|(_, id)| network.node(*id).path.as_str()).collect();
    let numbers = Chosen::new(&args.numbers, (network.name(), &source), None, &device)?;
    let values = values(args, (&network, &weights), &numbers, &device, &images, &paths);
    let values = values.map_err(|error| with_size(&weights, &network, error))?;
    if let Some(warning) = not_finite("the input", &images) {
        let as_what =
            if args.numbers.mode == Mode::Int8 { "; each counts as the least or the greatest there is" } else { "" };
        eprintln!("{warning}{as_what}");
    }
    numbers.beyond(&network, &images).iter().for_each(|warning| eprintln!("{warning}"));
    let (mut tensors, mut written) = (BorrowedWeights::new(), Vec::new());
    for ((name, node), values) in nodes.into_iter().zip(values) {
        not_finite(&name, &values).iter().for_each(|warning| eprintln!("{warning}"));
        let dims = [vec![n], network.node(node).shape.dims()].concat();
        written.push(format!("{name} {}", times(&dims)));
        tensors.insert(name, &dims, values)?;
    }
    cnn_train::write_whole(&args.output, &tensors.to_bytes(&args.output.display().to_string())?)?;
    written.sort_unstable();
    numbers.announce();
    println!("{}: {}", args.output.display(), written.join(", "));
    Ok(())
}

/// What is said of values of which some are not finite.
fn not_finite(name: &str, values: &[f32]) -> Option<String> {
    let count = values.iter().filter(|value| !value.is_finite()).count();
    (count > 0).then(|| format!("warning: {count} of {} values of {name} are not finite", values.len()))
}

/// The values of some nodes: by the inference plan on the CPU, else by candle.
fn values(
    args: &cli::Forward,
    (network, weights): (&Network, &Weights),
    numbers: &Chosen,
    device: &Device,
    images: &[f32],
    paths: &[&str],
) -> Result<Vec<Vec<f32>>> {
    #[cfg(feature = "candle")]
    if !device.is_cpu() {
        return by_candle(args, (network, weights), device, images, paths);
    }
    let _ = device;
    let options = numbers.options().of_nodes(paths);
    let predictor = Predictor::of(of_file(&args.weights, InferencePlan::new(network, weights, options))?);
    Ok(predictor.outputs(images)?)
}

#[cfg(feature = "candle")]
fn by_candle(
    args: &cli::Forward,
    (network, weights): (&Network, &Weights),
    device: &Device,
    images: &[f32],
    paths: &[&str],
) -> Result<Vec<Vec<f32>>> {
    use cnn_core::candle_core::{DType, Tensor};
    let model = of_file(&args.weights, cnn_core::Model::from_weights(network, weights, DType::F32, device))?;
    let input = network.input();
    let dims = [vec![images.len() / input.elements()], input.dims()].concat();
    let nodes = model.nodes(&Tensor::from_slice(images, dims, device)?, paths)?;
    nodes.iter().map(|node| Ok(node.flatten_all()?.to_vec1()?)).collect()
}

fn architecture(args: &cli::Forward, entry: &Entry, classes: usize) -> Result<Architecture> {
    let architecture = if args.transform_input {
        entry.transformed(classes).with_context(|| format!("{} has no transform_input", entry.name))?
    } else {
        entry.architecture(classes)
    };
    let architecture = architecture.without_heads();
    Ok(if args.softmax { architecture.with_softmax() } else { architecture })
}

/// What is written under which name.
fn outputs(args: &cli::Forward, network: &Network) -> Result<BTreeSet<(String, NodeId)>> {
    let last = network.outputs()[0].node;
    let mut nodes = BTreeSet::new();
    for path in &args.taps {
        nodes.insert((path.clone(), way_out::node(network, path)?));
    }
    if args.softmax {
        nodes.insert(("probabilities".to_string(), last));
        nodes.insert(("logits".to_string(), network.node(last).inputs[0]));
    } else {
        nodes.insert(("logits".to_string(), last));
    }
    Ok(nodes)
}

/// The tensor `input` of a file, as f32, with its dimensions.
fn input(path: &Path) -> Result<([usize; 4], Vec<f32>)> {
    let tensors = Weights::read(path)?;
    let Some(input) = tensors.get("input") else {
        let names: Vec<&str> = tensors.iter().map(|(name, _)| name).collect();
        bail!("{} has no tensor input, only: {}", path.display(), names.join(", "));
    };
    match *input.dims() {
        [n, c, h, w] if n > 0 => Ok(([n, c, h, w], input.numbers("input")?.into_owned())),
        ref dims => bail!(
            "{}: tensor input is {}, but images × channels × height × width are needed",
            path.display(),
            times(dims)
        ),
    }
}
