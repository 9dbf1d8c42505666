//! An optimiser's rule on candle's tensors, on any device.

use candle_core::{Error, Result, Tensor};
use cnn_kernels::rule::{Arithmetic, Rule, average};
use cnn_kernels::update::Update;
use std::sync::Arc;

/// A tensor with a rule's arithmetic: the first error stays, and comes out at the end.
#[derive(Clone)]
struct Numbers(std::result::Result<Tensor, Arc<Error>>);

impl Numbers {
    fn of(tensor: &Tensor) -> Self {
        Self(Ok(tensor.clone()))
    }

    fn map(&self, change: impl FnOnce(&Tensor) -> Result<Tensor>) -> Self {
        Self(match &self.0 {
            Ok(tensor) => change(tensor).map_err(Arc::new),
            Err(error) => Err(error.clone()),
        })
    }

    fn with(&self, other: &Self, combine: impl FnOnce(&Tensor, &Tensor) -> Result<Tensor>) -> Self {
        match &other.0 {
            Ok(other) => self.map(|tensor| combine(tensor, other)),
            Err(error) => Self(Err(error.clone())),
        }
    }

    fn tensor(self) -> Result<Tensor> {
        self.0.map_err(|error| Error::Msg(error.to_string()))
    }
}

impl Arithmetic for Numbers {
    type Constant = f64;

    fn constant(x: f64) -> f64 {
        x
    }
    fn times(&self, factor: f64) -> Self {
        self.map(|tensor| tensor * factor)
    }
    fn times_add(&self, factor: f64, addend: &Self) -> Self {
        self.times(factor).with(addend, |product, addend| product + addend)
    }
    fn product(&self, other: &Self) -> Self {
        self.with(other, |a, b| a * b)
    }
    fn quotient(&self, other: &Self) -> Self {
        self.with(other, |a, b| a / b)
    }
    fn root_plus(&self, addend: f64) -> Self {
        self.map(|tensor| tensor.sqrt()? + addend)
    }
}

/// The weights after a step along their gradient, and what the rule remembers then; before the first step it remembers
/// nothing.
pub(crate) fn step(
    update: &Update,
    weights: &Tensor,
    gradient: &Tensor,
    memory: &[Option<Tensor>; 2],
) -> Result<(Tensor, [Option<Tensor>; 2])> {
    let mut held = [None, None];
    for ((held, memory), needed) in held.iter_mut().zip(memory).zip(update.needs()) {
        *held = match (memory, needed) {
            (_, false) => None,
            (Some(memory), true) => Some(Numbers::of(memory)),
            (None, true) => Some(Numbers::of(&weights.zeros_like()?)),
        };
    }
    let (weights, held) = Rule::new(update).step(&Numbers::of(weights), &Numbers::of(gradient), held);
    let [first, second] = held.map(|held| held.map(Numbers::tensor).transpose());
    Ok((weights.tensor()?, [first?, second?]))
}

/// A moving average after new weights.
pub(crate) fn averaged(of: &Tensor, new: &Tensor, stays: f64) -> Result<Tensor> {
    average(&Numbers::of(of), &Numbers::of(new), stays).tensor()
}
