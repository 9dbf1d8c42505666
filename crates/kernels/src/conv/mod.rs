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
mod sweep;
mod tile;
mod tile_prefetch;
mod weights;
mod winograd;

use crate::element::Element;
use crate::region::Region;
use crate::simd::{Arithmetic, Exact, InstructionSet, LANES};
use crate::sink::Sink;
use crate::view::View;
use choice::{Method, Problem, choose};
use correlation::Correlation;
pub(crate) use winograd::odd;
pub(crate) use winograd::transforms::{Four, Points, Six, Ten};

/// A convolution (cross-correlation) of maps; pairs are `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Groups of channels that do not see each other; divides both.
    pub groups: usize,
    /// Extent of the kernel in taps.
    pub kernel: [usize; 2],
    /// Step between two windows.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on either side.
    pub padding: [usize; 2],
    /// Distance between two taps.
    pub dilation: [usize; 2],
}

/// Numbers that padded maps may have at most: twice as many fit the address space.
const MOST_NUMBERS: usize = isize::MAX as usize / (2 * size_of::<f32>());

/// How a convolution and its gradients are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Whichever is likely to be faster for the shapes, whatever the number of threads. For `f64`, which is there to
    /// check against, always [`Algorithm::Direct`].
    #[default]
    Auto,
    /// As it is defined, for all convolutions.
    Direct,
    /// By Winograd's algorithm F(4x4, 3x3) or F(2x2, 5x5), for kernels of 3x3 and 5x5 with neither stride, dilation nor
    /// groups. Rounding errors are about twice as large, and an input that is not finite spoils a tile of 4x4 or 2x2
    /// outputs, or all taps of the gradient of the weights of its channel.
    Winograd,
    /// Products of `bf16` and sums of `f32`, by whichever algorithm is then likely to be faster. `f64` is computed as by
    /// [`Algorithm::Auto`], and so are groups that share a block of sixteen channels. It is fast where
    /// [`bf16_available`](crate::narrow::bf16_available) says so, and plain Rust elsewhere.
    Bf16,
    /// [`Algorithm::Direct`] with products of `bf16`. Groups that share a block of sixteen channels are multiplied as they
    /// are.
    DirectBf16,
    /// [`Algorithm::Winograd`] with products of `bf16`: transformed numbers are rounded, which costs about four times the
    /// error of rounding numbers as they are.
    WinogradBf16,
}

impl Conv {
    /// Height and width of the output; `None` where the kernel is larger than the padded input, the kernel or a stride is
    /// 0, or a stride or maps of the padded input's size are longer than memory can be.
    pub fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let padded = |i: usize| self.padding[i].checked_mul(2)?.checked_add(input[i]);
        let channels = self.in_channels.max(self.out_channels).checked_next_multiple_of(LANES)?;
        // No tile is larger, so no size or distance in one wraps around.
        let numbers = padded(0)?.checked_mul(padded(1)?)?.checked_mul(channels)?;
        if numbers > MOST_NUMBERS || self.stride.iter().any(|stride| *stride > MOST_NUMBERS) {
            return None;
        }
        let axis = |i: usize| {
            let extent = self.kernel[i].checked_sub(1)?.checked_mul(self.dilation[i])?.checked_add(1)?;
            Some(padded(i)?.checked_sub(extent)?.checked_div(self.stride[i])? + 1)
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Number of weights, in the order `(out, in / groups, height, width)`; the largest number there is where they are more.
    pub fn weights(&self) -> usize {
        let sizes = [self.in_channels / self.groups, self.kernel[0], self.kernel[1]];
        sizes.iter().fold(self.out_channels, |product, size| product.saturating_mul(*size))
    }

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

    fn check(&self, input: &Region, output: &Region, weights: usize) {
        assert!(self.in_channels.is_multiple_of(self.groups) && self.out_channels.is_multiple_of(self.groups));
        let channels = [input.channels, output.channels, weights];
        assert_eq!(channels, [self.in_channels, self.out_channels, self.weights()]);
        assert_eq!(input.batch, output.batch, "{input:?} and {output:?} are of different batches");
        let size = self.output([input.height, input.width]);
        assert_eq!(size, Some([output.height, output.width]), "{output:?} is not what {self:?} makes of {input:?}");
    }

    /// Whether it is a product of pixels as they lie with a matrix: each map is then one long row.
    pub(crate) fn is_matrix_product(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// Bundles of groups that fill whole blocks of channels, in and out; all groups in one where none do. Within a
    /// bundle the convolution is computed as a dense one with zeros between its groups.
    pub(crate) fn bundles(&self) -> Bundles {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        let fills = |groups: &usize| {
            self.groups.is_multiple_of(*groups)
                && (groups * ins).is_multiple_of(LANES)
                && (groups * outs).is_multiple_of(LANES)
        };
        let groups = (1..self.groups).find(fills).unwrap_or(self.groups);
        Bundles { count: self.groups / groups, ins: groups * ins, outs: groups * outs }
    }

    /// The input channels an output channel sees.
    fn inputs_of(&self, out: usize) -> std::ops::Range<usize> {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        out / outs * ins..(out / outs + 1) * ins
    }

    /// Where the weight between an output and an input channel at a tap is; nowhere between groups.
    #[inline(always)]
    pub(crate) fn weight_index(&self, out: usize, input: usize, tap: usize) -> Option<usize> {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        if self.groups > 1 && out / outs != input / ins {
            return None;
        }
        Some((out * ins + input % ins) * self.kernel[0] * self.kernel[1] + tap)
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

/// Equal bundles of channels that are convolved apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bundles {
    pub(crate) count: usize,
    /// Channels read, per bundle.
    pub(crate) ins: usize,
    /// Channels written, per bundle.
    pub(crate) outs: usize,
}
