//! The loop.

use crate::changes::{Change, DataMark};
use crate::checkpoint::{Checkpoint, History, Position, Taken, Wanted};
use crate::engine::sharded::passes_of;
use crate::engine::{Learner, Lesson, Saved};
use crate::epoch::{Epoch, best_epoch, plateaus};
use crate::error::{Error, Result};
use crate::evaluate::{Evaluated, Judging, judged_together};
use crate::folder::{Every, RunFolder};
use crate::freeze::frozen;
use crate::keeping::{Finished, Kept, Writer};
use crate::memory::Memory;
use crate::observer::{Begin, Evaluation, Judged, Observer, StepReport, Stop};
use crate::predictions::Predictions;
use crate::schedule::{Schedule, When};
use crate::settings::Settings;
use crate::task::{Task, Taught};
use cnn_data::Card;
use cnn_data::{Batch, Loader};
use cnn_distributed::{Pending, Ranks, shards_of};
use cnn_figures::number;
use cnn_weights::Weights;
use std::cell::OnceCell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Batches that are made while others are computed with, where making them takes time.
const AHEAD: usize = 2;
/// How often a run looks whether its folder is still there.
const LOOK: Duration = Duration::from_millis(500);
/// A loss of weights that no learning rate mends.
const RUINED: f64 = 1e6;

/// A finished run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The weights after the last epoch; the averaged ones where an average was kept.
    pub weights: Weights,
    /// Every epoch's figures.
    pub epochs: Vec<Epoch>,
    /// Position in `epochs` of the first with the highest test accuracy.
    pub best: usize,
    /// Why the run ended.
    pub ending: Ending,
    /// Whether settings were changed on the way: another run of the last ones does not repeat it.
    pub changed: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// All its epochs are over.
    Complete,
    /// The settings' patience is over, or a stopping rule of the task says so.
    Rule,
    /// The observer ended it.
    Observer,
}

/// Trains a network; `folder` keeps weights, figures and checkpoints. In a folder made by [`RunFolder::resume`] the run
/// goes on where it had come to, to the very weights it would have reached without a stop.
///
/// # Errors
///
/// Settings that cannot be, data that does not fit the network, a loss that is no longer a number, an observer that
/// interrupts the run, a folder that can no longer be written, a checkpoint of something else.
pub fn train(task: &Task<'_>, folder: Option<&RunFolder>, observer: &mut dyn Observer) -> Result<Outcome> {
    train_with(&|lesson| task.engine.learner(lesson), task, folder, observer)
}

/// As [`train`], by an engine of one's own: `engine` makes what learns. Checkpoints bear the name of the task's engine.
///
/// # Errors
///
/// As [`train`]; those of the engine.
pub fn train_with(
    engine: &dyn for<'a> Fn(Lesson<'a>) -> Result<Box<dyn Learner + 'a>>,
    task: &Task<'_>,
    folder: Option<&RunFolder>,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    task.check()?;
    let card = task.card();
    let Task { network, settings, .. } = task;
    let data = folder.map(|_| DataMark::of(task.dataset));
    let frozen = frozen(network, &settings.freeze)?;
    let checkpoint = match (folder, &data) {
        (Some(folder), Some(data)) => {
            let (images, may_change) = (task.dataset.train().len(), folder.may_change());
            let (card, engine) = (&card, task.engine);
            folder.newest(&Wanted { network, card, settings, engine, data, images, may_change })?
        }
        _ => None,
    };
    let (position, saved, history, changes) = match checkpoint {
        Some(Checkpoint { position, saved, history, changes }) => (position, Some(saved), history, changes),
        None => (Position::start(), None, History::default(), Vec::new()),
    };
    let (position, history, saved) = match task.ranks {
        Some(ranks) => going_on_together(ranks, position, history, saved)?,
        None => (position, history, saved),
    };
    if let Some((first, ending)) = changes.first().zip(over(task, &position)) {
        let (epochs, change) = (position.epochs.len(), first.to_string());
        return Err(Error::RunOver { epochs, change, by_rule: ending == Ending::Rule });
    }
    let weighted = task.trained_loss()?;
    let loss = weighted.as_deref().unwrap_or(task.loss);
    // A run that goes on has its weights from the checkpoint.
    let start = if saved.is_none() { task.beginning()? } else { task.start.clone() };
    let mut learner = engine(task.lesson(start.as_ref(), Taught { loss, frozen: &frozen }, &position))?;
    if let Some(saved) = &saved {
        learner.restore(saved)?;
    }
    drop(saved);
    let single_valued = task.single_valued(&frozen);
    let now = Instant::now();
    std::thread::scope(|scope| {
        let mut run = Run {
            task,
            card,
            data,
            history,
            learner,
            position,
            writer: folder.map(|folder| Writer::new(scope, folder)),
            single_valued,
            left_out: false,
            ended_by_observer: false,
            kept_at: now,
            looked_at: now,
        };
        let ending = run.run(&changes, observer)?;
        let epochs = run.position.epochs;
        let best = best_epoch(&epochs);
        let weights = run.learner.kept()?.into_weights();
        Ok(Outcome { weights, epochs, best, ending, changed: history.changed })
    })
}

