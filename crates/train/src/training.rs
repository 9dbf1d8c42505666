//! The loop.

use crate::checkpoint::{Extent, Position, Taken, Wanted};
use crate::engine::{Engine, Learner, Lesson};
use crate::error::{Error, Result};
use crate::evaluate::Evaluated;
use crate::folder::{Every, RunFolder};
use crate::freeze::frozen;
use crate::memory::{Memory, check_fits, least_bytes, tensor_bytes};
use crate::observer::{Begin, Evaluation, Observer, Step};
use crate::schedule::{Schedule, When};
use crate::settings::{Precision, Settings};
use crate::weights::Card;
use candle_core::Device;
use cnn_core::{Model, Network, Op};
use cnn_data::{Batch, Dataset, Loader, Preparation};
use cnn_weights::Start;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Batches that are made while others are computed with, where making them takes time.
const AHEAD: usize = 2;
/// How often a run looks whether its folder is still there.
const LOOK: Duration = Duration::from_millis(500);

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
    /// Weights to start from; without them the network is freshly initialised.
    pub start: Option<Start>,
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
    /// The model after the last epoch; the averaged one where an average was kept.
    pub model: Model,
    /// Every epoch's figures.
    pub epochs: Vec<Epoch>,
    /// Position in `epochs` of the first with the highest test accuracy.
    pub best: usize,
}

/// Trains a network; `folder` keeps weights, figures and checkpoints. In a folder made by [`RunFolder::resume`] the run
/// goes on where it had come to, to the very weights it would have reached without a stop.
///
/// # Errors
///
/// Settings that cannot be, data that does not fit the network, a loss that is no longer a number, an observer that
/// stops the run, a folder that can no longer be written, a checkpoint of something else.
pub fn train(task: &Task<'_>, folder: Option<&mut RunFolder>, observer: &mut dyn Observer) -> Result<Outcome> {
    task.check()?;
    let folder = folder.map(|folder| &*folder);
    let card = task.card();
    let Task { network, settings, engine, .. } = task;
    let wanted = Wanted { network, card: &card, settings, engine: *engine, extent: task.extent() };
    let checkpoint = folder.map(|folder| folder.newest(&wanted)).transpose()?.flatten();
    let frozen = frozen(task.network, &task.settings.freeze)?;
    let position = checkpoint.as_ref().map_or_else(Position::start, |checkpoint| checkpoint.position.clone());
    let mut learner = Learner::new(task.engine, task.lesson(&frozen, position.passes))?;
    if let Some(checkpoint) = checkpoint {
        learner.restore(checkpoint)?;
    }
    let single_valued = task.single_valued(&frozen);
    let now = Instant::now();
    let mut run =
        Run { task, card, learner, position, folder, single_valued, left_out: false, kept_at: now, looked_at: now };
    run.run(observer)?;
    let epochs = run.position.epochs;
    let best = best(&epochs);
    Ok(Outcome { model: run.learner.into_model()?, epochs, best })
}

/// The position of the first epoch with the highest test accuracy.
fn best(epochs: &[Epoch]) -> usize {
    let mut best = 0;
    for (number, epoch) in epochs.iter().enumerate() {
        if epoch.test_accuracy > epochs[best].test_accuracy {
            best = number;
        }
    }
    best
}

/// How often the test loss has not fallen for more than `patience` epochs in a row.
fn plateaus(epochs: &[Epoch], patience: usize) -> usize {
    let (mut least, mut since, mut plateaus) = (f64::INFINITY, 0, 0);
    for epoch in epochs {
        since += 1;
        if epoch.test_loss < least {
            (least, since) = (epoch.test_loss, 0);
        } else if since > patience {
            (since, plateaus) = (0, plateaus + 1);
        }
    }
    plateaus
}

