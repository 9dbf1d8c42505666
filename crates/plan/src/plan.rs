//! A plan, and how it is used.

use crate::clock::{Clock, StepTime};
use crate::error::{Error, Result};
use crate::lifetime::slots;
use crate::lower::{Lowered, lower};
use crate::memory::Memory;
use crate::parameters::{Parameters, Receive};
use crate::step::{Fill, Work};
use cnn_core::Network;
use cnn_kernels::loss::CrossEntropy;
use cnn_kernels::{Element, InstructionSet, from_blocks};

/// A network's steps, with the memory they need.
#[derive(Debug)]
pub struct Plan<T> {
    pub(crate) network: Network,
    pub(crate) training: bool,
    pub(crate) set: InstructionSet,
    pub(crate) lowered: Lowered,
    pub(crate) memory: Memory<T>,
    pub(crate) dropout: Dropout,
    pub(crate) clock: Clock,
    /// Images of the last forward pass.
    pub(crate) batch: usize,
    /// Gradients of the outputs, in rows of padded channels.
    pub(crate) seeds: Vec<Vec<T>>,
}

/// Where dropout's masks come from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dropout {
    pub(crate) seed: u64,
    pub(crate) pass: u64,
}

/// Images `(N, C, H, W)` and their labels.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    /// The images, one behind the other.
    pub images: &'a [T],
    /// One class for each.
    pub labels: &'a [u32],
}

impl<T: Element> Plan<T> {
    /// A plan for training: all outputs, batch normalisation by the batch, dropout from `seed`, as
    /// [`Model::with_dropout`](cnn_core::Model::with_dropout) draws it.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn training(network: &Network, seed: u64, passes: u64) -> Self {
        Self::new(network, true, Dropout { seed, pass: passes })
    }

    /// A plan for evaluation: the logits alone.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn evaluation(network: &Network) -> Self {
        Self::new(network, false, Dropout::default())
    }

    fn new(network: &Network, training: bool, dropout: Dropout) -> Self {
        let lowered = lower(network, training);
        let memory = Memory::new(&lowered, slots(&lowered, training));
        let set = InstructionSet::chosen();
        let clock = Clock::new(lowered.steps.len());
        Self { network: network.clone(), training, set, lowered, memory, dropout, clock, batch: 0, seeds: Vec::new() }
    }

    /// The same on other instructions; for tests and measurements.
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set, ..self }
    }

    /// Numbers the plan's stores and their gradients hold per image.
    pub fn numbers_per_image(&self) -> usize {
        self.memory.slots.lengths.iter().sum()
    }

    /// What each step has taken so far: the node it comes from, what it does, and the time.
    pub fn times(&self) -> impl Iterator<Item = (&str, &'static str, StepTime)> {
        let steps = self.lowered.steps.iter().zip(&self.clock.times);
        steps.map(|(step, time)| (step.path.as_str(), step.work.name(), *time))
    }

    /// Computes the logits of images `(N, C, H, W)`, row by row.
    ///
    /// # Errors
    ///
    /// Images of another size; in training, batch normalisation over a single value.
    pub fn logits(&mut self, parameters: &mut Parameters<T>, images: &[T]) -> Result<Vec<T>> {
        let numbers = self.network.input().elements().max(1);
        self.run(parameters, images, images.len() / numbers)?;
        Ok(self.output(0))
    }

    /// Output number `index` of the last forward pass, `(N, classes)`.
    pub fn output(&self, index: usize) -> Vec<T> {
        let value = &self.lowered.outputs[index];
        let view = self.memory.view(value, self.batch, &self.lowered);
        let mut rows = vec![T::ZERO; self.batch * value.channels * view.place.pixels()];
        from_blocks(view.data, &view.place, &mut rows);
        rows
    }

    /// A training step's forward pass: the mean cross-entropy of the logits, plus that of each auxiliary head times its
    /// weight.
    ///
    /// # Errors
    ///
    /// Images of another size, a label that is no class, batch normalisation over a single value, an output that is no
    /// vector, a batch that memory does not hold.
    pub fn forward(&mut self, parameters: &mut Parameters<T>, batch: &Batch<'_, T>, smoothing: f64) -> Result<f64> {
        let classes = self.lowered.outputs.iter().map(|output| output.channels).min().unwrap_or(0);
        if let Some(label) = batch.labels.iter().find(|label| **label as usize >= classes) {
            return Err(Error::Label { network: self.network.name().to_string(), label: *label, classes });
        }
        for output in self.network.outputs() {
            let shape = self.network.node(output.node).shape;
            if shape.size().is_some() {
                let (network, output) = (self.network.name().to_string(), output.name.clone());
                return Err(Error::Output { network, output, shape });
            }
        }
        self.run(parameters, batch.images, batch.labels.len())?;
        let mut total = 0.0;
        for (value, output) in self.lowered.outputs.iter().zip(self.network.outputs()) {
            let logits = self.memory.view(value, self.batch, &self.lowered);
            let mut seed = vec![T::ZERO; self.batch * logits.place.padded_channels()];
            let loss = CrossEntropy { smoothing, weight: output.loss_weight };
            total += loss.run(self.set, &logits, batch.labels, &mut seed);
            self.seeds.push(seed);
        }
        Ok(total)
    }

    /// The backward pass of the last [`Plan::forward`]: every gradient goes to `receiver` once, and its tensor may be
    /// changed there.
    pub fn backward(&mut self, parameters: &mut Parameters<T>, receiver: &mut dyn Receive<T>) {
        let seeds = std::mem::take(&mut self.seeds);
        self.run_back(parameters, &seeds, receiver);
    }

    fn run(&mut self, parameters: &mut Parameters<T>, images: &[T], batch: usize) -> Result<()> {
        let expected = self.network.input();
        if images.len() != batch * expected.elements() || batch == 0 {
            let network = self.network.name().to_string();
            return Err(Error::BatchLength { network, batch, expected, found: images.len() });
        }
        self.seeds.clear();
        for step in &self.lowered.steps {
            if let Work::Fill(Fill::MaxPool { window, .. }) = &step.work
                && window.kernel.area() > 256
            {
                return Err(Error::Pool { path: step.path.clone(), taps: window.kernel.area() });
            }
        }
        self.memory.prepare(batch)?;
        self.batch = batch;
        self.run_forward(parameters, images)
    }
}
