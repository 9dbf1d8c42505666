//! The steps, backwards.

use crate::clock::Part;
use crate::forward::{Pass, activation, average, dense, rows};
use crate::parameters::{Parameters, Parts, Receive};
use crate::passing::Way;
use crate::plan::Plan;
use crate::schedule::Turn;
use crate::step::{Fill, MapWork, Statistics, Step, Work};
use crate::value::Value;
use cnn_kernels::activation::multiply;
use cnn_kernels::flatten::unflatten;
use cnn_kernels::pool::Max;
use cnn_kernels::{Arrival, Buffer, Element, LANES, Linear, Lrn, Place, Pull, Sink, Sums, View, copy, loss};
use std::time::Instant;

impl<T: Element> Plan<T> {
    pub(crate) fn run_back(&mut self, parameters: &mut Parameters<T>, seeds: &[Vec<T>], receiver: &mut dyn Receive<T>) {
        for (seed, value) in seeds.iter().zip(self.lowered.outputs.clone()) {
            let place = Place::new(self.batch, value.channels, [1, 1]);
            if value.trained {
                self.pull(&value, Way::Through, |plan, sink| copy::copy(plan.set, &View::plain(seed, place), sink));
            }
        }
        for turn in 0..self.schedule.turns.len() {
            match self.schedule.turns[turn] {
                Turn::Again(index) => self.again(index, parameters),
                Turn::Back(index) => self.back(index, parameters, receiver),
            }
        }
    }

    /// Fills a step's store once more.
    fn again(&mut self, index: usize, parameters: &Parameters<T>) {
        let started = Instant::now();
        let step = self.lowered.steps[index].clone();
        let store = step.output.store;
        if let (Work::Fill(fill), Some(slot)) = (&step.work, self.memory.slots.again[store]) {
            self.memory.at[store] = slot;
            self.fill(&step, fill, parameters, Pass::Again);
        }
        self.clock.add(index, Part::Forward, started);
    }

    fn back(&mut self, index: usize, parameters: &mut Parameters<T>, receiver: &mut dyn Receive<T>) {
        let step = self.lowered.steps[index].clone();
        match &step.work {
            Work::Fill(fill) => self.fill_back(index, &step, fill, parameters, receiver),
            Work::Map(work) => self.map_back(&step, work, parameters, receiver),
        }
    }

