//! Gradients with respect to nodes, in evaluation mode, held against finite differences of the f64 oracle.

use cnn_network::Network;
use cnn_network::definition::*;
use cnn_network::oracle::{self, Batch, Mode};
use cnn_plan::{GradientPlan, GradientRun, Parameters};
use cnn_weights::{Number, Tensor, Weights};
use std::collections::BTreeMap;

type Failure = Box<dyn std::error::Error>;

/// A dense block, a residual unit, a concatenation that needs no copy, dropout and a pool.
fn network() -> Result<Network, Failure> {
    let layer = |n: usize| {
        let own = chain()
            .then(format!("norm{n}"), batch_norm())
            .relu()
            .then(format!("conv{n}"), conv(3).out(16).pad(1))
            .and(dropout(0.5));
        concat().branch(chain()).branch(own)
    };
    let unit = sum().branch(chain()).branch(
        chain().then("a", conv(3).out(48).pad(1).no_bias()).then("bn_a", batch_norm()).relu().then("b", conv(1)),
    );
    let fork = concat()
        .branch(chain().then("left", conv(1).out(16)).relu())
        .branch(chain().then("right", conv(1).out(5)).then("bn_right", batch_norm()));
    let body = chain()
        .then("stem", conv(3).out(16).stride(2).pad(1))
        .then("one", layer(1))
        .then("two", layer(2))
        .then("unit", unit)
        .relu()
        .then("fork", fork)
        .and(max_pool(2))
        .flatten()
        .then("fc", linear(3));
    Ok(body.named("forks", [2, 9, 7]).at_usual_input()?)
}

/// Drawn weights; statistics that are not those of a new layer.
fn weights(network: &Network) -> Result<Weights, Failure> {
    let mut weights = Weights::initialised(network, 5);
    for spec in network.tensors().filter(|spec| spec.dims.len() == 1) {
        let values = (0..spec.elements()).map(|i| 0.6 + ((i * 37 + spec.name.len() * 11) % 101) as f32 / 125.0);
        weights.insert(spec.name.clone(), Tensor::new(&spec.name, &spec.dims, values.collect::<Vec<_>>())?);
    }
    Ok(weights)
}

fn named(network: &Network, weights: &Weights) -> Result<BTreeMap<String, Vec<f64>>, Failure> {
    let named = network.tensors().map(|spec| {
        Ok((spec.name.clone(), weights.numbers_of::<f64>(network, &spec.name)?.iter().map(|x| x.to_f64()).collect()))
    });
    named.collect()
}

/// What is differentiated: the logits of two images, weighed.
const WEIGHTS: [f64; 6] = [0.3, -1.0, 0.7, 1.1, 0.2, -0.4];

fn expected(network: &Network, weights: &BTreeMap<String, Vec<f64>>, images: &[f64]) -> Result<f64, Failure> {
    let batch = Batch { shape: network.input(), values: images.to_vec() };
    let output = network.outputs()[0].node;
    let values = oracle::run(network, weights, &batch, Mode::Evaluation, &[output])?;
    let logits = &values[output.index()].as_ref().ok_or("not computed")?.values;
    Ok(logits.iter().zip(WEIGHTS).map(|(x, weight)| x * weight).sum())
}

/// The gradient of each of some nodes, by path; and the values of all targets.
type Found = (BTreeMap<String, Vec<f64>>, Vec<Vec<f64>>);

fn found(network: &Network, weights: &Weights, images: &[f64], paths: &[&str]) -> Result<Found, Failure> {
    let nodes = paths.iter().map(|path| network.find(path)).collect::<Result<Vec<_>, _>>()?;
    let plan = GradientPlan::new(network, &[network.outputs()[0].node], &nodes)?;
    let mut run = GradientRun::<f64>::new(&plan);
    let mut parameters = Parameters::new(network, weights)?;
    let mut gradients = BTreeMap::new();
    let mut values = Vec::new();
    // Twice: nothing of the first pass may be left for the second.
    for _ in 0..2 {
        gradients.clear();
        let forward = run.forward(&mut parameters, images)?;
        values = (0..=nodes.len()).map(|target| forward.output(target)).collect();
        let begin = forward.gradients(&[Some(&WEIGHTS[..])])?;
        forward.backward(&begin, &mut |node, gradient: &mut [f64]| {
            let path = paths[nodes.iter().position(|other| *other == node).unwrap_or(usize::MAX)];
            assert!(gradients.insert(path.to_string(), gradient.to_vec()).is_none(), "{path} twice");
        })?;
    }
    Ok((gradients, values))
}

