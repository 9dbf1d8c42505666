//! Functions of single numbers, the softmax over the channels, and dropout's mask.
//!
//! ReLU is not here: it is the floor of a [`View`]. The gradients are computed from the outputs. The softmax
//! is bound by the scalar `exp`, the rest by memory.

use crate::element::Element;
use crate::pieces::{At, Fill, Grain, clear_padding, fill};
use crate::region::Region;
use crate::simd::{InstructionSet, LANES, Vector};
use crate::sink::Sink;
use crate::view::View;

/// A function of the channels of a pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `1 / (1 + e⁻ˣ)`; of small results too all digits are right.
    Sigmoid,
    /// `amplitude · tanh(slope · x)`.
    Tanh {
        /// Factor of the result.
        amplitude: f64,
        /// Factor of the argument.
        slope: f64,
    },
    /// `eˣ / Σ eˣ` over the channels.
    Softmax,
}

impl Activation {
    /// Writes the function of `input` to `output`.
    ///
    /// # Panics
    ///
    /// Where the regions differ in shape.
    pub fn forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
        T::activation_forward(self, set, input, output);
    }

    pub(crate) fn compute_forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
        input.check();
        assert!(input.region.same_shape(output.region()));
        fill(set, self.grain(), &Forward { function: *self, input: input.flat() }, output);
    }

    /// Sends the gradient of the output back to the input; `output` is what [`Activation::forward`] gave.
    ///
    /// # Panics
    ///
    /// Where the regions differ in shape.
    pub fn backward<T: Element>(
        &self,
        set: InstructionSet,
        output: &View<'_, T>,
        gradient: &View<'_, T>,
        input: Sink<'_, T>,
    ) {
        T::activation_backward(self, set, output, gradient, input);
    }

    pub(crate) fn compute_backward<T: Element>(
        &self,
        set: InstructionSet,
        output: &View<'_, T>,
        gradient: &View<'_, T>,
        input: Sink<'_, T>,
    ) {
        [output, gradient].iter().for_each(|view| view.check());
        assert!(output.region.same_shape(input.region()) && gradient.region.same_shape(input.region()));
        let backward = Backward { function: *self, output: output.flat(), gradient: gradient.flat() };
        fill(set, self.grain(), &backward, input);
    }

    fn grain(&self) -> Grain {
        if *self == Self::Softmax { Grain::PIXEL } else { Grain::NUMBER }
    }
}

/// Writes the product of `input` and `mask` to `output`: dropout, forward and backward. The mask lies as a buffer of
/// its own of the input's shape does.
///
/// # Panics
///
/// Where the shapes differ.
pub fn multiply<T: Element>(set: InstructionSet, input: &View<'_, T>, mask: &[T], output: Sink<'_, T>) {
    T::multiply(set, input, mask, output);
}

pub(crate) fn compute_multiply<T: Element>(set: InstructionSet, input: &View<'_, T>, mask: &[T], output: Sink<'_, T>) {
    let region = output.region();
    input.check();
    assert!(input.region.same_shape(region));
    let mask = View::plain(mask, Region::new(region.batch, region.channels, [region.height, region.width])).flat();
    assert_eq!(mask.data.len(), mask.region.len());
    fill(set, Grain { cost: 2, ..Grain::NUMBER }, &Product { input: input.flat(), mask }, output);
}

/// Reads a piece of a view, `[block][pixel][16]`.
#[inline(always)]
fn read<V: Vector>(view: &View<'_, V::Element>, at: &At, to: &mut [V::Element]) {
    let pixels = at.pixels.len();
    for (number, to) in to.chunks_exact_mut(pixels * LANES).enumerate() {
        view.read::<V>([at.image, at.blocks.start + number, 0, at.pixels.start], pixels, to);
    }
}

struct Forward<'a, T> {
    function: Activation,
    input: View<'a, T>,
}

impl<T: Element> Fill<T> for Forward<'_, T> {
    fn scratch(&self, _: &At) -> usize {
        0
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], _: &mut [T]) {
        read::<V>(&self.input, at, results);
        let (channels, pixels) = (self.input.region.channels, at.pixels.len());
        match self.function {
            Activation::Softmax => {
                for pixel in 0..pixels {
                    softmax(channels, pixels, pixel, results);
                }
                return;
            }
            Activation::Sigmoid => {
                for x in results.iter_mut() {
                    *x = x.sigmoid();
                }
            }
            Activation::Tanh { amplitude, slope } => {
                let [amplitude, slope] = [T::from_f64(amplitude), T::from_f64(slope)];
                for x in results.iter_mut() {
                    *x = amplitude * (slope * *x).tanh();
                }
            }
        }
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            clear_padding(channels, at.blocks.start + number, results);
        }
    }
}

