//! Training: what stops goes on to the same bits, both engines learn the same, and every setting does what it says.

use crate::Failure;
use cnn_core::Network;
use cnn_core::candle_core::{Device, Tensor, safetensors};
use cnn_data::{Dataset, DigitsConfig, Fit, Preparation, digits};
use cnn_train::{
    Clip, Decay, Engine, Epoch, Error, Evaluation, Observer, Recipe, Rule, RunFolder, Schedule, Settings, Silent,
    Start, StepReport, Stop, Task, WarmUp, Weights, train,
};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

/// Batch normalisation, shortcuts and a dropout, in little time.
pub(crate) fn network(classes: usize) -> Result<Network, Failure> {
    use cnn_core::definition::*;
    let block = || chain().then("conv", conv(3).out(8).pad(1).no_bias()).then("bn", batch_norm()).relu();
    let architecture = chain()
        .then("stem", conv(5).out(8).stride(2))
        .relu()
        .then("block", sum().branch(block()).branch(chain()))
        .and(max_pool(2))
        .dropout(0.3)
        .flatten()
        .then("fc", linear(classes))
        .named("small", [1, 28, 28]);
    Ok(architecture.at([1, 14, 14])?)
}

pub(crate) fn data() -> Result<Dataset, Failure> {
    Ok(digits(DigitsConfig { seed: 3, train: 90, test: 40 })?)
}

/// Every setting that has a state, or works on gradients.
pub(crate) fn everything() -> Settings {
    let settings = Settings {
        epochs: 3,
        batch_size: 16,
        accumulate: 2,
        learning_rate: 0.05,
        decay: Decay::Weights,
        label_smoothing: 0.1,
        optimizer: Rule::AdamW { beta1: 0.9, beta2: 0.99, eps: 1e-6, weight_decay: 0.05 },
        schedule: Schedule::Plateau { factor: 0.5, patience: 0 },
        warm_up: Some(WarmUp { epochs: 0.5, from: 0.1 }),
        clip: Some(Clip::Norm(1.0)),
        average: Some(0.9),
        ..Settings::default()
    };
    let mut recipe = Recipe { training: settings, ..Recipe::default() };
    for line in AUGMENTED {
        recipe.set(line).expect("an augmentation");
    }
    recipe.training
}

/// What a fast recipe has: whitened patches, slow weights, paces of their own, mirrors in turns and at the end.
fn fast() -> Settings {
    let mut recipe =
        Recipe { training: Settings { epochs: 3, batch_size: 16, ..Settings::default() }, ..Recipe::default() };
    for line in FAST {
        recipe.set(line).expect("a setting");
    }
    recipe.training
}

const FAST: [&str; 8] = [
    "optimizer = { sgd = { momentum = 0.8, nesterov = true, weight-decay = 1e-3 } }",
    "schedule = { triangle = { peak-at = 0.3, start = 0.2, end = 0.05 } }",
    "lookahead = { every = 4, stays = 0.7, rise = 2.0 }",
    "whitening = { images = 30 }",
    "freeze = [\"stem.weight\"]",
    "groups = [{ prefix = \"*.bn.bias\", learning-rate = 8.0, weight-decay = 0.125 }, { prefix = \"*.bn\", learning-rate = 0.0 }]",
    "test-time = \"flip\"",
    "augmentation.steps = [{ reflected-crop = { padding = 2 } }, { alternating-flip = {} }]",
];

const AUGMENTED: [&str; 2] = [
    "augmentation.steps = [{ padded-crop = { padding = 2 } }, { flip = { probability = 0.5 } }]",
    "augmentation.mix = { mixup = 0.4, cutmix = 1.0 }",
];

pub(crate) fn task<'a>(network: &'a Network, dataset: &'a Dataset, settings: Settings, engine: Engine) -> Task<'a> {
    let fit = Fit::resize([14, 14]);
    let preparation = Preparation::mnist().fitted(fit);
    Task { settings, engine, ..Task::new(network, dataset, preparation) }
}

/// Stops a run after so many steps, or so many batches of its evaluations.
#[derive(Clone, Debug)]
pub(crate) struct StopAfter {
    steps: usize,
    evaluations: usize,
}

