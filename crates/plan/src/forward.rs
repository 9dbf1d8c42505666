//! The steps, forward.

use crate::clock::Part;
use crate::error::{Error, Result};
use crate::memory::Channels;
use crate::parameters::Parameters;
use crate::plan::Plan;
use crate::step::{Fill, MapWork, Statistics, Step, Work};
use crate::value::Value;
use cnn_core::model::{adaptive_windows, dropout_mask};
use cnn_kernels::activation::{Activation, multiply};
use cnn_kernels::flatten::flatten;
use cnn_kernels::pool::{Average, Max};
use cnn_kernels::{Element, LANES, Linear, Lrn, Moments, Place, Sink, Store, View, copy, loss, to_blocks};
use std::borrow::Cow;
use std::time::Instant;

/// Why a store is filled.
#[derive(Clone, Copy)]
pub(crate) enum Pass<'a, T> {
    /// In the forward pass, from these images.
    Forward(&'a [T]),
    /// Again in the backward pass: the same numbers as before. Masks, moments and statistics stay.
    Again,
}

impl<T: Element> Plan<T> {
    pub(crate) fn run_forward(&mut self, parameters: &mut Parameters<T>, images: &[T]) -> Result<()> {
        for index in 0..self.lowered.steps.len() {
            let step = self.lowered.steps[index].clone();
            let started = Instant::now();
            match &step.work {
                Work::Fill(fill) => self.fill(&step, fill, parameters, Pass::Forward(images)),
                Work::Map(work) => self.map(&step, work, parameters)?,
            }
            self.clock.add(index, Part::Forward, started);
        }
        self.dropout.pass += u64::from(self.training);
        Ok(())
    }

    pub(crate) fn fill(&mut self, step: &Step, fill: &Fill, parameters: &Parameters<T>, pass: Pass<'_, T>) {
        let (batch, set, output) = (self.batch, self.set, &step.output);
        let place = output.place(batch, &self.lowered.stores);
        let slot = self.memory.at[output.store];
        let forward = matches!(pass, Pass::Forward(_));
        let mut lent = self.memory.take(slot);
        let mut moments = (forward && self.lowered.stores[output.store].normalised).then(Moments::default);
        let memory = output_memory(fill);
        let mut winners = memory.map_or(Vec::new(), |memory| std::mem::take(&mut self.memory.winners[memory]));
        let mut mask = memory.map_or(Vec::new(), |memory| std::mem::take(&mut self.memory.masks[memory]));
        let inputs: Vec<View<'_, T>> =
            step.inputs.iter().map(|input| self.memory.view(input, batch, &self.lowered)).collect();
        let bias = |parameter: &Option<usize>| parameter.map(|parameter| &*parameters.values[parameter]);
        let mut sink = Store { data: lent.numbers(batch), place, bias: None, floor: None, moments: moments.as_mut() };
        match fill {
            Fill::Input => {
                if let Pass::Forward(images) = pass {
                    match self.lowered.stores[output.store].planar {
                        Some(_) => sink.data[..images.len()].copy_from_slice(images),
                        None => to_blocks(images, sink.data, &place),
                    }
                }
                measure(set, sink);
            }
            Fill::Conv { conv, weight, bias: parameter, table } => {
                sink.bias = bias(parameter);
                let weights = dense(&parameters.values[*weight], table, conv.in_channels);
                conv.forward(set, &inputs[0], &weights, Sink::Store(sink));
            }
            Fill::Linear { weight, bias: parameter } => {
                sink.bias = bias(parameter);
                let linear = Linear { in_features: inputs[0].place.channels, out_features: place.channels };
                linear.forward(set, &inputs[0], &parameters.values[*weight], Sink::Store(sink));
            }
            Fill::MaxPool { window, .. } => {
                winners.resize(place.batch * place.blocks() * place.pixels() * LANES, 0);
                Max::from(window).forward(set, &inputs[0], Sink::Store(sink), &mut winners);
            }
            Fill::AvgPool(_) | Fill::AdaptiveAvgPool(_) => {
                average(fill, step.inputs[0].size, output.size).forward(set, &inputs[0], Sink::Store(sink));
            }
            Fill::Sum => copy::sum(set, &inputs, Sink::Store(sink)),
            Fill::Concat => copy::concat(set, &inputs, Sink::Store(sink)),
            Fill::ZeroChannels { before } => {
                let count = inputs[0].place.channels;
                copy::gather(
                    set,
                    &[copy::Channels { view: inputs[0], from: 0, to: *before, count }],
                    Sink::Store(sink),
                );
            }
            Fill::Flatten => {
                flatten(set, &inputs[0], sink.data, &place);
                measure(set, sink);
            }
            Fill::Dropout { rate, .. } => {
                if forward {
                    self.draw(step, *rate, &mut mask);
                }
                multiply(set, &inputs[0], &mask, Sink::Store(sink));
            }
            Fill::Sigmoid | Fill::Tanh { .. } | Fill::Softmax => {
                activation(fill).forward(set, &inputs[0], Sink::Store(sink));
            }
            Fill::Lrn(op) => Lrn::from(op).forward(set, &inputs[0], Sink::Store(sink)),
            Fill::RadialBasis { centres } => {
                let scores = radial_basis(&rows(&inputs[0]), centres, place);
                copy::copy(set, &View::plain(&scores, Place::new(batch, place.channels, [1, 1])), Sink::Store(sink));
            }
        }
        if let Some(memory) = memory {
            self.memory.winners[memory] = winners;
            self.memory.masks[memory] = mask;
        }
        self.memory.give(lent);
        if let (Some(moments), Some(normalised)) = (moments, &mut self.memory.normalised[output.store]) {
            let first = output.first_block * LANES;
            normalised.mean[first..first + output.channels].copy_from_slice(&moments.mean);
            normalised.variance[first..first + output.channels].copy_from_slice(&moments.variance);
        }
    }

