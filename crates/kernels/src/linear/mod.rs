//! Fully connected layers: matrix products of a batch of vectors with weights that are read where they lie.
//!
//! The weights are `(out, in)`, row by row. Up to `SAMPLES` vectors share each pass over them, so that small batches
//! are bound by the memory the weights come from, large ones by the multiply-add units. A task takes some rows
//! (`FORWARD`, `OUTPUTS`) and goes through them, or some columns, in chunks that stay in the cache while all its samples meet
//! them. Where a row's length is no multiple of sixteen, the last columns are copied and filled up with zeros.

mod micro;

use crate::buffer::{Buffer, Shared};
use crate::element::Element;
use crate::flatten::rows;
use crate::moments::channel_sums;
use crate::prefetch::Grid;
use crate::scratch::with_scratch;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::sink::{Open, Row, Sink, Tally};
use crate::threads::for_each;
use crate::view::View;
use micro::{Dot, Product, dots, pack, packed_len, products};
use std::ops::Range;

/// Samples that share a pass over the weights.
const SAMPLES: usize = 64;
/// Outputs a task of the forward pass takes: blocks, and whole passes of its inner product.
const FORWARD: usize = 48;
/// Outputs a task of the gradient of the weights takes.
const OUTPUTS: usize = 32;
/// Inputs of a chunk.
const INPUTS: usize = 512;
/// Inputs a task of the gradient of the input takes.
const COLUMNS: usize = 256;
/// Outputs of its chunks.
const DEPTH: usize = 64;

/// Takes a part of a gradient: the weights, what is remembered of them, and the gradient.
pub type Part<'a, T> = dyn Fn(&mut [T], [&mut [T]; 2], &[T]) + Sync + 'a;

/// A linear map of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Length of the input.
    pub in_features: usize,
    /// Length of the output.
    pub out_features: usize,
}

impl Linear {
    /// Number of weights, in the order `(out, in)`; the largest number there is where they are more.
    pub fn weights(&self) -> usize {
        self.in_features.saturating_mul(self.out_features)
    }

