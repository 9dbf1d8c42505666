//! Progress bars: of a run, with plain lines where nobody watches a terminal, and of steps that are timed.

mod pace;

use anyhow::{Context, Result};
use cnn_dashboard::Interrupts;
use cnn_data::{Dataset, Images, Loader};
use cnn_figures::{count, duration, fixed, percent, rate};
use cnn_train::{Begin, Classify, Epoch, Evaluation, Observer, Predictions, StepReport, Stop, predict_while};
use indicatif::{ProgressBar, ProgressStyle};
use pace::Pace;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How often a plain line is printed within an epoch.
const PLAIN_EVERY: Duration = Duration::from_secs(15);
/// Looking through more pictures than this is said where no bar shows it.
const MANY: usize = 1000;

/// Shows a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    last_line: Instant,
    pace: Pace,
    epochs: usize,
}

impl Progress {
    /// A bar on a terminal, plain lines elsewhere.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(1).with_style(style()));
        Self { bar, last_line: Instant::now(), pace: Pace::new(0), epochs: 0 }
    }

    /// Moves the bar to `done` of `all`, or prints a line now and then.
    fn show(&mut self, epoch: usize, what: &str, [done, all]: [usize; 2], text: String) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(all as u64);
                bar.set_position(done as u64);
                bar.set_prefix(format!("epoch {epoch}/{} {what}", self.epochs));
                bar.set_message(text);
            }
            None if self.last_line.elapsed() >= PLAIN_EVERY => {
                eprintln!("epoch {epoch}/{}  {what} {done}/{all}  {text}", self.epochs);
                self.last_line = Instant::now();
            }
            None => {}
        }
    }
}

/// Set by the first call of [`interrupted`].
static INTERRUPTS: OnceLock<Option<Interrupts>> = OnceLock::new();

/// Whether somebody has asked the program to stop, from the first call on: see [`Interrupts`].
pub fn interrupted() -> Arc<AtomicBool> {
    let listening = INTERRUPTS.get_or_init(|| match Interrupts::listen() {
        Ok(interrupts) => Some(interrupts),
        Err(error) => {
            tracing::warn!("an interrupt will stop the run at once: {error}");
            None
        }
    });
    listening.as_ref().map_or_else(Arc::default, Interrupts::flag)
}

/// A bar of `length` on a terminal, nothing elsewhere.
pub fn bar(length: u64) -> ProgressBar {
    if std::io::stderr().is_terminal() { ProgressBar::new(length).with_style(style()) } else { ProgressBar::hidden() }
}

/// What a model says of every image of a loader, with a bar. An interrupt ends it; where the program listens to none, the
/// system ends the program.
pub fn predicted(model: &dyn Classify, loader: &Loader<'_>) -> Result<Predictions> {
    let bar = bar(loader.images() as u64);
    let stop = INTERRUPTS.get().and_then(Option::as_ref).map(Interrupts::flag).unwrap_or_default();
    bar.set_prefix("judging");
    let found = predict_while(model, loader, &mut |images| {
        bar.set_position(images as u64);
        if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    found?.context("interrupted before all images were judged")
}

/// Decodes every picture of a data set once, with a bar, and leaves out what is damaged where that is wanted.
pub fn looked_through(dataset: Dataset) -> Result<Dataset> {
    let parts = [Some(dataset.train()), Some(dataset.test()), dataset.held_out()];
    let files: usize = parts.into_iter().flatten().filter(|images| !images.in_memory()).map(Images::len).sum();
    if files == 0 {
        return Ok(dataset);
    }
    let bar = bar(files as u64);
    bar.set_prefix("looking through the pictures");
    if files > MANY && bar.is_hidden() {
        eprintln!("looking through {} pictures", count(files));
    }
    let goes_on = || {
        bar.inc(1);
        true
    };
    let found = dataset.look_through(&goes_on);
    bar.finish_and_clear();
    found?.context("the pictures were not looked through to the end")
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Observer for Progress {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.epochs = begin.task.settings.epochs;
        self.pace = Pace::new(begin.task.dataset.test().len());
    }

    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        self.epochs = step.epochs;
        self.pace.step(step);
        let text = format!(
            "loss {}  accuracy {}  learning rate {}  {} images/s  {} left",
            fixed(step.loss, 4),
            percent(step.accuracy),
            short(step.learning_rate),
            rate(self.pace.images_per_second()),
            duration(self.pace.left(step))
        );
        self.show(step.epoch, "step", [step.step, step.steps], text);
        ControlFlow::Continue(())
    }

    fn evaluation(&mut self, evaluation: &Evaluation) -> ControlFlow<()> {
        self.pace.evaluation(evaluation);
        let left = duration(self.pace.left_while_judging(evaluation));
        let text = format!("images judged  {} images/s  {left} left", rate(self.pace.judged_per_second()));
        self.show(evaluation.epoch, "judging", [evaluation.images, evaluation.all], text);
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        self.pace.epoch();
        let metrics = epoch.metrics.iter().map(|(name, value)| format!("  {name} {}", fixed(*value, 4)));
        let line = format!(
            "epoch {}/{}  loss {}  accuracy {}  test loss {}  test accuracy {}{}{}  learning rate {}  {} images/s  {}",
            epoch.epoch,
            self.epochs,
            fixed(epoch.train_loss, 4),
            percent(epoch.train_accuracy),
            fixed(epoch.test_loss, 4),
            percent(epoch.test_accuracy),
            if best { " (best)" } else { "" },
            metrics.collect::<String>(),
            short(epoch.learning_rate),
            rate(epoch.images_per_second),
            duration(epoch.seconds)
        );
        match &self.bar {
            Some(bar) => bar.suspend(|| println!("{line}")),
            None => println!("{line}"),
        }
        self.last_line = Instant::now();
    }
}

/// A learning rate with three digits.
pub fn short(value: f64) -> String {
    match value {
        0.0 => "0".to_string(),
        value if value.is_finite() && (1e-3..1e4).contains(&value.abs()) => {
            let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{value:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
        }
        value => format!("{value:.2e}"),
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_can_be_shown() {
        let mut progress = Progress::new();
        progress.bar = Some(ProgressBar::hidden());
        let counts = [0, 1, i64::MAX as usize, usize::MAX];
        for (number, count) in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY].into_iter().zip(counts.into_iter().cycle()) {
            for (epoch, steps) in [(0, count), (count, 0), (count, count), (count, 7)] {
                let (epochs, step, images) = (count, count, count);
                let (loss, accuracy, learning_rate) = (number, number, number);
                let step = StepReport { epoch, epochs, step, steps, images, loss, accuracy, learning_rate };
                assert!(progress.step(&step).is_continue());
                assert!(duration(progress.pace.left(&step)).len() < 16);
                let evaluation = Evaluation { epoch, epochs, images, all: steps };
                assert!(progress.evaluation(&evaluation).is_continue());
                assert!(duration(progress.pace.left_while_judging(&evaluation)).len() < 16);
                assert!(short(learning_rate).len() < 12);
            }
        }
    }

    #[test]
    fn learning_rates_are_short() {
        let texts = [0.1, 0.02, 0.012_345, 0.000_123_45, 2.0, 0.0, 1e-9].map(short);
        assert_eq!(texts, ["0.1", "0.02", "0.0123", "1.23e-4", "2", "0", "1.00e-9"]);
    }
}