    /// Draws the mask of a dropout.
    fn draw(&self, step: &Step, rate: f64, mask: &mut Vec<T>) {
        let Value { channels, size, .. } = step.output;
        let numbers = self.batch * channels * size[0] * size[1];
        let drawn = dropout_mask(self.dropout.seed, self.dropout.pass, &step.path, rate, numbers);
        let drawn: Vec<T> = drawn.into_iter().map(|x| T::from_f64(f64::from(x))).collect();
        let own = Place::new(self.batch, channels, size);
        mask.resize(own.len(), T::ZERO);
        to_blocks(&drawn, mask, &own);
    }

    fn map(&mut self, step: &Step, work: &MapWork, parameters: &mut Parameters<T>) -> Result<()> {
        let Some(map) = step.output.map else { return Ok(()) };
        let channels = step.output.channels;
        match work {
            MapWork::Norm { eps, statistics, parameter, tally } => {
                let (mean, variance) = self.statistics(step, *statistics, *parameter, parameters)?;
                let [weight, bias] = [0, 1].map(|i| &parameters.values[parameter + i]);
                let Channels { scale, shift, .. } = &mut self.memory.maps[map];
                for c in 0..channels {
                    let factor = weight[c].to_f64() / (variance[c] + eps).sqrt();
                    scale[c] = T::from_f64(factor);
                    shift[c] = T::from_f64(bias[c].to_f64() - mean[c] * factor);
                }
                if let Some(tally) = tally {
                    self.memory.tallies[*tally].centre = mean;
                }
            }
            MapWork::ChannelAffine { parameter, .. } => {
                let Channels { scale, shift, .. } = &mut self.memory.maps[map];
                scale[..channels].copy_from_slice(&parameters.values[*parameter]);
                shift[..channels].copy_from_slice(&parameters.values[parameter + 1]);
            }
            MapWork::Constant { scale: factors, shift: addends } => {
                let Channels { scale, shift, .. } = &mut self.memory.maps[map];
                for c in 0..channels {
                    (scale[c], shift[c]) = (T::from_f64(factors[c]), T::from_f64(addends[c]));
                }
            }
            MapWork::Floor => {
                self.join(map, &step.inputs);
                self.memory.maps[map].floor[..channels].fill(T::ZERO);
            }
            MapWork::Join => self.join(map, &step.inputs),
        }
        Ok(())
    }

    /// Mean and variance a norm goes by. Where they are the batch's, the running ones move; the running variance is the
    /// unbiased one.
    fn statistics(
        &self,
        step: &Step,
        statistics: Statistics,
        parameter: usize,
        parameters: &mut Parameters<T>,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let Value { channels, size: [height, width], first_block, store, .. } = step.inputs[0];
        let (Statistics::Batch { momentum }, Some(normalised)) = (statistics, &self.memory.normalised[store]) else {
            let running = |i: usize| parameters.values[parameter + i].iter().map(|x| x.to_f64()).collect();
            return Ok((running(2), running(3)));
        };
        let count = self.batch * height * width;
        if count == 1 {
            let shape = format!("{channels}×{height}×{width}");
            return Err(Error::SingleValue { path: step.path.clone(), shape });
        }
        let range = first_block * LANES..first_block * LANES + channels;
        let (mean, variance) = (normalised.mean[range.clone()].to_vec(), normalised.variance[range].to_vec());
        let unbiased = count as f64 / (count as f64 - 1.0);
        for c in 0..channels {
            let moved = |old: T, new: f64| T::from_f64(old.to_f64() * (1.0 - momentum) + new * momentum);
            let running = &mut parameters.values[parameter + 2][c];
            *running = moved(*running, mean[c]);
            let running = &mut parameters.values[parameter + 3][c];
            *running = moved(*running, variance[c] * unbiased);
        }
        Ok((mean, variance))
    }