impl Task<'_> {
    /// Whether it can be done: settings that can be meant, on a device that can, with data for the network's classes.
    ///
    /// # Errors
    ///
    /// The first thing that stands against it.
    pub fn check(&self) -> Result<()> {
        self.settings.check()?;
        let frozen = frozen(self.network, &self.settings.freeze)?;
        if self.settings.recompute && self.engine == Engine::Candle {
            let problem = "belongs to the engine plan, which computes on the CPU".to_string();
            return Err(Error::Setting { setting: "recompute", problem });
        }
        if self.engine == Engine::Plan && !self.device.is_cpu() {
            return Err(Error::Setting { setting: "engine", problem: "plan computes on the CPU only".to_string() });
        }
        if self.settings.precision == Precision::Bf16 && self.device.is_cpu() {
            let problem = "bf16 needs a device that computes with it, such as cuda".to_string();
            return Err(Error::Setting { setting: "precision", problem });
        }
        let outputs = self.network.node(self.network.outputs()[0].node).shape.elements();
        let classes = self.dataset.classes().len();
        if self.dataset.train().is_empty() || self.dataset.test().is_empty() {
            return Err(cnn_data::Error::NoImages.into());
        }
        if outputs != classes {
            let (network, dataset) = (self.network.name().to_string(), self.dataset.name().to_string());
            return Err(Error::Classes { network, outputs, dataset, classes });
        }
        let Extent { images, steps, .. } = self.extent();
        let batch_size = self.settings.batch_size.min(images);
        if let Some(path) = self.single_valued(&frozen).filter(|_| batch_size == 1) {
            let problem = format!("1 gives {path} a single value per channel, which cannot be normalised: 2 can");
            return Err(Error::Setting { setting: "batch size", problem });
        }
        // Optimisers count steps in an i32.
        if self.settings.epochs.checked_mul(steps).is_none_or(|all| i32::try_from(all).is_err()) {
            let problem = format!("{} of {steps} steps are more than {} steps", self.settings.epochs, i32::MAX);
            return Err(Error::Setting { setting: "epochs", problem });
        }
        self.check_memory(batch_size)
    }

    fn check_memory(&self, batch_size: usize) -> Result<()> {
        let Self { network, settings, .. } = self;
        let copies = settings.optimizer.memories().iter().flatten().count() + usize::from(settings.average.is_some());
        let copies = tensor_bytes(network).saturating_mul(copies as u64);
        let what = format!("training {} with batches of {batch_size}", network.name());
        let needed = least_bytes(network, batch_size).saturating_add(copies);
        check_fits(&what, needed, "a smaller batch size, smaller images or a smaller network may fit")
    }

    /// What an epoch has, at most.
    fn extent(&self) -> Extent {
        let images = self.dataset.train().len();
        let batches = images.div_ceil(self.settings.batch_size);
        Extent { images, batches, steps: batches.div_ceil(self.settings.accumulate) }
    }

    fn lesson<'a>(&'a self, frozen: &'a [bool], passes: u64) -> Lesson<'a> {
        let Self { network, settings, device, start, .. } = self;
        Lesson { network, settings, device, start: start.as_ref(), frozen, passes }
    }

    /// The first batch normalisation that trains on a single value per channel of each image: its maps are 1×1, so a
    /// batch of one image has nothing to normalise.
    fn single_valued(&self, frozen: &[bool]) -> Option<String> {
        let mut first_tensor = 0;
        let single = self.network.nodes().iter().find(|node| {
            // Where its weight is frozen, a normalisation goes by its running statistics.
            let trains = matches!(node.op, Op::BatchNorm(_)) && !frozen[first_tensor];
            first_tensor += node.tensors.len();
            trains && node.shape.size().is_none_or(|size| size.area() == 1)
        });
        single.map(|node| node.path.clone())
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
}

/// A run under way.
struct Run<'a> {
    task: &'a Task<'a>,
    card: Card,
    learner: Learner,
    position: Position,
    folder: Option<&'a RunFolder>,
    /// The normalisation that a batch of a single image cannot train.
    single_valued: Option<String>,
    /// Whether a batch of a single image was left out for it.
    left_out: bool,
    /// When the last checkpoint was taken, or the run began.
    kept_at: Instant,
    /// When the folder was last seen.
    looked_at: Instant,
}

