//! A run on any number of ranks is one run.

use cnn_core::definition::*;
use cnn_core::{Network, Weights};
use cnn_data::{Dataset, DigitsConfig, Preparation, digits};
use cnn_distributed::{Ranks, Wire};
use cnn_train::{
    Checkpoints, Clip, Epoch, Every, Lookahead, MacroF1, Outcome, Recipe, Result, Rule, RunFolder, Settings, Silent,
    StepReport, Stop, Task, train,
};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

/// Batch normalisation on maps and on single values, dropout.
fn network() -> Network {
    chain()
        .then("conv", conv(3).pad(1).out(6))
        .then("norm", batch_norm())
        .relu()
        .and(max_pool(4))
        .flatten()
        .dropout(0.3)
        .then("fc", linear(10))
        .named("small", [1, 28, 28])
        .at_usual_input()
        .unwrap()
}

/// Two batch normalisations, of which the second's gradient goes through the first, and nothing drawn.
fn plain() -> Network {
    chain()
        .then("conv", conv(3).pad(1).out(6))
        .then("norm", batch_norm())
        .relu()
        .and(max_pool(4))
        .then("conv2", conv(3).out(8))
        .then("norm2", batch_norm())
        .relu()
        .flatten()
        .then("fc", linear(10))
        .named("plain", [1, 28, 28])
        .at_usual_input()
        .unwrap()
}

/// Neither the batches nor the ranks divide the images.
fn images() -> Dataset {
    digits(DigitsConfig { train: 203, test: 61, seed: 1 }).unwrap()
}

fn settings() -> Settings {
    Settings {
        epochs: 2,
        batch_size: 32,
        shards: 8,
        accumulate: 2,
        learning_rate: 0.01,
        optimizer: Rule::ADAMW,
        clip: Some(Clip::Norm(1.0)),
        average: Some(0.9),
        label_smoothing: 0.1,
        augmentation: "padded-crop:2,mixup:0.2".parse().unwrap(),
        ..Settings::default()
    }
}

/// What a run comes to: every bit of the weights, and its figures but for the time.
fn bits(outcome: &Outcome) -> (Vec<u32>, Vec<Epoch>) {
    let mut bits = Vec::new();
    for (name, tensor) in outcome.weights.iter() {
        bits.extend(tensor.numbers::<f32>(name).unwrap().iter().map(|x| x.to_bits()));
    }
    let timeless = |epoch: &Epoch| Epoch { images_per_second: 0.0, seconds: 0.0, peak_memory: None, ..epoch.clone() };
    (bits, outcome.epochs.iter().map(timeless).collect())
}

/// Stops at a step.
struct StopAt(usize);

impl cnn_train::Observer for StopAt {
    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        if (step.epoch - 1) * step.steps + step.step == self.0 {
            return ControlFlow::Break(Stop::Interrupt);
        }
        ControlFlow::Continue(())
    }
}

