//! The masks of dropout, which come from a seed.

use crate::seed;
use rand::Rng;

/// The mask of a dropout node in training pass number `pass`: `len` factors, each 0 with probability `rate`, else
/// `1 / (1 − rate)`, not yet rounded to the numbers that are computed in.
pub fn dropout_mask(seed: u64, pass: u64, path: &str, rate: f64, len: usize) -> Vec<f64> {
    let mut rng = seed::stream(seed, &format!("dropout {path} {pass}"));
    let keep = 1.0 / (1.0 - rate);
    (0..len).map(|_| if rng.random::<f64>() < rate { 0.0 } else { keep }).collect()
}
