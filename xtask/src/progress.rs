//! Progress bars: of a run, with plain lines where nobody watches a terminal, and of steps that are timed.

use cnn_dashboard::Interrupts;
use cnn_figures::{duration, fixed, percent};
use cnn_train::{Epoch, Observer, StepReport, Stop};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How often a plain line is printed within an epoch.
const PLAIN_EVERY: Duration = Duration::from_secs(15);

/// Shows a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    last_line: Instant,
    /// Images and steps that this process has trained on and taken.
    images: usize,
    steps: usize,
}

impl Progress {
    /// A bar on a terminal, plain lines elsewhere.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(1).with_style(style()));
        Self { bar, started: Instant::now(), last_line: Instant::now(), images: 0, steps: 0 }
    }

    fn rate(&self) -> f64 {
        self.images as f64 / self.started.elapsed().as_secs_f64().max(1e-9)
    }

    /// Seconds until the end, if the steps to come take as long as those taken.
    fn left(&self, step: &StepReport) -> f64 {
        let to_come = step.all().saturating_sub(step.done());
        self.started.elapsed().as_secs_f64() * to_come as f64 / self.steps.max(1) as f64
    }
}

/// Whether somebody has asked the program to stop, from the first call on: see [`Interrupts`].
pub fn interrupted() -> Arc<AtomicBool> {
    static INTERRUPTS: OnceLock<Option<Interrupts>> = OnceLock::new();
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

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Observer for Progress {
    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        self.images = self.images.saturating_add(step.images);
        self.steps += 1;
        let text = format!(
            "loss {}  accuracy {}  {} images/s  {} left",
            fixed(step.loss, 4),
            percent(step.accuracy),
            fixed(self.rate(), 0),
            duration(self.left(step))
        );
        match &self.bar {
            Some(bar) => {
                bar.set_length(step.steps as u64);
                bar.set_position(step.step as u64);
                bar.set_prefix(format!("epoch {}/{}", step.epoch, step.epochs));
                bar.set_message(text);
            }
            None if self.last_line.elapsed() >= PLAIN_EVERY => {
                eprintln!("epoch {}/{}  step {}/{}  {text}", step.epoch, step.epochs, step.step, step.steps);
                self.last_line = Instant::now();
            }
            None => {}
        }
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        let metrics = epoch.metrics.iter().map(|(name, value)| format!("  {name} {}", fixed(*value, 4)));
        let line = format!(
            "epoch {:>3}  loss {}  accuracy {}  test loss {}  test accuracy {}{}{}  {} images/s  {}",
            epoch.epoch,
            fixed(epoch.train_loss, 4),
            percent(epoch.train_accuracy),
            fixed(epoch.test_loss, 4),
            percent(epoch.test_accuracy),
            metrics.collect::<String>(),
            if best { " (best)" } else { "" },
            fixed(epoch.images_per_second, 0),
            duration(epoch.seconds)
        );
        match &self.bar {
            Some(bar) => bar.suspend(|| println!("{line}")),
            None => println!("{line}"),
        }
        self.last_line = Instant::now();
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
                assert!(duration(progress.left(&step)).len() < 16);
            }
        }
    }
}
