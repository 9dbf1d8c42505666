//! Convolution: forward, and the gradients of its input and of its weights.
//!
//! Which algorithm computes it is decided in `choice`: Winograd's (`winograd`), or as it is defined (`direct`,
//! `backward_weights`).
//!
//! As it is defined, all three are one computation: a small matrix product between pixels and channels, repeated for each
//! tap of the kernel. What differs is which pixel belongs to which tap; `sweep` says so. A task copies the part of the
//! input it needs into a tile (`tile`), borders and strides resolved, so that the micro-kernel (`micro`) sees nothing but
//! pixels one behind the other. What it computes goes through a [`Sink`] to its place.

mod backward_weights;
mod by_lanes;
mod choice;
mod correlation;
mod cost;
mod direct;
mod few;
mod micro;
pub(crate) mod narrow;
mod pairs;
mod problem;
pub(crate) mod shape;
mod sweep;
mod tile;
mod tile_prefetch;
mod weights;
mod winograd;

use crate::element::Element;
use crate::simd::{Arithmetic, Exact, InstructionSet};
use crate::sink::Sink;
use crate::view::View;
pub use choice::Algorithm;
use choice::{Method, choose};
use correlation::Correlation;
use problem::Problem;
pub use shape::Conv;
pub(crate) use winograd::planes::odd;
pub(crate) use winograd::transforms::{Four, Points, Six, Ten};

impl Conv {
    /// Writes the convolution of `input` to `output`.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit the convolution.
    pub fn forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, weights: &[T], output: Sink<'_, T>) {
        self.forward_by(Algorithm::Auto, set, input, weights, output);
    }

    /// [`Conv::forward`] by a given algorithm.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit the convolution, or the algorithm does not.
    pub fn forward_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        input: &View<'_, T>,
        weights: &[T],
        output: Sink<'_, T>,
    ) {
        T::conv_forward(self, algorithm, set, input, weights, output);
    }

    pub(crate) fn compute_forward_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        input: &View<'_, T>,
        weights: &[T],
        output: Sink<'_, T>,
    ) {
        input.check();
        self.check(&input.region, output.region(), weights.len());
        let correlation = Correlation::forward(self, input.size(), output.size());
        correlate(algorithm, set, correlation, input, weights, output);
    }

    /// Sends the gradient of the output back to the input.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit the convolution.
    pub fn backward_input<T: Element>(
        &self,
        set: InstructionSet,
        gradient: &View<'_, T>,
        weights: &[T],
        input: Sink<'_, T>,
    ) {
        self.backward_input_by(Algorithm::Auto, set, gradient, weights, input);
    }

    /// [`Conv::backward_input`] by a given algorithm.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit the convolution, or the algorithm does not.
    pub fn backward_input_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        gradient: &View<'_, T>,
        weights: &[T],
        input: Sink<'_, T>,
    ) {
        T::conv_backward_input(self, algorithm, set, gradient, weights, input);
    }

    pub(crate) fn compute_backward_input_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        gradient: &View<'_, T>,
        weights: &[T],
        input: Sink<'_, T>,
    ) {
        gradient.check();
        self.check(input.region(), &gradient.region, weights.len());
        let correlation = Correlation::backward(self, input.size(), gradient.size());
        correlate(algorithm, set, correlation, gradient, weights, input);
    }

    /// How [`Conv::forward_by`], [`Conv::backward_input_by`] and [`Conv::backward_weights_by`] compute over `batch` inputs
    /// of a size in `f32`, in words; `None` where the kernel is larger than the padded input.
    pub fn methods(&self, algorithm: Algorithm, batch: usize, input: [usize; 2]) -> Option<[&'static str; 3]> {
        let sizes = [input, self.output(input)?];
        Some(choice::chosen::<f32>(algorithm, self, batch, sizes).map(|chosen| match chosen {
            (Method::Direct, false) => "direct",
            (Method::Direct, true) => "direct bf16",
            (Method::Winograd3x3 | Method::Winograd5x5, false) => "winograd",
            (Method::Winograd3x3 | Method::Winograd5x5, true) => "winograd bf16",
        }))
    }
}

/// Computes a correlation by the algorithm that `choice` says.
fn correlate<T: Element>(
    algorithm: Algorithm,
    set: InstructionSet,
    correlation: Correlation<'_>,
    input: &View<'_, T>,
    weights: &[T],
    output: Sink<'_, T>,
) {
    match choose::<T>(algorithm, &Problem::correlation(&correlation, input.region.batch)) {
        (method, false) => correlate_by::<Exact<T>>(method, set, correlation, input, weights, output),
        (method, true) => correlate_by::<T::Narrowed>(method, set, correlation, input, weights, output),
    }
}

fn correlate_by<A: Arithmetic>(
    method: Method,
    set: InstructionSet,
    correlation: Correlation<'_>,
    input: &View<'_, A::Number>,
    weights: &[A::Number],
    output: Sink<'_, A::Number>,
) {
    match method {
        Method::Winograd3x3 => winograd::run::<A, 4, 3>(correlation, set, input, weights, output),
        Method::Winograd5x5 => winograd::run::<A, 2, 5>(correlation, set, input, weights, output),
        Method::Direct => direct::run::<A>(correlation, set, input, weights, output),
    }
}
