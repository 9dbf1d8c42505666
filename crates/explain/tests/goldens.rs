//! Gradients at nodes, Grad-CAM and guided backpropagation, held to what torch and the package grad-cam made of the same
//! weights and picture: `tests/goldens/explain.py`.

use cnn_explain::{Cam, Explainer, Heat, cam_node};
use cnn_network::network::NodeId;
use cnn_network::tensors::{Role, TensorSpec};
use cnn_network::{Network, Op};
use cnn_plan::{GradientPlan, GradientRun, Parameters};
use cnn_verify::rule::Rule;
use cnn_weights::{Number, Tensor, Weights};
use serde::Deserialize;
use std::collections::BTreeMap;

type Failure = Box<dyn std::error::Error>;

const RULE: Rule = Rule { seed: 1 };

#[derive(Deserialize)]
struct Golden {
    name: String,
    classes: usize,
    input: [usize; 4],
    logits: Vec<f64>,
    /// For each node the norm, the greatest magnitude and samples.
    gradients: BTreeMap<String, Vec<f64>>,
    node: String,
    grad_cam: GoldenCam,
    grad_cam_plus_plus: GoldenCam,
    guided: Option<Vec<f64>>,
    /// How far torch's own f32 is from it.
    guided_f32: Option<f64>,
}

#[derive(Deserialize)]
struct GoldenCam {
    size: [usize; 2],
    map: Vec<f64>,
    samples: Vec<f64>,
}

fn goldens() -> Result<Vec<Golden>, Failure> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/explain.json");
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

fn golden(name: &str) -> Result<Golden, Failure> {
    Ok(goldens()?.into_iter().find(|golden| golden.name == name).ok_or("no such golden")?)
}

/// How far torch's own f32 gets from f64 in guided backpropagation, in the worst of the networks: at which of them a
/// rounding crosses a kink is chance.
fn torch_in_f32() -> Result<f64, Failure> {
    Ok(goldens()?.iter().filter_map(|golden| golden.guided_f32).fold(0.0, f64::max))
}

/// Weights by the rule; statistics as a bias and as a normalisation's weight.
fn weights(network: &Network) -> Result<Weights, Failure> {
    let mut weights = Weights::new();
    for spec in network.tensors() {
        let role = match spec.role {
            Role::Statistic if spec.name.ends_with("mean") => Role::Bias,
            Role::Statistic => Role::Weight,
            role => role,
        };
        let numbers = RULE.tensor(&TensorSpec { role, ..spec.clone() }).ok_or("a statistic")?;
        weights.insert(spec.name.clone(), Tensor::new(&spec.name, &spec.dims, numbers)?);
    }
    Ok(weights)
}

/// Norm, greatest magnitude, samples.
fn fingerprint<T: Number>(values: &[T], name: &str, samples: usize) -> Vec<f64> {
    let norm = values.iter().map(|x| x.to_f64().powi(2)).sum::<f64>().sqrt();
    let greatest = values.iter().map(|x| x.to_f64().abs()).fold(0.0, f64::max);
    let sampled = RULE.positions(name, values.len(), samples).into_iter().map(|at| values[at].to_f64());
    [norm, greatest].into_iter().chain(sampled).collect()
}

/// The largest difference, but of norms, which is relative to itself; relative to the greatest magnitude.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let rest = found[1..].iter().zip(&expected[1..]).map(|(a, b)| (a - b).abs() / expected[1]);
    rest.fold((found[0] / expected[0] - 1.0).abs(), f64::max)
}

fn farthest(found: impl Iterator<Item = f32>, expected: &[f64]) -> f64 {
    let found: Vec<f32> = found.collect();
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).max_by(f64::total_cmp).unwrap_or(0.0)
}

/// The gradients of the largest logit at some nodes, in f64; `guided` as guided backpropagation has them.
fn slopes(golden: &Golden, network: &Network, paths: &[&str], guided: bool) -> Result<Vec<Vec<f64>>, Failure> {
    let nodes = paths.iter().map(|path| network.find(path)).collect::<Result<Vec<_>, _>>()?;
    let rectifiers: Vec<NodeId> = network.ids().filter(|id| guided && network.node(*id).op == Op::Relu).collect();
    let output = network.outputs()[0].node;
    let plan = GradientPlan::new(network, &[output], &[&nodes[..], &rectifiers].concat())?;
    let mut run = GradientRun::<f64>::new(&plan);
    let mut parameters = Parameters::new(network, &weights(network)?)?;
    let forward = run.forward(&mut parameters, &RULE.input("picture", golden.input))?;
    let mut begin = vec![0.0; golden.classes];
    begin[greatest(&forward.output(0))?] = 1.0;
    let begin = forward.gradients(&[Some(&begin)])?;
    let mut found = vec![Vec::new(); nodes.len()];
    forward.backward(&begin, &mut |id, gradient: &mut [f64]| {
        if rectifiers.contains(&id) {
            gradient.iter_mut().for_each(|g| *g = g.max(0.0));
        }
        nodes.iter().zip(&mut found).filter(|(node, _)| **node == id).for_each(|(_, kept)| *kept = gradient.to_vec());
    })?;
    Ok(found)
}

