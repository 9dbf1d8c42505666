//! Steps on two ranks against torch's on the same shards: `tests/goldens/ddp.py`.

use candle_core::Device;
use cnn_core::Network;
use cnn_core::definition::*;
use cnn_data::Batch;
use cnn_distributed::Ranks;
use cnn_train::{Engine, Lesson, Rule, Settings, SoftmaxCrossEntropy, Start, Weights};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::thread;

/// Images of a rank.
const IMAGES: usize = 4;
/// How far f32 takes three steps from f64, at most, as a share of the largest number of a tensor.
const FURTHEST: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    rate: f64,
    momentum: f64,
    decay: f64,
    start: BTreeMap<String, Vec<f32>>,
    images: Vec<Vec<f32>>,
    labels: Vec<Vec<u32>>,
    apart: Outcome,
    together: Outcome,
}

#[derive(Clone, Deserialize)]
struct Outcome {
    losses: Vec<f64>,
    tensors: BTreeMap<String, Vec<f64>>,
}

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/ddp.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn network() -> Network {
    chain()
        .then("conv1", conv(3).pad(1).out(4))
        .then("norm1", batch_norm())
        .relu()
        .and(max_pool(2))
        .then("conv2", conv(3).out(6))
        .then("norm2", batch_norm())
        .relu()
        .flatten()
        .then("fc", linear(5))
        .named("small", [1, 6, 6])
        .at_usual_input()
        .unwrap()
}

fn tensor(name: &str, dims: &[usize], values: &BTreeMap<String, Vec<f32>>) -> cnn_weights::Tensor {
    cnn_weights::Tensor::new(name, dims, values[name].clone()).unwrap()
}

/// What a rank of two comes to.
fn steps(golden: &Golden, ranks: &Ranks, sync_batch_norm: bool) -> Outcome {
    let network = network();
    let rule = Rule::Sgd { momentum: golden.momentum, nesterov: false, weight_decay: golden.decay };
    let settings = Settings { shards: 2, sync_batch_norm, optimizer: rule, ..Settings::default() };
    let mut weights = Weights::initialised(&network, 1);
    for spec in network.tensors() {
        weights.insert(&spec.name, tensor(&spec.name, &spec.dims, &golden.start));
    }
    let start = Start { weights, ..Start::default() };
    let frozen = vec![false; network.tensors().count()];
    let mut learner = Engine::Plan
        .learner(Lesson {
            network: &network,
            settings: &settings,
            loss: &SoftmaxCrossEntropy,
            device: &Device::Cpu,
            start: Some(&start),
            frozen: &frozen,
            passes: 0,
            taken: 0,
            steps: golden.images.len(),
            ranks: Some(ranks),
        })
        .unwrap();
    let mut losses = Vec::new();
    for (number, (images, labels)) in golden.images.iter().zip(&golden.labels).enumerate() {
        let shard = ranks.rank();
        let own = shard * IMAGES..(shard + 1) * IMAGES;
        let batch = Batch {
            images: images[own.start * 36..own.end * 36].to_vec(),
            shape: [1, 6, 6],
            labels: labels[own.clone()].to_vec(),
            indices: own.collect(),
            number,
            shard,
            mixed: None,
        };
        losses.push(f64::from(learner.step(&[batch], golden.rate).unwrap().loss));
    }
    let weights = learner.kept().unwrap().into_weights();
    let values = weights.iter().map(|(name, tensor)| {
        (name.to_string(), tensor.numbers::<f32>(name).unwrap().iter().map(|x| f64::from(*x)).collect())
    });
    Outcome { losses, tensors: values.collect() }
}

fn on_two_ranks(golden: &Golden, sync_batch_norm: bool) -> Vec<Outcome> {
    thread::scope(|scope| {
        let rank = |ranks: Ranks| {
            scope.spawn(move || {
                let outcome = steps(golden, &ranks, sync_batch_norm);
                ranks.finish().unwrap();
                outcome
            })
        };
        let running: Vec<_> = Ranks::threads(2).unwrap().into_iter().map(rank).collect();
        running.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

/// How far numbers are from torch's, as a share of the largest of a tensor; the furthest of all.
fn distance(found: &Outcome, expected: &Outcome) -> f64 {
    let far = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        found.iter().zip(expected).map(|(a, b)| (a - b).abs()).max_by(f64::total_cmp).unwrap_or(0.0) / largest
    };
    assert_eq!(found.tensors.len(), expected.tensors.len());
    let tensors = expected.tensors.iter().map(|(name, expected)| far(&found.tensors[name], expected));
    tensors.fold(far(&found.losses, &expected.losses), f64::max)
}

#[test]
fn two_ranks_train_as_torch_does() {
    let golden = golden();
    for (together, expected, other) in
        [(false, &golden.apart, &golden.together), (true, &golden.together, &golden.apart)]
    {
        for found in on_two_ranks(&golden, together) {
            let distance = distance(&found, expected);
            assert!(distance < FURTHEST, "{distance:e}, batch normalisation together: {together}");
        }
        assert!(self::distance(other, expected) > 1000.0 * FURTHEST, "the two would be one");
    }
}
