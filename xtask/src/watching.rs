//! Who watches a run: a bar, plain lines or the dashboard, and the writer of event files.

use crate::cli::Watching;
use crate::interrupt::Interrupts;
use crate::progress::Progress;
use anyhow::Result;
use cnn_dashboard::Dashboard;
use cnn_report::TensorBoard;
use cnn_train::{Observer, Observers};

/// Calls `train` with the observers that the command line asks for.
pub fn watched<T>(args: &Watching, train: impl FnOnce(&mut dyn Observer) -> Result<T>) -> Result<T> {
    let mut shown = shown(args);
    let mut events = args.tensorboard.then(TensorBoard::new);
    let mut interrupts = Interrupts::default();
    let mut observers = Observers(vec![shown.as_mut(), &mut interrupts]);
    if let Some(events) = &mut events {
        observers.0.push(events);
    }
    let trained = train(&mut observers);
    // The terminal first, so that what follows is seen.
    drop(shown);
    drop(interrupts);
    if let Some(Err(error)) = events.map(TensorBoard::finish) {
        tracing::warn!("event files are not complete: {error}");
    }
    trained
}

fn shown(args: &Watching) -> Box<dyn Observer> {
    if args.tui {
        match Dashboard::open() {
            Ok(dashboard) => return Box::new(dashboard),
            Err(error) => eprintln!("{error}; going on without it"),
        }
    }
    Box::new(Progress::new())
}