/// Gives all ranks what rank 0, which alone has a folder, goes on from.
fn going_on_together(
    ranks: &Ranks,
    position: Position,
    history: History,
    saved: Option<Saved>,
) -> Result<(Position, History, Option<Saved>)> {
    let what = saved.as_ref().map(|saved| (saved.steps, saved.average.is_some()));
    let mut place = serde_json::to_vec(&(&position, history, what)).map_err(Error::own)?;
    ranks.broadcast(0, &mut place)?;
    let (position, history, what): (Position, History, Option<(i32, bool)>) =
        serde_json::from_slice(&place).map_err(Error::own)?;
    let Some((steps, averaged)) = what else { return Ok((position, history, None)) };
    let spread = |weights: Option<&Weights>| -> Result<Weights> {
        let mut bytes = weights.map_or(Ok(Vec::new()), Weights::to_bytes)?;
        ranks.broadcast(0, &mut bytes)?;
        Ok(Weights::from_bytes(bytes, "the checkpoint of rank 0")?)
    };
    let weights = spread(saved.as_ref().map(|saved| &saved.weights))?;
    let average = averaged.then(|| spread(saved.as_ref().and_then(|saved| saved.average.as_ref()))).transpose()?;
    let state = spread(saved.as_ref().map(|saved| &saved.state))?;
    Ok((position, history, Some(Saved { steps, weights, average, state })))
}

/// Why a run is over after its epochs so far, if it is.
fn over(task: &Task<'_>, position: &Position) -> Option<Ending> {
    if position.epoch > task.settings.epochs {
        Some(Ending::Complete)
    } else {
        task.is_over(&position.epochs).then_some(Ending::Rule)
    }
}

/// An epoch that is over, to be shown.
struct Shown<'a> {
    figures: &'a Epoch,
    best: bool,
    predictions: Option<Predictions>,
    test: &'a Loader<'a>,
}

/// A run under way.
struct Run<'a, 'scope> {
    task: &'a Task<'a>,
    card: Card,
    /// By what the data is known again, where something is kept.
    data: Option<DataMark>,
    history: History,
    learner: Box<dyn Learner + 'a>,
    position: Position,
    /// What keeps what comes of the run, where it has a folder.
    writer: Option<Writer<'scope, 'a>>,
    /// The normalisation that a batch of a single image cannot train.
    single_valued: Option<String>,
    /// Whether a batch of a single image was left out for it.
    left_out: bool,
    /// Whether the observer has ended the run well.
    ended_by_observer: bool,
    /// When the last checkpoint was taken, or the run began.
    kept_at: Instant,
    /// When the folder was last seen.
    looked_at: Instant,
}

