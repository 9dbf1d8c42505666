//! A step that updates each tensor as soon as its gradient is there, and one that gathers all gradients first.

use cnn_core::Network;
use cnn_core::definition::*;
use cnn_data::{Dataset, DigitsConfig, Preparation, digits};
use cnn_kernels::threads::set_threads;
use cnn_train::{Clip, Lookahead, Rule, Settings, Silent, Task, train};
use std::collections::BTreeMap;

type Failure = Box<dyn std::error::Error>;

/// Pools that alone read what is behind them, batch normalisation, and two linear layers, of which one has the largest weights.
fn network() -> Result<Network, Failure> {
    let layers = chain()
        .then("one", conv(5).out(7))
        .relu()
        .and(max_pool(2))
        .then("two", conv(3).out(18).no_bias())
        .then("norm", batch_norm())
        .relu()
        .and(max_pool(3).stride(2))
        .flatten()
        .then("hidden", linear(33))
        .relu()
        .then("scores", linear(10));
    Ok(layers.named("small", [1, 28, 28]).at_usual_input()?)
}

fn task<'a>(network: &'a Network, data: &'a Dataset, settings: Settings) -> Task<'a> {
    Task { settings, ..Task::new(network, data, Preparation::mnist()) }
}

/// The bits of what a run keeps.
fn bits(network: &Network, data: &Dataset, settings: Settings) -> Result<BTreeMap<String, Vec<u32>>, Failure> {
    let outcome = train(&task(network, data, settings), None, &mut Silent)?;
    let mut bits = BTreeMap::new();
    for (name, tensor) in outcome.weights.iter() {
        bits.insert(name.to_string(), tensor.numbers::<f32>(name)?.iter().map(|x| x.to_bits()).collect());
    }
    Ok(bits)
}

#[test]
fn both_take_a_run_to_the_same_bits() -> Result<(), Failure> {
    let (network, data) = (network()?, digits(DigitsConfig { train: 70, test: 10, seed: 4 })?);
    let usual = Settings { epochs: 2, batch_size: 16, learning_rate: 0.003, ..Settings::default() };
    let slow = Lookahead { every: 3, stays: 0.5, rise: 0.0 };
    let averages = [(None, None), (Some(0.9), None), (None, Some(slow))];
    for optimizer in [Rule::sgd(0.9), Rule::ADAMW, Rule::RMSPROP] {
        for (average, lookahead) in averages {
            let at_once = Settings { optimizer, average, lookahead, ..usual.clone() };
            // A limit that is never reached, but has to be looked for.
            let gathered = Settings { clip: Some(Clip::Norm(1e30)), ..at_once.clone() };
            let mut all = Vec::new();
            for threads in [1, 3] {
                set_threads(threads);
                all.extend([bits(&network, &data, at_once.clone())?, bits(&network, &data, gathered.clone())?]);
            }
            set_threads(0);
            assert!(all.iter().all(|bits| *bits == all[0]), "{optimizer:?}, {average:?}, {lookahead:?}");
        }
    }
    Ok(())
}

#[test]
fn gathering_is_told_among_the_memory_of_a_step() -> Result<(), Failure> {
    let (network, data) = (network()?, digits(DigitsConfig { train: 70, test: 10, seed: 4 })?);
    let needed = |settings: Settings| -> Result<u64, Failure> {
        Ok(task(&network, &data, settings).step_memory()?.ok_or("the engine plan knows")?)
    };
    let at_once = needed(Settings::default())?;
    let all: u64 = network.tensors().map(|spec| 4 * spec.elements() as u64).sum();
    let largest = |layer: &str| network.tensors().find(|spec| spec.name == layer).map_or(0, |spec| 4 * spec.elements());
    let [whole, in_one_piece] = [largest("hidden.weight"), largest("two.weight")];
    for settings in [
        Settings { clip: Some(Clip::Value(1.0)), ..Settings::default() },
        Settings { accumulate: 2, ..Settings::default() },
    ] {
        assert_eq!(needed(settings)?, at_once + all + (whole - in_one_piece) as u64);
    }
    // A shard of eight goes through the network at a time, and of their gradients there are four partial sums.
    let eight = needed(Settings { shards: 8, ..Settings::default() })?;
    let one = needed(Settings { batch_size: Settings::default().batch_size / 8, ..Settings::default() })?;
    assert!(eight >= one + 5 * all && eight <= at_once + 6 * all, "{eight} beside {one} and {at_once}");
    Ok(())
}
