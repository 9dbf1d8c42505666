//! The stages, backwards.

use super::clock::Part;
use super::loss::{OutputGradient, OutputGradients};
use super::pass::Pass;
use crate::operation::norm::{GradientSums, Moments, correction, weight_gradient};
use crate::operation::{BackArguments, Remembered, backward_bias};
use crate::parameters::{Parameters, Parts, Receive};
use crate::plan::{Fill, MapWork, Stage, Statistics, Turn, Value, Way, Work};
use cnn_kernels::{Arrival, Buffer, Element, LANES, Map, Pull, Sink, Sums, View, copy, from_blocks, to_blocks};
use cnn_network::network::NodeId;
use std::time::Instant;

/// Sums over the gradient of what is normalised, of all shards.
pub struct AllSums {
    /// For each channel `Σ g` and `Σ g (z − μ)`.
    pub(crate) sums: Vec<f64>,
    /// Images of all shards.
    pub(crate) images: usize,
}

impl<T: Element> Pass<'_, T> {
    /// Runs the backward pass from the gradients of the outputs.
    pub(crate) fn backward(
        &mut self,
        parameters: &mut Parameters<T>,
        gradients: &OutputGradients<T>,
        receiver: &mut dyn Receive<T>,
    ) {
        self.begin_back(gradients);
        for turn in &self.plan.schedule.turns {
            self.turn(*turn, parameters, receiver, None);
        }
    }

    /// Sends the gradients of the outputs, which were checked, where they come from.
    pub(crate) fn begin_back(&mut self, gradients: &OutputGradients<T>) {
        let plan = self.plan;
        for (gradient, value) in gradients.of_outputs.iter().zip(&plan.lowered.outputs) {
            if let (Some(OutputGradient { region, blocks }), true) = (gradient, value.trained) {
                self.pull(value, Way::Through, &[], |pass, sink| {
                    copy::copy(pass.set, &View::plain(blocks, *region), sink);
                });
            }
        }
    }

    /// Takes one turn; `all` are the sums of a normalisation over shards of which this is one.
    pub(crate) fn turn(
        &mut self,
        turn: Turn,
        parameters: &mut Parameters<T>,
        receiver: &mut dyn Receive<T>,
        all: Option<&AllSums>,
    ) {
        let index = match turn {
            Turn::Again(index) => return self.again(index, parameters),
            Turn::Back(index) => index,
        };
        let stage = &self.plan.lowered.stages[index];
        match &stage.work {
            Work::Fill(fill) => self.fill_back(index, fill, parameters, receiver),
            Work::Map(work) => self.map_back(stage, work, parameters, receiver, all),
        }
    }

    /// A value, seen through its map.
    pub(super) fn view(&self, value: &Value) -> View<'_, T> {
        match self.plan.lowered.stores[value.store].planar {
            true => {
                let region = value.region(self.batch, &self.plan.lowered.stores);
                View { data: self.images, region, map: Map::Planar }
            }
            false => self.workspace.view(self.plan, value, self.batch),
        }
    }

    /// Sends a gradient to a value's store, through the value's map: `send` gets the sink that takes it there. The `biases` of
    /// some stages get the sums of what arrives.
    fn pull(&mut self, value: &Value, way: Way, biases: &[usize], send: impl FnOnce(&Self, Sink<'_, T>)) {
        let Some(slot) = self.plan.slots.gradient[value.store] else { return };
        let shared = way == Way::Shared;
        if shared || way == Way::Begun {
            self.workspace.written[value.store].fill(true);
        }
        if way == Way::Begun || (shared && value.tallies.is_empty()) {
            return;
        }
        // Where the gradient is shared it is read there.
        let mut lent = (!shared).then(|| self.workspace.take(slot));
        let data = lent.as_mut().map_or(&mut [][..], |lent| lent.numbers(self.batch));
        let region = value.region(self.batch, &self.plan.lowered.stores);
        let arrival = match way {
            Way::Shared | Way::Begun => Arrival::Count,
            Way::Through => Arrival::adding(self.claim(value, data)),
            Way::Added => Arrival::Add,
            Way::Finished => Arrival::Finish,
        };
        let raw = way == Way::Added;
        let nobody_sums = value.tallies.is_empty() && biases.is_empty();
        let mut sums = (!nobody_sums && !raw).then(|| {
            let mut centre = vec![0.0; value.channels];
            for (tally, first) in &value.tallies {
                let own = &self.workspace.tallies[*tally].centre;
                centre[*first..first + own.len()].copy_from_slice(own);
            }
            Sums { centre, ..Sums::default() }
        });
        let factor = value.map.filter(|_| !raw).map(|map| &*self.workspace.maps[map].scale);
        let through = (value.looks_back() && !raw).then(|| self.view(value));
        let pull = Pull { data, region, arrival, factor, through, sums: sums.as_mut() };
        send(self, Sink::Pull(pull));
        if let Some(lent) = lent {
            self.workspace.give(lent);
        }
        let Some(sums) = sums else { return };
        for stage in biases {
            let scale = value.map.map(|map| &self.workspace.maps[map].scale);
            let own =
                value.channels_of(&self.plan.lowered.stages[*stage].output).expect("the channels it was chosen for");
            let of = |c: usize| T::from_f64(sums.gradient[c] * scale.map_or(1.0, |scale| scale[c].to_f64()));
            self.workspace.biases.insert(*stage, own.map(of).collect());
        }
        for (tally, first) in &value.tallies {
            let tally = &mut self.workspace.tallies[*tally];
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
        let written = &mut self.workspace.written[value.store];
        let any = written[blocks.clone()].contains(&true);
        let pixels = value.size[0] * value.size[1];
        for block in blocks {
            if any && !written[block] {
                for image in 0..self.batch {
                    let start = (image * self.plan.lowered.stores[value.store].blocks + block) * pixels * LANES;
                    data[start..start + pixels * LANES].fill(T::ZERO);
                }
            }
            written[block] = true;
        }
        any
    }

    /// Sets to zero the blocks of a value's gradient that nothing was sent to.
    fn settle(&mut self, value: &Value) {
        let Some(slot) = self.plan.slots.gradient[value.store] else { return };
        let mut lent = self.workspace.take(slot);
        let data = lent.numbers(self.batch);
        if !self.claim(value, data) {
            let region = value.region(self.batch, &self.plan.lowered.stores);
            for image in 0..self.batch {
                let start = region.at(image, 0, 0, 0);
                data[start..start + region.blocks() * region.pixels() * LANES].fill(T::ZERO);
            }
        }
        self.workspace.give(lent);
    }

    /// Shows the receiver the gradient of a node, and takes back what it makes of it.
    fn show(&mut self, node: NodeId, value: &Value, receiver: &mut dyn Receive<T>) {
        let Some(slot) = self.plan.slots.gradient[value.store] else { return };
        let region = value.region(self.batch, &self.plan.lowered.stores);
        let mut lent = self.workspace.take(slot);
        let mut rows = vec![T::ZERO; self.batch * region.channels * region.pixels()];
        from_blocks(lent.numbers(self.batch), &region, &mut rows);
        receiver.node(node, &mut rows);
        to_blocks(&rows, lent.numbers(self.batch), &region);
        self.workspace.give(lent);
    }

    fn fill_back(&mut self, number: usize, fill: &Fill, parameters: &mut Parameters<T>, receiver: &mut dyn Receive<T>) {
        let started = Instant::now();
        let plan = self.plan;
        let (stage, batch) = (&plan.lowered.stages[number], self.batch);
        self.settle(&stage.output);
        if let Some(node) = plan.lowered.watched.get(&number) {
            self.show(*node, &stage.output, receiver);
        }
        for (index, input) in stage.inputs.iter().enumerate().filter(|(_, input)| input.trained) {
            let parameters = &*parameters;
            let biases = plan.passing.biases_of(number, index);
            self.pull(input, plan.passing.of(number, index), biases, |pass, sink| {
                pass.input_back(stage, fill, index, parameters, sink)
            });
        }
        self.workspace.clock.add(number, Part::Inputs, started);
        let trained = |parameter: Option<usize>| parameter.filter(|parameter| plan.lowered.trained[*parameter]);
        let (weight, bias) = (trained(fill.weight), trained(fill.bias));
        if weight.or(bias).is_none() {
            return;
        }
        let started = Instant::now();
        if let Some(bias) = bias {
            let sums = match self.workspace.biases.remove(&number) {
                Some(sums) => sums,
                None => backward_bias(self.set, &self.workspace.gradient(plan, &stage.output, batch)),
            };
            receiver.receive(bias, &mut parameters.values[bias], &sums);
        }
        if let Some(weight) = weight {
            self.weights_back(stage, fill, weight, parameters, receiver);
        }
        self.workspace.clock.add(number, Part::Weights, started);
    }

    /// The gradient of one input.
    fn input_back(&self, stage: &Stage, fill: &Fill, index: usize, parameters: &Parameters<T>, sink: Sink<'_, T>) {
        let (plan, batch, operation) = (self.plan, self.batch, &fill.operation);
        let read = operation.reads_inputs_back(false);
        let inputs = stage.inputs.iter().map(|input| read.then(|| self.view(input)));
        let channels: Vec<usize> = stage.inputs.iter().map(|input| input.channels).collect();
        let nothing = Remembered::default();
        let arguments = BackArguments {
            gradient: self.workspace.gradient(plan, &stage.output, batch),
            weights: fill.weight.map_or(&[][..], |weight| &parameters.values[weight]),
            remembered: fill.memory.map_or(&nothing, |memory| &self.workspace.remembered[memory]),
            inputs: &inputs.collect::<Vec<_>>(),
            channels: &channels,
            output: operation.reads_output_back().then(|| self.view(&stage.output)),
        };
        operation.backward_input(self.set, index, &arguments, sink);
    }

    /// The gradient of a layer's weights.
    fn weights_back(
        &mut self,
        stage: &Stage,
        fill: &Fill,
        weight: usize,
        parameters: &mut Parameters<T>,
        receiver: &mut dyn Receive<T>,
    ) {
        let (plan, set, batch, operation) = (self.plan, self.set, self.batch, &fill.operation);
        let mut room = std::mem::replace(&mut self.workspace.gradient, Buffer::zeros(0));
        let gradient = self.workspace.gradient(plan, &stage.output, batch);
        let input = self.view(&stage.inputs[0]);
        let weights = &mut parameters.values[weight];
        if let Some(linear) = operation.as_linear()
            && let Some(Parts { memory, update }) = receiver.parts(weight, weights.len())
        {
            linear.backward_weights_with(set, &input, &gradient, weights, memory, &*update);
        } else {
            if room.len() < operation.weight_numbers() {
                room = Buffer::zeros(operation.weight_numbers());
            }
            let all = operation.backward_weights(set, &input, &gradient, &mut room);
            receiver.receive(weight, weights, &all);
        }
        self.workspace.gradient = room;
    }

    fn map_back(
        &mut self,
        stage: &Stage,
        work: &MapWork,
        parameters: &mut Parameters<T>,
        receiver: &mut dyn Receive<T>,
        all: Option<&AllSums>,
    ) {
        let (tally, parameter) = match work {
            MapWork::Norm { tally: Some(tally), parameter, .. }
            | MapWork::ChannelAffine { tally: Some(tally), parameter } => (*tally, *parameter),
            MapWork::Norm { .. } | MapWork::ChannelAffine { .. } => return,
            MapWork::Floor | MapWork::Join | MapWork::Constant { .. } => return,
        };
        let tally = &self.workspace.tallies[tally];
        let mut weight: Vec<T> = tally.product.iter().map(|x| T::from_f64(*x)).collect();
        let bias: Vec<T> = tally.gradient.iter().map(|x| T::from_f64(*x)).collect();
        let Value { store, first_block, size: [height, width], .. } = stage.inputs[0];
        if let MapWork::Norm { eps, statistics, .. } = work {
            let normalised = match statistics {
                Statistics::Batch { .. } => self.workspace.normalised[store].as_mut(),
                Statistics::Running => None,
            };
            if let Some(normalised) = normalised {
                let count = all.map_or(self.batch, |all| all.images) * height * width;
                for (c, weight) in weight.iter_mut().enumerate() {
                    let at = first_block * LANES + c;
                    let moments = Moments { mean: normalised.mean[at], variance: normalised.variance[at] };
                    let sums = GradientSums { gradient: tally.gradient[c], product: tally.product[c], count };
                    let of_batch = all.map_or(sums, |all| GradientSums {
                        gradient: all.sums[2 * c],
                        product: all.sums[2 * c + 1],
                        count,
                    });
                    let correction = correction(parameters.values[parameter][c], moments, *eps, of_batch);
                    normalised.factor[at] += correction.factor;
                    normalised.addend[at] += correction.addend;
                    *weight = weight_gradient(moments, *eps, sums);
                }
            }
        }
        for (tensor, gradient) in [(parameter, weight), (parameter + 1, bias)] {
            if self.plan.lowered.trained[tensor] {
                receiver.receive(tensor, &mut parameters.values[tensor], &gradient);
            }
        }
    }
}
