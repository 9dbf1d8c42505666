//! A run that goes on otherwise than it began: with more epochs, another learning rate, another rule.

use crate::Failure;
use crate::training::{StopAfter, data, kept, network, task};
use cnn_train::{
    Begin, Checkpoints, Engine, Error, Group, Lookahead, Observer, Outcome, Rule, RunFolder, Schedule, Settings,
    Silent, StepReport, Stop, Task, Weights, train,
};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

fn plain() -> Settings {
    let schedule = Schedule::Constant;
    Settings { epochs: 2, batch_size: 20, schedule, optimizer: Rule::sgd(0.9), ..Settings::default() }
}

fn begin(task: &Task<'_>, path: &Path) -> Result<RunFolder, Failure> {
    let run = RunFolder::create(path)?;
    std::fs::write(run.recipe(), "")?;
    match train(task, Some(&run), &mut Silent) {
        Ok(_) => Ok(run),
        Err(error) => Err(error.into()),
    }
}

fn go_on(task: &Task<'_>, path: &Path) -> Result<Outcome, Failure> {
    Ok(train(task, Some(&RunFolder::resume(path)?.changing()), &mut Silent)?)
}

#[test]
fn more_epochs_are_as_if_there_had_been_as_many_from_the_beginning() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    for engine in [Engine::Plan, Engine::Candle] {
        let [short, long] = [2, 4].map(|epochs| task(&network, &data, Settings { epochs, ..plain() }, engine));
        let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(format!("{name}-{engine:?}")));
        drop(begin(&long, &whole)?);
        drop(begin(&short, &parts)?);
        assert_eq!(go_on(&long, &parts)?.epochs.len(), 4);
        assert!(kept(&parts)? == kept(&whole)?, "{engine:?}");
    }
    Ok(())
}

/// Where the newest checkpoint is damaged, its epoch is gone: so are its weights, which were the best.
#[test]
fn the_best_weights_are_of_an_epoch_that_the_run_has() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let of = |epochs, learning_rate| task(&network, &data, Settings { epochs, learning_rate, ..plain() }, Engine::Plan);
    let [short, long] = ["short", "long"].map(|name| folder.path().join(name));
    drop(begin(&of(2, 0.02), &short)?);
    let run = RunFolder::create(&long)?.checkpointing(Checkpoints { keep: 4, ..Checkpoints::default() });
    std::fs::write(run.recipe(), "")?;
    let first = train(&of(3, 0.02), Some(&run), &mut Silent)?;
    drop(run);
    assert_eq!(first.best, 2, "{:?}", first.epochs);
    let newest = std::fs::read_dir(long.join("checkpoints"))?.map(|entry| Ok(entry?.path()));
    let newest = newest.collect::<std::io::Result<Vec<_>>>()?.into_iter().max().ok_or("no checkpoint")?;
    std::fs::write(newest.join("state.safetensors"), "")?;
    let outcome = go_on(&of(3, 1e-30), &long)?;
    assert!(outcome.best < 2, "{:?}", outcome.epochs);
    assert!(std::fs::read(long.join("best.safetensors"))? == std::fs::read(short.join("best.safetensors"))?);
    Ok(())
}

/// The numbers of a tensor in the newest checkpoint: of the weights that are trained, and of their average.
fn both(folder: &Path, tensor: &str) -> Result<[Vec<f32>; 2], Failure> {
    let mut checkpoints: Vec<_> = std::fs::read_dir(folder.join("checkpoints"))?.flatten().collect();
    checkpoints.sort_by_key(|entry| entry.file_name());
    let newest = checkpoints.last().ok_or("no checkpoint")?.path();
    let numbers = |file: &str| -> Result<Vec<f32>, Failure> {
        let weights = Weights::read(newest.join(file))?;
        Ok(weights.get(tensor).ok_or("no such tensor")?.numbers::<f32>(tensor)?.into_owned())
    };
    Ok([numbers("weights.safetensors")?, numbers("average.safetensors")?])
}