impl StopAfter {
    pub(crate) fn steps(steps: usize) -> Self {
        Self { steps, evaluations: usize::MAX }
    }

    fn count(left: &mut usize) -> ControlFlow<()> {
        *left -= 1;
        if *left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for StopAfter {
    fn step(&mut self, _: &StepReport) -> ControlFlow<Stop> {
        Self::count(&mut self.steps).map_break(|()| Stop::Interrupt)
    }

    fn evaluation(&mut self, _: &Evaluation) -> ControlFlow<()> {
        Self::count(&mut self.evaluations)
    }
}

/// A run's weights, and its figures but for the time they took.
pub(crate) fn kept(folder: &Path) -> Result<(Vec<Vec<u8>>, Vec<Epoch>), Failure> {
    let weights = ["best.safetensors", "last.safetensors"].map(|name| std::fs::read(folder.join(name)));
    let metrics = std::fs::read_to_string(folder.join("metrics.jsonl"))?;
    let epochs = metrics.lines().map(|line| {
        let epoch: Epoch = serde_json::from_str(line)?;
        Ok(Epoch { seconds: 0.0, images_per_second: 0.0, peak_memory: None, ..epoch })
    });
    let epochs = epochs.collect::<Result<_, Failure>>()?;
    Ok((weights.into_iter().collect::<Result<_, _>>()?, epochs))
}

#[test]
fn a_run_that_stops_anywhere_goes_on_to_the_same_bits() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let sgd = Settings {
        epochs: 2,
        batch_size: 20,
        optimizer: Rule::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-3 },
        schedule: Schedule::OneCycle { peak_at: 0.3, start: 0.1, end: 0.0 },
        ..Settings::default()
    };
    let root = Settings {
        optimizer: Rule::RmsProp { alpha: 0.9, eps: 1e-3, momentum: 0.5, weight_decay: 0.0 },
        ..sgd.clone()
    };
    let cases = [("all", everything(), 9), ("sgd", sgd, 10), ("root", root, 10), ("fast", fast(), 18)];
    for (name, settings, steps) in cases {
        for engine in [Engine::Plan, Engine::Candle] {
            let task = task(&network, &data, settings.clone(), engine);
            let stopped = |stops: &[StopAfter]| -> Result<_, Failure> {
                let path = folder.path().join(format!("{name}-{engine:?}-{stops:?}"));
                let mut run = RunFolder::create(&path)?;
                std::fs::write(run.recipe(), "")?;
                for stop in stops {
                    let stopped = train(&task, Some(&run), &mut stop.clone());
                    assert!(matches!(stopped, Err(Error::Interrupted { .. })), "{stopped:?}");
                    // The folder belongs to one run at a time.
                    drop(run);
                    run = RunFolder::resume(&path)?;
                }
                train(&task, Some(&run), &mut Silent)?;
                kept(&path)
            };
            let run = |steps: &[usize]| stopped(&steps.iter().copied().map(StopAfter::steps).collect::<Vec<_>>());
            let whole = run(&[])?;
            for stop in [1, 2, steps / 2, steps - 1, steps] {
                assert!(run(&[stop])? == whole, "{name} {engine:?} stopped at {stop}");
            }
            for stop in [1, 2] {
                let stop = StopAfter { steps: usize::MAX, evaluations: stop };
                assert!(stopped(std::slice::from_ref(&stop))? == whole, "{name} {engine:?} stopped by {stop:?}");
            }
            assert!(run(&[1, 1, 2, 1])? == whole, "{name} {engine:?} stopped four times");
        }
    }
    Ok(())
}

