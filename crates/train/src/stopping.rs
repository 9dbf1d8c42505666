//! When a run is over before its last epoch.

use crate::epoch::{Epoch, best_epoch};
use std::fmt;

/// Decides after every epoch whether the run is over. It must depend on the figures alone, so that a run that is resumed
/// ends where it would have ended.
///
/// A function of the figures is one:
///
/// ```
/// use cnn_train::{Epoch, StoppingRule};
///
/// let good_enough = |epochs: &[Epoch]| epochs.last().is_some_and(|epoch| epoch.test_accuracy > 0.99);
/// let rule: &dyn StoppingRule = &good_enough;
/// assert!(!rule.is_over(&[]));
/// ```
pub trait StoppingRule: Send + Sync {
    /// Whether the run is over after these epochs.
    fn is_over(&self, epochs: &[Epoch]) -> bool;
}

impl<F: Fn(&[Epoch]) -> bool + Send + Sync> StoppingRule for F {
    fn is_over(&self, epochs: &[Epoch]) -> bool {
        self(epochs)
    }
}

impl fmt::Debug for dyn StoppingRule + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoppingRule")
    }
}

/// Over after so many epochs in a row without a new best test accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub usize);

impl StoppingRule for Patience {
    fn is_over(&self, epochs: &[Epoch]) -> bool {
        epochs.len() > best_epoch(epochs) + self.0
    }
}
