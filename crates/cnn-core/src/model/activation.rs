//! Activations whose gradients, and whose handling of NaN, agree with torch's.

use candle_core::{Result, Tensor};

/// `max(x, 0)` with gradient 0 at 0, and NaN where `x` is NaN. candle's passes the gradient at 0 and turns
/// NaN into 0.
pub(super) fn relu(x: &Tensor) -> Result<Tensor> {
    let zero = x.zeros_like()?;
    x.le(&zero)?.where_cond(&zero, x)
}
