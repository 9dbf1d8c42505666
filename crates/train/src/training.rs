//! The loop.

use crate::engine::{Engine, Learner};
use crate::error::{Error, Result};
use crate::folder::RunFolder;
use crate::memory::Memory;
use crate::observer::{Begin, Observer, Step};
use crate::settings::Settings;
use crate::weights::Card;
use candle_core::Device;
use cnn_core::{Model, Network, Op};
use cnn_data::{Dataset, Loader, Preparation};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What is trained, on what, and how.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The network, elaborated for prepared images of the data set.
    pub network: &'a Network,
    /// Images to train on, and to test on after each epoch.
    pub dataset: &'a Dataset,
    /// How an image becomes an input.
    pub preparation: Preparation,
    /// How to train.
    pub settings: Settings,
    /// Where to compute.
    pub device: Device,
    /// What computes a step.
    pub engine: Engine,
}

/// The figures of one epoch: a line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss while training.
    pub train_loss: f64,
    /// Accuracy while training, from 0 to 1.
    pub train_accuracy: f64,
    /// Mean loss on the test images afterwards.
    pub test_loss: f64,
    /// Accuracy on the test images afterwards, from 0 to 1.
    pub test_accuracy: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Images trained on per second, evaluation not counted.
    pub images_per_second: f64,
    /// Seconds of training and evaluation.
    pub seconds: f64,
    /// The most bytes the process has held in memory so far, where the system says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
}

/// A finished run.
#[derive(Debug)]
pub struct Outcome {
    /// The model after the last epoch.
    pub model: Model,
    /// Every epoch's figures.
    pub epochs: Vec<Epoch>,
    /// Position in `epochs` of the first with the highest test accuracy.
    pub best: usize,
}

/// Trains a freshly initialised network; `folder` keeps weights and figures after each epoch.
///
/// # Errors
///
/// Settings that cannot be, data that does not fit the network, a loss that is no longer a number, an observer that
/// stops the run, a folder that can no longer be written.
pub fn train(task: &Task<'_>, mut folder: Option<&mut RunFolder>, observer: &mut dyn Observer) -> Result<Outcome> {
    task.check()?;
    let Task { network, dataset, settings, device, .. } = task;
    if task.engine == Engine::Plan && !device.is_cpu() {
        return Err(Error::Setting { setting: "engine", problem: "plan computes on the CPU only".to_string() });
    }
    let loader = Loader::new(dataset.train(), task.preparation.clone(), settings.batch_size)?.on(device);
    let test = Loader::new(dataset.test(), task.preparation.clone(), settings.batch_size.max(100))?.on(device);
    let mut learner = Learner::new(task.engine, network, settings, device)?;
    let (mut epochs, mut best): (Vec<Epoch>, usize) = (Vec::new(), 0);
    observer.begin(&Begin { task, folder: folder.as_deref().map(RunFolder::path), epochs_done: 0 });
    for number in 1..=settings.epochs {
        let started = Instant::now();
        let trained = task.epoch(number, &loader, &mut learner, observer, folder.as_deref())?;
        let training_seconds = started.elapsed().as_secs_f64();
        let tested = learner.evaluate(&test)?;
        // The last step's effect shows only here.
        if !tested.loss.is_finite() {
            let Step { epoch, step, learning_rate, .. } = trained;
            return Err(Error::Diverged { epoch, step, loss: tested.loss as f32, learning_rate });
        }
        epochs.push(Epoch {
            epoch: number,
            train_loss: trained.loss,
            train_accuracy: trained.accuracy,
            test_loss: tested.loss,
            test_accuracy: tested.accuracy,
            learning_rate: trained.learning_rate,
            images_per_second: dataset.train().len() as f64 / training_seconds,
            seconds: started.elapsed().as_secs_f64(),
            peak_memory: Memory::now().peak,
        });
        let is_best = number == 1 || tested.accuracy > epochs[best].test_accuracy;
        if is_best {
            best = number - 1;
        }
        if let Some(folder) = folder.as_deref_mut() {
            folder.keep_epoch(&epochs[number - 1], is_best, learner.model()?, &task.card())?;
        }
        observer.epoch(&epochs[number - 1], is_best);
    }
    Ok(Outcome { model: learner.into_model()?, epochs, best })
}

impl Task<'_> {
    fn check(&self) -> Result<()> {
        self.settings.check()?;
        let outputs = self.network.node(self.network.outputs()[0].node).shape.elements();
        let classes = self.dataset.classes().len();
        if self.dataset.train().is_empty() || self.dataset.test().is_empty() {
            return Err(cnn_data::Error::NoImages.into());
        }
        if outputs != classes {
            let (network, dataset) = (self.network.name().to_string(), self.dataset.name().to_string());
            return Err(Error::Classes { network, outputs, dataset, classes });
        }
        Ok(())
    }

    fn has_batch_norm(&self) -> bool {
        self.network.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm(_)))
    }

    fn card(&self) -> Card {
        let dims = self.network.input().dims();
        Card {
            network: self.network.name().to_string(),
            input: [dims[0], dims[1], dims[2]],
            classes: self.dataset.classes().to_vec(),
            dataset: self.dataset.name().to_string(),
            preparation: self.preparation.clone(),
        }
    }

    /// One pass over the training images; the figures of its last step.
    fn epoch(
        &self,
        number: usize,
        loader: &Loader<'_>,
        learner: &mut Learner,
        observer: &mut dyn Observer,
        folder: Option<&RunFolder>,
    ) -> Result<Step> {
        let settings = &self.settings;
        let steps = loader.len();
        let mut at = Step {
            epoch: number,
            epochs: settings.epochs,
            step: 0,
            steps,
            images: 0,
            loss: 0.0,
            accuracy: 0.0,
            learning_rate: settings.learning_rate,
        };
        let (mut loss_sum, mut correct, mut seen) = (0.0, 0, 0);
        for batch in loader.epoch(settings.seed, number) {
            let batch = batch?;
            // A batch norm cannot train on what may be a single value; the image comes again in another epoch.
            if batch.indices.len() == 1 && steps > 1 && self.has_batch_norm() {
                continue;
            }
            let done = (number - 1) * steps + at.step;
            at.learning_rate = settings.learning_rate * settings.schedule.factor(done, settings.epochs * steps);
            at.step += 1;
            at.images = batch.indices.len();
            let stepped = learner.step(&batch, at.learning_rate)?;
            if !stepped.loss.is_finite() {
                let Step { epoch, step, learning_rate, .. } = at;
                return Err(Error::Diverged { epoch, step, loss: stepped.loss, learning_rate });
            }
            seen += at.images;
            loss_sum += f64::from(stepped.loss) * at.images as f64;
            correct += stepped.correct;
            (at.loss, at.accuracy) = (loss_sum / seen as f64, correct as f64 / seen as f64);
            if observer.step(&at).is_break() {
                let kept = match folder {
                    Some(folder) if number > 1 => format!("{} holds epoch {}", folder.path().display(), number - 1),
                    _ => "no epoch was finished, no weights were written".to_string(),
                };
                return Err(Error::Interrupted { epoch: number, step: at.step, kept });
            }
        }
        Ok(at)
    }
}
