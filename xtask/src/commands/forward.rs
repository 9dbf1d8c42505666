//! `forward`: a network on tensors from a file, for anyone who compares with another framework.

use crate::cli::{self, Common};
use crate::numbers::Chosen;
use crate::weights::{classes_of, of_file};
use anyhow::{Context, Result, anyhow, bail};
use candle_core::{DType, Device, Tensor};
use cnn_core::candle_core;
use cnn_core::network::NodeId;
use cnn_core::shape::times;
use cnn_core::{Architecture, Network};
use cnn_core::{Model, Predictor, Weights, lend};
use cnn_plan::InferencePlan;
use cnn_zoo::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

pub fn run(args: &cli::Forward, common: &Common) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let device = common.device.open()?;
    let weights = Weights::read(&args.weights)?;
    let classes = match args.classes {
        Some(classes) => classes as usize,
        None => classes_of(&entry, &weights)?,
    };
    let batch = input(&args.input, &device)?;
    let network = architecture(args, &entry, classes)?.at([batch.dim(1)?, batch.dim(2)?, batch.dim(3)?])?;
    cnn_train::check_evaluation_fits(&network, batch.dim(0)?)?;
    let nodes = outputs(args, &network)?;
    let paths: Vec<&str> = nodes.iter().map(|(_, id)| network.node(*id).path.as_str()).collect();
    let numbers = Chosen::new(&args.numbers, (network.name(), &args.weights.to_string_lossy()), &device)?;
    let values = values(args, (&network, &weights), &numbers, &device, &batch, &paths)?;
    let tensors: HashMap<String, Tensor> = nodes
        .into_iter()
        .zip(values)
        .map(|((name, _), value)| Ok((name, value.to_device(&Device::Cpu)?.contiguous()?)))
        .collect::<Result<_>>()?;
    let named: BTreeMap<&String, &Tensor> = tensors.iter().collect();
    cnn_train::write_whole(&args.output, &safetensors::serialize(named, None)?)?;
    let mut written: Vec<String> =
        tensors.iter().map(|(name, tensor)| format!("{name} {}", times(tensor.dims()))).collect();
    written.sort_unstable();
    numbers.announce();
    println!("{}: {}", args.output.display(), written.join(", "));
    Ok(())
}

/// The values of some nodes: by the inference plan on the CPU, else by candle.
fn values(
    args: &cli::Forward,
    (network, weights): (&Network, &Weights),
    numbers: &Chosen,
    device: &Device,
    batch: &Tensor,
    paths: &[&str],
) -> Result<Vec<Tensor>> {
    if !device.is_cpu() {
        let model = of_file(&args.weights, Model::from_weights(network, weights, DType::F32, device))?;
        return Ok(model.nodes(batch, paths)?);
    }
    let options = numbers.options().of_nodes(paths);
    let predictor = Predictor::of(of_file(&args.weights, InferencePlan::new(network, weights, options))?);
    let outputs = lend(batch, |images| predictor.outputs(images))??;
    let values = outputs.into_iter().zip(predictor.plan().targets()).map(|(values, node)| {
        let dims = [vec![batch.dim(0)?], network.node(*node).shape.dims()].concat();
        Ok(Tensor::from_vec(values, dims, device)?)
    });
    values.collect()
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
        nodes.insert((path.clone(), network.find(path)?));
    }
    if args.softmax {
        nodes.insert(("probabilities".to_string(), last));
        nodes.insert(("logits".to_string(), network.node(last).inputs[0]));
    } else {
        nodes.insert(("logits".to_string(), last));
    }
    Ok(nodes)
}

/// The tensor `input` of a file, as f32.
fn input(path: &Path, device: &Device) -> Result<Tensor> {
    let bytes = cnn_core::file::read(path, u64::MAX).with_context(|| format!("cannot read {}", path.display()))?;
    let mut tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|error| {
        let problem = error.to_string();
        anyhow!("{} is no safetensors file: {}", path.display(), problem.lines().next().unwrap_or_default())
    })?;
    let Some(input) = tensors.remove("input") else {
        let mut names: Vec<String> = tensors.into_keys().collect();
        names.sort_unstable();
        bail!("{} has no tensor input, only: {}", path.display(), names.join(", "));
    };
    match input.dims() {
        [n, _, _, _] if *n > 0 => Ok(input.to_dtype(DType::F32)?),
        dims => bail!(
            "{}: tensor input is {}, but images × channels × height × width are needed",
            path.display(),
            times(dims)
        ),
    }
}
