//! Parts of one's own: the examples run, and a part that says what a usual one says gives what the usual one gives.

// A closure that makes an engine returns this library's error, which is as large as its sentences need.
#![allow(clippy::result_large_err)]

use cnn_core::Network;
use cnn_core::definition::{chain, conv, linear};
use cnn_data::{Dataset, DigitsConfig, Preparation, digits};
use cnn_train::{
    Ending, Engine, Epoch, Judged, LossAndGradients, LossFunction, Observer, Output, Result, RunFolder, Settings,
    Silent, SoftmaxCrossEntropy, StepReport, Stop, Targets, Task, Top, predict, train, train_with,
};
use std::ops::ControlFlow;

#[path = "../examples/own_augmentation.rs"]
mod own_augmentation;
#[path = "../examples/own_data.rs"]
mod own_data;
#[path = "../examples/own_loss.rs"]
mod own_loss;
#[path = "../examples/own_metric.rs"]
mod own_metric;
#[path = "../examples/own_stopping.rs"]
mod own_stopping;

type Failure = Box<dyn std::error::Error>;

#[test]
fn the_examples_run() -> Result<(), Failure> {
    own_augmentation::main()?;
    own_data::main()?;
    own_loss::main()?;
    own_metric::main()?;
    own_stopping::main()
}

#[test]
fn the_examples_are_short() -> Result<(), Failure> {
    for part in ["augmentation", "data", "loss", "metric", "stopping"] {
        let path = format!("{}/examples/own_{part}.rs", env!("CARGO_MANIFEST_DIR"));
        let lines = std::fs::read_to_string(path)?.lines().count();
        assert!(lines <= 40, "own_{part}.rs has {lines} lines");
    }
    Ok(())
}

fn network() -> Result<Network, Failure> {
    let network = chain().and(conv(5).out(4).stride(3)).relu().flatten().and(linear(10)).named("small", [1, 28, 28]);
    Ok(network.at_usual_input()?)
}

fn data() -> Result<Dataset, Failure> {
    Ok(digits(DigitsConfig { train: 90, test: 40, seed: 3 })?)
}

fn task<'a>(network: &'a Network, dataset: &'a Dataset, engine: Engine) -> Task<'a> {
    let settings = Settings { epochs: 3, batch_size: 16, label_smoothing: 0.1, ..Settings::default() };
    Task { settings, engine, ..Task::new(network, dataset, Preparation::mnist()) }
}

fn weights(outcome: &cnn_train::Outcome) -> Result<Vec<f32>, Failure> {
    let mut all = Vec::new();
    for (name, tensor) in outcome.weights.iter() {
        all.extend_from_slice(&tensor.numbers::<f32>(name)?);
    }
    Ok(all)
}

/// Softmax cross-entropy in f64, written down anew.
#[derive(Debug)]
struct WrittenDown;

impl LossFunction for WrittenDown {
    fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients> {
        let images = targets.labels.len();
        let classes = outputs[0].values.len() / images;
        let (mut value, mut gradient) = (0.0, Vec::new());
        for (row, label) in outputs[0].values.chunks(classes).zip(targets.labels) {
            let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            for (class, x) in row.iter().enumerate() {
                let own = if class == *label as usize { 1.0 - targets.smoothing } else { 0.0 };
                let target = own + targets.smoothing / classes as f64;
                let p = f64::from(*x).exp() / sum;
                value -= target * p.ln() / images as f64;
                gradient.push(((p - target) / images as f64) as f32);
            }
        }
        Ok(LossAndGradients { value, gradients: vec![Some(gradient)] })
    }
}

#[test]
fn a_loss_written_down_anew_trains_alike_on_both_engines() -> Result<(), Failure> {
    let (network, data) = (network()?, data()?);
    let mut all = Vec::new();
    for engine in [Engine::Plan, Engine::Candle] {
        for loss in [&SoftmaxCrossEntropy as &dyn LossFunction, &WrittenDown] {
            let outcome = train(&Task { loss, ..task(&network, &data, engine) }, None, &mut Silent)?;
            all.push((weights(&outcome)?, outcome.epochs));
        }
    }
    for (weights, epochs) in &all[1..] {
        let apart = weights.iter().zip(&all[0].0).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap();
        assert!(apart < 2e-5, "{apart}");
        for (found, first) in epochs.iter().zip(&all[0].1) {
            assert!((found.train_loss - first.train_loss).abs() < 1e-5, "{found:?} {first:?}");
            assert!((found.test_loss - first.test_loss).abs() < 1e-5, "{found:?} {first:?}");
        }
    }
    Ok(())
}

#[test]
fn metrics_stand_among_the_figures() -> Result<(), Failure> {
    let (network, data, folder) = (network()?, data()?, tempfile::tempdir()?);
    let run = RunFolder::create(&folder.path().join("run"))?;
    let task = Task { metrics: vec![&Top(1), &Top(10)], ..task(&network, &data, Engine::Plan) };
    let outcome = train(&task, Some(&run), &mut Silent)?;
    let lines = std::fs::read_to_string(run.path().join("metrics.jsonl"))?;
    let read: Vec<Epoch> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(read, outcome.epochs);
    for epoch in read {
        assert_eq!((epoch.metrics["top-1"], epoch.metrics["top-10"]), (epoch.test_accuracy, 1.0));
    }
    Ok(())
}

