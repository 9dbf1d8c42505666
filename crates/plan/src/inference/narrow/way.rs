//! How each step is computed.

use super::arrange::store_of;
use super::kernel::has_no_kernel;
use super::number::{Narrow, REAL};
use super::scales::{Scales, as_read};
use crate::error::Result;
use crate::inference::build::{choose, grown};
use crate::inference::lower::{Step, Value, Work};
use crate::inference::options::InferenceOptions;
use crate::operation::Operation;
use cnn_kernels::inference::Choice;
use cnn_kernels::pool::Average;

/// How a step is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By a kernel of narrow numbers.
    Narrow,
    /// On narrow maps, with products of `f32` by one of Winograd's algorithms.
    Winograd(Choice),
    /// In `f32`, for this reason.
    Wide(&'static str),
}

impl Way {
    /// `wide` says which stores are `f32`.
    pub(super) fn of<F: Narrow>(
        step: &Step,
        scales: &Scales<'_>,
        wide: &[bool],
        options: &InferenceOptions<'_>,
    ) -> Result<Self> {
        if let Some(why) = has_no_kernel::<F>(step) {
            return Ok(Self::Wide(why));
        }
        let is_wide = |value: &Value| store_of(value).is_some_and(|store| wide[store]);
        Ok(match (&step.work, F::PRODUCTS) {
            (Work::Other(Operation::AveragePool(pool)), _)
                if as_read(&step.inputs[0], scales, true)?.zero != REAL.zero && counts_padding(pool) =>
            {
                Self::Wide("the mean counts padding, which is not 0")
            }
            // What is added is of the numbers that are written.
            (Work::Conv { conv, residual, .. }, Some(products))
                if residual.as_ref().is_none_or(|residual| is_wide(residual) == is_wide(&step.output)) =>
            {
                match choose((conv, products), &step.inputs[0], &step.output, options) {
                    Choice::DIRECT => Self::Narrow,
                    choice => Self::Winograd(choice),
                }
            }
            _ => Self::Narrow,
        })
    }

    /// Bytes of a step's packed weights, of which there are so many.
    pub(super) fn bytes<F: Narrow>(self, weights: usize) -> usize {
        match self {
            Self::Narrow => weights * size_of::<F>(),
            Self::Winograd(choice) => grown(weights, choice) * size_of::<f32>(),
            Self::Wide(_) => weights * size_of::<f32>(),
        }
    }
}

/// Whether some window is divided by more than it has.
fn counts_padding(pool: &Average) -> bool {
    pool.spans.iter().flatten().any(|span| span.divisor != span.end - span.start)
}
