//! Local response normalisation: `y = x · (k + α Σ x²)^−β`, the sum over neighbouring channels.
//!
//! The squares of a pixel's channels are laid out one behind the other, with zeros on either side; the sum over a
//! window is then a sum of vectors that begin one channel apart. Nothing is kept for the backward pass: the
//! denominators are computed again. Bound by the loads from the cache, two a channel of the window.

use crate::element::Element;
use crate::pieces::{At, Fill, Grain, clear_padding, fill};
use crate::simd::{InstructionSet, LANES, Vector};
use crate::sink::Sink;
use crate::view::View;

/// The constants; channel `c` is normalised by channels `c − size / 2` to `c + (size − 1) / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Channels of a window.
    pub size: usize,
    /// Factor of the sum of squares.
    pub alpha: f64,
    /// Exponent.
    pub beta: f64,
    /// Addend.
    pub k: f64,
}

impl Lrn {
    /// Writes the normalised `input` to `output`.
    ///
    /// # Panics
    ///
    /// Where the regions differ in shape, or the window is empty.
    pub fn forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
        T::lrn_forward(self, set, input, output);
    }

    pub(crate) fn compute_forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
        input.check();
        assert!(self.size > 0 && input.region.same_shape(output.region()));
        fill(set, Grain::PIXEL, &Forward { lrn: *self, input: input.flat() }, output);
    }

    /// Sends the gradient of the output back to the input.
    ///
    /// # Panics
    ///
    /// Where the regions differ in shape, or the window is empty.
    pub fn backward<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        to: Sink<'_, T>,
    ) {
        T::lrn_backward(self, set, input, gradient, to);
    }

    pub(crate) fn compute_backward<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        to: Sink<'_, T>,
    ) {
        [input, gradient].iter().for_each(|view| view.check());
        assert!(self.size > 0 && input.region.same_shape(to.region()) && gradient.region.same_shape(to.region()));
        fill(set, Grain::PIXEL, &Backward { lrn: *self, input: input.flat(), gradient: gradient.flat() }, to);
    }

    /// Channels before and after the window's own.
    #[inline(always)]
    fn reach(&self) -> [usize; 2] {
        [self.size / 2, (self.size - 1) / 2]
    }

    /// Numbers of a line of `blocks` blocks.
    #[inline(always)]
    fn line(&self, blocks: usize) -> usize {
        blocks * LANES + 2 * self.size
    }

    /// `(k + α sum)^−β` of each number.
    #[inline(always)]
    fn powers<T: Element>(&self, sums: &mut [T]) {
        let [alpha, k, exponent] = [self.alpha, self.k, -self.beta].map(T::from_f64);
        // Roots are instructions; a power is a call.
        if self.beta == 0.75 {
            for x in sums.iter_mut() {
                let root = (alpha * *x + k).sqrt();
                *x = T::ONE / (root * root.sqrt());
            }
        } else {
            for x in sums.iter_mut() {
                *x = (alpha * *x + k).powf(exponent);
            }
        }
    }
}

/// Adds up `size` neighbours of every number of `line`: those from number `first` on for the first result.
#[inline(always)]
fn windows<V: Vector>(line: &[V::Element], first: usize, size: usize, sums: &mut [V::Element]) {
    assert!(first + size + sums.len() <= line.len() + 1);
    for i in (0..sums.len()).step_by(LANES) {
        let mut sum = V::zero();
        for neighbour in 0..size {
            // SAFETY: checked above.
            sum = unsafe { V::load(line.as_ptr().add(first + neighbour + i)) }.add(sum);
        }
        // SAFETY: `sums` holds whole vectors.
        unsafe { sum.store(sums.as_mut_ptr().add(i)) };
    }
}

struct Forward<'a, T> {
    lrn: Lrn,
    input: View<'a, T>,
}

