//! What a dashboard shows.

use cnn_train::{Begin, Epoch, Figures, Memory, Recent, Step};
use std::time::{Duration, Instant};

/// Points of a curve over a whole run, at most: more than a terminal has columns of dots.
const POINTS: usize = 600;

/// A run as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// The network, the data set and the folder.
    pub(crate) title: String,
    pub(crate) step: Option<Step>,
    /// Loss and accuracy over the last steps, and their speed.
    pub(crate) figures: Option<Figures>,
    pub(crate) epochs: Vec<Epoch>,
    /// Which of `epochs` has the highest accuracy.
    pub(crate) best: usize,
    /// Over epochs, the middle of the first at 0.5.
    pub(crate) train: Curves,
    pub(crate) test: Curves,
    /// Since the run began.
    pub(crate) elapsed: Duration,
    pub(crate) memory: Memory,
    /// The last log lines.
    pub(crate) log: Vec<String>,
    /// Whether the run has been asked to stop.
    pub(crate) stopping: bool,
    recent: Recent,
    started: Option<Instant>,
    /// Steps that this process took.
    taken: usize,
}

/// Loss and accuracy in per cent over epochs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curves {
    pub(crate) loss: Vec<(f64, f64)>,
    pub(crate) accuracy: Vec<(f64, f64)>,
}

impl View {
    pub(crate) fn begin(&mut self, begin: &Begin<'_>) {
        let task = begin.task;
        self.title = format!("{} on {}", task.network.name(), task.dataset.name());
        if let Some(folder) = begin.folder {
            self.title += &format!(" · {}", folder.display());
        }
        self.started = Some(Instant::now());
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.step = Some(*step);
        self.recent.add(step);
        self.taken += 1;
        let every = (step.epochs * step.steps).div_ceil(POINTS).max(1);
        if step.step.is_multiple_of(every) || step.step == step.steps {
            let at = (step.epoch - 1) as f64 + step.step as f64 / step.steps as f64;
            if let Some(figures) = self.recent.take() {
                self.train.loss.push((at, figures.loss));
                self.train.accuracy.push((at, 100.0 * figures.accuracy));
                self.figures = Some(figures);
            }
        }
    }

    pub(crate) fn epoch(&mut self, epoch: &Epoch, best: bool) {
        if best {
            self.best = self.epochs.len();
        }
        self.epochs.push(*epoch);
        self.test.loss.push((epoch.epoch as f64, epoch.test_loss));
        self.test.accuracy.push((epoch.epoch as f64, 100.0 * epoch.test_accuracy));
    }

    /// Brings what passes by itself up to date.
    pub(crate) fn refresh(&mut self, log: Vec<String>) {
        self.elapsed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        self.memory = Memory::now();
        self.log = log;
    }

    /// Time until the end, if the steps to come take as long as those taken.
    pub(crate) fn left(&self) -> Option<Duration> {
        let step = self.step?;
        let done = (step.epoch - 1) * step.steps + step.step;
        let to_come = (step.epochs * step.steps).saturating_sub(done);
        (self.taken > 0).then(|| self.elapsed.mul_f64(to_come as f64 / self.taken as f64))
    }
}