/// In f64: in f32 it is rounding that decides which side of its kink a ReLU or a max pool is on, and behind a pool of
/// near equals a gradient may go to a neighbour.
fn gradients(golden: &Golden, network: &Network) -> Result<(), Failure> {
    let paths: Vec<&str> = golden.gradients.keys().map(String::as_str).collect();
    for (path, found) in paths.iter().zip(slopes(golden, network, &paths, false)?) {
        let expected = &golden.gradients[*path];
        let error = apart(&fingerprint(&found, path, expected.len() - 2), expected);
        println!("{} {path}: gradient {error:.1e}", golden.name);
        assert!(error < 1e-7, "{}: the gradient at {path} is {error:e} apart", golden.name);
    }
    if let Some(expected) = &golden.guided {
        let found = slopes(golden, network, &["input"], true)?.swap_remove(0);
        let error = apart(&fingerprint(&found, "input", expected.len() - 2), expected);
        println!("{} guided backpropagation in f64: {error:.1e}", golden.name);
        assert!(error < 1e-6, "{}: guided backpropagation is {error:e} apart", golden.name);
    }
    Ok(())
}

fn greatest(logits: &[f64]) -> Result<usize, Failure> {
    Ok((0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).ok_or("no class")?)
}

fn hold(name: &str) -> Result<(), Failure> {
    let golden = golden(name)?;
    let architecture = cnn_zoo::find(name)?.architecture(golden.classes).without_heads();
    let network = architecture.at([golden.input[1], golden.input[2], golden.input[3]])?;
    let mut explainer = Explainer::new(&network, &weights(&network)?)?;
    let image: Vec<f32> = RULE.input("picture", golden.input).into_iter().map(|x| x as f32).collect();

    let output = network.outputs()[0].node;
    let logits = explainer.activations(&image, &[output])?.swap_remove(0).swap_remove(0).numbers;
    let largest = golden.logits.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let error = farthest(logits.iter().copied(), &golden.logits) / largest;
    assert!(error < 1e-4, "{name}: logits are {error:e} apart");
    let class = greatest(&golden.logits)?;

    gradients(&golden, &network)?;

    assert_eq!(cam_node(&network), Some(network.find(&golden.node)?), "{name}");
    for (method, expected) in [(Cam::GradCam, &golden.grad_cam), (Cam::GradCamPlusPlus, &golden.grad_cam_plus_plus)] {
        let found = explainer.cam(&image, &[class], None, method)?.swap_remove(0);
        assert_eq!(found.size, expected.size);
        let error = farthest(found.numbers.iter().copied(), &expected.map);
        let Heat { numbers, .. } = found.resized([golden.input[2], golden.input[3]]).scaled();
        let positions = RULE.positions("cam", numbers.len(), expected.samples.len());
        let resized = farthest(positions.into_iter().map(|at| numbers[at]), &expected.samples);
        println!("{name} {method:?}: {error:.1e}, at the size of the picture {resized:.1e}");
        assert!(error.max(resized) < 1e-4, "{name}: {method:?} is {error:e} and {resized:e} apart");
    }

    if let Some(expected) = &golden.guided {
        let found = explainer.guided_backpropagation(&image, class)?;
        let error = apart(&fingerprint(&found.numbers, "input", expected.len() - 2), expected);
        println!("{name} guided backpropagation: {error:.1e}");
        let allowed = torch_in_f32()?;
        assert!(error < allowed, "{name}: guided backpropagation is {error:e} apart, {allowed:e} is allowed");
    }
    Ok(())
}

#[test]
fn resnet18() -> Result<(), Failure> {
    hold("resnet18")
}

#[test]
fn vgg16() -> Result<(), Failure> {
    hold("vgg16")
}

#[test]
fn densenet121() -> Result<(), Failure> {
    hold("densenet121")
}

#[test]
fn googlenet() -> Result<(), Failure> {
    hold("googlenet")
}
