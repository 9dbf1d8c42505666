//! Progress bars: of a run, with plain lines where nobody watches a terminal, and of steps that are timed.

use cnn_train::{Epoch, Observer, Step};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How often a plain line is printed within an epoch.
const PLAIN_EVERY: Duration = Duration::from_secs(15);

/// Shows a run and stops it when asked to.
pub struct Progress {
    bar: Option<ProgressBar>,
    interrupted: Arc<AtomicBool>,
    started: Instant,
    last_line: Instant,
    images: usize,
}

impl Progress {
    /// A bar on a terminal, plain lines elsewhere.
    pub fn new() -> Self {
        let interrupted = interrupted();
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(1).with_style(style()));
        Self { bar, interrupted, started: Instant::now(), last_line: Instant::now(), images: 0 }
    }

    fn rate(&self) -> f64 {
        self.images as f64 / self.started.elapsed().as_secs_f64().max(1e-9)
    }

    fn left(&self, step: &Step) -> Duration {
        let done = (step.epoch - 1) * step.steps + step.step;
        let all = step.epochs * step.steps;
        self.started.elapsed().mul_f64((all - done) as f64 / done as f64)
    }
}

/// Whether somebody has interrupted the program, from the first call on. The second interrupt ends it at once.
pub fn interrupted() -> Arc<AtomicBool> {
    static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    Arc::clone(INTERRUPTED.get_or_init(|| {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Where no handler can be set, the first does.
        let handled = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        if let Err(error) = handled {
            tracing::warn!("an interrupt will stop the run at once: {error}");
        }
        interrupted
    }))
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
    fn step(&mut self, step: &Step) -> ControlFlow<()> {
        self.images += step.images;
        let text = format!(
            "loss {:.4}  accuracy {:.2} %  {:.0} images/s  {} left",
            step.loss,
            100.0 * step.accuracy,
            self.rate(),
            clock(self.left(step))
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
        match self.interrupted.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        let line = format!(
            "epoch {:>3}  loss {:.4}  accuracy {:.2} %  test loss {:.4}  test accuracy {:.2} %{}  {:.0} images/s  {}",
            epoch.epoch,
            epoch.train_loss,
            100.0 * epoch.train_accuracy,
            epoch.test_loss,
            100.0 * epoch.test_accuracy,
            if best { " (best)" } else { "" },
            epoch.images_per_second,
            clock(Duration::from_secs_f64(epoch.seconds))
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

/// `1:02:03`, or `2:03` below an hour.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