    /// Writes `input · weightsᵀ` to `output`, whose bias may be the layer's.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit.
    pub fn forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, weights: &[T], output: Sink<'_, T>) {
        T::linear_forward(self, set, input, weights, output);
    }

    pub(crate) fn compute_forward<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        weights: &[T],
        output: Sink<'_, T>,
    ) {
        self.check(input.region.channels, output.channels(), weights.len());
        assert_eq!([output.size(), [output.region().batch; 2]], [[1, 1], [input.region.batch; 2]]);
        let batch = input.region.batch;
        let vectors = Vectors::of(set, input);
        let parts = batch.div_ceil(SAMPLES);
        let groups = self.out_features.div_ceil(FORWARD);
        let output = output.open(parts);
        for_each(parts * groups, |task| {
            // Neighbours read the same weights.
            let (group, part) = (task / parts, task % parts);
            let samples = part * SAMPLES..((part + 1) * SAMPLES).min(batch);
            let outputs = group * FORWARD..((group + 1) * FORWARD).min(self.out_features);
            let blocks = outputs.len().div_ceil(LANES);
            let (sums, results) = (outputs.len() * samples.len() * LANES, blocks * samples.len() * LANES);
            with_scratch(sums + results + outputs.len() * LANES, |scratch| {
                let (sums, scratch) = scratch.split_at_mut(sums);
                let (results, tails) = scratch.split_at_mut(results);
                self.tails(weights, outputs.clone(), tails);
                let (vectors, output) = (&vectors, &output);
                let forward = Forward { linear: self, vectors, weights, output, part, samples, outputs };
                dispatch(set, ForwardTask { forward, sums, results, tails });
            });
        });
        output.close(|part| ((part + 1) * SAMPLES).min(batch) - part * SAMPLES);
    }

    /// Sends the gradient of the output back to the input.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit.
    pub fn backward_input<T: Element>(
        &self,
        set: InstructionSet,
        gradient: &View<'_, T>,
        weights: &[T],
        input: Sink<'_, T>,
    ) {
        T::linear_backward_input(self, set, gradient, weights, input);
    }

    pub(crate) fn compute_backward_input<T: Element>(
        &self,
        set: InstructionSet,
        gradient: &View<'_, T>,
        weights: &[T],
        input: Sink<'_, T>,
    ) {
        self.check(input.channels(), gradient.region.channels, weights.len());
        assert_eq!([input.size(), [input.region().batch; 2]], [[1, 1], [gradient.region.batch; 2]]);
        let batch = gradient.region.batch;
        let gradients = Vectors::of(set, gradient);
        let parts = batch.div_ceil(SAMPLES);
        let groups = self.in_features.div_ceil(COLUMNS);
        let input = input.open(parts);
        for_each(parts * groups, |task| {
            let (group, part) = (task / parts, task % parts);
            let samples = part * SAMPLES..((part + 1) * SAMPLES).min(batch);
            let inputs = group * COLUMNS..((group + 1) * COLUMNS).min(self.in_features);
            let sums = inputs.len().next_multiple_of(LANES) * samples.len();
            let tails = if inputs.len().is_multiple_of(LANES) { 0 } else { self.out_features * LANES };
            let packed = packed_len(DEPTH.min(self.out_features), inputs.len() / LANES);
            with_scratch(sums + packed + tails, |scratch| {
                let (sums, scratch) = scratch.split_at_mut(sums);
                let (packed, tails) = scratch.split_at_mut(packed);
                if !tails.is_empty() {
                    self.tails(weights, 0..self.out_features, tails);
                }
                let (gradients, input) = (&gradients, &input);
                let backward = BackwardInput { linear: self, gradients, weights, input, part, samples, inputs };
                dispatch(set, BackwardInputTask { backward, sums, packed, tails });
            });
        });
        input.close(|part| ((part + 1) * SAMPLES).min(batch) - part * SAMPLES);
    }

    /// Writes the gradient of the weights, `(out, in)`.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit.
    pub fn backward_weights<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
    ) {
        let write = |weights: &mut [T], _: [&mut [T]; 2], gradient: &[T]| weights.copy_from_slice(gradient);
        self.backward_weights_with(set, input, gradient, weights, [&mut [], &mut []], &write);
    }

    /// Computes the gradient of the weights and hands it out part by part, while it is in the cache:
    /// `update(weights, memory, gradient)` is called with each part of a row once, on any thread, with the same part of
    /// the weights and of the optimiser's memory (which may also be empty). The gradient is never in memory as a whole.
    ///
    /// # Panics
    ///
    /// Where regions or slices do not fit.
    pub fn backward_weights_with<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
        memory: [&mut [T]; 2],
        update: &Part<'_, T>,
    ) {
        T::linear_backward_weights(self, set, input, gradient, weights, memory, update);
    }

    pub(crate) fn compute_backward_weights_with<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
        memory: [&mut [T]; 2],
        update: &Part<'_, T>,
    ) {
        self.check(input.region.channels, gradient.region.channels, weights.len());
        assert!(memory.iter().all(|memory| memory.is_empty() || memory.len() == weights.len()));
        assert_eq!(input.region.batch, gradient.region.batch);
        let (vectors, gradients) = (Vectors::of(set, input), Vectors::of(set, gradient));
        let batch = input.region.batch;
        let (weights, memory) = (Shared::new(weights), memory.map(|memory| (memory.is_empty(), Shared::new(memory))));
        let across = self.in_features.div_ceil(INPUTS);
        for_each(self.out_features.div_ceil(OUTPUTS) * across, |task| {
            let (down, right) = (task / across, task % across);
            let outputs = down * OUTPUTS..((down + 1) * OUTPUTS).min(self.out_features);
            let inputs = right * INPUTS..((right + 1) * INPUTS).min(self.in_features);
            let row = inputs.len().next_multiple_of(LANES);
            let (length, samples) = (outputs.len() * row, SAMPLES.min(batch));
            let held = samples * outputs.len();
            with_scratch(length + held + packed_len(samples, row / LANES), |scratch| {
                let (sums, scratch) = scratch.split_at_mut(length);
                let (held, packed) = scratch.split_at_mut(held);
                let (vectors, gradients) = (&vectors, &gradients);
                let (outputs, inputs) = (outputs.clone(), inputs.clone());
                let at = [outputs.clone(), inputs.clone()];
                let sums_of = &mut *sums;
                let rows =
                    |from: Shared<'_, T>| from.start().wrapping_add(outputs.start * self.in_features + inputs.start);
                let kept = memory.iter().filter(|(empty, _)| !empty).map(|(_, memory)| rows(*memory));
                let updated = [rows(weights)].into_iter().chain(kept).collect();
                let task = BackwardWeights {
                    linear: self,
                    vectors,
                    gradients,
                    batch,
                    at,
                    sums: sums_of,
                    held,
                    packed,
                    updated,
                };
                dispatch(set, task);
                for (output, gradient) in outputs.zip(sums.chunks_exact(row)) {
                    let start = output * self.in_features;
                    let range = start + inputs.start..start + inputs.end;
                    // SAFETY: the tasks divide the weights among them.
                    let weights = unsafe { weights.part(range.clone()) };
                    let memory = memory.map(|(empty, memory)| {
                        // SAFETY: each part's memory lies as it does.
                        unsafe { memory.part(if empty { 0..0 } else { range.clone() }) }
                    });
                    update(weights, memory, &gradient[..inputs.len()]);
                }
            });
        });
    }

    /// Writes the gradient of the bias.
    ///
    /// # Panics
    ///
    /// Where the lengths differ.
    pub fn backward_bias<T: Element>(&self, set: InstructionSet, gradient: &View<'_, T>, bias: &mut [T]) {
        assert_eq!([gradient.region.channels, bias.len()], [self.out_features; 2]);
        for (to, sum) in bias.iter_mut().zip(channel_sums(set, gradient)) {
            *to = T::from_f64(sum);
        }
    }

    fn check(&self, ins: usize, outs: usize, weights: usize) {
        assert_eq!([ins, outs, weights], [self.in_features, self.out_features, self.weights()]);
    }

    /// Inputs in whole vectors.
    #[inline(always)]
    fn whole(&self) -> usize {
        self.in_features / LANES * LANES
    }

    /// What is left of some rows of the weights behind the last whole vector, filled up with zeros.
    fn tails<T: Element>(&self, weights: &[T], outputs: Range<usize>, tails: &mut [T]) {
        let rest = self.in_features - self.whole();
        for (output, tail) in outputs.zip(tails.chunks_exact_mut(LANES)) {
            tail[..rest].copy_from_slice(&weights[output * self.in_features + self.whole()..][..rest]);
            tail[rest..].fill(T::ZERO);
        }
    }
}