#[test]
fn slow_weights_meet_the_others_at_the_end_whatever_changed_before() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let slow = Settings { lookahead: Some(Lookahead { every: 50, stays: 0.0, rise: 0.0 }), ..plain() };
    let others = [
        Settings { batch_size: 32, ..slow.clone() },
        Settings { accumulate: 2, ..slow.clone() },
        Settings { optimizer: Rule::ADAMW, learning_rate: 0.001, ..slow.clone() },
    ];
    for engine in [Engine::Plan, Engine::Candle] {
        for (number, other) in others.iter().enumerate() {
            let path = folder.path().join(format!("{number}-{engine:?}"));
            drop(begin(&task(&network, &data, slow.clone(), engine), &path)?);
            go_on(&task(&network, &data, Settings { epochs: 4, ..other.clone() }, engine), &path)?;
            let [trained, slow] = both(&path, "fc.weight")?;
            assert!(trained == slow, "{number} {engine:?}");
        }
    }
    Ok(())
}

#[test]
fn an_average_remembers_what_it_was_of_whatever_rule_comes() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let average = Settings { average: Some(0.9), learning_rate: 0.1, ..plain() };
    for engine in [Engine::Plan, Engine::Candle] {
        let path = folder.path().join(format!("{engine:?}"));
        drop(begin(&task(&network, &data, average.clone(), engine), &path)?);
        let [trained, before] = both(&path, "fc.weight")?;
        // The weights stay, and the average goes towards them.
        let other = Settings { epochs: 3, optimizer: Rule::ADAMW, learning_rate: 0.0, ..average.clone() };
        go_on(&task(&network, &data, other, engine), &path)?;
        let [same, after] = both(&path, "fc.weight")?;
        assert!(same == trained);
        // Of five steps after ten others.
        let stays: f32 = (11..=15).map(|steps| (1.0 + steps as f32) / (10.0 + steps as f32)).product();
        for ((weight, before), after) in trained.iter().zip(&before).zip(&after) {
            let expected = weight + stays * (before - weight);
            assert!((after - expected).abs() < 1e-6, "{engine:?}: {after} instead of {expected}");
        }
        assert!(trained.iter().zip(&before).any(|(weight, before)| (weight - before).abs() > 1e-3));
    }
    Ok(())
}

/// A momentum that hardly moves anything is as none, whenever it begins or ends: what else a rule remembers stays.
#[test]
fn a_rule_of_other_numbers_keeps_its_memories() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let rms_prop = |momentum| Rule::RmsProp { alpha: 0.99, eps: 1e-8, momentum, weight_decay: 0.0 };
    let numbers = |outcome: &Outcome| -> Result<Vec<f32>, Failure> {
        Ok(outcome.weights.get("fc.weight").ok_or("no fc")?.numbers::<f32>("fc.weight")?.into_owned())
    };
    for engine in [Engine::Plan, Engine::Candle] {
        for (number, rules) in [[0.0, 1e-30], [1e-30, 0.0]].into_iter().enumerate() {
            let of = |momentum, epochs| {
                let settings = Settings { epochs, optimizer: rms_prop(momentum), learning_rate: 1e-3, ..plain() };
                task(&network, &data, settings, engine)
            };
            let path = folder.path().join(format!("{number}-{engine:?}"));
            drop(begin(&of(rules[0], 2), &path)?);
            let parts = numbers(&go_on(&of(rules[1], 4), &path)?)?;
            let whole = numbers(&train(&of(rules[0], 4), None, &mut Silent)?)?;
            let apart = parts.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-5, "{engine:?} {rules:?}: {apart}");
        }
    }
    Ok(())
}

