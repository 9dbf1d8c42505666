//! Pictures that wait go through the network together.

use crate::metrics::Metrics;
use cnn_classifier::{Answer, Classifier};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;
use tokio::sync::oneshot;

/// A prepared picture that waits for its answer.
pub(crate) struct Waiting {
    pub(crate) numbers: Vec<f32>,
    pub(crate) top: usize,
    pub(crate) answer: oneshot::Sender<Result<Vec<Answer>, String>>,
}

/// Takes batches of whatever waits, one after the other, until nobody can send any more. It waits for no second picture:
/// under load they gather while a batch is computed.
pub(crate) fn work(classifier: &Classifier, waiting: &Receiver<Waiting>, most: usize, metrics: &Arc<Metrics>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(most - 1));
        // Whoever has gone away needs no answer.
        batch.retain(|waiting| !waiting.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        let numbers: Vec<f32> = batch.iter().flat_map(|waiting| waiting.numbers.iter().copied()).collect();
        let top = batch.iter().map(|waiting| waiting.top).max().unwrap_or(1);
        let started = Instant::now();
        let answers = classifier.classify_prepared(&numbers, top);
        metrics.batch(batch.len(), started.elapsed());
        match answers {
            Ok(answers) => {
                for (waiting, mut answer) in batch.into_iter().zip(answers) {
                    answer.truncate(waiting.top);
                    let _ = waiting.answer.send(Ok(answer));
                }
            }
            Err(error) => {
                let text = error.to_string();
                batch.into_iter().for_each(|waiting| drop(waiting.answer.send(Err(text.clone()))));
            }
        }
    }
}
