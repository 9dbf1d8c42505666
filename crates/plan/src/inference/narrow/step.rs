//! A step with its weights, and what is done to its numbers on their way in and out.

use super::number::{Narrow, REAL, Write};
use super::pictures::Pictures;
use super::scales::Scales;
use crate::error::Result;
use crate::inference::build::OwnTensors;
use crate::inference::lower::{Step, Value, Work};
use crate::inference::source::Source;
use crate::operation::Operation;
use cnn_kernels::inference::Affine;
use cnn_kernels::mapped::{from_words, words_of};
use cnn_kernels::narrow::pictures::Cells;
use cnn_kernels::narrow::{Quantisation, Requantisation, Weights, requantise};
use cnn_kernels::pool::Average;
use cnn_kernels::{Algorithm, Conv, InstructionSet};
use cnn_network::Network;
use std::borrow::Cow;

/// Numbers that are kept in a file.
pub(in crate::inference) type Run<'a> = Cow<'a, [f32]>;

/// A step.
#[derive(Debug)]
pub(in crate::inference) struct NarrowStep<F: Narrow> {
    pub(in crate::inference) node: usize,
    pub(in crate::inference) work: NarrowWork<F>,
    /// What is added to each output of a convolution.
    bias: Vec<f32>,
    pub(super) inputs: Vec<Input<F>>,
    /// Maps that are added to the result of a convolution, or the second term of a sum.
    pub(super) addend: Option<Value>,
    pub(in crate::inference) output: Value,
    /// What makes the output's numbers of a kernel's.
    pub(super) finish: Requantisation,
}

/// A value that is read.
#[derive(Debug)]
pub(super) struct Input<F> {
    pub(super) value: Value,
    /// What is done to each of its real numbers.
    pub(super) real: Option<Affine>,
    /// The same from narrow numbers to narrow numbers, where a kernel does it.
    pub(super) map: Option<Affine>,
    /// What its numbers stand for once it is read by a narrow kernel, and what padding holds then.
    pub(super) as_read: Quantisation,
    pub(super) zero: F,
    /// What takes it to real numbers, where it is computed with in `f32`.
    pub(super) widened: Requantisation,
}

/// What a step computes.
#[derive(Debug)]
pub(in crate::inference) enum NarrowWork<F: Narrow> {
    /// A convolution or a linear layer of narrow numbers, what a weight of each output stands for, and multiplications of
    /// the definition for each pixel.
    Conv { weights: Box<Weights<F>>, scales: Vec<f32>, products: usize },
    /// Images brought into cells of four pixels.
    Pictures { write: Write<F>, cells: Cells, zero: F },
    /// A copy, or the sum of two.
    Transfer,
    /// A pool of narrow numbers.
    Pool(Operation),
    /// An operation that is computed in `f32`, with weights if it has any, and why.
    Wide { operation: Operation, weights: Vec<f32>, why: &'static str },
}

/// Why a step is computed in `f32`; nothing where it is not.
pub(super) fn why_wide<F: Narrow>(step: &Step) -> Option<&'static str> {
    match &step.work {
        Work::Conv { conv, .. } if !F::fits(conv) => Some("a sum of so many products may exceed 32 bits"),
        Work::Linear { .. } if !F::fits(&as_conv(step)) => Some("a sum of so many products may exceed 32 bits"),
        Work::Conv { .. } | Work::Linear { .. } => None,
        Work::Sum { .. } if step.inputs.len() > 2 => Some("a sum of more than two"),
        Work::Sum { .. } if step.inputs.get(1).is_some_and(|second| !second.map.is_none()) => {
            Some("a sum of normalised maps")
        }
        Work::Sum { .. } | Work::Other(Operation::MaxPool(_) | Operation::AveragePool(_)) => None,
        Work::Other(_) => Some("no kernel of narrow numbers"),
    }
}

/// Whether some window is divided by more than it has.
fn counts_padding(pool: &Average) -> bool {
    pool.spans.iter().flatten().any(|span| span.divisor != span.end - span.start)
}

/// A linear layer as a convolution whose kernel is as large as the map: so a map taken channel by channel is seen.
fn as_conv(step: &Step) -> Conv {
    Conv {
        in_channels: step.inputs[0].channels,
        out_channels: step.output.channels,
        groups: 1,
        kernel: step.inputs[0].size,
        stride: [1; 2],
        padding: [0; 2],
        dilation: [1; 2],
    }
}