impl Run<'_, '_> {
    fn run(&mut self, changes: &[Change], observer: &mut dyn Observer) -> Result<Ending> {
        let (loader, test) = loaders(self.task)?;
        if let Some(folder) = self.folder() {
            folder.keep_metrics(&self.position.epochs)?;
        }
        observer.begin(&Begin {
            task: self.task,
            folder: self.folder().map(RunFolder::path),
            epochs_done: self.position.epochs.len(),
            steps_done: self.position.steps,
            learning_rate: self.learning_rate(loader.len().div_ceil(self.task.settings.accumulate)),
            changes,
        });
        loop {
            if let Some(ending) = self.ending() {
                self.settle()?;
                return Ok(ending);
            }
            let (started, before) = (Instant::now(), self.position.seconds);
            let last = self.epoch(&loader, started, observer)?;
            let training_seconds = before + started.elapsed().as_secs_f64();
            let mut predictions = (!self.task.metrics.is_empty()).then(Predictions::default);
            let tested = self.evaluate(&test, predictions.as_mut(), observer)?;
            // The last step's effect shows only here.
            if !tested.loss.is_finite() {
                return Err(self.diverged(&last, tested.loss as f32));
            }
            let seconds = before + started.elapsed().as_secs_f64();
            let images_per_second = self.position.seen as f64 / training_seconds;
            let figures = Epoch { images_per_second, seconds, ..figures(&last, tested) };
            let figures = self.measure(figures, predictions.as_ref());
            let best = self.keep_epoch(figures.clone())?;
            self.show(Shown { figures: &figures, best, predictions, test: &test }, observer)?;
        }
    }

    fn folder(&self) -> Option<&RunFolder> {
        self.writer.as_ref().map(Writer::folder)
    }

    /// Why the run is over, if it is.
    fn ending(&self) -> Option<Ending> {
        over(self.task, &self.position).or_else(|| self.ended_by_observer.then_some(Ending::Observer))
    }

    /// Judges the network at the end of an epoch.
    fn evaluate(
        &mut self,
        test: &Loader<'_>,
        predictions: Option<&mut Predictions>,
        observer: &mut dyn Observer,
    ) -> Result<Evaluated> {
        let (epoch, epochs) = (self.position.epoch, self.task.settings.epochs);
        let all = self.task.dataset.test().len();
        let mut goes_on = |images| observer.evaluation(&Evaluation { epoch, epochs, images, all });
        let model = self.task.judging(self.learner.judged()?);
        let tested = Judging { model: &*model, loss: self.task.loss, predictions, ranks: self.task.ranks }
            .run(test, &mut goes_on)?;
        drop(model);
        match tested {
            ControlFlow::Continue(evaluated) => Ok(evaluated),
            ControlFlow::Break(()) => Err(self.interrupt()),
        }
    }

    /// The figures with the task's metrics.
    fn measure(&self, figures: Epoch, predictions: Option<&Predictions>) -> Epoch {
        let Some(predictions) = predictions else { return figures };
        let metrics = self.task.metrics.iter().map(|metric| (metric.name(), metric.value(predictions)));
        Epoch { metrics: metrics.filter(|(_, value)| value.is_finite()).collect(), ..figures }
    }

    /// Begins to keep what there is after an epoch, and tells whether it is the best.
    fn keep_epoch(&mut self, epoch: Epoch) -> Result<bool> {
        self.position = std::mem::replace(&mut self.position, Position::start()).after(epoch);
        let best = best_epoch(&self.position.epochs) + 1 == self.position.epochs.len();
        if self.writer.is_some() {
            self.look()?;
            let epoch = Finished { best, epochs: self.position.epochs.clone() };
            self.keep(Some(epoch))?;
        }
        Ok(best)
    }

    /// Shows the observer an epoch and its network.
    fn show(&mut self, shown: Shown<'_>, observer: &mut dyn Observer) -> Result<()> {
        let Shown { figures, best, predictions, test } = shown;
        let model = self.task.judging(self.learner.judged()?);
        let weights = || self.learner.kept();
        let predictions = predictions.map_or_else(OnceCell::new, OnceCell::from);
        let judged = Judged { figures, best, model: &*model, weights: &weights, test, predictions };
        let flow = observer.judged(&judged);
        drop(model);
        self.ended_by_observer |= self.first_says(flow.is_break())?;
        observer.epoch(figures, best);
        Ok(())
    }