/// Trains on so many threads, of which rank 0 writes to the folder, until it is stopped.
fn on(
    world: usize,
    settings: &Settings,
    folder: Option<&RunFolder>,
    stop: usize,
) -> Vec<Result<Outcome, Box<cnn_train::Error>>> {
    let (network, dataset) = (network(), images());
    let (network, dataset) = (&network, &dataset);
    thread::scope(|scope| {
        let running: Vec<_> = Ranks::threads(world)
            .unwrap()
            .into_iter()
            .map(|ranks| {
                scope.spawn(move || -> Result<Outcome, Box<cnn_train::Error>> {
                    // Four buckets, so that gradients leave before all are there.
                    let ranks = ranks.with_bucket(40);
                    let task = Task {
                        settings: settings.clone(),
                        metrics: vec![&MacroF1],
                        ranks: Some(&ranks),
                        ..task(network, dataset)
                    };
                    let folder = folder.filter(|_| ranks.is_first());
                    let mut observer: Box<dyn cnn_train::Observer> =
                        if ranks.is_first() { Box::new(StopAt(stop)) } else { Box::new(Silent) };
                    let outcome = train(&task, folder, &mut *observer).map_err(Box::new)?;
                    ranks.finish().map_err(|error| Box::new(error.into()))?;
                    Ok(outcome)
                })
            })
            .collect();
        running.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

fn task<'a>(network: &'a Network, dataset: &'a Dataset) -> Task<'a> {
    Task { settings: settings(), ..Task::new(network, dataset, Preparation::mnist()) }
}

fn alone(settings: &Settings) -> (Vec<u32>, Vec<Epoch>) {
    let (network, dataset) = (network(), images());
    let task = Task { settings: settings.clone(), metrics: vec![&MacroF1], ..task(&network, &dataset) };
    bits(&train(&task, None, &mut Silent).unwrap())
}

#[test]
fn every_number_of_ranks_trains_to_the_same_bits() {
    same_bits(&settings());
}

/// Trains on 1, 2, 4 and 8 ranks and without, and gives what all come to.
fn same_bits(settings: &Settings) -> (Vec<u32>, Vec<Epoch>) {
    let expected = alone(settings);
    assert!(expected.1[1].metrics.len() == 1 && expected.1[1].train_loss < expected.1[0].train_loss);
    for world in [1, 2, 4, 8] {
        for (rank, outcome) in on(world, settings, None, 0).into_iter().enumerate() {
            assert_eq!(bits(&outcome.unwrap()), expected, "rank {rank} of {world}");
        }
    }
    expected
}

#[test]
fn one_batch_normalisation_of_all_shards_has_the_same_bits() {
    let together = same_bits(&Settings { sync_batch_norm: true, ..settings() });
    assert_ne!(together, alone(&settings()), "it would not show");
}

#[test]
fn half_the_bits_on_the_wire_are_the_same_bits() {
    let half = same_bits(&Settings { wire: Wire::Bf16, ..settings() });
    assert_ne!(half, alone(&settings()), "it would not show");
}

/// Shards of unequal sizes that have one batch normalisation are the batch, to the rounding of f32.
#[test]
fn shards_that_are_normalised_together_are_one_batch() {
    let (network, dataset) = (plain(), images());
    let trained = |shards: usize, sync_batch_norm: bool| {
        // 31 images are in shards of three and four; a last batch of 17 in shards of two and three.
        let settings = Settings {
            epochs: 2,
            batch_size: 31,
            shards,
            sync_batch_norm,
            learning_rate: 0.05,
            accumulate: 2,
            ..Settings::default()
        };
        let task = Task { settings, ..task(&network, &dataset) };
        let outcome = train(&task, None, &mut Silent).unwrap();
        let tensors = outcome.weights.iter();
        tensors.map(|(name, tensor)| tensor.numbers::<f32>(name).unwrap().into_owned()).collect::<Vec<_>>()
    };
    let whole = trained(1, false);
    let furthest = |other: &[Vec<f32>]| {
        let pairs = whole.iter().zip(other).flat_map(|(a, b)| a.iter().zip(b));
        pairs.map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).max_by(f32::total_cmp).unwrap()
    };
    let (together, apart) = (furthest(&trained(8, true)), furthest(&trained(8, false)));
    assert!(together < 2e-5, "{together}");
    assert!(apart > 1e-3, "{apart}: it would not show");
}

/// Values of one number per channel are normalised with those of the other shards: an image may be alone in its own.
#[test]
fn an_image_alone_in_its_shard_is_normalised_with_the_others() {
    let network = chain().flatten().then("fc", linear(10)).then("norm", batch_norm()).named("single", [1, 28, 28]);
    let network = network.at_usual_input().unwrap();
    // The last batch of each epoch has as many images as there are shards.
    let dataset = digits(DigitsConfig { train: 72, test: 20, seed: 1 }).unwrap();
    let trained = |batch_size: usize, shards: usize, sync_batch_norm: bool| {
        let settings = Settings { epochs: 2, batch_size, shards, sync_batch_norm, ..Settings::default() };
        train(&Task { settings, ..task(&network, &dataset) }, None, &mut Silent).map_err(|error| error.to_string())
    };
    let numbers = |outcome: Outcome| -> Vec<f32> {
        let tensors = outcome.weights.iter();
        tensors.flat_map(|(name, tensor)| tensor.numbers::<f32>(name).unwrap().into_owned()).collect()
    };
    for batch_size in [64, 8] {
        let [whole, together] =
            [(1, false), (8, true)].map(|(shards, sync)| trained(batch_size, shards, sync).unwrap());
        let apart = numbers(whole).into_iter().zip(numbers(together)).map(|(a, b)| (a - b).abs() / (1.0 + a.abs()));
        let apart = apart.max_by(f32::total_cmp).unwrap();
        assert!(apart < 1e-4, "{batch_size}: {apart}");
    }
    let refused = trained(8, 8, false).unwrap_err();
    assert!(refused.contains("8 in 8 shards gives norm a single value per channel"), "{refused}");
}

/// The last batch of each epoch has one image in each of two shards and none in the others, or one image in all.
#[test]
fn a_batch_of_which_nothing_is_trained_on_is_no_step() {
    let network = chain().flatten().then("fc", linear(10)).then("norm", batch_norm()).named("single", [1, 28, 28]);
    let network = network.at_usual_input().unwrap();
    let usual = Settings { epochs: 3, batch_size: 16, shards: 4, ..Settings::default() };
    let numbers = |weights: &Weights| -> Vec<f32> {
        weights.iter().flat_map(|(name, tensor)| tensor.numbers::<f32>(name).unwrap().into_owned()).collect()
    };
    for sync_batch_norm in [false, true] {
        let train_images = if sync_batch_norm { 33 } else { 34 };
        let dataset = digits(DigitsConfig { train: train_images, test: 20, seed: 1 }).unwrap();
        let usual = Settings { sync_batch_norm, ..usual.clone() };
        let task = |settings: Settings| Task { settings, ..Task::new(&network, &dataset, Preparation::mnist()) };
        // Slow weights meet the others once, at the end.
        let lookahead = Some(Lookahead { every: 100, stays: 0.25, rise: 0.0 });
        let slow = train(&task(Settings { lookahead, ..usual.clone() }), None, &mut Silent).unwrap();
        let plain = train(&task(usual.clone()), None, &mut Silent).unwrap();
        let first = numbers(&Weights::initialised(&network, usual.seed));
        let all = first.iter().zip(numbers(&plain.weights)).zip(numbers(&slow.weights));
        let apart = all.map(|((first, last), slow)| (slow - (0.25 * first + 0.75 * last)).abs() / (1.0 + last.abs()));
        let apart = apart.max_by(f32::total_cmp).unwrap();
        assert!(apart < 1e-6 && numbers(&plain.weights) != first, "{sync_batch_norm}: {apart}");
        // Averages and rules count the steps that were taken, whether the run was stopped or not.
        let settings = Settings { average: Some(0.9), optimizer: Rule::ADAMW, ..usual };
        let whole = train(&task(settings.clone()), None, &mut Silent).unwrap();
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        let stopped = train(&task(settings.clone()), Some(&begun(&path)), &mut StopAt(5));
        assert!(stopped.is_err(), "it stops in the middle of its second epoch");
        let resumed = train(&task(settings), Some(&RunFolder::resume(&path).unwrap()), &mut Silent).unwrap();
        assert_eq!(bits(&resumed), bits(&whole), "{sync_batch_norm}");
    }
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("run");
    let every_step = Checkpoints { every: Every::Steps(1), ..Checkpoints::default() };
    let start = |folder: RunFolder| folder.checkpointing(every_step);
    let folder = start(begun(&path));
    let stopped = on(4, &settings(), Some(&folder), 3);
    assert!(stopped[0].as_ref().unwrap_err().to_string().contains("--resume"), "{stopped:?}");
    assert!(stopped[1..].iter().all(|outcome| outcome.is_err()), "rank 0 alone knows that it stops");
    drop(folder);
    let folder = start(RunFolder::resume(&path).unwrap());
    let outcomes = on(2, &settings(), Some(&folder), 0);
    let expected = alone(&settings());
    for outcome in outcomes {
        assert_eq!(bits(&outcome.unwrap()), expected);
    }
}

fn begun(path: &Path) -> RunFolder {
    let mut folder = RunFolder::create(path).unwrap();
    folder.write_recipe(&Recipe { training: settings(), ..Recipe::default() }).unwrap();
    folder
}

#[test]
fn what_cannot_be_shared_out_is_refused() {
    let (network, dataset) = (network(), images());
    let refused = |settings: Settings| {
        let task = Task { settings, ..task(&network, &dataset) };
        train(&task, None, &mut Silent).unwrap_err().to_string()
    };
    let odd = refused(Settings { shards: 6, ..settings() });
    assert_eq!(odd, "shards 6 must be a power of two, and at most the batch size");
    let ranks = Ranks::threads(2).unwrap();
    let task =
        Task { settings: Settings { shards: 1, ..settings() }, ranks: Some(&ranks[0]), ..task(&network, &dataset) };
    let few = train(&task, None, &mut Silent).unwrap_err().to_string();
    let expected =
        "2 ranks and 1 shards: the number of ranks must divide the number of shards, and both must be powers of two";
    assert_eq!(few, expected);
}