/// The softmax of a pixel's channels, in place.
#[inline(always)]
fn softmax<T: Element>(channels: usize, pixels: usize, pixel: usize, results: &mut [T]) {
    let mut greatest = T::NEG_INFINITY;
    for channel in 0..channels {
        let x = results[(channel / LANES * pixels + pixel) * LANES + channel % LANES];
        greatest = if x > greatest { x } else { greatest };
    }
    let mut sum = T::ZERO;
    for channel in 0..channels {
        let x = &mut results[(channel / LANES * pixels + pixel) * LANES + channel % LANES];
        *x = (*x - greatest).exp();
        sum += *x;
    }
    for channel in 0..channels {
        let x = &mut results[(channel / LANES * pixels + pixel) * LANES + channel % LANES];
        *x = *x / sum;
    }
}

struct Backward<'a, T> {
    function: Activation,
    output: View<'a, T>,
    gradient: View<'a, T>,
}

impl<T: Element> Fill<T> for Backward<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        at.blocks.len() * at.pixels.len() * LANES
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let outputs = &mut scratch[..results.len()];
        read::<V>(&self.gradient, at, results);
        read::<V>(&self.output, at, outputs);
        match self.function {
            Activation::Softmax => softmax_back::<V>(outputs, at.pixels.len(), results),
            Activation::Sigmoid => sigmoid_back::<V>(outputs, results),
            Activation::Tanh { amplitude, slope } => {
                tanh_back::<V>(outputs, [amplitude, slope].map(T::from_f64), results);
            }
        }
    }
}

/// The gradient, in place, of pixels whose softmax these outputs are.
#[inline(always)]
fn softmax_back<V: Vector>(outputs: &[V::Element], pixels: usize, results: &mut [V::Element]) {
    assert_eq!(outputs.len(), results.len());
    let row = pixels * LANES;
    for pixel in 0..pixels {
        let mut sum = V::zero();
        for i in (pixel * LANES..results.len()).step_by(row) {
            // SAFETY: pixels of the piece, in both.
            unsafe {
                let y = V::load(outputs.as_ptr().add(i));
                sum = V::load(results.as_ptr().add(i)).mul_add(y, sum);
            }
        }
        let sum = V::splat(total(sum));
        for i in (pixel * LANES..results.len()).step_by(row) {
            // SAFETY: as above.
            unsafe {
                let to = results.as_mut_ptr().add(i);
                V::load(to).sub(sum).mul(V::load(outputs.as_ptr().add(i))).store(to);
            }
        }
    }
}

/// The gradient, in place, of numbers whose sigmoid `y` these outputs are: its derivative is `y (1 − y)`.
#[inline(always)]
fn sigmoid_back<V: Vector>(outputs: &[V::Element], results: &mut [V::Element]) {
    assert_eq!(outputs.len(), results.len());
    let one = V::splat(V::Element::ONE);
    for i in (0..results.len()).step_by(LANES) {
        // SAFETY: pixels of the piece, in both.
        unsafe {
            let to = results.as_mut_ptr().add(i);
            let y = V::load(outputs.as_ptr().add(i));
            V::load(to).mul(y).mul(one.sub(y)).store(to);
        }
    }
}

/// The same of `y = amplitude · tanh(slope · x)`: with `t = y / amplitude` its derivative is `amplitude · slope · (1 − t²)`.
#[inline(always)]
fn tanh_back<V: Vector>(outputs: &[V::Element], [amplitude, slope]: [V::Element; 2], results: &mut [V::Element]) {
    assert_eq!(outputs.len(), results.len());
    let (inverse, factor) = (V::splat(V::Element::ONE / amplitude), V::splat(amplitude * slope));
    let one = V::splat(V::Element::ONE);
    for i in (0..results.len()).step_by(LANES) {
        // SAFETY: pixels of the piece, in both.
        unsafe {
            let to = results.as_mut_ptr().add(i);
            let t = V::load(outputs.as_ptr().add(i)).mul(inverse);
            V::load(to).mul(one.sub(t.mul(t))).mul(factor).store(to);
        }
    }
}

/// The sum of the lanes.
#[inline(always)]
pub(crate) fn total<V: Vector>(vector: V) -> V::Element {
    let mut lanes = [V::Element::ZERO; LANES];
    // SAFETY: sixteen numbers.
    unsafe { vector.store(lanes.as_mut_ptr()) };
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            let other = lanes[i + half];
            lanes[i] += other;
        }
        half /= 2;
    }
    lanes[0]
}

struct Product<'a, T> {
    input: View<'a, T>,
    mask: View<'a, T>,
}

impl<T: Element> Fill<T> for Product<'_, T> {
    fn scratch(&self, _: &At) -> usize {
        0
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], _: &mut [T]) {
        read::<V>(&self.input, at, results);
        let pixels = at.pixels.len();
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let mask = &self.mask.data[self.mask.region.at(at.image, block, 0, at.pixels.start)..][..results.len()];
            for i in (0..results.len()).step_by(LANES) {
                // SAFETY: both slices hold the pixels.
                unsafe {
                    let to = results.as_mut_ptr().add(i);
                    V::load(to).mul(V::load(mask.as_ptr().add(i))).store(to);
                }
            }
        }
    }
}
