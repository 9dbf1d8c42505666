//! What stops a run from outside, at every place where it can stop.

use crate::progress::interrupted;
use cnn_train::{Evaluation, Observer, Step};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops a run when a signal asks for it: after a step, between two batches, and while it is evaluated.
pub struct Interrupts(Arc<AtomicBool>);

impl Interrupts {
    pub fn new() -> Self {
        Self(interrupted())
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for Interrupts {
    fn step(&mut self, _: &Step) -> ControlFlow<()> {
        self.flow()
    }

    fn evaluation(&mut self, _: &Evaluation) -> ControlFlow<()> {
        self.flow()
    }

    fn stops(&mut self) -> bool {
        self.flow().is_break()
    }
}
