//! What all requests share.

use crate::bodies::Bodies;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::shown::Shown;
use cnn_classifier::Classifier;
use cnn_classifier::cnn_data::Reading;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What all requests share.
pub struct Shared {
    pub classifier: Arc<Classifier>,
    pub queue: Arc<Queue>,
    pub bodies: Bodies,
    pub metrics: Arc<Metrics>,
    pub reading: Reading,
    /// The page's pictures that may be decoded at once: as many as there are cores, since each may take as much memory as a
    /// picture may have pixels.
    pub decoding: Arc<Semaphore>,
    /// The page at `/`, which needs nothing from elsewhere.
    pub page: String,
    /// Its networks.
    pub shown: Vec<Shown>,
    /// Its pictures that may wait.
    pub watching: Arc<Semaphore>,
}