impl Run<'_> {
    fn run(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let Task { dataset, settings, device, preparation, .. } = self.task;
        let loader = Loader::new(dataset.train(), preparation.clone(), settings.batch_size)?.on(device);
        let loader = loader.augmented(settings.augmentation.clone())?;
        // Files are read, and other devices wait for images, while the network computes.
        let slow = !dataset.train().in_memory() || !device.is_cpu();
        let loader = if slow { loader.ahead(AHEAD) } else { loader };
        let test = Loader::new(dataset.test(), preparation.clone(), settings.batch_size)?.on(device);
        if let Some(folder) = self.folder {
            folder.keep_metrics(&self.position.epochs)?;
        }
        let (path, epochs_done) = (self.folder.map(RunFolder::path), self.position.epochs.len());
        observer.begin(&Begin { task: self.task, folder: path, epochs_done });
        while self.position.epoch <= settings.epochs && !self.out_of_patience() {
            let (started, before) = (Instant::now(), self.position.seconds);
            let last = self.epoch(&loader, started, observer)?;
            let training_seconds = before + started.elapsed().as_secs_f64();
            let tested = self.evaluate(&test, observer)?;
            // The last step's effect shows only here.
            if !tested.loss.is_finite() {
                return Err(diverged(&last, tested.loss as f32));
            }
            let seconds = before + started.elapsed().as_secs_f64();
            let images_per_second = self.position.seen as f64 / training_seconds;
            self.finish(Epoch { images_per_second, seconds, ..figures(&last, tested) }, observer)?;
        }
        Ok(())
    }

    /// Judges the network at the end of an epoch.
    fn evaluate(&mut self, test: &Loader<'_>, observer: &mut dyn Observer) -> Result<Evaluated> {
        let (epoch, epochs) = (self.position.epoch, self.task.settings.epochs);
        let all = self.task.dataset.test().len();
        let mut goes_on = |images| observer.evaluation(&Evaluation { epoch, epochs, images, all });
        match self.learner.evaluate(test, &mut goes_on)? {
            ControlFlow::Continue(evaluated) => Ok(evaluated),
            ControlFlow::Break(()) => Err(self.interrupt()),
        }
    }

    /// Keeps what there is after an epoch.
    fn finish(&mut self, epoch: Epoch, observer: &mut dyn Observer) -> Result<()> {
        self.position = std::mem::replace(&mut self.position, Position::start()).after(epoch);
        let best = best(&self.position.epochs) + 1 == self.position.epochs.len();
        if let Some(folder) = self.folder {
            self.look(folder)?;
            let weights = self.learner.kept()?;
            let kept = folder.keep_weights(&weights, &self.card, best);
            if let Err(error) = kept.and_then(|()| folder.keep_metrics(&self.position.epochs)) {
                // The folder may have gone just now.
                return self.look(folder).and(Err(error));
            }
            self.keep_checkpoint()?;
        }
        observer.epoch(&epoch, best);
        Ok(())
    }

    fn out_of_patience(&self) -> bool {
        let epochs = &self.position.epochs;
        self.task.settings.patience.is_some_and(|patience| epochs.len() > best(epochs) + patience)
    }

    /// The rest of a pass over the training images; its last step.
    fn epoch(&mut self, loader: &Loader<'_>, started: Instant, observer: &mut dyn Observer) -> Result<Step> {
        let task = self.task;
        let settings = &task.settings;
        let steps = loader.len().div_ceil(settings.accumulate);
        let seconds_before = self.position.seconds;
        let plateaus = match settings.schedule {
            Schedule::Plateau { patience, .. } => plateaus(&self.position.epochs, patience),
            _ => 0,
        };
        let mut batches = loader.epoch(settings.seed, self.position.epoch).skip_to(self.position.batches);
        loop {
            let mut group = Vec::new();
            while group.len() < settings.accumulate {
                if observer.stops() {
                    return Err(self.interrupt());
                }
                let Some(batch) = batches.next() else { break };
                group.push(batch?);
            }
            let Some(last) = group.last() else { break };
            let done = last.number + 1;
            self.leave_out(&mut group);
            self.position.batches = done;
            if group.is_empty() {
                continue;
            }
            let done = (self.position.epoch - 1) * steps + self.position.steps;
            let when = When { done, epoch: steps, all: settings.epochs * steps, plateaus };
            self.position.learning_rate = settings.learning_rate * settings.schedule.factor(settings.warm_up, when);
            let step = self.step(&group, steps)?;
            self.position.seconds = seconds_before + started.elapsed().as_secs_f64();
            if observer.step(&step).is_break() {
                return Err(self.interrupt());
            }
            if self.checkpoint_is_due() {
                self.keep_checkpoint()?;
            }
            if let Some(folder) = self.folder.filter(|_| self.looked_at.elapsed() >= LOOK) {
                self.look(folder)?;
            }
        }
        match self.position.steps {
            0 => {
                let reason = "no batch could be trained on; their images were all left out".to_string();
                Err(Error::NoStep { epoch: self.position.epoch, reason })
            }
            _ => Ok(self.at(steps)),
        }
    }

    /// Takes out of a step the batches that cannot be trained on. Their images come again in other epochs.
    fn leave_out(&mut self, group: &mut Vec<Batch>) {
        let Some(path) = &self.single_valued else { return };
        let before = group.len();
        group.retain(|batch| batch.indices.len() > 1);
        if group.len() < before && !self.left_out {
            self.left_out = true;
            tracing::warn!(
                "a batch of a single image is left out of each epoch: {path} would see one value per channel; a batch \
                 size that divides the {} images leaves none out",
                self.task.dataset.train().len()
            );
        }
    }

    fn step(&mut self, group: &[Batch], steps: usize) -> Result<Step> {
        let stepped = self.learner.step(group, self.position.learning_rate)?;
        let images: usize = group.iter().map(|batch| batch.indices.len()).sum();
        let position = &mut self.position;
        position.steps += 1;
        position.updates += 1;
        position.passes += group.len() as u64;
        position.seen += images;
        position.correct += stepped.correct;
        position.loss_sum += f64::from(stepped.loss) * images as f64;
        let step = Step { images, ..self.at(steps) };
        if stepped.loss.is_finite() { Ok(step) } else { Err(diverged(&step, stepped.loss)) }
    }

    /// Where the run is.
    fn at(&self, steps: usize) -> Step {
        let position = &self.position;
        let seen = position.seen.max(1) as f64;
        Step {
            epoch: position.epoch,
            epochs: self.task.settings.epochs,
            step: position.steps,
            steps,
            images: 0,
            loss: position.loss_sum / seen,
            accuracy: position.correct as f64 / seen,
            learning_rate: position.learning_rate,
        }
    }

    fn checkpoint_is_due(&self) -> bool {
        self.folder.is_some_and(|folder| match folder.when() {
            Every::Steps(steps) => self.position.updates.is_multiple_of(steps.max(1)),
            Every::Time(time) => self.kept_at.elapsed() >= time,
        })
    }

    /// Whether the folder is where it was; where it is not, the run ends, and keeps what it can.
    fn look(&mut self, folder: &RunFolder) -> Result<()> {
        self.looked_at = Instant::now();
        if folder.is_there() { Ok(()) } else { self.with_taken(|taken| Err(folder.lost(taken))) }
    }

    fn keep_checkpoint(&mut self) -> Result<()> {
        self.kept_at = Instant::now();
        let Some(folder) = self.folder else { return Ok(()) };
        self.with_taken(|taken| folder.keep_checkpoint(taken))
    }

    /// Calls `keep` with what a checkpoint taken now is made of.
    fn with_taken(&self, keep: impl FnOnce(&Taken<'_>) -> Result<()>) -> Result<()> {
        let (weights, state) = (self.learner.weights()?, self.learner.state()?);
        let (position, settings, engine) = (&self.position, &self.task.settings, self.task.engine);
        keep(&Taken { position, settings, engine, card: &self.card, weights: &weights, state: &state })
    }

    /// Keeps a checkpoint, and gives the error that ends the run.
    fn interrupt(&mut self) -> Error {
        if let Err(error) = self.keep_checkpoint() {
            return error;
        }
        let kept = match self.folder {
            Some(folder) => format!("--resume {} goes on from there", folder.path().display()),
            None => "nothing was written".to_string(),
        };
        Error::Interrupted { epoch: self.position.epoch, step: self.position.steps, kept }
    }
}

fn figures(last: &Step, tested: Evaluated) -> Epoch {
    Epoch {
        epoch: last.epoch,
        train_loss: last.loss,
        train_accuracy: last.accuracy,
        test_loss: tested.loss,
        test_accuracy: tested.accuracy,
        learning_rate: last.learning_rate,
        images_per_second: 0.0,
        seconds: 0.0,
        peak_memory: Memory::now().peak,
    }
}

fn diverged(step: &Step, loss: f32) -> Error {
    let Step { epoch, step, learning_rate, .. } = *step;
    Error::Diverged { epoch, step, loss, learning_rate }
}
