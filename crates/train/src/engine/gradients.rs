//! The gradients of a step, gathered: of several batches, or to be clipped together. What is done to them is written once
//! here, for the slices of one engine and the tensors of the other.

use crate::error::Result;
use crate::settings::Clip;

/// The gradients of all tensors, wherever they are.
pub(crate) trait Gradients {
    /// The sum of all their squares.
    fn squares(&self) -> Result<f64>;
    /// All of them times a factor.
    fn scale(&mut self, factor: f64) -> Result<()>;
    /// All numbers within a limit on either side of zero.
    fn clamp(&mut self, limit: f64) -> Result<()>;
}

impl Clip {
    /// Brings gradients within their limit. NaN stays NaN.
    pub(crate) fn apply(self, gradients: &mut impl Gradients) -> Result<()> {
        match self {
            Self::Value(limit) => gradients.clamp(limit),
            Self::Norm(limit) => {
                let norm = gradients.squares()?.sqrt();
                // torch's divisor, so that both scale by the same number.
                if norm > limit { gradients.scale(limit / (norm + 1e-6)) } else { Ok(()) }
            }
        }
    }
}
