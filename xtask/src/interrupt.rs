//! What stops a run from outside, at every place where it can stop.

use cnn_dashboard::{self as dashboard, Log};
use cnn_train::{Begin, Evaluation, Observer, StepReport, Stop};
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How often it is looked whether a signal has come.
const LOOK: Duration = Duration::from_millis(100);
/// How long a run may take to end before it is said what it still does: a step may be long, and so may be the writing.
const PATIENCE: Duration = Duration::from_millis(700);

/// Stops runs when a signal asks for it: after a step, between two batches, and during an evaluation. It listens from the
/// first run's beginning until it is dropped; before and after, a signal ends the program at once, as by default:
/// whatever is written is written whole.
///
/// One serves all runs of a command: a second listener would find the first one's end.
#[derive(Debug, Default)]
pub struct Interrupts {
    listening: Option<dashboard::Interrupts>,
    answering: Option<Answering>,
}

/// Says that a signal was heard, where the run does not end at once; as long as this is there.
#[derive(Debug)]
struct Answering {
    _until_dropped: Sender<()>,
}

impl Answering {
    fn new(asked: Arc<AtomicBool>) -> std::io::Result<Self> {
        let (until_dropped, dropped) = channel();
        thread::Builder::new().name("answering".to_string()).spawn(move || {
            let goes_on = |time: Duration| dropped.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            while goes_on(LOOK) {
                if asked.load(Ordering::SeqCst) {
                    if goes_on(PATIENCE) {
                        let what = "the step under way is finished, and what came of it is written";
                        // Where there is nobody to tell, nobody needs to know.
                        let _ = writeln!(Log, "stopping: {what}; a second signal ends the program at once");
                    }
                    return;
                }
            }
        })?;
        Ok(Self { _until_dropped: until_dropped })
    }
}

impl Interrupts {
    fn flow(&self) -> ControlFlow<()> {
        match self.listening.as_ref().is_some_and(dashboard::Interrupts::asked) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Observer for Interrupts {
    fn begin(&mut self, _: &Begin<'_>) {
        if self.listening.is_none() {
            match dashboard::Interrupts::listen() {
                Ok(interrupts) => {
                    self.answering = Answering::new(interrupts.flag()).ok();
                    self.listening = Some(interrupts);
                }
                Err(error) => tracing::warn!("an interrupt will stop the run at once: {error}"),
            }
        }
    }

    fn step(&mut self, _: &StepReport) -> ControlFlow<Stop> {
        self.flow().map_break(|()| Stop::Interrupt)
    }

    fn evaluation(&mut self, _: &Evaluation) -> ControlFlow<()> {
        self.flow()
    }

    fn stops(&mut self) -> bool {
        self.flow().is_break()
    }
}