/// The vectors of a view, filled up to whole registers.
struct Vectors<T> {
    numbers: Buffer<T>,
    /// From one vector to the next: an odd number of cache lines, so that the same numbers of many vectors do not evict each
    /// other from a first-level cache.
    apart: usize,
}

impl<T: Element> Vectors<T> {
    fn of(set: InstructionSet, view: &View<'_, T>) -> Self {
        view.check();
        let apart = ((view.region.padded_channels() / LANES) | 1) * LANES;
        let mut numbers = Buffer::zeros(view.region.batch * apart);
        rows(set, view, &mut numbers, apart);
        Self { numbers, apart }
    }

    /// Some of them, whole.
    fn some(&self, samples: &Range<usize>) -> &[T] {
        &self.numbers[samples.start * self.apart..samples.end * self.apart]
    }
}

struct Forward<'a, 'b, T> {
    linear: &'a Linear,
    vectors: &'a Vectors<T>,
    weights: &'a [T],
    output: &'a Open<'b, T>,
    part: usize,
    samples: Range<usize>,
    outputs: Range<usize>,
}

/// A task with its memory.
struct ForwardTask<'a, 'b, T> {
    forward: Forward<'a, 'b, T>,
    /// Sums lane by lane, `[output][sample][16]`.
    sums: &'a mut [T],
    /// `[block][sample][16]`
    results: &'a mut [T],
    /// `[output][16]`
    tails: &'a [T],
}

impl<T: Element> Kernel<T> for ForwardTask<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { forward, sums, results, tails } = self;
        let Forward { linear, vectors, weights, output, part, samples, outputs } = forward;
        let (ins, apart, count) = (linear.in_features, vectors.apart, samples.len());
        let vectors = vectors.some(&samples);
        let weights = &weights[outputs.start * ins..outputs.end * ins];
        sums.fill(T::ZERO);
        for input in (0..linear.whole()).step_by(INPUTS) {
            let depth = (linear.whole() - input).min(INPUTS) / LANES;
            let dot = Dot { a: &weights[input..], a_row: ins, b: &vectors[input..], b_row: apart, depth };
            let next = weights.as_ptr().wrapping_add(input + INPUTS);
            let size = [outputs.len(), linear.whole().saturating_sub(input + INPUTS).min(INPUTS)];
            let next = Grid::new(next, ins, size, dots::<V>(outputs.len(), count));
            dot.run::<V>(outputs.len(), count, sums, &mut [next]);
        }
        if linear.whole() < ins {
            let b = &vectors[linear.whole()..];
            Dot { a: tails, a_row: LANES, b, b_row: apart, depth: 1 }.run::<V>(outputs.len(), count, sums, &mut []);
        }
        results.fill(T::ZERO);
        for (number, sums) in sums.chunks_exact(count * LANES).enumerate() {
            for (sample, lanes) in sums.chunks_exact(LANES).enumerate() {
                // SAFETY: sixteen numbers.
                let lanes = unsafe { V::load(lanes.as_ptr()) };
                results[(number / LANES * count + sample) * LANES + number % LANES] = crate::activation::total(lanes);
            }
        }
        // SAFETY: parts and groups of outputs divide the vectors among the tasks.
        unsafe { write::<V>(output, part, samples, outputs.start / LANES, results) };
    }
}