impl<T: Element> Fill<T> for Forward<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        self.lrn.line(at.blocks.len()) + at.blocks.len() * LANES
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let (blocks, pixels, size) = (at.blocks.len(), at.pixels.len(), self.lrn.size);
        let (line, powers) = scratch.split_at_mut(self.lrn.line(blocks));
        line.fill(T::ZERO);
        for block in 0..blocks {
            let to = &mut results[block * pixels * LANES..][..pixels * LANES];
            self.input.read::<V>([at.image, block, 0, at.pixels.start], pixels, to);
        }
        for pixel in 0..pixels {
            for block in 0..blocks {
                let x = &results[(block * pixels + pixel) * LANES..][..LANES];
                // SAFETY: sixteen numbers each.
                unsafe {
                    let x = V::load(x.as_ptr());
                    x.mul(x).store(line[size + block * LANES..][..LANES].as_mut_ptr());
                }
            }
            windows::<V>(line, size - self.lrn.reach()[0], size, powers);
            self.lrn.powers(powers);
            for block in 0..blocks {
                let x = &mut results[(block * pixels + pixel) * LANES..][..LANES];
                // SAFETY: sixteen numbers each.
                unsafe {
                    let power = V::load(powers[block * LANES..][..LANES].as_ptr());
                    V::load(x.as_ptr()).mul(power).store(x.as_mut_ptr());
                }
            }
        }
        clear_last(self.input.region.channels, pixels, results);
    }
}

/// Sets the padding of the last block to 0: a power of 0 need not be finite.
#[inline(always)]
fn clear_last<T: Element>(channels: usize, pixels: usize, results: &mut [T]) {
    let last = (results.len() / (pixels * LANES)).saturating_sub(1);
    clear_padding(channels, last, &mut results[last * pixels * LANES..]);
}

struct Backward<'a, T> {
    lrn: Lrn,
    input: View<'a, T>,
    gradient: View<'a, T>,
}

impl<T: Element> Fill<T> for Backward<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        let (blocks, pixels) = (at.blocks.len(), at.pixels.len());
        self.lrn.line(blocks) + 2 * blocks * LANES + blocks * pixels * LANES
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let (blocks, pixels, size) = (at.blocks.len(), at.pixels.len(), self.lrn.size);
        let channels = self.input.region.channels;
        let [before, after] = self.lrn.reach();
        let (line, scratch) = scratch.split_at_mut(self.lrn.line(blocks));
        let (powers, scratch) = scratch.split_at_mut(blocks * LANES);
        let (sums, inputs) = scratch.split_at_mut(blocks * LANES);
        let [alpha, k] = [self.lrn.alpha, self.lrn.k].map(T::from_f64);
        let (alpha, k) = (V::splat(alpha), V::splat(k));
        let factor = V::splat(T::from_f64(-2.0 * self.lrn.alpha * self.lrn.beta));
        line.fill(T::ZERO);
        for block in 0..blocks {
            let from = [at.image, block, 0, at.pixels.start];
            let range = block * pixels * LANES..(block + 1) * pixels * LANES;
            self.input.read::<V>(from, pixels, &mut inputs[range.clone()]);
            self.gradient.read::<V>(from, pixels, &mut results[range]);
        }
        for pixel in 0..pixels {
            for block in 0..blocks {
                let x = &inputs[(block * pixels + pixel) * LANES..][..LANES];
                // SAFETY: sixteen numbers each.
                unsafe {
                    let x = V::load(x.as_ptr());
                    x.mul(x).store(line[size + block * LANES..][..LANES].as_mut_ptr());
                }
            }
            windows::<V>(line, size - before, size, sums);
            powers.copy_from_slice(sums);
            self.lrn.powers(powers);
            for block in 0..blocks {
                let at = (block * pixels + pixel) * LANES;
                // SAFETY: sixteen numbers each.
                unsafe {
                    let x = V::load(inputs[at..][..LANES].as_ptr());
                    let g = V::load(results[at..][..LANES].as_ptr());
                    let power = V::load(powers[block * LANES..][..LANES].as_ptr());
                    let sum = V::load(sums[block * LANES..][..LANES].as_ptr());
                    let product = g.mul(x).mul(power).div(sum.mul_add(alpha, k));
                    product.store(line[size + block * LANES..][..LANES].as_mut_ptr());
                }
            }
            // Padding must not reach its neighbours: its denominator may be 0.
            line[size + channels..size + blocks * LANES].fill(T::ZERO);
            // Channel c is in the windows of c − after to c + before.
            windows::<V>(line, size - after, size, sums);
            for block in 0..blocks {
                let at = (block * pixels + pixel) * LANES;
                let to = &mut results[at..][..LANES];
                // SAFETY: sixteen numbers each.
                unsafe {
                    let x = V::load(inputs[at..][..LANES].as_ptr());
                    let power = V::load(powers[block * LANES..][..LANES].as_ptr());
                    let sum = V::load(sums[block * LANES..][..LANES].as_ptr());
                    let own = V::load(to.as_ptr()).mul(power);
                    factor.mul(x).mul_add(sum, own).store(to.as_mut_ptr());
                }
            }
        }
        clear_last(channels, pixels, results);
    }
}
