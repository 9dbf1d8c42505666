//! How to train.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Everything that decides how a network is trained; with the data and the machine it decides every bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// Learning rate at the start.
    pub learning_rate: f64,
    /// How the learning rate goes on.
    pub schedule: Schedule,
    /// How a gradient becomes a step.
    pub rule: Rule,
    /// Where initialisation, dropout and shuffling begin.
    pub seed: u64,
}

/// The rule of an optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "optimizer", rename_all = "lowercase")]
pub enum Rule {
    /// Stochastic gradient descent: `v ← momentum·v + g + weight_decay·p`, `p ← p − lr·v`; with `nesterov`
    /// `p ← p − lr·(g + weight_decay·p + momentum·v)`.
    Sgd {
        /// How much of the last step goes on.
        momentum: f64,
        /// Whether the gradient is taken as if the step had gone on already (Sutskever et al. 2013).
        nesterov: bool,
        /// Pull towards zero, as part of the gradient.
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW {
        /// Decay of the mean gradient.
        beta1: f64,
        /// Decay of the mean square gradient.
        beta2: f64,
        /// Added to the root of the mean square.
        eps: f64,
        /// Pull towards zero, times the learning rate.
        weight_decay: f64,
    },
}

/// The learning rate over the steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same throughout.
    Constant,
    /// Half a cosine from the start to zero at the end (Loshchilov and Hutter 2017).
    Cosine,
}

impl Schedule {
    /// The factor on the learning rate after `done` of `all` steps.
    pub fn factor(self, done: usize, all: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done as f64 / all.max(1) as f64).cos()),
        }
    }
}

impl Rule {
    /// SGD with momentum and nothing else.
    pub const fn sgd(momentum: f64) -> Self {
        Self::Sgd { momentum, nesterov: false, weight_decay: 0.0 }
    }

    /// AdamW with torch's defaults.
    pub const ADAMW: Self = Self::AdamW { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };
}

impl Settings {
    /// Whether the numbers can be meant.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn check(&self) -> Result<()> {
        let require = |setting, holds: bool, problem: String| {
            if holds { Ok(()) } else { Err(Error::Setting { setting, problem }) }
        };
        let finite = |v: f64| v.is_finite() && v >= 0.0;
        let share = |v: f64| (0.0..1.0).contains(&v);
        require("epochs", self.epochs > 0, "must be at least 1".to_string())?;
        require("batch size", self.batch_size > 0, "must be at least 1".to_string())?;
        let rate = self.learning_rate;
        require("learning rate", finite(rate), format!("{rate} must be a number from 0 up"))?;
        match self.rule {
            Rule::Sgd { momentum, weight_decay, nesterov } => {
                require("momentum", share(momentum), format!("{momentum} must be in [0, 1)"))?;
                require("nesterov", !nesterov || momentum > 0.0, "needs a momentum above 0".to_string())?;
                require("weight decay", finite(weight_decay), format!("{weight_decay} must be a number from 0 up"))
            }
            Rule::AdamW { beta1, beta2, eps, weight_decay } => {
                require("beta1", share(beta1), format!("{beta1} must be in [0, 1)"))?;
                require("beta2", share(beta2), format!("{beta2} must be in [0, 1)"))?;
                require("eps", finite(eps), format!("{eps} must be a number from 0 up"))?;
                require("weight decay", finite(weight_decay), format!("{weight_decay} must be a number from 0 up"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_goes_from_one_to_zero() {
        let factors: Vec<f64> = (0..=4).map(|done| Schedule::Cosine.factor(done, 4)).collect();
        assert!((factors[0] - 1.0).abs() < 1e-12 && (factors[2] - 0.5).abs() < 1e-12 && factors[4].abs() < 1e-12);
        assert!(factors.windows(2).all(|pair| pair[1] < pair[0]));
        assert_eq!(Schedule::Constant.factor(3, 4), 1.0);
    }
}