/// Writes `[block][sample][16]` to a sink, blocks from `first` on.
///
/// # Safety
///
/// No two threads may write the same vectors' blocks.
#[inline(always)]
unsafe fn write<V: Vector>(
    output: &Open<'_, V::Element>,
    part: usize,
    samples: Range<usize>,
    first: usize,
    results: &mut [V::Element],
) {
    for (number, results) in results.chunks_exact_mut(samples.len() * LANES).enumerate() {
        let block = first + number;
        let mut tally = Tally::<V>::new();
        for (sample, results) in results.chunks_exact_mut(LANES).enumerate() {
            let at = Row { image: samples.start + sample, block, row: 0, column: 0, step: 1 };
            // SAFETY: as the caller says.
            unsafe { output.write(at, results, &mut tally) };
        }
        if output.wants_sums() {
            if output.stores() {
                tally = output.moments_of(results);
            }
            // SAFETY: as the caller says.
            unsafe { output.leave(part, block, tally) };
        }
    }
}

struct BackwardInput<'a, 'b, T> {
    linear: &'a Linear,
    gradients: &'a Vectors<T>,
    weights: &'a [T],
    input: &'a Open<'b, T>,
    part: usize,
    samples: Range<usize>,
    inputs: Range<usize>,
}

/// A task with its memory.
struct BackwardInputTask<'a, 'b, T> {
    backward: BackwardInput<'a, 'b, T>,
    /// `[block][sample][16]`
    sums: &'a mut [T],
    /// Weights of some outputs, as [`Product`] reads them.
    packed: &'a mut [T],
    /// `[output][16]`
    tails: &'a [T],
}

impl<T: Element> Kernel<T> for BackwardInputTask<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { backward, sums, packed, tails } = self;
        let BackwardInput { linear, gradients, weights, input, part, samples, inputs } = backward;
        let (ins, outs, apart) = (linear.in_features, linear.out_features, gradients.apart);
        let gradients = gradients.some(&samples);
        let (blocks, block) = (inputs.len() / LANES, samples.len() * LANES);
        sums.fill(T::ZERO);
        for output in (0..outs).step_by(DEPTH) {
            let depth = DEPTH.min(outs - output);
            let a = &gradients[output..];
            if blocks > 0 {
                pack::<V>(&weights[output * ins + inputs.start..], ins, [depth, blocks], packed);
            }
            let product = Product { a, a_row: apart, a_step: 1, b: &*packed, depth };
            let next = weights.as_ptr().wrapping_add((output + DEPTH) * ins + inputs.start);
            let size = [outs.saturating_sub(output + DEPTH).min(DEPTH), blocks * LANES];
            let next = Grid::new(next, ins, size, products::<V>(samples.len(), blocks));
            product.run::<V>(samples.len(), blocks, sums, [LANES, block], &mut [next]);
            if !tails.is_empty() {
                let product = Product { b: &tails[output * LANES..], ..product };
                product.run::<V>(samples.len(), 1, &mut sums[blocks * block..], [LANES, block], &mut []);
            }
        }
        // SAFETY: parts and groups of inputs divide the vectors among the tasks.
        unsafe { write::<V>(input, part, samples, inputs.start / LANES, sums) };
    }
}

struct BackwardWeights<'a, T> {
    linear: &'a Linear,
    vectors: &'a Vectors<T>,
    gradients: &'a Vectors<T>,
    batch: usize,
    /// Outputs and inputs.
    at: [Range<usize>; 2],
    /// `[output][input]`, rows of whole vectors.
    sums: &'a mut [T],
    /// Gradients of some samples, `[sample][output]`: as they lie they may all fall on the same lines of the cache.
    held: &'a mut [T],
    /// Vectors of some samples, as [`Product`] reads them.
    packed: &'a mut [T],
    /// Where the weights begin that are to be updated, and what is remembered of each.
    updated: Vec<*const T>,
}

impl<T: Element> Kernel<T> for BackwardWeights<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { linear, vectors, gradients, batch, at: [outputs, inputs], sums, held, packed, updated } = self;
        let blocks = inputs.len().div_ceil(LANES);
        sums.fill(T::ZERO);
        let times = batch.div_ceil(SAMPLES) * products::<V>(outputs.len(), blocks);
        let size = [outputs.len(), inputs.len()];
        let mut ahead: Vec<_> =
            updated.into_iter().map(|from| Grid::new(from, linear.in_features, size, times)).collect();
        for sample in (0..batch).step_by(SAMPLES) {
            let depth = SAMPLES.min(batch - sample);
            for (number, to) in held.chunks_exact_mut(outputs.len()).take(depth).enumerate() {
                let from = &gradients.numbers[(sample + number) * gradients.apart + outputs.start..];
                to.copy_from_slice(&from[..outputs.len()]);
            }
            let from = &vectors.numbers[sample * vectors.apart + inputs.start..];
            pack::<V>(from, vectors.apart, [depth, blocks], packed);
            let product = Product { a: &*held, a_row: 1, a_step: outputs.len(), b: &*packed, depth };
            product.run::<V>(outputs.len(), blocks, sums, [blocks * LANES, LANES], &mut ahead);
        }
    }
}
