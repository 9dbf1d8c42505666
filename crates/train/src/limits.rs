//! What a setting may be at most.

/// The most epochs, images of a batch, batches of a step, and epochs to wait.
pub(crate) const LARGEST_COUNT: usize = 1_000_000;

/// The largest factor of a group's learning rate or weight decay, and the largest weight of a class.
pub(crate) const LARGEST_FACTOR: f64 = 1e6;
