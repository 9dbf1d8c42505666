//! Updates of the planned step's weights by an optimiser's rule.

use super::Saved;
use crate::error::Result;
use crate::group::{Pace, paces};
use crate::rule::Rule;
use crate::settings::Settings;
use cnn_core::Network;
use cnn_kernels::update::Update;
use cnn_kernels::{Buffer, InstructionSet};
use cnn_plan::{Parts, Receive};

/// Updates each tensor as soon as its gradient is there, so that no two gradients are in memory at once.
#[derive(Debug)]
pub struct Updates {
    set: InstructionSet,
    rule: Rule,
    learning_rate: f64,
    steps: i32,
    /// What each tensor's learning rate and weight decay are multiplied by; those that are missing are as the rule says.
    paces: Vec<Pace>,
    /// What the rule remembers of each tensor.
    memory: Vec<[Buffer<f32>; 2]>,
}

impl Updates {
    /// Updates by a rule, before the first step.
    ///
    /// # Panics
    ///
    /// Where `CNN_INSTRUCTION_SET` asks for instructions that are not there, which [`Task::check`](crate::Task::check) and
    /// every plan refuse first.
    pub fn new(rule: Rule) -> Self {
        let set = InstructionSet::chosen();
        Self { set, rule, learning_rate: 0.0, steps: 0, paces: Vec::new(), memory: Vec::new() }
    }

    /// The same with each tensor's learning rate and weight decay as the groups and the decay of these settings say.
    ///
    /// # Errors
    ///
    /// A group that no trained tensor of the network belongs to.
    pub fn paced(self, network: &Network, settings: &Settings) -> Result<Self> {
        Ok(Self { paces: paces(network, &settings.groups, settings.decay)?, ..self })
    }

    /// Begins a step.
    pub fn next(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
        self.steps += 1;
    }

    /// What the rule remembers: the memory's name, the tensor's position, the numbers.
    pub(crate) fn memory(&self) -> impl Iterator<Item = (&'static str, usize, &[f32])> {
        let names = self.rule.memories();
        self.memory.iter().enumerate().flat_map(move |(tensor, memory)| {
            let named = names.into_iter().zip(memory);
            named.filter_map(move |(name, memory)| Some((name?, tensor, &**memory)).filter(|_| !memory.is_empty()))
        })
    }

    /// Goes on with what was saved.
    pub(crate) fn restore(&mut self, saved: &Saved, network: &Network) -> Result<()> {
        self.steps = saved.steps;
        self.memory.clear();
        for spec in network.tensors() {
            let [first, second] = self.rule.memories().map(|name| match name {
                Some(name) => saved.memory(name, &spec.name),
                None => Ok(None),
            });
            let buffer =
                |found: Option<Vec<f32>>| found.map_or_else(|| Buffer::zeros(0), |values| Buffer::from_slice(&values));
            self.memory.push([buffer(first?), buffer(second?)]);
        }
        Ok(())
    }

    fn update(&self, tensor: usize) -> Update {
        let pace = self.paces.get(tensor).copied().unwrap_or_default();
        let (rule, learning_rate) = pace.apply(self.rule, self.learning_rate);
        rule.update(self.steps, learning_rate)
    }

    /// What the rule remembers of a tensor of this length.
    fn memory_of(&mut self, tensor: usize, length: usize) -> [&mut [f32]; 2] {
        let needs = self.update(tensor).needs();
        while self.memory.len() <= tensor {
            self.memory.push([Buffer::zeros(0), Buffer::zeros(0)]);
        }
        for (memory, needed) in self.memory[tensor].iter_mut().zip(needs) {
            if needed && memory.is_empty() {
                *memory = Buffer::zeros(length);
            }
        }
        let [first, second] = &mut self.memory[tensor];
        [first, second]
    }
}

impl Receive<f32> for Updates {
    fn receive(&mut self, tensor: usize, weights: &mut [f32], gradient: &[f32]) {
        let (set, update) = (self.set, self.update(tensor));
        update.step(set, weights, gradient, self.memory_of(tensor, weights.len()));
    }

    fn parts(&mut self, tensor: usize, length: usize) -> Option<Parts<'_, f32>> {
        let (set, update) = (self.set, self.update(tensor));
        let memory = self.memory_of(tensor, length);
        let part = move |weights: &mut [f32], memory: [&mut [f32]; 2], gradient: &[f32]| {
            update.step_part(set, weights, gradient, memory);
        };
        Some(Parts { memory, update: Box::new(part) })
    }
}
