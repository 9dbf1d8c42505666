//! A plan, and how it is used.

use crate::clock::{Clock, StepTime};
use crate::error::{Error, Result};
use crate::lifetime::slots;
use crate::lower::{Lowered, Purpose, lower};
use crate::memory::Memory;
use crate::parameters::{Parameters, Receive};
use crate::passing::Passing;
use crate::recompute::{Recompute, schedule};
use crate::schedule::Schedule;
use crate::step::{Fill, Work};
use cnn_core::Network;
use cnn_kernels::loss::{CrossEntropy, Targets};
use cnn_kernels::{Element, InstructionSet, from_blocks};

/// A network's steps, with the memory they need.
#[derive(Debug)]
pub struct Plan<T> {
    pub(crate) network: Network,
    pub(crate) training: bool,
    pub(crate) set: InstructionSet,
    pub(crate) lowered: Lowered,
    pub(crate) schedule: Schedule,
    pub(crate) passing: Passing,
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

/// Images `(N, C, H, W)` and what the network should say of them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    /// The images, one behind the other.
    pub images: &'a [T],
    /// Labels, one for each, and how much they count.
    pub targets: Targets<'a>,
}

/// How a network is trained.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainingOptions<'a> {
    /// Where dropout begins to draw, as [`Model::with_dropout`](cnn_core::Model::with_dropout) does.
    pub seed: u64,
    /// Passes that were taken before, as there.
    pub passes: u64,
    /// For each tensor, in the order of [`Network::tensors`], whether it stays as it is; empty if none does. It gets no
    /// gradient, and what serves only to compute it is left out. A batch normalisation whose weight is frozen
    /// normalises by its running statistics, which stay too. For statistics alone the word has no meaning.
    pub frozen: &'a [bool],
    /// What is computed again in the backward pass instead of keeping it.
    pub recompute: Recompute,
}

impl<T: Element> Plan<T> {
    /// A plan for training: all outputs, batch normalisation by the batch, dropout.
    ///
    /// # Errors
    ///
    /// Frozen tensors, but not a word for each.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn training(network: &Network, options: TrainingOptions<'_>) -> Result<Self> {
        let TrainingOptions { seed, passes, frozen, recompute } = options;
        let expected = network.tensors().count();
        if ![0, expected].contains(&frozen.len()) {
            let network = network.name().to_string();
            return Err(Error::Frozen { network, expected, found: frozen.len() });
        }
        let lowered = lower(network, Purpose::Training { frozen });
        let schedule = schedule(&lowered, recompute);
        let dropout = Dropout { seed, pass: passes };
        Ok(Self { training: true, dropout, ..Self::new(network, lowered, schedule) })
    }

    /// A plan for evaluation: the logits alone.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn evaluation(network: &Network) -> Self {
        let lowered = lower(network, Purpose::Evaluation);
        let schedule = Schedule::forward_only(&lowered);
        Self::new(network, lowered, schedule)
    }

    fn new(network: &Network, lowered: Lowered, schedule: Schedule) -> Self {
        let passing = Passing::new(&lowered, &schedule);
        Self {
            network: network.clone(),
            training: false,
            set: InstructionSet::chosen(),
            memory: Memory::new(&lowered, slots(&lowered, &schedule, &passing)),
            dropout: Dropout::default(),
            clock: Clock::new(lowered.steps.len()),
            batch: 0,
            seeds: Vec::new(),
            lowered,
            schedule,
            passing,
        }
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
    /// Images of another size, a label that is no class, mixed-in labels that are not one for each image, a share that is
    /// not from 0 to 1, batch normalisation over a single value, an output that is no vector, a batch that memory does
    /// not hold.
    pub fn forward(&mut self, parameters: &mut Parameters<T>, batch: &Batch<'_, T>) -> Result<f64> {
        self.check(&batch.targets)?;
        for output in self.network.outputs() {
            let shape = self.network.node(output.node).shape;
            if shape.size().is_some() {
                let (network, output) = (self.network.name().to_string(), output.name.clone());
                return Err(Error::Output { network, output, shape });
            }
        }
        self.run(parameters, batch.images, batch.targets.labels.len())?;
        let mut total = 0.0;
        for (value, output) in self.lowered.outputs.iter().zip(self.network.outputs()) {
            let logits = self.memory.view(value, self.batch, &self.lowered);
            let mut seed = vec![T::ZERO; self.batch * logits.place.padded_channels()];
            let loss = CrossEntropy { weight: output.loss_weight };
            total += loss.run(self.set, &logits, &batch.targets, &mut seed);
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

    fn check(&self, targets: &Targets<'_>) -> Result<()> {
        let network = || self.network.name().to_string();
        let (images, others) = (targets.labels.len(), targets.mixed.map_or(targets.labels, |(labels, _)| labels));
        if others.len() != images {
            return Err(Error::Labels { network: network(), expected: images, found: others.len() });
        }
        let shares =
            [("a label's own part", targets.mixed.map_or(1.0, |(_, share)| share)), ("smoothing", targets.smoothing)];
        if let Some((what, found)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(Error::Share { network: network(), what, found });
        }
        let classes = self.lowered.outputs.iter().map(|output| output.channels).min().unwrap_or(0);
        match targets.labels.iter().chain(others).find(|label| **label as usize >= classes) {
            Some(label) => Err(Error::Label { network: network(), label: *label, classes }),
            None => Ok(()),
        }
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