impl<F: Narrow> NarrowStep<F> {
    pub(super) fn new(
        network: &Network,
        (step, pictures): (&Step, Option<&Pictures>),
        set: InstructionSet,
        scales: &Scales<'_>,
        source: &mut Source<'_>,
    ) -> Result<Self> {
        let mut why = why_wide::<F>(step);
        // A map that is only copied is part of what is done to the numbers on their way out.
        let copies = matches!(step.work, Work::Sum { .. }) && step.inputs.len() == 1;
        let by_kernel = why.is_none() && !copies;
        let inputs = step.inputs.iter().map(|value| Input::new(network, value, scales, by_kernel, source));
        let mut inputs = inputs.collect::<Result<Vec<_>>>()?;
        let from = inputs[0].as_read;
        if let Work::Other(Operation::AveragePool(pool)) = &step.work
            && from.zero != 0
            && counts_padding(pool)
        {
            why = Some("the mean counts padding, which is not 0");
        }
        let (to, outs) = (scales.of_store(&step.output), step.output.channels);
        let addend = match &step.work {
            Work::Conv { residual, .. } => residual.clone(),
            Work::Sum { .. } if why.is_none() => inputs.get(1).map(|second| second.value.clone()),
            _ => None,
        };
        let added = addend.as_ref().map(|addend| scales.of_store(addend));
        let computed_wide =
            |operation: Operation, weights: Vec<f32>, why: &'static str| NarrowWork::Wide { operation, weights, why };
        let (work, bias, finish) = match (&step.work, why) {
            (Work::Conv { chain, .. } | Work::Linear { chain }, _) => {
                let conv = match &step.work {
                    Work::Conv { conv, .. } => *conv,
                    _ => as_conv(step),
                };
                inputs[0].value.vector = false;
                match why {
                    Some(why) => {
                        let (weights, bias) = real_tensors(network, step, source)?;
                        if let (Source::File(saved), false) =
                            (&*source, [weights.len(), bias.len()] == [conv.weights(), outs])
                        {
                            return Err(saved.damaged());
                        }
                        let finish = requantise(vec![1.0; outs], Some(&bias), added, Some(to), chain.relu);
                        let operation = Operation::Conv { conv, table: None, algorithm: Algorithm::Direct };
                        (computed_wide(operation, weights, why), bias, finish)
                    }
                    None => {
                        let (weights, scales, bias) = narrow_tensors(network, (step, pictures), &conv, set, source)?;
                        let products = scales.iter().map(|scale| scale * from.scale);
                        let finish = requantise(products, Some(&bias), added, Some(to), chain.relu);
                        let products = pictures.map_or_else(|| conv.weights(), Pictures::products);
                        (NarrowWork::Conv { weights: Box::new(weights), scales, products }, bias, finish)
                    }
                }
            }
            (Work::Sum { relu }, Some(why)) => {
                let finish = requantise(vec![1.0; outs], None, None, Some(to), *relu);
                (computed_wide(Operation::Sum, Vec::new(), why), Vec::new(), finish)
            }
            (Work::Sum { relu }, None) => {
                let map = inputs[0].real.as_ref().filter(|_| copies);
                let floored = *relu || map.is_some_and(|map| map.floor[0] == 0.0);
                (NarrowWork::Transfer, Vec::new(), from_numbers((from, map), outs, added, to, floored))
            }
            (Work::Other(operation), Some(why)) => {
                let finish = from_numbers((REAL, None), outs, None, to, false);
                (computed_wide(operation.clone(), Vec::new(), why), Vec::new(), finish)
            }
            (Work::Other(operation), None) => {
                (NarrowWork::Pool(operation.clone()), Vec::new(), from_numbers((from, None), outs, None, to, false))
            }
        };
        Ok(Self { node: step.node, work, bias, inputs, addend, output: step.output.clone(), finish })
    }

    /// Its numbers in the order in which a plan asks for them.
    pub(super) fn runs(&self) -> Vec<Run<'_>> {
        let maps = self.inputs.iter().filter_map(|input| input.real.as_ref());
        let maps = maps.flat_map(|map| [&map.scale[..], &map.shift, &map.floor]).map(Cow::Borrowed);
        let own = match &self.work {
            NarrowWork::Conv { weights, scales, .. } => {
                let (words, wholes) = weights.packed();
                let wholes = wholes.iter().map(|whole| f32::from_bits(whole.cast_unsigned())).collect();
                vec![Cow::Borrowed(from_words(words)), Cow::Owned(wholes), Cow::Borrowed(scales)]
            }
            NarrowWork::Wide { weights, operation: Operation::Conv { .. }, .. } => vec![Cow::Borrowed(&weights[..])],
            _ => return maps.collect(),
        };
        maps.chain(own).chain([Cow::Borrowed(&self.bias[..])]).collect()
    }
}

