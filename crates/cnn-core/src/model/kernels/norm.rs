//! Batch normalisation, and scale and shift per channel, by the kernels.

use super::blocks::{Blocks, padded, region};
use super::custom::{Kernel, Rows, apply};
use crate::op;
use candle_core::{Result, Tensor};
use cnn_kernels::{Arrival, Element, InstructionSet, Map, Moments, Pull, Region, Sink, Sums, View, copy, moments};
use cnn_plan::operation::norm::{self, GradientSums};
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
    let mut y = Blocks::empty(x.region);
    let floor = vec![T::NAN; scale.len()];
    let map = Map::Affine { scale, shift, floor: &floor };
    copy::copy(set, &View { data: &x.data, region: x.region, map }, y.sink());
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
    let mut back = Blocks::empty(x.region);
    let mut sums = Sums { centre, ..Sums::default() };
    let through = Some(x.view());
    let (data, region) = (&mut *back.data, x.region);
    let pull = Pull { data, region, arrival: Arrival::Replace, factor, through, sums: Some(&mut sums) };
    copy::copy(set, &gradient.view(), Sink::Pull(pull));
    (back, sums)
}

fn numbers<T: Element>(values: &[f64]) -> Vec<T> {
    values.iter().map(|x| T::from_f64(*x)).collect()
}

struct Affine;

/// Arguments: input, scale, shift.
impl Kernel for Affine {
    fn name(&self) -> &'static str {
        "scale and shift per channel"
    }

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let [scale, shift] = [1, 2].map(|i| padded(args[i].data.iter().copied(), &x.region, T::ZERO));
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
        let scale = padded(args[1].data.iter().copied(), &x.region, T::ZERO);
        let (back, sums) = tallied(set, &gradient, &x, vec![0.0; x.region.channels], Some(&scale));
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
    /// Mean and variance of each channel.
    fn moments<T: Element>(&self, set: InstructionSet, x: &Blocks<T>) -> Vec<norm::Moments> {
        let Moments { mean, variance } = self.moments.get_or_init(|| moments::moments(set, &x.view()));
        mean.iter().zip(variance).map(|(mean, variance)| norm::Moments { mean: *mean, variance: *variance }).collect()
    }
}

/// Arguments: input, weight, bias.
impl Kernel for BatchNorm {
    fn name(&self) -> &'static str {
        "batch normalisation"
    }

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let channels = args[1].data.iter().zip(args[2].data).zip(self.moments(set, &x));
        let maps = channels.map(|((weight, bias), moments)| norm::scale_and_shift(*weight, *bias, moments, self.eps));
        let (scale, shift): (Vec<T>, Vec<T>) = maps.unzip();
        let [scale, shift] = [scale, shift].map(|values| padded(values, &x.region, T::ZERO));
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
        let moments = self.moments(set, &x);
        let mean = moments.iter().map(|moments| moments.mean).collect();
        let (mut back, sums) = tallied(set, &gradient, &x, mean, None);
        let count = x.region.batch * x.region.pixels();
        let sums: Vec<GradientSums> = sums
            .gradient
            .into_iter()
            .zip(sums.product)
            .map(|(gradient, product)| GradientSums { gradient, product, count })
            .collect();
        let input = wanted[0].then(|| {
            let (mut scale, mut factor, mut addend) = (Vec::new(), Vec::new(), Vec::new());
            for ((weight, moments), sums) in args[1].data.iter().zip(&moments).zip(&sums) {
                let correction = norm::correction(*weight, *moments, self.eps, *sums);
                scale.push(norm::scale_and_shift(*weight, T::ZERO, *moments, self.eps).0);
                factor.push(correction.factor);
                addend.push(correction.addend);
            }
            let [scale, factor, addend] = [scale, factor, addend].map(|values| padded(values, &x.region, T::ZERO));
            let (other, other_region): (&[T], Region) = (&x.data, x.region);
            let map = Map::Mix { scale: &scale, other, other_region, other_scale: &factor, shift: &addend };
            let view = View { data: &gradient.data, region: region(args[0].dims), map };
            copy::copy(set, &view, back.sink());
            back.rows()
        });
        let weight = moments.iter().zip(&sums).map(|(moments, sums)| norm::weight_gradient(*moments, self.eps, *sums));
        let bias = sums.iter().map(|sums| T::from_f64(sums.gradient));
        vec![input, Some(weight.collect()), Some(bias.collect())]
    }
}