#[test]
fn a_run_does_not_go_on_as_another() -> Result<(), Failure> {
    let (network, data, folder) = (network(10)?, data()?, tempfile::tempdir()?);
    let path = folder.path().join("run");
    let run = RunFolder::create(&path)?;
    std::fs::write(run.recipe(), "")?;
    let first = task(&network, &data, everything(), Engine::Plan);
    assert!(train(&first, Some(&run), &mut StopAfter::steps(2)).is_err());
    assert!(matches!(RunFolder::resume(&path), Err(Error::FolderInUse { .. })));
    drop(run);
    let resumed = |task: &Task<'_>| -> Result<String, Failure> {
        let run = RunFolder::resume(&path)?;
        Ok(train(task, Some(&run), &mut Silent).err().ok_or("it went on")?.to_string())
    };
    let checkpoint = path.join("checkpoints").join("step-00000002");
    let other = task(&network, &data, Settings { seed: 9, ..everything() }, Engine::Plan);
    assert_eq!(
        resumed(&other)?,
        format!("{}: a checkpoint taken with another seed, which makes another run: seed 1 → 9", checkpoint.display())
    );
    let other = task(&network, &data, Settings { learning_rate: 0.1, ..everything() }, Engine::Plan);
    let changed = "taken with other settings: learning-rate 0.05 → 0.1";
    assert_eq!(resumed(&other)?, format!("{}: a checkpoint {changed}", checkpoint.display()));
    let others = digits(DigitsConfig { seed: 4, train: 90, test: 40 })?;
    let message = resumed(&task(&network, &others, everything(), Engine::Plan))?;
    assert!(message.contains("a checkpoint of a run on 90 images to train on and 40 to judge (digest "), "{message}");
    assert!(message.contains(", but the data changed and is now 90 images to train on"), "{message}");
    let lenet = cnn_zoo::find("mnist_conv")?.architecture(10).at([1, 28, 28])?;
    let other = Task { network: &lenet, preparation: Preparation::mnist(), ..first.clone() };
    assert_eq!(resumed(&other)?, format!("{}: a checkpoint of small, not of mnist_conv", checkpoint.display()));

    let weights = checkpoint.join("weights.safetensors");
    let whole = std::fs::read(&weights)?;
    let mut flipped = whole.clone();
    *flipped.last_mut().ok_or("empty")? ^= 1;
    for damaged in [&whole[..whole.len() - 1], &whole[..20], &flipped] {
        std::fs::write(&weights, damaged)?;
        let message = resumed(&first)?;
        assert!(message.starts_with(&format!("{}: damaged: ", weights.display())), "{message}");
    }
    std::fs::write(&weights, &whole)?;
    let state = checkpoint.join("state.safetensors");
    let bytes = std::fs::read(&state)?;
    std::fs::write(&state, &bytes[..bytes.len() / 2])?;
    let message = resumed(&first)?;
    assert!(message.starts_with(&format!("{}: damaged: ", state.display())), "{message}");
    let message = RunFolder::resume(folder.path()).err().ok_or("a run")?.to_string();
    assert_eq!(message, format!("{}: holds no run that could go on: there is no recipe.toml", folder.path().display()));
    Ok(())
}

/// The weights a run ends with, in f32.
fn trained(task: &Task<'_>) -> Result<HashMap<String, Vec<f32>>, Failure> {
    let weights = train(task, None, &mut Silent)?.weights;
    weights.iter().map(|(name, tensor)| Ok((name.to_string(), tensor.numbers(name)?.into_owned()))).collect()
}

/// The largest difference of two runs' weights.
fn distance(a: &HashMap<String, Vec<f32>>, b: &HashMap<String, Vec<f32>>) -> f32 {
    let each = a.iter().flat_map(|(name, a)| a.iter().zip(&b[name]).map(|(a, b)| (a - b).abs()));
    each.fold(0.0, |most, x| if x.is_nan() || x > most { x } else { most })
}

#[test]
fn a_fast_recipe_is_the_same_on_both_engines_and_does_what_it_says() -> Result<(), Failure> {
    let (network, data) = (network(10)?, data()?);
    let run = |settings: Settings, engine| trained(&task(&network, &data, settings, engine));
    let one = Settings { epochs: 1, learning_rate: 0.01, ..fast() };
    let [plan, candle] = [Engine::Plan, Engine::Candle].map(|engine| run(one.clone(), engine));
    let (plan, candle) = (plan?, candle?);
    let apart = distance(&plan, &candle);
    assert!(apart < 1e-4, "{apart}");
    // A pace of zero keeps a tensor as it began, whitened filters are frozen: opposite in pairs.
    assert!(plan["block.bn.weight"].iter().all(|weight| *weight == 1.0));
    assert!(plan["block.bn.bias"].iter().any(|bias| *bias != 0.0));
    let other = run(Settings { seed: 2, ..one.clone() }, Engine::Plan)?;
    assert_eq!(plan["stem.weight"], other["stem.weight"]);
    assert_ne!(plan["stem.bias"], other["stem.bias"]);
    for (setting, changed) in [
        ("lookahead", Settings { lookahead: None, ..one.clone() }),
        ("groups", Settings { groups: Vec::new(), ..one.clone() }),
        ("whitening", Settings { whitening: None, ..one.clone() }),
    ] {
        assert!(distance(&plan, &run(changed, Engine::Plan)?) > 1e-4, "{setting} changes nothing");
    }
    Ok(())
}

