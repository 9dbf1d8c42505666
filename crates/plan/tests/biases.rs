//! The gradient of a bias, wherever the gradient of what its layer fills comes from: slopes of the f64 oracle.

use cnn_network::Network;
use cnn_network::definition::*;
use cnn_network::oracle::{self, Batch, Mode};
use cnn_plan::{Dropout, Parameters, TrainingOptions, TrainingPlan, TrainingRun};
use cnn_weights::Weights;
use std::collections::BTreeMap;

type Failure = Box<dyn std::error::Error>;

/// Layers with a bias before a pool, a floor, another layer, a batch normalisation, a sum, a concatenation, two readers,
/// an activation, and at the end.
fn network() -> Result<Network, Failure> {
    let unit = sum()
        .branch(chain().then("inside", conv(3).out(18).pad(1)).relu().then("after", conv(1).out(18)))
        .branch(chain().then("beside", conv(1).out(18)).then("bn", batch_norm()));
    let fork = concat()
        .branch(chain().then("left", conv(1).out(16)).relu())
        .branch(chain().then("right", conv(3).out(5).pad(1)));
    let body = chain()
        .then("stem", conv(3).out(6).pad(1))
        .relu()
        .and(max_pool(2))
        .then("plain", conv(3).out(20).stride(2).pad(1))
        .then("twice", conv(1).out(17))
        .then("unit", unit)
        .relu()
        .then("fork", fork)
        .and(avg_pool(2))
        .flatten()
        .then("fc1", linear(9))
        .and(tanh(1.0, 1.0))
        .then("fc2", linear(8))
        .relu()
        .then("fc3", linear(3));
    Ok(body.named("biases", [2, 14, 13]).at_usual_input()?)
}

/// What is differentiated: the logits of two images, weighed.
const WEIGHTS: [f64; 6] = [0.3, -1.0, 0.7, 1.1, 0.2, -0.4];
const STEP: f64 = 1e-5;

#[test]
fn gradients_of_biases_are_slopes() -> Result<(), Failure> {
    let network = network()?;
    let weights = Weights::initialised(&network, 3);
    let mut numbers = BTreeMap::new();
    for spec in network.tensors() {
        numbers.insert(spec.name.clone(), weights.numbers_of::<f64>(&network, &spec.name)?.into_owned());
    }
    let images: Vec<f64> =
        (0..2 * network.input().elements()).map(|i| ((i * 7919) % 997) as f64 / 500.0 - 1.0).collect();
    let names: Vec<String> = network.tensors().map(|spec| spec.name.clone()).collect();
    let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
    let mut run = TrainingRun::<f64>::new(&plan, Dropout::default());
    let mut parameters = Parameters::new(&network, &weights)?;
    let mut found = BTreeMap::new();
    // Twice: nothing of the first pass may be left for the second.
    for _ in 0..2 {
        let forward = run.forward(&mut parameters, &images)?;
        let gradients = forward.gradients(&[Some(&WEIGHTS[..])])?;
        found.clear();
        forward.backward(&gradients, &mut |tensor: usize, _: &mut [f64], gradient: &[f64]| {
            found.insert(names[tensor].clone(), gradient.to_vec());
        })?;
    }
    let output = network.outputs()[0].node;
    let loss = |numbers: &BTreeMap<String, Vec<f64>>| -> Result<f64, Failure> {
        let batch = Batch { shape: network.input(), values: images.clone() };
        let values = oracle::run(&network, numbers, &batch, Mode::Training, &[output])?;
        let logits = &values[output.index()].as_ref().ok_or("not computed")?.values;
        Ok(logits.iter().zip(WEIGHTS).map(|(x, weight)| x * weight).sum())
    };
    let biases: Vec<&String> = names.iter().filter(|name| name.ends_with(".bias")).collect();
    assert_eq!(biases.len(), 12, "{biases:?}");
    for name in biases {
        let slopes: Vec<f64> = (0..found[name].len())
            .map(|channel| {
                let mut at = |step: f64| {
                    numbers.get_mut(name).ok_or("no bias")?[channel] += step;
                    let loss = loss(&numbers);
                    numbers.get_mut(name).ok_or("no bias")?[channel] -= step;
                    loss
                };
                Ok((at(STEP)? - at(-STEP)?) / (2.0 * STEP))
            })
            .collect::<Result<_, Failure>>()?;
        let largest = slopes.iter().fold(1e-3f64, |most, slope| most.max(slope.abs()));
        for (channel, (found, slope)) in found[name].iter().zip(&slopes).enumerate() {
            assert!((found - slope).abs() < 1e-6 * largest, "{name} {channel}: {found}, not {slope}");
        }
    }
    Ok(())
}
