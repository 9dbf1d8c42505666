//! The figures of an epoch.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The figures of one epoch: a line of `metrics.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss while training.
    pub train_loss: f64,
    /// Accuracy while training, from 0 to 1.
    pub train_accuracy: f64,
    /// Mean loss on the test images afterwards.
    pub test_loss: f64,
    /// Accuracy on the test images afterwards, from 0 to 1.
    pub test_accuracy: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Images trained on per second, evaluation not counted.
    pub images_per_second: f64,
    /// Seconds of training and evaluation.
    pub seconds: f64,
    /// The most bytes the process has held in memory so far, where the system says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// The values of the task's metrics on the test images, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

/// The position of the first epoch with the highest test accuracy; 0 of none.
pub fn best_epoch(epochs: &[Epoch]) -> usize {
    let mut best = 0;
    for (number, epoch) in epochs.iter().enumerate() {
        if epoch.test_accuracy > epochs[best].test_accuracy {
            best = number;
        }
    }
    best
}

/// How often the test loss has not fallen for more than `patience` epochs in a row.
pub(crate) fn plateaus(epochs: &[Epoch], patience: usize) -> usize {
    let (mut least, mut since, mut plateaus) = (f64::INFINITY, 0, 0);
    for epoch in epochs {
        since += 1;
        if epoch.test_loss < least {
            (least, since) = (epoch.test_loss, 0);
        } else if since > patience {
            (since, plateaus) = (0, plateaus + 1);
        }
    }
    plateaus
}
