//! What a server has done, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Counters of a server.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// By status.
    answers: Mutex<BTreeMap<u16, u64>>,
    /// Microseconds from a request's head to its answer.
    time: AtomicU64,
    batches: AtomicU64,
    pictures: AtomicU64,
    /// Microseconds in the network.
    computing: AtomicU64,
}

impl Metrics {
    pub(crate) fn answered(&self, status: u16, time: Duration) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
        self.time.fetch_add(micros(time), Ordering::Relaxed);
    }

    pub(crate) fn batch(&self, pictures: usize, time: Duration) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.pictures.fetch_add(pictures as u64, Ordering::Relaxed);
        self.computing.fetch_add(micros(time), Ordering::Relaxed);
    }

    /// The counters, and how many pictures are under way.
    pub(crate) fn text(&self, under_way: usize) -> String {
        let mut text = String::new();
        let mut head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(&mut text, "cnn_requests_total", "counter", "Requests for answers, by status.");
        for (status, count) in &*self.answers.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "cnn_requests_total{{status=\"{status}\"}} {count}");
        }
        let seconds = |micros: &AtomicU64| micros.load(Ordering::Relaxed) as f64 / 1e6;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        for (name, kind, help, value) in [
            ("cnn_request_seconds_total", "counter", "Time that requests took.", seconds(&self.time)),
            ("cnn_batches_total", "counter", "Batches computed.", count(&self.batches)),
            ("cnn_pictures_total", "counter", "Pictures computed.", count(&self.pictures)),
            ("cnn_computing_seconds_total", "counter", "Time in the network.", seconds(&self.computing)),
            ("cnn_pictures_under_way", "gauge", "Pictures read, waiting or computed.", under_way as f64),
        ] {
            head(&mut text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
        text
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
