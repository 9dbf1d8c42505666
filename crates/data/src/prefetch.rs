//! Batches made by another thread while the last ones are used.

use crate::{Batch, Error};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;

/// Batches in their order.
pub(crate) trait Source: Iterator<Item = Result<Batch, Error>> + Send + 'static {}

impl<I: Iterator<Item = Result<Batch, Error>> + Send + 'static> Source for I {}

/// A thread that makes batches, at most so many ahead. Dropping it ends the thread after the batch it is at.
#[derive(Debug)]
pub(crate) struct Prefetcher {
    batches: Option<Receiver<Result<Batch, Error>>>,
    thread: Option<JoinHandle<()>>,
}

/// A [`Prefetcher`] whose thread waits for what it takes batches from.
pub(crate) struct Waiting<I> {
    source: Sender<I>,
    prefetcher: Prefetcher,
}

impl Prefetcher {
    /// Makes the thread, and nothing else: where the system refuses one, nothing is lost.
    pub(crate) fn start<I: Source>(depth: usize) -> std::io::Result<Waiting<I>> {
        let (source, given) = channel::<I>();
        let (sender, receiver) = sync_channel(depth.saturating_sub(1));
        let thread = std::thread::Builder::new().name("batches".to_string()).spawn(move || {
            for batch in given.recv().into_iter().flatten() {
                if sender.send(batch).is_err() {
                    break;
                }
            }
        })?;
        Ok(Waiting { source, prefetcher: Self { batches: Some(receiver), thread: Some(thread) } })
    }

    /// The next batch, waited for if it is not ready.
    pub(crate) fn next(&mut self) -> Option<Result<Batch, Error>> {
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

impl<I: Source> Waiting<I> {
    /// Has the thread take batches from `source` until there is none.
    pub(crate) fn take_from(self, source: I) -> Prefetcher {
        // The thread waits for it, so it is there to receive it.
        let _ = self.source.send(source);
        self.prefetcher
    }
}

impl Drop for Prefetcher {
    fn drop(&mut self) {
        // Without a receiver the thread's next send fails.
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