#[test]
fn what_a_fast_recipe_cannot_do_is_refused() -> Result<(), Failure> {
    let (network, data) = (network(10)?, data()?);
    let message = |task: &Task<'_>| -> Result<String, Failure> { Ok(task.check().err().ok_or("it can")?.to_string()) };
    let start = Some(Start { weights: Weights::initialised(&network, 1), ..Start::default() });
    let begun = Task { start, ..task(&network, &data, fast(), Engine::Plan) };
    let expected = "whitening sets stem.weight, which the weights to begin with bring: leave out one of the two";
    assert_eq!(message(&begun)?, expected);
    let mut recipe = Recipe { training: fast(), ..Recipe::default() };
    recipe.set("groups = [{ prefix = \"head\", learning-rate = 2.0 }]")?;
    let found = message(&task(&network, &data, recipe.training, Engine::Candle))?;
    assert_eq!(
        found,
        "groups head: small trains no tensor of that name and none that goes on so behind a dot; its parts are block, fc, stem"
    );
    Ok(())
}

#[test]
fn both_engines_train_alike() -> Result<(), Failure> {
    let (network, data) = (network(10)?, data()?);
    let sgd = Rule::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01 };
    let root = Rule::RmsProp { alpha: 0.9, eps: 0.1, momentum: 0.5, weight_decay: 0.01 };
    for (optimizer, clip) in [(sgd, Clip::Norm(0.5)), (root, Clip::Value(0.02))] {
        let settings = Settings { optimizer, clip: Some(clip), learning_rate: 0.01, epochs: 1, ..everything() };
        let [plan, candle] = [Engine::Plan, Engine::Candle].map(|engine| {
            let settings = Settings { schedule: Schedule::Cosine, warm_up: None, ..settings.clone() };
            trained(&task(&network, &data, settings, engine))
        });
        let apart = distance(&plan?, &candle?);
        assert!(apart < 2e-5, "{optimizer:?}: {apart}");
    }
    Ok(())
}

#[test]
fn accumulated_batches_are_one_large_batch() -> Result<(), Failure> {
    use cnn_core::definition::*;
    // Batch normalisation would see other batches.
    let network =
        chain().then("conv", conv(3).out(4)).relu().flatten().then("fc", linear(10)).named("plain", [1, 14, 14]);
    let (network, data) = (network.at([1, 14, 14])?, data()?);
    for engine in [Engine::Plan, Engine::Candle] {
        let run = |batch_size, accumulate| {
            let settings = Settings { batch_size, accumulate, epochs: 2, ..Settings::default() };
            trained(&task(&network, &data, settings, engine))
        };
        // 90 images: the last step has 26, in batches of 8, 8, 8 and 2.
        let apart = distance(&run(32, 1)?, &run(8, 4)?);
        assert!(apart < 1e-5, "{engine:?}: {apart}");
        assert!(distance(&run(32, 1)?, &run(8, 1)?) > 1e-3);
    }
    Ok(())
}

#[test]
fn what_is_frozen_stays() -> Result<(), Failure> {
    let (network, data) = (network(10)?, data()?);
    let fresh: HashMap<String, Vec<f32>> =
        network.tensors().map(|spec| (spec.name.clone(), spec.init.draw(1, &spec.name, spec.elements()))).collect();
    let settings = Settings { freeze: vec!["stem".into(), "block".into()], epochs: 1, ..Settings::default() };
    let mut runs = Vec::new();
    for engine in [Engine::Plan, Engine::Candle] {
        let run = trained(&task(&network, &data, settings.clone(), engine))?;
        for (name, values) in &run {
            let stays = *values == fresh[name];
            assert_eq!(stays, !name.starts_with("fc"), "{engine:?}: {name}");
        }
        runs.push(run);
    }
    let apart = distance(&runs[0], &runs[1]);
    assert!(apart < 1e-5, "{apart}");
    Ok(())
}