/// Looks at the network after every epoch, and ends the run after the second.
#[derive(Default)]
struct Looks {
    accuracies: Vec<f64>,
    weights: Option<cnn_train::Weights>,
}

impl Observer for Looks {
    fn judged(&mut self, judged: &Judged<'_>) -> ControlFlow<()> {
        let predictions = judged.predictions().unwrap();
        let right = predictions.predicted().zip(predictions.labels()).filter(|((found, _), label)| found == *label);
        self.accuracies.push(right.count() as f64 / predictions.len() as f64);
        assert_eq!(self.accuracies.last(), Some(&judged.figures.test_accuracy));
        assert_eq!(judged.logits(&[0.5; 2 * 784]).unwrap().len(), 2 * 10);
        self.weights = Some(judged.weights().unwrap());
        if self.accuracies.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn an_observer_sees_the_network_and_ends_a_run_well() -> Result<(), Failure> {
    let (network, data, folder) = (network()?, data()?, tempfile::tempdir()?);
    for engine in [Engine::Plan, Engine::Candle] {
        let run = RunFolder::create(&folder.path().join(format!("{engine:?}")))?;
        let mut looks = Looks::default();
        let outcome = train(&task(&network, &data, engine), Some(&run), &mut looks)?;
        assert_eq!((outcome.ending, outcome.epochs.len()), (Ending::Observer, 2));
        let seen = looks.weights.ok_or("no weights")?;
        let kept = cnn_train::Weights::read(run.last())?;
        for spec in network.tensors() {
            assert_eq!(seen.numbers_of::<f32>(&network, &spec.name)?, kept.numbers_of::<f32>(&network, &spec.name)?);
        }
        assert!(run.has_checkpoint()?);
    }
    Ok(())
}

/// Ends a run after so many steps, well.
struct Finishes(usize);

impl Observer for Finishes {
    fn step(&mut self, _: &StepReport) -> ControlFlow<Stop> {
        self.0 -= 1;
        if self.0 == 0 { ControlFlow::Break(Stop::Finish) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_run_that_ends_within_an_epoch_is_evaluated_and_kept() -> Result<(), Failure> {
    let (network, data, folder) = (network()?, data()?, tempfile::tempdir()?);
    let mut run = RunFolder::create(&folder.path().join("run"))?;
    let recipe = cnn_train::Recipe { training: task(&network, &data, Engine::Plan).settings, ..Default::default() };
    run.write_recipe(&recipe)?;
    // Six steps an epoch.
    let outcome = train(&task(&network, &data, Engine::Plan), Some(&run), &mut Finishes(8))?;
    assert_eq!((outcome.ending, outcome.epochs.len()), (Ending::Observer, 2));
    assert!(run.last().exists() && run.best().exists() && run.has_checkpoint()?);
    drop(run);
    // Who wants more goes on with the next epoch.
    let run = RunFolder::resume(&folder.path().join("run"))?;
    let outcome = train(&task(&network, &data, Engine::Plan), Some(&run), &mut Silent)?;
    assert_eq!((outcome.ending, outcome.epochs.len()), (Ending::Complete, 3));
    Ok(())
}

#[test]
fn a_rule_ends_a_run_and_a_resumed_run_where_it_would_have_ended() -> Result<(), Failure> {
    let (network, data) = (network()?, data()?);
    let two = |epochs: &[Epoch]| epochs.len() == 2;
    let task = Task { stopping: vec![&two], ..task(&network, &data, Engine::Plan) };
    let outcome = train(&task, None, &mut Silent)?;
    assert_eq!((outcome.ending, outcome.epochs.len()), (Ending::Rule, 2));
    Ok(())
}

#[test]
fn an_engine_of_ones_own_is_called() -> Result<(), Failure> {
    let (network, data) = (network()?, data()?);
    let task = task(&network, &data, Engine::Plan);
    let usual = train(&task, None, &mut Silent)?;
    let own = train_with(&|lesson| Engine::Plan.learner(lesson), &task, None, &mut Silent)?;
    assert_eq!(weights(&usual)?, weights(&own)?);
    let refused = train_with(&|_| Err(cnn_train::Error::own("no such device")), &task, None, &mut Silent);
    assert_eq!(refused.unwrap_err().to_string(), "no such device");
    Ok(())
}

#[test]
fn either_engine_predicts_alike() -> Result<(), Failure> {
    use cnn_core::candle_core::Device;
    let (network, data) = (network()?, data()?);
    let weights = cnn_train::Weights::initialised(&network, 7);
    let loader = cnn_data::Loader::new(data.test(), Preparation::mnist(), 16)?;
    let planned = predict(&cnn_train::classifier(&network, &weights, &Device::Cpu)?, &loader)?;
    let model = cnn_core::Model::from_weights(&network, &weights, cnn_core::candle_core::DType::F32, &Device::Cpu)?;
    let candle = predict(&cnn_train::CandleEvaluation::new(&model, &Device::Cpu), &loader)?;
    for (a, b) in planned.probabilities().flatten().zip(candle.probabilities().flatten()) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    Ok(())
}