#[test]
fn another_schedule_counts_plateaus_from_where_it_begins() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let plateau = |patience| Schedule::Plateau { factor: 0.1, patience };
    // Nothing changes, and every epoch but the first is one without a new least loss.
    let still = |schedule, epochs| {
        let stays = |prefix: &str| Group { prefix: prefix.to_string(), learning_rate: 0.0, weight_decay: 1.0 };
        let (freeze, groups) = (vec!["block".to_string()], vec![stays("stem"), stays("fc")]);
        let settings = Settings { schedule, epochs, freeze, groups, learning_rate: 1.0, ..plain() };
        task(&network, &data, settings, Engine::Plan)
    };
    for (number, begins) in [Schedule::Constant, plateau(2)].into_iter().enumerate() {
        let path = folder.path().join(number.to_string());
        drop(begin(&still(begins, 5), &path)?);
        let (run, mut told) = (RunFolder::resume(&path)?.changing(), Told::default());
        let outcome = train(&still(plateau(0), 8), Some(&run), &mut told)?;
        drop(run);
        assert_eq!((told.2, outcome.changed), (1.0, true));
        let rates: Vec<f64> = outcome.epochs[5..].iter().map(|epoch| epoch.learning_rate).collect();
        assert!(rates[..2] == [1.0, 1.0] && (rates[2] - 0.1).abs() < 1e-12, "{rates:?}");
        // It is remembered by a run that goes on without a change.
        let outcome = go_on(&still(plateau(0), 9), &path)?;
        assert!((outcome.epochs[8].learning_rate - 0.01).abs() < 1e-12);
    }
    Ok(())
}

/// Remembers what a run says of itself when it begins: changes, epochs that are over, the learning rate of the next step.
#[derive(Default)]
struct Told(Vec<String>, usize, f64);

impl Observer for Told {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.0 = begin.changes.iter().map(ToString::to_string).collect();
        (self.1, self.2) = (begin.epochs_done, begin.learning_rate);
    }
}

#[test]
fn whatever_changes_is_told_and_the_run_learns_on() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let others = [
        Settings { learning_rate: 0.005, ..plain() },
        Settings { batch_size: 7, accumulate: 3, ..plain() },
        Settings { optimizer: Rule::ADAMW, learning_rate: 0.001, ..plain() },
        Settings { average: Some(0.5), label_smoothing: 0.1, ..plain() },
        Settings { freeze: vec!["stem".to_string()], ..plain() },
    ];
    for engine in [Engine::Plan, Engine::Candle] {
        for (number, other) in others.iter().enumerate() {
            let path = folder.path().join(format!("{number}-{engine:?}"));
            drop(begin(&task(&network, &data, plain(), engine), &path)?);
            let longer = task(&network, &data, Settings { epochs: 3, ..other.clone() }, engine);
            let (run, mut told) = (RunFolder::resume(&path)?.changing(), Told::default());
            let outcome = train(&longer, Some(&run), &mut told)?;
            drop(run);
            assert_eq!((outcome.epochs.len(), told.1), (3, 2));
            assert!(told.0.contains(&"epochs 2 → 3".to_string()) && told.0.len() > 1, "{:?}", told.0);
            let losses: Vec<f64> = outcome.epochs.iter().map(|epoch| epoch.train_loss).collect();
            assert!(losses[2] < 1.5 * losses[1], "{number} {engine:?}: {losses:?}");
            // It goes on again without a change, and to the same bits as a run that is stopped on the way.
            let stopped = folder.path().join(format!("{number}-{engine:?}-stopped"));
            drop(begin(&task(&network, &data, plain(), engine), &stopped)?);
            let run = RunFolder::resume(&stopped)?.changing();
            assert!(matches!(train(&longer, Some(&run), &mut StopAfter::steps(2)), Err(Error::Interrupted { .. })));
            drop(run);
            train(&longer, Some(&RunFolder::resume(&stopped)?), &mut Silent)?;
            assert!(kept(&stopped)? == kept(&path)?, "{number} {engine:?}");
        }
    }
    Ok(())
}

