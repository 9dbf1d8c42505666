//! The optimisers' settings, and what each remembers.

/// Gradient descent with momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Factor of a step.
    pub learning_rate: f64,
    /// Share of the velocity kept.
    pub momentum: f64,
    /// Whether a step looks ahead along the velocity.
    pub nesterov: bool,
    /// Share of the weights added to the gradient.
    pub weight_decay: f64,
}

/// Adam with decoupled weight decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Factor of a step.
    pub learning_rate: f64,
    /// Share of the mean kept.
    pub beta1: f64,
    /// Share of the mean square kept.
    pub beta2: f64,
    /// Added to the root.
    pub eps: f64,
    /// Share of the weights lost, times the learning rate.
    pub weight_decay: f64,
    /// Number of this step, from 1 on.
    pub step: i32,
}

/// Gradient descent by the root of a running mean of squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// Factor of a step.
    pub learning_rate: f64,
    /// Share of the mean square kept.
    pub alpha: f64,
    /// Added to the root.
    pub eps: f64,
    /// Share of the velocity kept.
    pub momentum: f64,
    /// Share of the weights added to the gradient.
    pub weight_decay: f64,
}

/// A rule to update weights in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// Its memory is the velocity; none without momentum.
    Sgd(Sgd),
    /// Its memory is the mean gradient and the mean square gradient.
    AdamW(AdamW),
    /// Its memory is the mean square gradient and the velocity; no velocity without momentum.
    RmsProp(RmsProp),
}

impl Update {
    /// Which of the two slices of memory the rule needs.
    pub fn needs(&self) -> [bool; 2] {
        match self {
            Self::Sgd(sgd) => [sgd.momentum != 0.0, false],
            Self::AdamW(_) => [true, true],
            Self::RmsProp(rule) => [true, rule.momentum != 0.0],
        }
    }
}
