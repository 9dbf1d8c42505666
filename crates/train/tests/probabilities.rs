//! Networks that give probabilities, judged: no second softmax is applied to them.

use cnn_core::definition::{Chain, adaptive_avg_pool, chain, conv, linear, scale};
use cnn_core::device::Device;
use cnn_core::{Model, Network};
use cnn_data::{Dataset, DigitsConfig, Loader, Preparation, digits};
use cnn_train::{
    CandleEvaluation, Classify, Engine, Judged, LossAndGradients, LossFunction, Metric, Observer, Output, Predictions,
    Result, Settings, Targets, Task, TestTime, Weights, classifier, evaluate, predict, train,
};
use std::ops::ControlFlow;

type Failure = Box<dyn std::error::Error>;

fn data() -> Result<Dataset, Failure> {
    Ok(digits(DigitsConfig { train: 40, test: 30, seed: 3 })?)
}

fn named(body: Chain) -> Result<Network, Failure> {
    Ok(body.named("ends", [1, 28, 28]).at_usual_input()?)
}

/// The probability of the right class, by hand: of what a model gives, after a softmax unless it gives probabilities.
fn right(given: &[f32], labels: &[u32], probabilities: bool) -> Vec<f64> {
    let rows = given.chunks(given.len() / labels.len()).zip(labels);
    let right = rows.map(|(row, label)| {
        let row: Vec<f64> =
            row.iter().map(|x| if probabilities { f64::from(*x) } else { f64::from(*x).exp() }).collect();
        row[*label as usize] / row.iter().sum::<f64>()
    });
    right.collect()
}

/// By either engine, from one side and from both.
#[test]
fn what_gives_probabilities_is_judged_by_them() -> Result<(), Failure> {
    let scores = || chain().flatten().then("fc", linear(10)).and(scale(4.0));
    let maps = || chain().then("conv", conv(5).out(10)).and(adaptive_avg_pool(1)).and(scale(40.0));
    let data = data()?;
    let loader = Loader::new(data.test(), Preparation::mnist(), 30)?;
    let images = loader.in_order().next().ok_or("no batch")??.images;
    for (body, probabilities) in [
        (scores(), false),
        (scores().softmax(), true),
        (scores().softmax().flatten(), true),
        (maps().softmax().dropout(0.5).flatten(), true),
        (chain().then("conv", conv(5).out(10)).and(scale(40.0)).softmax().global_avg_pool(), true),
    ] {
        let network = named(body)?;
        let weights = Weights::initialised(&network, 7);
        let model = Model::from_weights(&network, &weights, cnn_core::candle_core::DType::F32, &Device::Cpu)?;
        let engines: [Box<dyn Classify>; 2] =
            [classifier(&network, &weights, &Device::Cpu)?, Box::new(CandleEvaluation::new(&model, &Device::Cpu))];
        for engine in engines {
            let judge: Box<dyn Classify> = TestTime::Flip.judging(engine, 28);
            assert_eq!(judge.gives_probabilities(), probabilities);
            let expected = right(&judge.logits(&images)?, data.test().labels(), probabilities);
            let least = expected.iter().copied().fold(1.0, f64::min);
            assert!(least < 0.09, "a second softmax would hardly change {least}");
            let predictions = predict(&*judge, &loader)?;
            let rows = predictions.probabilities().zip(predictions.labels()).zip(predictions.losses());
            for (((row, label), loss), expected) in rows.zip(&expected) {
                assert!((f64::from(row[*label as usize]) - expected).abs() < 1e-5, "{row:?} {expected}");
                assert!((loss + expected.ln()).abs() < 1e-4, "{loss} {expected}");
            }
            let loss = expected.iter().map(|p| -p.ln()).sum::<f64>() / expected.len() as f64;
            let evaluated = evaluate(&*judge, &loader)?;
            assert!((evaluated.loss - loss).abs() < 1e-4, "{evaluated:?} {loss}");
            assert_eq!(evaluated.accuracy, predictions.top(1));
        }
    }
    Ok(())
}

/// The mean over the images of half the squared distance of the probabilities from the label's unit vector.
#[derive(Debug)]
struct Brier;

impl LossFunction for Brier {
    fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients> {
        let (n, values) = (targets.labels.len(), outputs[0].values);
        let wanted = |i: usize| f32::from(targets.labels[i / 10] as usize == i % 10);
        let away: Vec<f32> = values.iter().enumerate().map(|(i, x)| x - wanted(i)).collect();
        let value = away.iter().map(|x| f64::from(x * x)).sum::<f64>() / (2 * n) as f64;
        Ok(LossAndGradients { value, gradients: vec![Some(away.iter().map(|x| x / n as f32).collect())] })
    }
}

/// The mean probability of the right class.
#[derive(Debug)]
struct Confidence;

impl Metric for Confidence {
    fn name(&self) -> String {
        "confidence".to_string()
    }

    fn value(&self, predictions: &Predictions) -> f64 {
        let rows = predictions.probabilities().zip(predictions.labels());
        rows.map(|(row, label)| f64::from(row[*label as usize])).sum::<f64>() / predictions.len() as f64
    }
}

/// Compares the figures with what the network gives for the test images.
struct Compares<'a> {
    images: &'a [f32],
    labels: &'a [u32],
    times: usize,
}

impl Observer for Compares<'_> {
    fn judged(&mut self, judged: &Judged<'_>) -> ControlFlow<()> {
        let given = judged.logits(self.images).unwrap();
        let mean = |right: Vec<f64>| right.iter().sum::<f64>() / right.len() as f64;
        let [expected, twice] = [true, false].map(|given_so| mean(right(&given, self.labels, given_so)));
        let found = [judged.figures.metrics["confidence"], Confidence.value(judged.predictions().unwrap())];
        assert!(found.iter().all(|found| (found - expected).abs() < 1e-5), "{found:?} {expected}");
        assert!((expected - twice).abs() > 1e-3, "a second softmax would hardly change {expected}");
        let loss = Brier.loss(&[Output { values: &given, weight: 1.0 }], &Targets::new(self.labels)).unwrap().value;
        assert!((judged.figures.test_loss - loss).abs() < 1e-5);
        self.times += 1;
        ControlFlow::Continue(())
    }
}

/// The loss of one's own is of what the network gives, and the figures are of its probabilities.
#[test]
fn a_training_on_probabilities_has_their_figures() -> Result<(), Failure> {
    let (data, network) = (data()?, named(chain().flatten().then("fc", linear(10)).softmax().flatten())?);
    let loader = Loader::new(data.test(), Preparation::mnist(), 30)?;
    let images = loader.in_order().next().ok_or("no batch")??.images;
    for engine in [Engine::Plan, Engine::Candle] {
        let settings = Settings { epochs: 2, batch_size: 8, ..Settings::default() };
        let task = Task {
            settings,
            engine,
            loss: &Brier,
            metrics: vec![&Confidence],
            ..Task::new(&network, &data, Preparation::mnist())
        };
        let mut compares = Compares { images: &images, labels: data.test().labels(), times: 0 };
        train(&task, None, &mut compares)?;
        assert_eq!(compares.times, 2);
    }
    Ok(())
}
