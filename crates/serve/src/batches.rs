//! Pictures that wait, and the one thread that computes them.

use crate::answer::Refusal;
use crate::metrics::Metrics;
use axum::http::StatusCode;
use cnn_classifier::{Answer, Classifier};
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// A prepared picture that waits for its answer.
struct Waiting {
    numbers: Vec<f32>,
    top: usize,
    answer: oneshot::Sender<Result<Vec<Answer>, Refusal>>,
}

/// The end of the queue that pictures are put into. Once all are dropped, what waits is computed and the thread ends.
#[derive(Clone)]
pub struct Queue {
    sender: mpsc::Sender<Waiting>,
    metrics: Arc<Metrics>,
}

impl Queue {
    /// Begins to compute: at most `batch` images at once, of `length` that wait.
    pub fn begin(
        classifier: Arc<Classifier>,
        metrics: Arc<Metrics>,
        bounds: Bounds,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = mpsc::channel(bounds.length);
        let theirs = Arc::clone(&metrics);
        let computing = Builder::new()
            .name("batches".to_string())
            .spawn(move || compute(&classifier, &theirs, receiver, bounds.batch))?;
        Ok((Self { sender, metrics }, computing))
    }

    /// The most probable classes of a prepared picture.
    pub async fn classify(&self, numbers: Vec<f32>, top: usize) -> Result<Vec<Answer>, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.metrics.waiting.inc();
        let put = self.sender.try_send(Waiting { numbers, top, answer });
        if put.is_err() {
            self.metrics.waiting.dec();
        }
        put.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::full(),
            mpsc::error::TrySendError::Closed(_) => Refusal::ending(),
        })?;
        answered.await.unwrap_or_else(|_| Err(Refusal::ending()))
    }
}

/// How many images wait at most, and how many are computed at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub length: usize,
    pub batch: usize,
}

fn compute(classifier: &Classifier, metrics: &Metrics, mut receiver: mpsc::Receiver<Waiting>, batch: usize) {
    let mut numbers = Vec::new();
    while let Some(first) = receiver.blocking_recv() {
        let mut all = vec![first];
        while all.len() < batch {
            match receiver.try_recv() {
                Ok(next) => all.push(next),
                Err(_) => break,
            }
        }
        metrics.waiting.sub(all.len() as i64);
        // Whoever has gone meanwhile needs no answer.
        all.retain(|waiting| !waiting.answer.is_closed());
        if all.is_empty() {
            continue;
        }
        numbers.clear();
        all.iter().for_each(|waiting| numbers.extend_from_slice(&waiting.numbers));
        let top = all.iter().map(|waiting| waiting.top).max().unwrap_or(1);
        let started = Instant::now();
        let found = classifier.classify_prepared(&numbers, top);
        metrics.computed(all.len(), started.elapsed());
        match found {
            Ok(answers) => {
                for (waiting, mut answer) in all.into_iter().zip(answers) {
                    answer.truncate(waiting.top);
                    // A failed sending is a client that has gone.
                    let _ = waiting.answer.send(Ok(answer));
                }
            }
            Err(error) => {
                for waiting in all {
                    let refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
                    let _ = waiting.answer.send(Err(refusal));
                }
            }
        }
    }
}
