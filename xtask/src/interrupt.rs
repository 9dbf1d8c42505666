//! What stops a run from outside, at every place where it can stop.

use cnn_dashboard as dashboard;
use cnn_train::{Begin, Evaluation, Observer, StepReport, Stop};
use std::ops::ControlFlow;

/// Stops runs when a signal asks for it: after a step, between two batches, and during an evaluation. It listens from the
/// first run's beginning until it is dropped; before and after, a signal ends the program at once, as by default:
/// whatever is written is written whole.
///
/// One serves all runs of a command: a second listener would find the first one's end.
#[derive(Debug, Default)]
pub struct Interrupts(Option<dashboard::Interrupts>);

impl Interrupts {
    fn flow(&self) -> ControlFlow<()> {
        match self.0.as_ref().is_some_and(dashboard::Interrupts::asked) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Observer for Interrupts {
    fn begin(&mut self, _: &Begin<'_>) {
        if self.0.is_none() {
            match dashboard::Interrupts::listen() {
                Ok(interrupts) => self.0 = Some(interrupts),
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