#[test]
fn a_network_for_other_classes_starts_from_trained_weights() -> Result<(), Failure> {
    let (ten, four, data) = (network(10)?, network(4)?, data()?);
    let folder = tempfile::tempdir()?;
    let run = RunFolder::create(&folder.path().join("run"))?;
    let settings = Settings { epochs: 1, ..Settings::default() };
    train(&task(&ten, &data, settings, Engine::Plan), Some(&run), &mut Silent)?;
    let file = Weights::read(run.last())?;
    let Start { weights, anew } = file.start(&four)?;
    assert_eq!(anew, ["fc.weight", "fc.bias"]);
    assert_eq!(weights.len() + 2, four.tensors().count());
    assert_eq!(file.start(&ten)?.anew, [""; 0]);
    let other = cnn_zoo::find("mnist_conv")?.architecture(4).at([1, 28, 28])?;
    let message = file.start(&other).err().ok_or("a start")?.to_string();
    assert!(message.ends_with("has weights of small, not of mnist_conv"), "{message}");
    let message = file.clone().of_any_network().start(&other).err().ok_or("a start")?.to_string();
    assert!(message.starts_with("mnist_conv: tensor "), "{message}");
    Ok(())
}

#[test]
fn the_average_is_what_is_kept_and_judged() -> Result<(), Failure> {
    let (network, data) = (network(10)?, data()?);
    let folder = tempfile::tempdir()?;
    // After one step of the average.
    let settings =
        Settings { average: Some(0.5), epochs: 1, batch_size: 90, learning_rate: 0.1, ..Settings::default() };
    let run = RunFolder::create(&folder.path().join("run"))?;
    train(&task(&network, &data, settings, Engine::Plan), Some(&run), &mut Silent)?;
    let checkpoint = run.path().join("checkpoints/step-00000001-epoch-0001");
    let weights = checkpoint.join("weights.safetensors");
    let [kept, stepped] = [run.last(), weights].map(|file| safetensors::load(file, &Device::Cpu));
    let (kept, stepped) = (kept?, stepped?);
    // It lies in the run once: the file has the checkpoint's name for it and those of the run, and the state has none of it.
    assert_eq!(std::fs::read(checkpoint.join("average.safetensors"))?, std::fs::read(run.last())?);
    let state = safetensors::load(checkpoint.join("state.safetensors"), &Device::Cpu)?;
    assert!(state.keys().all(|name| name.starts_with("velocity/")), "{:?}", state.keys());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let file = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.ino());
        let average = file(&checkpoint.join("average.safetensors"))?;
        assert_eq!([file(&run.last())?, file(&run.best())?], [average; 2]);
    }
    for spec in network.tensors() {
        let fresh =
            Tensor::from_vec(spec.init.draw(1, &spec.name, spec.elements()), spec.dims.as_slice(), &Device::Cpu)?;
        // One step taken, so (1 + 1) / (10 + 1) of the fresh weights stay.
        let stays = 2.0 / 11.0;
        let expected = ((fresh * stays)? + (&stepped[&spec.name] * (1.0 - stays))?)?;
        let off = (&kept[&spec.name] - expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
        assert!(off < 1e-6, "{}: {off}", spec.name);
    }
    Ok(())
}

#[test]
fn patience_ends_a_run() -> Result<(), Failure> {
    let (network, data) = (network(10)?, data()?);
    // Nothing ever changes, so the first epoch is the best.
    let settings = Settings { learning_rate: 0.0, epochs: 9, patience: Some(2), ..Settings::default() };
    let network = Network::clone(&network);
    let settings = Settings { freeze: vec!["block".into()], ..settings };
    let outcome = train(&task(&network, &data, settings, Engine::Plan), None, &mut Silent)?;
    assert_eq!((outcome.epochs.len(), outcome.best), (3, 0));
    Ok(())
}
