//! Batch normalisation, and scale and shift per channel, by the kernels.

use super::blocks::{Blocks, padded, place};
use super::custom::{Kernel, Rows, apply};
use crate::op;
use candle_core::{Result, Tensor};
use cnn_kernels::{Arrival, Element, InstructionSet, Map, Moments, Place, Pull, Sink, Sums, View, copy, loss};
use std::sync::{Arc, OnceLock};

/// `x · scale + shift`, one of each per channel (dimension 1).
pub(in crate::model) fn affine(x: &Tensor, scale: &Tensor, shift: &Tensor) -> Result<Tensor> {
    apply(Affine, &[x, scale, shift])
}

/// `x` normalised by its own mean and (biased) variance, which come along.
pub(in crate::model) fn batch_norm(
    op: &op::BatchNorm,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
) -> Result<(Tensor, Tensor, Tensor)> {
    let norm = BatchNorm { eps: op.eps, moments: Arc::default() };
    let left = norm.moments.clone();
    let y = apply(norm, &[x, weight, bias])?;
    let Moments { mean, variance } = left.get().cloned().unwrap_or_default();
    let vector = |values: Vec<f64>| Tensor::new(values, x.device())?.to_dtype(x.dtype());
    Ok((y, vector(mean)?, vector(variance)?))
}

/// Writes `x · scale + shift` out.
fn scaled<T: Element>(set: InstructionSet, x: &Blocks<T>, scale: &[T], shift: &[T]) -> Blocks<T> {
    let mut y = Blocks::empty(x.place);
    let floor = vec![T::NAN; scale.len()];
    let map = Map::Affine { scale, shift, floor: &floor };
    copy::copy(set, &View { data: &x.data, place: x.place, map }, y.sink());
    y
}

/// Writes the gradient times `factor` out; with the sums of the gradient, and of its products with `x − centre`.
fn tallied<T: Element>(
    set: InstructionSet,
    gradient: &Blocks<T>,
    x: &Blocks<T>,
    centre: Vec<f64>,
    factor: Option<&[T]>,
) -> (Blocks<T>, Sums) {
    let mut back = Blocks::empty(x.place);
    let mut sums = Sums { centre, ..Sums::default() };
    let through = Some(x.view());
    let (data, place) = (&mut *back.data, x.place);
    let pull = Pull { data, place, arrival: Arrival::Replace, factor, through, sums: Some(&mut sums) };
    copy::copy(set, &gradient.view(), Sink::Pull(pull));
    (back, sums)
}

fn numbers<T: Element>(values: &[f64]) -> Vec<T> {
    values.iter().map(|x| T::from_f64(*x)).collect()
}

struct Affine;

/// Arguments: input, scale, shift.
impl Kernel for Affine {
    const NAME: &'static str = "scale and shift per channel";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let [scale, shift] = [1, 2].map(|i| padded(args[i].data.iter().copied(), &x.place, T::ZERO));
        (scaled(set, &x, &scale, &shift).rows(), args[0].dims.to_vec())
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        wanted: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let (x, gradient) = (Blocks::of(&args[0]), Blocks::of(gradient));
        let scale = padded(args[1].data.iter().copied(), &x.place, T::ZERO);
        let (back, sums) = tallied(set, &gradient, &x, vec![0.0; x.place.channels], Some(&scale));
        let sums = [&sums.product, &sums.gradient].map(|sums| numbers(sums));
        let [scale, shift] = sums;
        vec![wanted[0].then(|| back.rows()), Some(scale), Some(shift)]
    }
}

/// One application of batch normalisation in training.
struct BatchNorm {
    eps: f64,
    moments: Arc<OnceLock<Moments>>,
}

impl BatchNorm {
    /// `1 / √(variance + ε)` of each channel.
    fn deviations(&self, moments: &Moments) -> Vec<f64> {
        moments.variance.iter().map(|variance| 1.0 / (variance + self.eps).sqrt()).collect()
    }
}

/// Arguments: input, weight, bias.
impl Kernel for BatchNorm {
    const NAME: &'static str = "batch normalisation";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let moments = self.moments.get_or_init(|| loss::moments(set, &x.view()));
        let weights = args[1].data.iter().zip(self.deviations(moments));
        let scale: Vec<T> = weights.map(|(weight, deviation)| T::from_f64(weight.to_f64() * deviation)).collect();
        // By the rounded scale: what it lacks then counts only as far as a number is from the mean.
        let centres = scale.iter().zip(&moments.mean).map(|(scale, mean)| scale.to_f64() * mean);
        let shift = args[2].data.iter().zip(centres).map(|(bias, centre)| T::from_f64(bias.to_f64() - centre));
        let shift = padded(shift, &x.place, T::ZERO);
        let scale = padded(scale, &x.place, T::ZERO);
        (scaled(set, &x, &scale, &shift).rows(), args[0].dims.to_vec())
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        wanted: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let (x, gradient) = (Blocks::of(&args[0]), Blocks::of(gradient));
        let moments = self.moments.get_or_init(|| loss::moments(set, &x.view()));
        let deviations = self.deviations(moments);
        let (mut back, sums) = tallied(set, &gradient, &x, moments.mean.clone(), None);
        let input = wanted[0].then(|| {
            let count = (x.place.batch * x.place.pixels()) as f64;
            let (mut scale, mut slope, mut shift) = (Vec::new(), Vec::new(), Vec::new());
            for (c, deviation) in deviations.iter().enumerate() {
                let factor = args[1].data[c].to_f64() * deviation;
                let fall = T::from_f64(-factor * deviation * deviation * sums.product[c] / count);
                scale.push(T::from_f64(factor));
                slope.push(fall);
                shift.push(T::from_f64(-fall.to_f64() * moments.mean[c] - factor * sums.gradient[c] / count));
            }
            let [scale, slope, shift] = [scale, slope, shift].map(|values| padded(values, &x.place, T::ZERO));
            let (other, other_place): (&[T], Place) = (&x.data, x.place);
            let map = Map::Mix { scale: &scale, other, other_place, other_scale: &slope, shift: &shift };
            let view = View { data: &gradient.data, place: place(args[0].dims), map };
            copy::copy(set, &view, back.sink());
            back.rows()
        });
        let weight = sums.product.iter().zip(&deviations).map(|(product, deviation)| T::from_f64(product * deviation));
        vec![input, Some(weight.collect()), Some(numbers(&sums.gradient))]
    }
}