    /// Sends a gradient to a value's store: `send` gets the sink that takes it there.
    fn pull(&mut self, value: &Value, way: Way, send: impl FnOnce(&Self, Sink<'_, T>)) {
        let Some(slot) = self.memory.slots.gradient[value.store] else { return };
        let shared = way == Way::Shared;
        if shared || way == Way::Begun {
            self.memory.written[value.store].fill(true);
        }
        if way == Way::Begun || (shared && value.tallies.is_empty()) {
            return;
        }
        // Where the gradient is shared it is read there.
        let mut lent = (!shared).then(|| self.memory.take(slot));
        let data = lent.as_mut().map_or(&mut [][..], |lent| lent.numbers(self.batch));
        let place = value.place(self.batch, &self.lowered.stores);
        let arrival = match way {
            Way::Shared | Way::Begun => Arrival::Count,
            Way::Through => Arrival::adding(self.claim(value, data)),
            Way::Added => Arrival::Add,
            Way::Finished => Arrival::Finish,
        };
        let raw = way == Way::Added;
        let mut sums = (!value.tallies.is_empty() && !raw).then(|| {
            let mut centre = vec![0.0; value.channels];
            for (tally, first) in &value.tallies {
                let own = &self.memory.tallies[*tally].centre;
                centre[*first..first + own.len()].copy_from_slice(own);
            }
            Sums { centre, ..Sums::default() }
        });
        let factor = value.map.filter(|_| !raw).map(|map| &*self.memory.maps[map].scale);
        let through = (value.looks_back() && !raw).then(|| self.memory.view(value, self.batch, &self.lowered));
        let pull = Pull { data, place, arrival, factor, through, sums: sums.as_mut() };
        send(self, Sink::Pull(pull));
        if let Some(lent) = lent {
            self.memory.give(lent);
        }
        for (tally, first) in &value.tallies {
            let (tally, Some(sums)) = (&mut self.memory.tallies[*tally], &sums) else { continue };
            for c in 0..tally.gradient.len() {
                tally.gradient[c] += sums.gradient[first + c];
                tally.product[c] += sums.product[first + c];
            }
        }
    }

    /// Whether a gradient must be added to what is there. Where only some of the value's blocks have one, the others
    /// get zeros.
    fn claim(&mut self, value: &Value, data: &mut [T]) -> bool {
        let blocks = value.first_block..value.first_block + value.blocks();
        let written = &mut self.memory.written[value.store];
        let any = written[blocks.clone()].contains(&true);
        let pixels = value.size[0] * value.size[1];
        for block in blocks {
            if any && !written[block] {
                for image in 0..self.batch {
                    let start = (image * self.lowered.stores[value.store].blocks + block) * pixels * LANES;
                    data[start..start + pixels * LANES].fill(T::ZERO);
                }
            }
            written[block] = true;
        }
        any
    }

    /// Makes sure that all of a value's gradient is there.
    fn settle(&mut self, value: &Value) {
        let Some(slot) = self.memory.slots.gradient[value.store] else { return };
        let mut lent = self.memory.take(slot);
        let data = lent.numbers(self.batch);
        if !self.claim(value, data) {
            let place = value.place(self.batch, &self.lowered.stores);
            for image in 0..self.batch {
                let start = place.at(image, 0, 0, 0);
                data[start..start + place.blocks() * place.pixels() * LANES].fill(T::ZERO);
            }
        }
        self.memory.give(lent);
    }

    fn fill_back(
        &mut self,
        number: usize,
        step: &Step,
        fill: &Fill,
        parameters: &mut Parameters<T>,
        receiver: &mut dyn Receive<T>,
    ) {
        let started = Instant::now();
        self.settle(&step.output);
        let (batch, output) = (self.batch, &step.output);
        for (index, input) in step.inputs.iter().enumerate().filter(|(_, input)| input.trained) {
            let parameters = &*parameters;
            self.pull(input, self.passing.of(number, index), |plan, sink| {
                let gradient = plan.memory.gradient(output, &plan.passing, batch, &plan.lowered);
                plan.input_back(step, fill, index, &gradient, parameters, sink);
            });
        }
        self.clock.add(number, Part::Inputs, started);
        if let Fill::Conv { weight, bias, .. } | Fill::Linear { weight, bias, .. } = fill {
            let started = Instant::now();
            if let Some(bias) = bias.filter(|bias| self.lowered.trained[*bias]) {
                let gradient = self.memory.gradient(output, &self.passing, batch, &self.lowered);
                let sums: Vec<T> = loss::channel_sums(self.set, &gradient).into_iter().map(T::from_f64).collect();
                receiver.receive(bias, &mut parameters.values[bias], &sums);
            }
            if self.lowered.trained[*weight] {
                self.weights_back(step, fill, parameters, receiver);
            }
            self.clock.add(number, Part::Weights, started);
        }
    }

    /// The gradient of one input.
    fn input_back(
        &self,
        step: &Step,
        fill: &Fill,
        index: usize,
        gradient: &View<'_, T>,
        parameters: &Parameters<T>,
        sink: Sink<'_, T>,
    ) {
        let set = self.set;
        let input = &step.inputs[index];
        match fill {
            Fill::Input => {}
            Fill::Conv { conv, weight, table, .. } => {
                let weights = dense(&parameters.values[*weight], table, conv.in_channels);
                conv.backward_input(set, gradient, &weights, sink);
            }
            Fill::Linear { weight, .. } => {
                let linear = Linear { in_features: input.channels, out_features: step.output.channels };
                linear.backward_input(set, gradient, &parameters.values[*weight], sink);
            }
            Fill::MaxPool { window, winners } => {
                Max::from(window).backward(set, gradient, &self.memory.winners[*winners], sink);
            }
            Fill::AvgPool(_) | Fill::AdaptiveAvgPool(_) => {
                average(fill, input.size, step.output.size).backward(set, gradient, sink);
            }
            Fill::Sum => copy::copy(set, gradient, sink),
            Fill::Concat => {
                let from = step.inputs[..index].iter().map(|before| before.channels).sum();
                let count = input.channels;
                copy::gather(set, &[copy::Channels { view: *gradient, from, to: 0, count }], sink);
            }
            Fill::ZeroChannels { before } => {
                let count = input.channels;
                copy::gather(set, &[copy::Channels { view: *gradient, from: *before, to: 0, count }], sink);
            }
            Fill::Flatten => unflatten(set, gradient, sink),
            Fill::Dropout { mask, .. } => multiply(set, gradient, &self.memory.masks[*mask], sink),
            Fill::Sigmoid | Fill::Tanh { .. } | Fill::Softmax => {
                let output = self.memory.view(&step.output, self.batch, &self.lowered);
                activation(fill).backward(set, &output, gradient, sink);
            }
            Fill::Lrn(op) => {
                Lrn::from(op).backward(set, &self.memory.view(input, self.batch, &self.lowered), gradient, sink);
            }
            Fill::RadialBasis { centres } => {
                let x = rows(&self.memory.view(input, self.batch, &self.lowered));
                let place = Place::new(self.batch, input.channels, [1, 1]);
                let back = radial_basis_back(&x, &rows(gradient), centres, place);
                copy::copy(set, &View::plain(&back, place), sink);
            }
        }
    }

    /// The gradient of a layer's weights.
    fn weights_back(
        &mut self,
        step: &Step,
        fill: &Fill,
        parameters: &mut Parameters<T>,
        receiver: &mut dyn Receive<T>,
    ) {
        let (set, batch) = (self.set, self.batch);
        let mut scratch = std::mem::replace(&mut self.memory.gradient, Buffer::zeros(0));
        let gradient = self.memory.gradient(&step.output, &self.passing, batch, &self.lowered);
        let input = self.memory.view(&step.inputs[0], batch, &self.lowered);
        match fill {
            Fill::Conv { conv, weight, table, .. } => {
                let weights = &mut parameters.values[*weight];
                if scratch.len() < conv.weights() {
                    scratch = Buffer::zeros(conv.weights());
                }
                let all = &mut scratch[..conv.weights()];
                conv.backward_weights(set, &input, &gradient, all);
                match table {
                    None => receiver.receive(*weight, weights, all),
                    Some(table) => receiver.receive(*weight, weights, &connected(all, table, conv.in_channels)),
                }
            }
            Fill::Linear { weight, .. } => {
                let linear = Linear { in_features: input.place.channels, out_features: gradient.place.channels };
                let weights = &mut parameters.values[*weight];
                if let Some(Parts { memory, update }) = receiver.parts(*weight, weights.len()) {
                    linear.backward_weights_with(set, &input, &gradient, weights, memory, &*update);
                } else {
                    if scratch.len() < weights.len() {
                        scratch = Buffer::zeros(weights.len());
                    }
                    let all = &mut scratch[..weights.len()];
                    linear.backward_weights(set, &input, &gradient, all);
                    receiver.receive(*weight, weights, all);
                }
            }
            _ => {}
        }
        self.memory.gradient = scratch;
    }

    fn map_back(&mut self, step: &Step, work: &MapWork, parameters: &mut Parameters<T>, receiver: &mut dyn Receive<T>) {
        let (tally, parameter) = match work {
            MapWork::Norm { tally: Some(tally), parameter, .. }
            | MapWork::ChannelAffine { tally: Some(tally), parameter } => (*tally, *parameter),
            MapWork::Norm { .. } | MapWork::ChannelAffine { .. } => return,
            MapWork::Floor | MapWork::Join | MapWork::Constant { .. } => return,
        };
        let tally = &self.memory.tallies[tally];
        let mut weight: Vec<T> = tally.product.iter().map(|x| T::from_f64(*x)).collect();
        let bias: Vec<T> = tally.gradient.iter().map(|x| T::from_f64(*x)).collect();
        let Value { store, first_block, size: [height, width], .. } = step.inputs[0];
        if let MapWork::Norm { eps, statistics: Statistics::Batch { .. }, .. } = work
            && let Some(normalised) = &mut self.memory.normalised[store]
        {
            let count = (self.batch * height * width) as f64;
            for (c, weight) in weight.iter_mut().enumerate() {
                let at = first_block * LANES + c;
                let deviation = 1.0 / (normalised.variance[at] + eps).sqrt();
                let scale = parameters.values[parameter][c].to_f64() * deviation;
                let slope = scale * deviation * deviation * tally.product[c] / count;
                normalised.factor[at] += T::from_f64(-slope);
                normalised.addend[at] += T::from_f64(slope * normalised.mean[at] - scale * tally.gradient[c] / count);
                *weight = T::from_f64(tally.product[c] * deviation);
            }
        }
        for (tensor, gradient) in [(parameter, weight), (parameter + 1, bias)] {
            if self.lowered.trained[tensor] {
                receiver.receive(tensor, &mut parameters.values[tensor], &gradient);
            }
        }
    }
}

/// The gradients of the connections there are.
fn connected<T: Element>(dense: &[T], table: &[Vec<usize>], channels: usize) -> Vec<T> {
    let taps = dense.len() / (table.len() * channels).max(1);
    let places = table.iter().enumerate().flat_map(|(out, row)| row.iter().map(move |input| out * channels + input));
    places.flat_map(|place| dense[place * taps..(place + 1) * taps].iter().copied()).collect()
}

/// `Σᵢ −2 gᵢ (xⱼ − cᵢⱼ)`, in rows of padded channels.
fn radial_basis_back<T: Element>(x: &[T], gradient: &[T], centres: &[Vec<f64>], place: Place) -> Vec<T> {
    let mut back = vec![T::ZERO; place.len()];
    let samples = x.chunks_exact(place.channels).zip(gradient.chunks_exact(centres.len()));
    for ((x, gradient), back) in samples.zip(back.chunks_exact_mut(place.padded_channels())) {
        for (g, centre) in gradient.iter().zip(centres) {
            for ((x, c), back) in x.iter().zip(centre).zip(back.iter_mut()) {
                *back += T::from_f64(-2.0) * *g * (*x - T::from_f64(*c));
            }
        }
    }
    back
}
