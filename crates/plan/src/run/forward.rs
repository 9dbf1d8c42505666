//! The stages, forward.

use super::clock::Part;
use super::pass::Pass;
use crate::operation::{Arguments, Operation, Remembered};
use crate::parameters::Parameters;
use crate::plan::{Fill, Stage, Value, Work};
use cnn_kernels::{Element, LANES, Moments, Region, Store, View, moments, to_blocks};
use cnn_network::dropout_mask;
use std::time::Instant;

/// Why a store is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// In the forward pass.
    Forward,
    /// Again in the backward pass: the same numbers as before. Masks, moments and statistics stay.
    Again,
}

impl<T: Element> Pass<'_, T> {
    /// Runs all stages.
    pub(crate) fn forward(&mut self, parameters: &Parameters<T>) {
        for index in 0..self.plan.lowered.stages.len() {
            self.stage(index, parameters);
        }
    }

    /// Runs one stage.
    pub(crate) fn stage(&mut self, index: usize, parameters: &Parameters<T>) {
        let started = Instant::now();
        let stage = &self.plan.lowered.stages[index];
        match &stage.work {
            Work::Fill(fill) => self.fill(stage, fill, parameters, Why::Forward),
            Work::Map(work) => self.map(stage, work, parameters),
        }
        self.workspace.clock.add(index, Part::Forward, started);
    }

    /// Fills a stage's store once more.
    pub(crate) fn again(&mut self, index: usize, parameters: &Parameters<T>) {
        let started = Instant::now();
        let stage = &self.plan.lowered.stages[index];
        let store = stage.output.store;
        if let (Work::Fill(fill), Some(slot)) = (&stage.work, self.plan.slots.again[store]) {
            self.workspace.at[store] = slot;
            self.fill(stage, fill, parameters, Why::Again);
        }
        self.workspace.clock.add(index, Part::Forward, started);
    }

    fn fill(&mut self, stage: &Stage, fill: &Fill, parameters: &Parameters<T>, why: Why) {
        let (plan, batch, set, output) = (self.plan, self.batch, self.set, &stage.output);
        let region = output.region(batch, &plan.lowered.stores);
        let forward = why == Why::Forward;
        let mut lent = self.workspace.take(self.workspace.at[output.store]);
        let mut moments = (forward && plan.lowered.stores[output.store].normalised).then(Moments::default);
        let mut remembered = fill
            .memory
            .map_or_else(Remembered::default, |memory| std::mem::take(&mut self.workspace.remembered[memory]));
        if let (Operation::Dropout { rate }, true) = (&fill.operation, forward) {
            self.draw(stage, *rate, &mut remembered.mask);
        }
        let inputs: Vec<View<'_, T>> = stage.inputs.iter().map(|input| self.view(input)).collect();
        let tensor = |parameter: usize| &*parameters.values[parameter];
        let bias = fill.bias.map(tensor);
        let sink = Store { data: lent.numbers(batch), region, bias, floor: None, moments: moments.as_mut() };
        match (&fill.operation, why) {
            // Where they are read as they came, they are read from where they are.
            (Operation::Input, Why::Forward) if plan.lowered.stores[output.store].planar => {}
            (Operation::Input, Why::Forward) => {
                to_blocks(self.images, sink.data, &region);
                if let Some(moments) = sink.moments {
                    *moments = moments::moments(set, &View::plain(sink.data, region));
                }
            }
            (operation, _) => {
                let weights = fill.weight.map_or(&[][..], tensor);
                let arguments = Arguments { inputs: &inputs, weights, remembered: &mut remembered };
                operation.forward(set, arguments, sink);
            }
        }
        if let Some(memory) = fill.memory {
            self.workspace.remembered[memory] = remembered;
        }
        self.workspace.give(lent);
        if let (Some(moments), Some(normalised)) = (moments, &mut self.workspace.normalised[output.store]) {
            let first = output.first_block * LANES;
            normalised.mean[first..first + output.channels].copy_from_slice(&moments.mean);
            normalised.variance[first..first + output.channels].copy_from_slice(&moments.variance);
        }
    }

    /// Draws the mask of a dropout.
    fn draw(&self, stage: &Stage, rate: f64, mask: &mut Vec<T>) {
        let Value { channels, size, .. } = stage.output;
        let numbers = self.batch * channels * size[0] * size[1];
        let drawn = dropout_mask(self.dropout.seed, self.dropout.passes, &stage.path, rate, numbers);
        let drawn: Vec<T> = drawn.into_iter().map(T::from_f64).collect();
        let own = Region::new(self.batch, channels, size);
        mask.resize(own.len(), T::ZERO);
        to_blocks(&drawn, mask, &own);
    }
}
