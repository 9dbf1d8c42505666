//! The threads that decode pictures and compute them: one for each core.

use crate::answer::Refusal;
use crate::metrics::Metrics;
use crate::queue::{Asked, Done, File, Prepared, Queue, Work};
use cnn_classifier::Classifier;
use cnn_classifier::cnn_data::{Picture, Reading};
use cnn_kernels::threads;
use cnn_system::guard;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// What the threads share.
pub struct Desk {
    pub classifier: Arc<Classifier>,
    pub queue: Arc<Queue>,
    pub metrics: Arc<Metrics>,
    pub reading: Reading,
}

impl Desk {
    /// Begins so many threads, which end when the queue is closed.
    ///
    /// # Errors
    ///
    /// A system that gives no thread: then the queue is closed.
    pub fn begin(self, workers: usize) -> io::Result<Vec<JoinHandle<()>>> {
        let desk = Arc::new(self);
        let one = |number| {
            let desk = Arc::clone(&desk);
            Builder::new().name(format!("pictures {number}")).spawn(move || desk.work())
        };
        (0..workers).map(one).collect::<io::Result<_>>().inspect_err(|_| desk.queue.close())
    }

    fn work(&self) {
        let (mut done, mut numbers) = (Done::Nothing, Vec::new());
        while let Some(work) = self.queue.next(done) {
            // One that works alone is helped by all cores; of several each has its own.
            let _busy = threads::busy();
            done = match work {
                Work::Decode(file) => Done::Decoded(self.decode(file)),
                Work::Compute(all) => {
                    self.compute(all, &mut numbers);
                    Done::Computed
                }
            };
        }
    }

    fn decode(&self, File { whole, asked }: File) -> Option<Prepared> {
        if asked.has_gone() {
            return None;
        }
        let prepared = guard::caught(|| {
            let reading = self.classifier.card().reading(self.reading);
            let picture = Picture::decode("the picture", &whole.bytes, reading).map_err(|e| e.to_string())?;
            self.classifier.prepare(&picture).map_err(|e| e.to_string())
        });
        match prepared.unwrap_or_else(|panic| Err(format!("the picture: {panic}"))) {
            Ok(numbers) => Some(Prepared { numbers, asked }),
            Err(problem) => {
                // A failed sending is a client that has gone.
                let _ = asked.answer.send(Err(Refusal::unfit(problem)));
                None
            }
        }
    }

    /// A batch; `numbers` is memory for it.
    fn compute(&self, mut all: Vec<Prepared>, numbers: &mut Vec<f32>) {
        all.retain(|one| !one.asked.has_gone());
        let Some(top) = all.iter().map(|one| one.asked.top).max() else { return };
        numbers.clear();
        all.iter().for_each(|one| numbers.extend_from_slice(&one.numbers));
        let started = Instant::now();
        let found = guard::caught(|| self.classifier.classify_prepared(numbers, top).map_err(|e| e.to_string()));
        self.metrics.computed(all.len(), started.elapsed());
        let found = found.unwrap_or_else(|panic| Err(format!("the network: {panic}")));
        let asked = all.into_iter().map(|one| one.asked);
        match found {
            Ok(answers) => asked.zip(answers).for_each(|(Asked { top, answer }, mut classes)| {
                classes.truncate(top);
                let _ = answer.send(Ok(classes));
            }),
            Err(problem) => asked.for_each(|one| {
                let _ = one.answer.send(Err(Refusal::broken(&problem)));
            }),
        }
    }
}
