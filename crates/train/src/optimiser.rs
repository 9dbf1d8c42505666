//! Optimisers: from gradients to steps.

use crate::error::Result;
use crate::settings::Rule;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use cnn_core::Model;

/// A rule with its state for every trained tensor of a model, in the model's order.
#[derive(Debug)]
pub struct Optimiser {
    rule: Rule,
    parameters: Vec<Parameter>,
    steps: i32,
}

/// A trained tensor with what its rule remembers: the velocity, or mean and mean square gradient.
#[derive(Debug)]
struct Parameter {
    var: Var,
    memory: Vec<Tensor>,
}

impl Optimiser {
    /// An optimiser for everything a model trains.
    ///
    /// # Errors
    ///
    /// Those of candle.
    pub fn new(rule: Rule, model: &Model) -> Result<Self> {
        let parameters = model.trainable()?.into_iter().map(|(_, var)| Parameter { var, memory: Vec::new() }).collect();
        Ok(Self { rule, parameters, steps: 0 })
    }

    /// One step along `gradients`. A tensor without a gradient stays.
    ///
    /// # Errors
    ///
    /// Those of candle.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        for parameter in &mut self.parameters {
            if let Some(gradient) = gradients.get(&parameter.var) {
                let gradient = gradient.detach();
                match self.rule {
                    Rule::Sgd { momentum, nesterov, weight_decay } => {
                        let gradient = match weight_decay {
                            0.0 => gradient,
                            decay => (gradient + (parameter.var.as_detached_tensor() * decay)?)?,
                        };
                        parameter.descend(&gradient, learning_rate, momentum, nesterov)?;
                    }
                    Rule::AdamW { beta1, beta2, eps, weight_decay } => {
                        let corrections = [1.0 - beta1.powi(self.steps), 1.0 - beta2.powi(self.steps)];
                        let moments = parameter.moments(&gradient, [beta1, beta2])?;
                        let mean = (&moments[0] / corrections[0])?;
                        let root = (&moments[1] / corrections[1])?.sqrt()?;
                        let kept = (parameter.var.as_detached_tensor() * (1.0 - learning_rate * weight_decay))?;
                        let step = (mean / (root + eps)?)?;
                        parameter.var.set(&(kept - (step * learning_rate)?)?)?;
                        parameter.memory = moments;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn descend(&mut self, gradient: &Tensor, learning_rate: f64, momentum: f64, nesterov: bool) -> Result<()> {
        let step = if momentum == 0.0 {
            gradient.clone()
        } else {
            let velocity = match self.memory.first() {
                Some(velocity) => ((velocity * momentum)? + gradient)?,
                None => gradient.clone(),
            };
            let step = if nesterov { (gradient + (&velocity * momentum)?)? } else { velocity.clone() };
            self.memory = vec![velocity];
            step
        };
        Ok(self.var.set(&(self.var.as_detached_tensor() - (step * learning_rate)?)?)?)
    }

    fn moments(&self, gradient: &Tensor, betas: [f64; 2]) -> Result<Vec<Tensor>> {
        let news = [gradient.clone(), gradient.sqr()?];
        let moved = news.into_iter().zip(betas).enumerate().map(|(i, (new, beta))| {
            let new = (new * (1.0 - beta))?;
            Ok(match self.memory.get(i) {
                Some(old) => ((old * beta)? + new)?,
                None => new,
            })
        });
        moved.collect()
    }
}