    /// The rest of a pass over the training images; its last step.
    fn epoch(&mut self, loader: &Loader<'_>, started: Instant, observer: &mut dyn Observer) -> Result<StepReport> {
        let task = self.task;
        let settings = &task.settings;
        let steps = loader.len().div_ceil(settings.accumulate);
        let seconds_before = self.position.seconds;
        let mut batches = loader.epoch(settings.seed, self.position.epoch).skip_to(self.position.batches);
        let mut said = None;
        loop {
            let mut group = Vec::new();
            while group.len() < settings.accumulate * self.shards() {
                if observer.stops() {
                    return Err(self.interrupt());
                }
                let Some(batch) = batches.next() else { break };
                group.push(batch?);
            }
            // Meanwhile rank 0 has said whether the last step was the last of all.
            if said.take().map_or(Ok(false), says)? {
                self.ended_by_observer = true;
                break;
            }
            let Some(last) = group.last() else { break };
            let done = last.number + 1;
            self.leave_out(&mut group);
            self.position.batches = done;
            if group.is_empty() {
                continue;
            }
            let passes = match settings.shards {
                1 => group.len() as u64,
                shards => passes_of(&group, shards),
            };
            self.position.passes += passes;
            self.position.learning_rate = self.learning_rate(steps);
            let step = self.step(&group, steps)?;
            self.position.seconds = seconds_before + started.elapsed().as_secs_f64();
            match observer.step(&step) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Stop::Interrupt) => return Err(self.interrupt()),
                ControlFlow::Break(Stop::Finish) => self.ended_by_observer = true,
            }
            said = self.begin_saying(self.ended_by_observer);
            if self.ended_by_observer {
                break;
            }
            if self.checkpoint_is_due() {
                self.keep(None)?;
            }
            if self.looked_at.elapsed() >= LOOK {
                self.look()?;
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

    /// The learning rate of the next step, where an epoch has so many.
    fn learning_rate(&self, steps: usize) -> f64 {
        let (settings, position) = (&self.task.settings, &self.position);
        let since = position.epochs.get(self.history.schedule_since..).unwrap_or_default();
        let plateaus = match settings.schedule {
            Schedule::Plateau { patience, .. } => plateaus(since, patience),
            _ => 0,
        };
        let done = (position.epoch - 1) * steps + position.steps;
        let when = When { done, epoch: steps, all: settings.epochs * steps, plateaus };
        settings.learning_rate * settings.schedule.factor(settings.warm_up, when)
    }

    /// Takes out of a step the batches that cannot be trained on. Their images come again in other epochs.
    fn leave_out(&mut self, group: &mut Vec<Batch>) {
        let Some(path) = &self.single_valued else { return };
        let (settings, images) = (&self.task.settings, self.task.dataset.train().len());
        let left_out = leave_out_singles(group, settings, images);
        if left_out > 0 && !self.left_out {
            self.left_out = true;
            let which = match settings.shards > 1 && !settings.sync_batch_norm {
                true => format!("{left_out} images of a batch, each alone in its shard, are left out of each epoch"),
                false => "a batch of a single image is left out of each epoch".to_string(),
            };
            tracing::warn!(
                "{which}: {path} would see one value per channel; a batch size that divides the {images} images leaves \
                 none out"
            );
        }
    }

    /// Shards of a batch that this rank trains on.
    fn shards(&self) -> usize {
        self.task.settings.shards / self.task.ranks.map_or(1, Ranks::world)
    }

    /// What rank 0 says, whose observer is the one that is asked.
    fn first_says(&self, here: bool) -> Result<bool> {
        self.begin_saying(here).map_or(Ok(here), says)
    }

    /// As [`Run::first_says`], while the caller goes on; none without other ranks.
    fn begin_saying(&self, here: bool) -> Option<Pending<Vec<u8>>> {
        self.task.ranks.map(|ranks| ranks.begin_broadcast(0, vec![u8::from(here)]))
    }

    fn step(&mut self, group: &[Batch], steps: usize) -> Result<StepReport> {
        let stepped = self.learner.step(group, self.position.learning_rate)?;
        let images = stepped.images;
        let position = &mut self.position;
        position.steps += 1;
        position.updates += 1;
        position.seen += images;
        position.correct += stepped.correct;
        position.loss_sum += f64::from(stepped.loss) * images as f64;
        let step = StepReport { images, ..self.at(steps) };
        if stepped.loss.is_finite() { Ok(step) } else { Err(self.diverged(&step, stepped.loss)) }
    }

    fn diverged(&self, step: &StepReport, loss: f32) -> Error {
        let StepReport { epoch, step, learning_rate, .. } = *step;
        let groups = self.task.settings.groups.iter().filter(|group| group.learning_rate > 1.0);
        let group = groups.max_by(|a, b| a.learning_rate.total_cmp(&b.learning_rate));
        let group = group.map(|group| (group.prefix.clone(), group.learning_rate));
        Error::Diverged { epoch, step, loss, learning_rate, group, way_out: self.way_out(learning_rate) }
    }

    /// What may help where a loss is no longer finite.
    fn way_out(&self, learning_rate: f64) -> String {
        let settings = &self.task.settings;
        let factors = settings.groups.iter().map(|group| group.learning_rate * group.weight_decay);
        let share = learning_rate * settings.optimizer.weight_decay() * factors.fold(1.0, f64::max);
        if settings.optimizer.weight_decay() > 1.0 && share > 2.0 {
            return format!("a smaller weight decay may help: a step takes away {} times each weight", number(share));
        }
        let before = self.position.epochs.last().filter(|epoch| epoch.train_loss.max(epoch.test_loss) > RUINED);
        if let Some(Epoch { epoch, .. }) = before {
            return format!(
                "the loss was beyond {} in epoch {epoch} already, and no learning rate mends such weights: begin anew with \
                 a smaller one",
                number(RUINED)
            );
        }
        "a smaller learning rate may help".to_string()
    }

    /// Where the run is.
    fn at(&self, steps: usize) -> StepReport {
        let position = &self.position;
        let seen = position.seen.max(1) as f64;
        StepReport {
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
        self.folder().is_some_and(|folder| match folder.checkpoints().every {
            Every::Steps(steps) => self.position.updates.is_multiple_of(steps.max(1)),
            Every::Time(time) => self.kept_at.elapsed() >= time,
        })
    }

    /// Whether the folder is where it was, and what was begun to be written there could be. Where the folder is elsewhere,
    /// the run ends, and keeps what it can.
    fn look(&mut self) -> Result<()> {
        self.looked_at = Instant::now();
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = writer.look();
        self.found(written)
    }

    /// What came of writing; a folder that was moved or removed is the reason for any error.
    fn found(&mut self, written: Result<()>) -> Result<()> {
        let Some(folder) = self.folder() else { return written };
        if folder.is_there() {
            return written;
        }
        if let Some(writer) = &mut self.writer {
            // What it says is of a folder that is not there.
            let _ = writer.finish();
        }
        self.with_taken(|run, taken| Err(run.folder().map_or_else(|| Error::own("no folder"), |it| it.lost(taken))))
    }

    /// Begins to write a checkpoint, and what belongs to it.
    fn keep(&mut self, epoch: Option<Finished>) -> Result<()> {
        self.kept_at = Instant::now();
        if self.writer.is_none() {
            return Ok(());
        }
        // What was written before goes out of memory first.
        self.settle()?;
        let checkpoint = self.with_taken(|_, taken| taken.pack())?;
        let begun = self.writer.as_mut().map_or(Ok(()), |writer| writer.begin(Kept { checkpoint, epoch }));
        self.found(begun)
    }

    /// Waits until all is written.
    fn settle(&mut self) -> Result<()> {
        let written = self.writer.as_mut().map_or(Ok(()), Writer::finish);
        self.found(written)
    }

    /// Calls `keep` with what a checkpoint taken now is made of.
    fn with_taken<T>(&self, keep: impl FnOnce(&Self, &Taken<'_>) -> Result<T>) -> Result<T> {
        let (weights, average, state) = (self.learner.weights()?, self.learner.average()?, self.learner.state()?);
        let (weights, average, state) = (&weights, average.as_ref(), &state);
        let (position, settings, engine) = (&self.position, &self.task.settings, self.task.engine);
        let (card, data, history) = (&self.card, self.data.as_ref(), self.history);
        keep(self, &Taken { position, settings, engine, card, data, history, weights, average, state })
    }

    /// Keeps a checkpoint, and gives the error that ends the run.
    fn interrupt(&mut self) -> Error {
        if let Err(error) = self.keep(None).and_then(|()| self.settle()) {
            return error;
        }
        let kept = match self.folder() {
            Some(folder) => format!("--resume {} goes on from there", folder.path().display()),
            None => "nothing was written".to_string(),
        };
        Error::Interrupted { epoch: self.position.epoch, step: self.position.steps, kept }
    }
}

/// What rank 0 has said.
fn says(said: Pending<Vec<u8>>) -> Result<bool> {
    Ok(said.wait()? == [1])
}

/// Takes out of a step the images that are normalised alone: those of a batch of one, or of a shard of one where shards are
/// normalised one by one. How many there were; `images` are those of an epoch. Of batches without any other image, on whatever
/// rank, nothing stays: they are no step.
pub(crate) fn leave_out_singles(group: &mut Vec<Batch>, settings: &Settings, images: usize) -> usize {
    let before = group.len();
    if settings.shards == 1 {
        group.retain(|batch| batch.indices.len() > 1);
        return before - group.len();
    }
    let whole = |number: usize| images.saturating_sub(number * settings.batch_size).min(settings.batch_size);
    let nothing_stays = group.iter().all(|batch| whole(batch.number) <= settings.alone());
    let alone = |batch: &Batch| match settings.sync_batch_norm {
        true => whole(batch.number) == 1 && !batch.indices.is_empty(),
        false => batch.indices.len() == 1,
    };
    // A shard stays in its place.
    let singles = group.iter_mut().filter(|batch| alone(batch)).map(|batch| batch.indices.clear()).count();
    if nothing_stays {
        group.clear();
    }
    singles
}

/// What trains, and what tests.
pub(crate) fn loaders<'a>(task: &Task<'a>) -> Result<(Loader<'a>, Loader<'a>)> {
    let Task { dataset, settings, device, preparation, transforms, .. } = task;
    let loader = Loader::new(dataset.train(), preparation.clone(), settings.batch_size)?;
    let (rank, world) = task.ranks.map_or((0, 1), |ranks| (ranks.rank(), ranks.world()));
    let loader = loader.sharded(settings.shards, shards_of(rank, world, settings.shards)?)?;
    let loader = loader.augmented(settings.augmentation.clone())?.balanced(settings.balance);
    let loader = transforms.iter().fold(loader, |loader, transform| loader.transformed(transform.clone()));
    // Files are read, and other devices wait for images, while the network computes.
    let slow = !dataset.train().in_memory() || !device.is_cpu();
    let loader = if slow { loader.ahead(AHEAD) } else { loader };
    let judged = Loader::new(dataset.test(), preparation.clone(), judged_together(task.network, settings.batch_size))?;
    let slow = !dataset.test().in_memory() || !device.is_cpu();
    Ok((loader, if slow { judged.ahead(AHEAD) } else { judged }))
}

fn figures(last: &StepReport, tested: Evaluated) -> Epoch {
    Epoch {
        epoch: last.epoch,
        train_loss: last.loss,
        train_accuracy: last.accuracy,
        test_loss: tested.loss,
        test_accuracy: tested.accuracy,
        learning_rate: last.learning_rate,
        peak_memory: Memory::now().peak,
        ..Epoch::default()
    }
}
