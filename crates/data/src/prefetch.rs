//! Batches made by another thread while the last ones are used.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use crate::{Batch, Error};

/// A thread that makes batches, at most so many ahead. Dropping it ends the thread after the batch it is at.
#[derive(Debug)]
pub(crate) struct Ahead {
    batches: Option<Receiver<Result<Batch, Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Takes batches from `next` in their order until there is none.
    pub fn start(depth: usize, mut next: impl FnMut() -> Option<Result<Batch, Error>> + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(depth.saturating_sub(1));
        let thread = std::thread::spawn(move || {
            while let Some(batch) = next() {
                if sender.send(batch).is_err() {
                    break;
                }
            }
        });
        Self { batches: Some(receiver), thread: Some(thread) }
    }

    /// The next batch, waited for if it is not ready.
    pub fn next(&mut self) -> Option<Result<Batch, Error>> {
        let batch = self.batches.as_ref()?.recv().ok();
        if batch.is_none() {
            self.batches = None;
            // A panic there is one here, or a pass would just end early.
            if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                resume_unwind(panic);
            }
        }
        batch
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // Without a receiver the thread's next send fails.
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
