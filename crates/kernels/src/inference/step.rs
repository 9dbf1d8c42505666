//! The steps of a program, as whoever builds one gives them.

use super::algorithm::ConvAlgorithm;
use super::arena::Place;
use super::choice::Choice;
use super::input::{Affine, Input};
use super::narrow::{Narrow, NarrowStep};
use super::number::Number;
use crate::conv::Conv;
use crate::narrow::Format;
use crate::pool::{Average, Max};
use crate::simd::InstructionSet;
use crate::sink::Store;
use crate::view::View;
use std::sync::Arc;

/// What becomes of the sums of a convolution or a linear layer before they are written:
/// `max(sum + bias + residual, floor)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finish {
    /// A value of the output's shape, added.
    pub residual: Option<Place>,
    /// Whether what is below 0 becomes 0.
    pub relu: bool,
}

/// A convolution with its weights.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// What it reads.
    pub input: Input,
    /// Where it writes.
    pub output: Place,
    /// The convolution.
    pub conv: Conv,
    /// How it is computed.
    pub choice: Choice,
    /// What becomes of its sums.
    pub finish: Finish,
    /// Memory for the transformed inputs of Winograd's algorithms, from this number of one image on; see
    /// [`transformed_len`](super::transformed_len).
    pub transformed: usize,
    /// Whether that is memory for one image: for a step that runs image by image.
    pub alone: bool,
}

/// A linear layer of a value's numbers, taken channel by channel as [`flatten`](crate::flatten) does.
#[derive(Clone, Debug)]
pub struct LinearLayer {
    /// What it reads.
    pub input: Place,
    /// What is done to each number.
    pub map: Option<Arc<Affine>>,
    /// Where it writes: maps of one pixel.
    pub output: Place,
    /// What becomes of its sums.
    pub finish: Finish,
    /// Memory where images' numbers are brought side by side, from this number of one image on; see
    /// [`gathered_len`](super::gathered_len).
    pub gathered: usize,
}

/// An operation that has no step of its own here: computed by the other kernels, all images at once, between two parallel
/// regions.
#[derive(Clone)]
pub struct Custom {
    /// What it reads.
    pub inputs: Vec<Input>,
    /// Where it writes.
    pub output: Place,
    /// What it does; it writes all of the store it is given.
    pub run: Arc<CustomRun>,
}

/// What a [`Custom`] step does.
pub type CustomRun = dyn Fn(InstructionSet, &[View<'_, f32>], Store<'_, f32>) + Send + Sync;

impl std::fmt::Debug for Custom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Custom").field("inputs", &self.inputs).field("output", &self.output).finish_non_exhaustive()
    }
}

/// A step of a program, without its weights.
#[derive(Clone, Debug)]
pub enum Step {
    /// A convolution.
    Convolution(Convolution),
    /// A linear layer.
    Linear(LinearLayer),
    /// The largest number under a window; padding counts as −∞.
    MaxPool {
        /// The windows.
        max: Max,
        /// What it reads.
        input: Input,
        /// Where it writes.
        output: Place,
    },
    /// The mean under windows.
    AveragePool {
        /// The windows.
        average: Average,
        /// What it reads.
        input: Input,
        /// Where it writes.
        output: Place,
    },
    /// The sum of some values, added in their order; of one, a copy.
    Sum {
        /// What is added.
        inputs: Vec<Input>,
        /// Where it goes.
        output: Place,
        /// Whether what is below 0 becomes 0.
        relu: bool,
    },
    /// An operation on numbers of 16 or 8 bits.
    Narrow(Narrow),
    /// Any other operation.
    Custom(Custom),
}

impl<F: Format> From<NarrowStep<F>> for Step {
    fn from(step: NarrowStep<F>) -> Self {
        Self::Narrow(Narrow::new(step))
    }
}

impl Step {
    /// The values it reads.
    pub fn inputs(&self) -> Vec<&Input> {
        match self {
            Self::Convolution(convolution) => vec![&convolution.input],
            Self::Linear(_) => Vec::new(),
            Self::MaxPool { input, .. } | Self::AveragePool { input, .. } => vec![input],
            Self::Sum { inputs, .. } | Self::Custom(Custom { inputs, .. }) => inputs.iter().collect(),
            Self::Narrow(narrow) => vec![narrow.0.input()],
        }
    }

    /// The places it reads.
    pub fn reads(&self) -> Vec<Place> {
        let mut places: Vec<Place> = self.inputs().into_iter().filter_map(|input| input.place().copied()).collect();
        match self {
            Self::Convolution(Convolution { finish, .. }) => places.extend(finish.residual),
            Self::Linear(linear) => {
                places.push(linear.input);
                places.extend(linear.finish.residual);
            }
            Self::Narrow(narrow) => places.extend(narrow.0.addend()),
            Self::MaxPool { .. } | Self::AveragePool { .. } | Self::Sum { .. } | Self::Custom(_) => {}
        }
        places
    }

    /// Whether it computes with the numbers of what it reads, and of what it writes.
    pub(super) fn takes(&self, reads: &[Place]) -> bool {
        let all = |numbers: &[Number]| reads.iter().chain([self.output()]).all(|place| numbers.contains(&place.number));
        match self {
            Self::Narrow(_) => true,
            Self::Convolution(Convolution { choice, finish, output, .. })
                if choice.algorithm != ConvAlgorithm::Direct =>
            {
                let added = finish.residual.is_none_or(|residual| residual.number == output.number);
                added && (all(&[Number::F32]) || Number::HALVES && all(&[Number::F32, Number::Bf16]))
            }
            _ => all(&[Number::F32]),
        }
    }

    /// Where it writes.
    pub fn output(&self) -> &Place {
        match self {
            Self::Convolution(Convolution { output, .. })
            | Self::Linear(LinearLayer { output, .. })
            | Self::MaxPool { output, .. }
            | Self::AveragePool { output, .. }
            | Self::Sum { output, .. }
            | Self::Custom(Custom { output, .. }) => output,
            Self::Narrow(narrow) => narrow.0.output(),
        }
    }
}
