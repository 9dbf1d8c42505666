//! Optimisers over candle's tensors: from gradients to steps, on any device.

use crate::engine::Saved;
use crate::error::Result;
use crate::group::{Pace, paces};
use crate::rule::Rule;
use crate::settings::Settings;
use crate::tensor_rule;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use cnn_core::tensors::TensorSpec;
use cnn_core::{Model, Network};
use std::collections::HashMap;

/// A rule with its state for every trained tensor of a model, in the model's order.
#[derive(Debug)]
pub struct Optimiser {
    rule: Rule,
    parameters: Vec<Parameter>,
    steps: i32,
}

/// A trained tensor with what its rule remembers.
#[derive(Debug)]
struct Parameter {
    name: String,
    var: Var,
    /// What its learning rate and weight decay are multiplied by.
    pace: Pace,
    /// As [`Rule::memories`] names them.
    memory: [Option<Tensor>; 2],
}

impl Optimiser {
    /// An optimiser for everything a model trains.
    ///
    /// # Errors
    ///
    /// Those of candle.
    pub fn new(rule: Rule, model: &Model) -> Result<Self> {
        let parameter = |(spec, var): (&TensorSpec, Var)| Parameter {
            name: spec.name.clone(),
            var,
            pace: Pace::default(),
            memory: [None, None],
        };
        Ok(Self { rule, parameters: model.trainable()?.into_iter().map(parameter).collect(), steps: 0 })
    }

    /// The same with each tensor's learning rate and weight decay as the groups and the decay of these settings say.
    ///
    /// # Errors
    ///
    /// A group that no trained tensor of the network belongs to.
    pub fn paced(mut self, network: &Network, settings: &Settings) -> Result<Self> {
        let paces = paces(network, &settings.groups, settings.decay)?;
        let paces: HashMap<&str, Pace> = network.tensors().map(|spec| spec.name.as_str()).zip(paces).collect();
        for parameter in &mut self.parameters {
            parameter.pace = paces.get(parameter.name.as_str()).copied().unwrap_or_default();
        }
        Ok(self)
    }

    /// One step along `gradients`. A tensor without a gradient stays.
    ///
    /// # Errors
    ///
    /// Those of candle.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        let gradients = self.gradients(gradients);
        self.step_along(&gradients, learning_rate)
    }

    /// The gradients of what is trained, in order.
    pub(crate) fn gradients(&self, gradients: &GradStore) -> Vec<Option<Tensor>> {
        self.parameters.iter().map(|parameter| gradients.get(&parameter.var).map(Tensor::detach)).collect()
    }

    /// One step along one gradient for each tensor that is trained, in order.
    pub(crate) fn step_along(&mut self, gradients: &[Option<Tensor>], learning_rate: f64) -> Result<()> {
        self.steps += 1;
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            if let Some(gradient) = gradient {
                parameter.step(self.rule, self.steps, gradient, learning_rate)?;
            }
        }
        Ok(())
    }

    /// What the rule remembers: the memory's name, the tensor's name, the numbers.
    pub(crate) fn memory(&self) -> impl Iterator<Item = (&'static str, &str, &Tensor)> {
        self.parameters.iter().flat_map(|parameter| {
            let named = self.rule.memories().into_iter().zip(&parameter.memory);
            named.filter_map(|(name, memory)| Some((name?, parameter.name.as_str(), memory.as_ref()?)))
        })
    }

    /// Goes on with what was saved.
    pub(crate) fn restore(&mut self, saved: &Saved) -> Result<()> {
        self.steps = saved.steps;
        for parameter in &mut self.parameters {
            for (memory, name) in parameter.memory.iter_mut().zip(self.rule.memories()) {
                let Some(name) = name else { continue };
                let found = saved.memory(name, &parameter.name)?;
                let var = &parameter.var;
                *memory = found.map(|values| Tensor::from_vec(values, var.shape(), var.device())).transpose()?;
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn step(&mut self, rule: Rule, steps: i32, gradient: &Tensor, learning_rate: f64) -> Result<()> {
        let (rule, learning_rate) = self.pace.apply(rule, learning_rate);
        let update = rule.update(steps, learning_rate);
        let (new, memory) = tensor_rule::step(&update, &self.var.as_detached_tensor(), gradient, &self.memory)?;
        self.memory = memory;
        Ok(self.var.set(&new)?)
    }
}