fn images(network: &Network) -> Vec<f64> {
    (0..2 * network.input().elements()).map(|i| ((i * 7919) % 997) as f64 / 500.0 - 1.0).collect()
}

const STEP: f64 = 1e-6;

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{what}: {found}, not {expected}");
}

#[test]
fn the_gradient_of_the_images_is_the_slope() -> Result<(), Failure> {
    let network = network()?;
    let (weights, images) = (weights(&network)?, images(&network));
    let numbers = named(&network, &weights)?;
    let (gradients, _) = found(&network, &weights, &images, &["input"])?;
    let gradient = &gradients["input"];
    assert!(gradient.iter().any(|x| x.abs() > 1e-3));
    for place in (0..images.len()).step_by(11) {
        let at = |step: f64| {
            let mut moved = images.clone();
            moved[place] += step;
            expected(&network, &numbers, &moved)
        };
        close(gradient[place], (at(STEP)? - at(-STEP)?) / (2.0 * STEP), &format!("pixel {place}"));
    }
    Ok(())
}

/// A bias moves all places of its channel: its slope is the sum of the gradient there.
#[test]
fn gradients_of_inner_nodes_are_slopes_whatever_else_is_asked_for() -> Result<(), Failure> {
    let network = network()?;
    let (weights, images) = (weights(&network)?, images(&network));
    let numbers = named(&network, &weights)?;
    let biased: Vec<&str> = network
        .nodes()
        .iter()
        .filter(|node| node.tensors.iter().any(|spec| spec.name.ends_with(".bias")))
        .map(|node| node.path.as_str())
        .collect();
    let every: Vec<&str> = network.nodes().iter().map(|node| node.path.as_str()).collect();
    let (all, values) = found(&network, &weights, &images, &every)?;
    assert_eq!(all.len(), every.len());
    for path in &biased {
        let (alone, own) = found(&network, &weights, &images, &[path])?;
        let (gradient, node) = (&alone[*path], network.node_at(path)?);
        let places = node.shape.size().map_or(1, |size| size.area());
        for channel in (0..node.shape.channels()).step_by(4) {
            let at = |step: f64| {
                let mut moved = numbers.clone();
                moved.get_mut(&format!("{path}.bias")).ok_or("no bias")?[channel] += step;
                expected(&network, &moved, &images)
            };
            let rows = gradient.chunks_exact(places).skip(channel).step_by(node.shape.channels());
            let sum: f64 = rows.map(|row| row.iter().sum::<f64>()).sum();
            close(sum, (at(STEP)? - at(-STEP)?) / (2.0 * STEP), &format!("{path} {channel}"));
        }
        let other = &all[*path];
        assert!(gradient.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-12), "{path} beside others");
        let position = 1 + every.iter().position(|other| other == path).ok_or("no such node")?;
        assert!(own[1].iter().zip(&values[position]).all(|(a, b)| (a - b).abs() < 1e-12), "value of {path}");
    }
    Ok(())
}

/// Without ReLU's gate the rest of the chain rule stays: what a receiver changes reaches the nodes before.
#[test]
fn what_a_receiver_changes_goes_on() -> Result<(), Failure> {
    let network = network()?;
    let (weights, images) = (weights(&network)?, images(&network));
    let (fc, input) = (network.find("fc")?, network.find("input")?);
    let plan = GradientPlan::new(&network, &[fc], &[fc, input])?;
    let mut run = GradientRun::<f64>::new(&plan);
    let mut parameters = Parameters::new(&network, &weights)?;
    let mut pass = |factor: f64| -> Result<Vec<f64>, Failure> {
        let forward = run.forward(&mut parameters, &images)?;
        let begin = forward.gradients(&[Some(&WEIGHTS[..])])?;
        let mut last = Vec::new();
        forward.backward(&begin, &mut |node, gradient: &mut [f64]| match node == input {
            true => last = gradient.to_vec(),
            false => gradient.iter_mut().for_each(|x| *x *= factor),
        })?;
        Ok(last)
    };
    let (once, twice, none) = (pass(1.0)?, pass(2.0)?, pass(0.0)?);
    assert!(once.iter().zip(&twice).all(|(a, b)| (2.0 * a - b).abs() < 1e-12) && once.iter().any(|x| *x != 0.0));
    assert!(none.iter().all(|x| *x == 0.0));
    Ok(())
}
