//! The rules by which a gradient becomes a step.

use crate::error::{Error, Result};
use cnn_figures::number;
use cnn_kernels::update::{AdamW, RmsProp, Sgd, Update};
use serde::{Deserialize, Serialize};

/// The rule of an optimiser. `p` is a weight, `g` its gradient, `lr` the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Rule {
    /// Stochastic gradient descent: `v ← momentum·v + g + weight-decay·p`, `p ← p − lr·v`; with `nesterov`
    /// `p ← p − lr·(g + weight-decay·p + momentum·v)`.
    #[serde(rename_all = "kebab-case")]
    Sgd {
        /// How much of the last step goes on.
        momentum: f64,
        /// Whether the gradient is taken as if the step had gone on already (Sutskever et al. 2013).
        #[serde(default)]
        nesterov: bool,
        /// Pull towards zero, as part of the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    #[serde(rename_all = "kebab-case")]
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
    /// RMSprop (Hinton 2012) as torch has it: `s ← alpha·s + (1 − alpha)·g²`, `v ← momentum·v + g / (√s + eps)`,
    /// `p ← p − lr·v`, where `g` includes `weight-decay·p`.
    #[serde(rename_all = "kebab-case")]
    RmsProp {
        /// Decay of the mean square gradient.
        alpha: f64,
        /// Added to the root of the mean square.
        eps: f64,
        /// How much of the last step goes on.
        momentum: f64,
        /// Pull towards zero, as part of the gradient.
        weight_decay: f64,
    },
}

impl Rule {
    /// SGD with momentum and nothing else.
    pub const fn sgd(momentum: f64) -> Self {
        Self::Sgd { momentum, nesterov: false, weight_decay: 0.0 }
    }

    /// AdamW with torch's defaults.
    pub const ADAMW: Self = Self::AdamW { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };

    /// RMSprop with torch's defaults.
    pub const RMSPROP: Self = Self::RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.0, weight_decay: 0.0 };

    /// The pull towards zero.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd { weight_decay, .. } | Self::AdamW { weight_decay, .. } | Self::RmsProp { weight_decay, .. } => {
                *weight_decay
            }
        }
    }

    /// The same with another pull towards zero.
    #[must_use]
    pub fn decaying(mut self, decay: f64) -> Self {
        match &mut self {
            Self::Sgd { weight_decay, .. } | Self::AdamW { weight_decay, .. } | Self::RmsProp { weight_decay, .. } => {
                *weight_decay = decay;
            }
        }
        self
    }

    /// Step number `step`, counted from 1, with a learning rate.
    pub(crate) fn update(&self, step: i32, learning_rate: f64) -> Update {
        match *self {
            Self::Sgd { momentum, nesterov, weight_decay } => {
                Update::Sgd(Sgd { learning_rate, momentum, nesterov, weight_decay })
            }
            Self::AdamW { beta1, beta2, eps, weight_decay } => {
                Update::AdamW(AdamW { learning_rate, beta1, beta2, eps, weight_decay, step })
            }
            Self::RmsProp { alpha, eps, momentum, weight_decay } => {
                Update::RmsProp(RmsProp { learning_rate, alpha, eps, momentum, weight_decay })
            }
        }
    }

    /// What the rule remembers of each weight, by name, in the order of [`cnn_kernels::update::Update`]'s memory.
    pub(crate) fn memories(&self) -> [Option<&'static str>; 2] {
        match self {
            Self::Sgd { momentum, .. } => [(*momentum != 0.0).then_some("velocity"), None],
            Self::AdamW { .. } => [Some("mean"), Some("square")],
            Self::RmsProp { momentum, .. } => [Some("square"), (*momentum != 0.0).then_some("velocity")],
        }
    }

    /// Whether the numbers can be meant.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn check(&self) -> Result<()> {
        let require = |setting, holds: bool, value: f64, rule: &str| match holds {
            true => Ok(()),
            false => Err(Error::Setting { setting, problem: format!("{} must be {rule}", number(value)) }),
        };
        let share = |setting, v: f64| require(setting, (0.0..1.0).contains(&v), v, "in [0, 1)");
        // Weights and gradients are of 32 bits.
        let size = |setting, v: f64| {
            require(setting, (v as f32).is_finite() && v >= 0.0, v, "a number from 0 up that 32 bits hold")
        };
        let above = |setting, v: f64| {
            let holds = (v as f32).is_finite() && v as f32 > 0.0;
            require(setting, holds, v, "a number above 0, in 32 bits too: gradients of 0 are divided by it")
        };
        match *self {
            Self::Sgd { momentum, nesterov, weight_decay } => {
                share("momentum", momentum)?;
                if nesterov && momentum == 0.0 {
                    return Err(Error::Setting {
                        setting: "nesterov",
                        problem: "needs a momentum above 0".to_string(),
                    });
                }
                size("weight decay", weight_decay)
            }
            Self::AdamW { beta1, beta2, eps, weight_decay } => {
                share("beta1", beta1)?;
                share("beta2", beta2)?;
                above("eps", eps)?;
                size("weight decay", weight_decay)
            }
            Self::RmsProp { alpha, eps, momentum, weight_decay } => {
                share("alpha", alpha)?;
                above("eps", eps)?;
                share("momentum", momentum)?;
                size("weight decay", weight_decay)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_32_bits_cannot_hold_is_refused() {
        let message = |rule: Rule| rule.check().unwrap_err().to_string();
        for eps in [0.0, 1e-300, 1e300] {
            let adam = Rule::AdamW { beta1: 0.9, beta2: 0.999, eps, weight_decay: 0.0 };
            let root = Rule::RmsProp { alpha: 0.0, eps, momentum: 0.0, weight_decay: 0.0 };
            for rule in [adam, root] {
                assert!(message(rule).contains("must be a number above 0, in 32 bits too"), "{rule:?}");
            }
        }
        for rule in [Rule::sgd(0.9), Rule::ADAMW, Rule::RMSPROP] {
            assert!(rule.check().is_ok());
            let expected = "weight decay 1e300 must be a number from 0 up that 32 bits hold";
            assert_eq!(message(rule.decaying(1e300)), expected);
        }
    }
}
