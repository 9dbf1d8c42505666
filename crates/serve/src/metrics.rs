//! What a server counts, in the text format of Prometheus.

use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, TextEncoder, exponential_buckets,
};
use std::time::Duration;

/// What is counted. Names and help are what Prometheus shows.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    answers: IntCounterVec,
    seconds: Histogram,
    computing: Histogram,
    batch: Histogram,
    /// Pictures that wait.
    pub waiting: IntGauge,
    /// Open connections.
    pub connections: IntGauge,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let histogram = |name: &str, help: &str, buckets: Vec<f64>| -> prometheus::Result<Histogram> {
            let made = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let made = IntGauge::new(name, help)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let answers =
            IntCounterVec::new(Opts::new("cnn_answers_total", "Answers to all requests, by status."), &["status"])?;
        registry.register(Box::new(answers.clone()))?;
        let times = || exponential_buckets(0.0005, 2.0, 16);
        Ok(Self {
            answers,
            seconds: histogram("cnn_request_seconds", "Seconds from a picture's arrival to its answer.", times()?)?,
            computing: histogram("cnn_batch_seconds", "Seconds a batch takes to compute.", times()?)?,
            batch: histogram("cnn_batch_images", "Images in a batch.", exponential_buckets(1.0, 2.0, 9)?)?,
            waiting: gauge("cnn_waiting_images", "Pictures that wait to be computed.")?,
            connections: gauge("cnn_connections", "Open connections.")?,
            registry,
        })
    }

    /// Something was answered, whatever was asked for.
    pub fn answered(&self, status: u16) {
        self.answers.with_label_values(&[&status.to_string()]).inc();
    }

    /// A picture was answered, `taken` after its request came.
    pub fn predicted(&self, taken: Duration) {
        self.seconds.observe(taken.as_secs_f64());
    }

    /// So many images were computed at once.
    pub fn computed(&self, images: usize, taken: Duration) {
        self.batch.observe(images as f64);
        self.computing.observe(taken.as_secs_f64());
    }

    /// Everything as text, and what type of text it is.
    pub fn text(&self) -> prometheus::Result<(String, Vec<u8>)> {
        let (encoder, mut text) = (TextEncoder::new(), Vec::new());
        encoder.encode(&self.registry.gather(), &mut text)?;
        Ok((encoder.format_type().to_string(), text))
    }
}