    /// Puts the maps of values one behind the other.
    fn join(&mut self, map: usize, values: &[Value]) {
        let empty = Channels { scale: Vec::new(), shift: Vec::new(), floor: Vec::new() };
        let mut joined = std::mem::replace(&mut self.memory.maps[map], empty);
        let mut first = 0;
        for value in values {
            let channels = first..first + value.channels;
            match value.map {
                Some(from) => {
                    let from = &self.memory.maps[from];
                    joined.scale[channels.clone()].copy_from_slice(&from.scale[..value.channels]);
                    joined.shift[channels.clone()].copy_from_slice(&from.shift[..value.channels]);
                    joined.floor[channels].copy_from_slice(&from.floor[..value.channels]);
                }
                None => {
                    joined.scale[channels.clone()].fill(T::ONE);
                    joined.shift[channels.clone()].fill(T::ZERO);
                    joined.floor[channels].fill(T::NAN);
                }
            }
            first += value.channels;
        }
        self.memory.maps[map] = joined;
    }
}

/// The moments of a store that was filled past its sink.
fn measure<T: Element>(set: cnn_kernels::InstructionSet, sink: Store<'_, T>) {
    if let Some(moments) = sink.moments {
        *moments = loss::moments(set, &View::plain(sink.data, sink.place));
    }
}

fn output_memory(fill: &Fill) -> Option<usize> {
    match fill {
        Fill::MaxPool { winners, .. } => Some(*winners),
        Fill::Dropout { mask, .. } => Some(*mask),
        _ => None,
    }
}

/// The weights of a convolution with a connection table, zeros where nothing is connected; others as they are.
pub(crate) fn dense<'a, T: Element>(
    weights: &'a [T],
    table: &Option<Vec<Vec<usize>>>,
    channels: usize,
) -> Cow<'a, [T]> {
    let Some(table) = table else { return Cow::Borrowed(weights) };
    let connections: usize = table.iter().map(Vec::len).sum();
    let taps = weights.len() / connections.max(1);
    let mut dense = vec![T::ZERO; table.len() * channels * taps];
    let places = table.iter().enumerate().flat_map(|(out, row)| row.iter().map(move |input| out * channels + input));
    for (place, weights) in places.zip(weights.chunks_exact(taps.max(1))) {
        dense[place * taps..(place + 1) * taps].copy_from_slice(weights);
    }
    Cow::Owned(dense)
}

/// The windows of an average pool from one size to another.
pub(crate) fn average(fill: &Fill, input: [usize; 2], output: [usize; 2]) -> Average {
    match fill {
        Fill::AvgPool(op) => op.windows(input),
        _ => adaptive_windows(output.into(), input),
    }
}

pub(crate) fn activation(fill: &Fill) -> Activation {
    match fill {
        Fill::Tanh { amplitude, slope } => Activation::Tanh { amplitude: *amplitude, slope: *slope },
        Fill::Softmax => Activation::Softmax,
        _ => Activation::Sigmoid,
    }
}

/// The rows of vectors, mapped.
pub(crate) fn rows<T: Element>(view: &View<'_, T>) -> Vec<T> {
    let place = Place::new(view.place.batch, view.place.channels, [1, 1]);
    let mut plain = vec![T::ZERO; place.len()];
    copy::copy(cnn_kernels::InstructionSet::Portable, view, Sink::store(&mut plain, place));
    let mut rows = vec![T::ZERO; place.batch * place.channels];
    cnn_kernels::from_blocks(&plain, &place, &mut rows);
    rows
}

/// `−Σⱼ (xⱼ − cᵢⱼ)²` for each centre, in rows of padded channels.
fn radial_basis<T: Element>(rows: &[T], centres: &[Vec<f64>], place: Place) -> Vec<T> {
    let mut scores = vec![T::ZERO; place.batch * place.padded_channels()];
    let length = rows.len() / place.batch.max(1);
    for (x, scores) in rows.chunks_exact(length).zip(scores.chunks_exact_mut(place.padded_channels())) {
        for (score, centre) in scores.iter_mut().zip(centres) {
            for (x, c) in x.iter().zip(centre) {
                let away = *x - T::from_f64(*c);
                *score += -(away * away);
            }
        }
    }
    scores
}