impl<F: Narrow> Input<F> {
    fn new(
        network: &Network,
        value: &Value,
        scales: &Scales<'_>,
        by_kernel: bool,
        source: &mut Source<'_>,
    ) -> Result<Self> {
        let real = source.map(network, &value.map, value.channels)?;
        let from = scales.of_store(value);
        let (mut as_read, mut map) = (from, None);
        if let Some(real) = real.as_ref().filter(|_| by_kernel) {
            as_read = scales.of_node(value.node)?;
            map = Some(between(real, from, as_read));
        }
        let floored = real.as_ref().is_some_and(|map| map.floor[0] == 0.0);
        let widened = from_numbers((from, real.as_ref()), value.channels, None, REAL, floored);
        Ok(Self { value: value.clone(), real, map, as_read, zero: F::zero(as_read), widened })
    }
}

/// A map of real numbers as one from some narrow numbers to others.
fn between(map: &Affine, from: Quantisation, to: Quantisation) -> Affine {
    let [own, zero, other, shifted] =
        [f64::from(from.scale), f64::from(from.zero), f64::from(to.scale), f64::from(to.zero)];
    let scale = |scale: &f32| f64::from(*scale) * own / other;
    let shifts = map.scale.iter().zip(&map.shift);
    let floor = if map.floor[0] == 0.0 { shifted as f32 } else { f32::NAN };
    Affine {
        scale: map.scale.iter().map(|own| scale(own) as f32).collect(),
        shift: shifts.map(|(own, shift)| (f64::from(*shift) / other - scale(own) * zero + shifted) as f32).collect(),
        floor: vec![floor; map.floor.len()],
    }
}

/// What takes numbers that are read, mapped if they are, to those of an output.
pub(super) fn from_numbers(
    (from, map): (Quantisation, Option<&Affine>),
    channels: usize,
    added: Option<Quantisation>,
    to: Quantisation,
    relu: bool,
) -> Requantisation {
    let of =
        |channel: usize| map.map_or((1.0, 0.0), |map| (f64::from(map.scale[channel]), f64::from(map.shift[channel])));
    let scale: Vec<f32> = (0..channels).map(|channel| (of(channel).0 * f64::from(from.scale)) as f32).collect();
    let bias = (0..channels).map(|channel| {
        let (own, shift) = of(channel);
        (shift - own * f64::from(from.scale) * f64::from(from.zero)) as f32
    });
    let bias: Vec<f32> = bias.collect();
    requantise(scale, Some(&bias), added, Some(to), relu)
}

/// A step's weights as they are, all that follows folded in, and its bias.
fn real_tensors(network: &Network, step: &Step, source: &mut Source<'_>) -> Result<(Vec<f32>, Vec<f32>)> {
    match source {
        Source::Weights(numbers) => {
            let OwnTensors { weights, factors, bias } = OwnTensors::of(network, step, numbers)?;
            let each = weights.len() / factors.len().max(1);
            let scaled = weights.chunks(each.max(1)).zip(&factors);
            Ok((scaled.flat_map(|(own, factor)| own.iter().map(move |x| x * factor)).collect(), bias))
        }
        Source::File(saved) => Ok((saved.next()?.get().to_vec(), saved.next()?.get().to_vec())),
    }
}

/// A step's narrow weights, what a weight of each output stands for, and its bias.
fn narrow_tensors<F: Narrow>(
    network: &Network,
    (step, pictures): (&Step, Option<&Pictures>),
    conv: &Conv,
    set: InstructionSet,
    source: &mut Source<'_>,
) -> Result<(Weights<F>, Vec<f32>, Vec<f32>)> {
    if let Source::File(saved) = source {
        let (words, wholes) = (saved.next()?, saved.next()?);
        let wholes: Vec<i32> = wholes.get().iter().map(|whole| whole.to_bits().cast_signed()).collect();
        let weights = Weights::from_packed(conv, set, words_of(words.get()), &wholes);
        let (scales, bias) = (saved.next()?.get().to_vec(), saved.next()?.get().to_vec());
        let fits = [scales.len(), bias.len()] == [conv.out_channels; 2];
        return match weights.filter(|_| fits) {
            Some(weights) => Ok((weights, scales, bias)),
            None => Err(saved.damaged()),
        };
    }
    let (mut weights, bias) = real_tensors(network, step, source)?;
    if let Some(pictures) = pictures {
        weights = pictures.weights(&weights);
    }
    let (weights, scales) = F::pack(conv, set, &weights);
    Ok((weights, scales, bias))
}