#[test]
fn what_makes_another_run_or_has_no_effect_is_refused() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let path = folder.path().join("run");
    let of = |settings: Settings| task(&network, &data, settings, Engine::Plan);
    drop(begin(&of(plain()), &path)?);
    let before = kept(&path)?;
    let refused = |settings: Settings| -> Result<String, Failure> {
        Ok(go_on(&of(settings), &path).err().ok_or("it went on")?.to_string())
    };
    let message = refused(Settings { seed: 2, epochs: 3, ..plain() })?;
    assert!(
        message.ends_with("a checkpoint taken with another seed, which makes another run: seed 1 → 2"),
        "{message}"
    );
    let message = refused(Settings { epochs: 1, ..plain() })?;
    assert!(
        message.ends_with("a checkpoint taken after 2 epochs: 1 are fewer; --epochs says how many there shall be"),
        "{message}"
    );
    let message = refused(Settings { label_smoothing: 0.1, ..plain() })?;
    let expected = "the run is over after 2 epochs, so label-smoothing 0.0 → 0.1 would have no effect: --epochs says how \
                    many there shall be";
    assert_eq!(message, expected);
    assert!(kept(&path)? == before);
    // Within an epoch its batches stay as they are.
    let path = folder.path().join("within");
    let run = RunFolder::create(&path)?;
    std::fs::write(run.recipe(), "")?;
    assert!(train(&of(plain()), Some(&run), &mut StopAfter::steps(2)).is_err());
    drop(run);
    let message = go_on(&of(Settings { batch_size: 10, ..plain() }), &path).err().ok_or("it went on")?.to_string();
    let expected = "a checkpoint taken within epoch 1, where batch-size 20 → 10 cannot be: let the epoch end first";
    assert!(message.ends_with(expected), "{message}");
    assert_eq!(go_on(&of(Settings { learning_rate: 0.001, ..plain() }), &path)?.epochs.len(), 2);
    Ok(())
}

/// Puts a file in the place of the checkpoints' folder, at a step.
struct Blocks<'a>(&'a Path, usize);

impl Observer for Blocks<'_> {
    fn step(&mut self, _: &StepReport) -> ControlFlow<Stop> {
        self.1 = self.1.saturating_sub(1);
        if self.1 == 1 {
            let place = self.0.join("checkpoints");
            // The checkpoint of the second epoch may still be being written.
            while !place.join("step-00000010-epoch-0002").exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(300));
            std::fs::remove_dir_all(&place).expect("a folder");
            std::fs::write(place, "in the way").expect("a file");
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn what_cannot_be_written_ends_the_run_and_leaves_whole_files() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    for engine in [Engine::Plan, Engine::Candle] {
        let path = folder.path().join(format!("{engine:?}"));
        let task = task(&network, &data, Settings { epochs: 9, ..plain() }, engine);
        let run = RunFolder::create(&path)?;
        std::fs::write(run.recipe(), "")?;
        // In the third epoch, so that there is something to be damaged.
        let error = train(&task, Some(&run), &mut Blocks(&path, 12)).err().ok_or("it went on")?.to_string();
        let place = path.join("checkpoints");
        assert!(error.starts_with(&format!("{}: cannot make the folder: ", place.display())), "{error}");
        drop(run);
        let (weights, epochs) = kept(&path)?;
        assert!(epochs.len() >= 2);
        assert!(weights.iter().all(|weights| safetensors::SafeTensors::deserialize(weights).is_ok()));
        let left = std::fs::read_dir(&path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let left: Vec<String> = left.collect::<Result<_, Failure>>()?;
        assert!(!left.iter().any(|name| name.starts_with(".writing")), "{left:?}");
        // Out of the way, there is no checkpoint to go on from: what the run came to is not written over unasked.
        std::fs::remove_file(&place)?;
        let refused = RunFolder::resume(&path).err().ok_or("it began anew")?.to_string();
        assert!(refused.contains("holds last.safetensors but no checkpoint"), "{refused}");
        assert!(kept(&path)? == (weights, epochs));
        let run = RunFolder::create_or_overwrite(&path)?;
        assert_eq!(train(&task, Some(&run), &mut Silent)?.epochs.len(), 9);
    }
    Ok(())
}
