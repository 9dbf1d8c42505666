//! A run that goes on otherwise than it began: with more epochs, another learning rate, another rule.

use crate::Failure;
use crate::training::{StopAfter, data, kept, network, task};
use cnn_train::{
    Begin, Engine, Error, Observer, Outcome, Rule, RunFolder, Schedule, Settings, Silent, StepReport, Stop, Task, train,
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

/// Remembers what a run says of itself when it begins.
#[derive(Default)]
struct Told(Vec<String>, usize);

impl Observer for Told {
    fn begin(&mut self, begin: &Begin<'_>) {
        (self.0, self.1) = (begin.changes.iter().map(ToString::to_string).collect(), begin.epochs_done);
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
    assert!(message.ends_with("a checkpoint taken after 2 epochs: 1 are fewer"), "{message}");
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
