//! The learning rate over the steps of a run.

use crate::error::{Error, Result};
use cnn_figures::number;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the learning rate goes on after the warm-up. Times are in epochs from the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// The same throughout.
    #[default]
    Constant,
    /// Times `factor` after every `every` epochs.
    Step {
        /// Epochs between two drops.
        every: f64,
        /// What the learning rate is multiplied by.
        factor: f64,
    },
    /// Times `factor` at each of these epochs.
    MultiStep {
        /// When, in epochs.
        at: Vec<f64>,
        /// What the learning rate is multiplied by.
        factor: f64,
    },
    /// Times `factor` over each epoch, a little at every step.
    Exponential {
        /// What is left after an epoch.
        factor: f64,
    },
    /// Half a cosine, from the end of the warm-up to zero at the end (Loshchilov and Hutter 2017).
    Cosine,
    /// Up to the learning rate and down again by half cosines (Smith and Topin 2018), as torch's `OneCycleLR` has it.
    #[serde(rename_all = "kebab-case")]
    OneCycle {
        /// The share of the run at which the top is reached.
        #[serde(alias = "peak_at")]
        peak_at: f64,
        /// The share of the learning rate to start from.
        start: f64,
        /// The share of the learning rate to end at.
        end: f64,
    },
    /// Up to the learning rate and down again along straight lines.
    #[serde(rename_all = "kebab-case")]
    Triangle {
        /// The share of the run at which the top is reached.
        peak_at: f64,
        /// The share of the learning rate to start from.
        start: f64,
        /// The share of the learning rate to end at.
        end: f64,
    },
    /// Times `factor` whenever the test loss has not fallen for more than `patience` epochs in a row.
    Plateau {
        /// What the learning rate is multiplied by.
        factor: f64,
        /// Epochs without a new least test loss that are borne.
        patience: usize,
    },
}

/// A rise to the learning rate, linear in steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WarmUp {
    /// How long it takes.
    pub epochs: f64,
    /// The share of the learning rate to start from.
    #[serde(default)]
    pub from: f64,
}

/// Where in a run a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct When {
    /// Steps taken before it.
    pub done: usize,
    /// Steps of an epoch.
    pub epoch: usize,
    /// Steps of the run.
    pub all: usize,
    /// How often a plateau has been found.
    pub plateaus: usize,
}

impl Schedule {
    /// The factor on the learning rate.
    pub fn factor(&self, warm_up: Option<WarmUp>, when: When) -> f64 {
        let epoch = when.epoch.max(1) as f64;
        let epochs = when.done as f64 / epoch;
        let warm = warm_up.map_or(0, |warm_up| (warm_up.epochs * epoch).round() as usize);
        if let Some(WarmUp { from, .. }) = warm_up
            && when.done < warm
        {
            return from + (1.0 - from) * when.done as f64 / warm as f64;
        }
        let after = when.done - warm;
        let left = when.all.saturating_sub(warm).max(1);
        match self {
            Self::Constant => 1.0,
            Self::Step { every, factor } => factor.powi((epochs / every).floor() as i32),
            Self::MultiStep { at, factor } => factor.powi(at.iter().filter(|at| epochs >= **at).count() as i32),
            Self::Exponential { factor } => factor.powf(epochs),
            Self::Cosine => half_cosine(1.0, 0.0, after as f64 / left as f64),
            Self::OneCycle { peak_at, start, end } => {
                // As torch counts: the first step is at the start, the last at the end.
                let last = when.all.saturating_sub(1) as f64;
                let peak = peak_at * when.all as f64 - 1.0;
                let done = when.done as f64;
                match done <= peak {
                    true => half_cosine(*start, 1.0, done / peak.max(1.0)),
                    false => half_cosine(1.0, *end, ((done - peak) / (last - peak)).min(1.0)),
                }
            }
            Self::Triangle { peak_at, start, end } => {
                let (done, all) = (when.done as f64, when.all.max(1) as f64);
                let peak = (peak_at * all).floor();
                match done < peak {
                    true => start + (1.0 - start) * done / peak,
                    false => 1.0 + (end - 1.0) * (done - peak) / (all - peak).max(1.0),
                }
            }
            Self::Plateau { factor, .. } => factor.powi(when.plateaus as i32),
        }
    }

    /// Whether the numbers can be meant.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn check(&self, warm_up: Option<WarmUp>) -> Result<()> {
        let require = |holds: bool, problem: String| match holds {
            true => Ok(()),
            false => Err(Error::Setting { setting: "schedule", problem }),
        };
        let must = |name: &str, v: f64, rule: &str| format!("{name} {} must be {rule}", number(v));
        let share = |name: &str, v: f64| require((0.0..=1.0).contains(&v), must(name, v, "in [0, 1]"));
        let positive = |name: &str, v: f64| require(v.is_finite() && v > 0.0, must(name, v, "a number above 0"));
        match self {
            Self::Constant | Self::Cosine => {}
            Self::Step { every, factor } => {
                positive("every", *every)?;
                share("factor", *factor)?;
            }
            Self::MultiStep { at, factor } => {
                require(!at.is_empty(), "at is empty: say after which epochs, or choose constant".to_string())?;
                at.iter().try_for_each(|at| positive("at", *at))?;
                share("factor", *factor)?;
            }
            Self::Exponential { factor } | Self::Plateau { factor, .. } => share("factor", *factor)?,
            Self::OneCycle { peak_at, start, end } | Self::Triangle { peak_at, start, end } => {
                share("peak-at", *peak_at)?;
                share("start", *start)?;
                share("end", *end)?;
                let name = if matches!(self, Self::Triangle { .. }) { "triangle" } else { "one-cycle" };
                require(warm_up.is_none(), format!("{name} has a rise of its own and takes no warm-up"))?;
            }
        }
        let Some(WarmUp { epochs, from }) = warm_up else { return Ok(()) };
        let holds = epochs.is_finite() && epochs > 0.0 && (0.0..=1.0).contains(&from);
        let [epochs, from] = [epochs, from].map(number);
        let problem = format!("of {epochs} epochs from {from} must last more than 0 epochs and begin in [0, 1]");
        if holds { Ok(()) } else { Err(Error::Setting { setting: "warm-up", problem }) }
    }
}

/// From `a` to `b` by half a cosine; `share` of the way is gone.
fn half_cosine(a: f64, b: f64, share: f64) -> f64 {
    b + (a - b) * 0.5 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(schedule: &Schedule, warm_up: Option<WarmUp>) -> Vec<f64> {
        let when = |done| When { done, epoch: 2, all: 10, plateaus: 0 };
        (0..10).map(|done| schedule.factor(warm_up, when(done))).collect()
    }

    #[track_caller]
    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
        assert!(close, "found {found:?}, expected {expected:?}");
    }

    #[test]
    fn each_schedule_by_hand() {
        assert_close(&factors(&Schedule::Constant, None), &[1.0; 10]);
        let step = Schedule::Step { every: 2.0, factor: 0.5 };
        assert_close(&factors(&step, None), &[1., 1., 1., 1., 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
        let steps = Schedule::MultiStep { at: vec![1.0, 4.0], factor: 0.1 };
        assert_close(&factors(&steps, None), &[1., 1., 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]);
        let decay = factors(&Schedule::Exponential { factor: 0.25 }, None);
        assert_close(&decay[..3], &[1.0, 0.5, 0.25]);
        let cosine = factors(&Schedule::Cosine, None);
        assert_close(&[cosine[0], cosine[5]], &[1.0, 0.5]);
        assert!(cosine.windows(2).all(|pair| pair[1] < pair[0]));
        let plateau = Schedule::Plateau { factor: 0.1, patience: 3 };
        let found = plateau.factor(None, When { done: 3, epoch: 2, all: 10, plateaus: 2 });
        assert_close(&[found], &[0.01]);
    }

    /// `torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3, div_factor=25,
    /// final_div_factor=1e4)`, torch 2.15: its learning rates.
    #[test]
    fn one_cycle_is_torchs() {
        let cycle = Schedule::OneCycle { peak_at: 0.3, start: 1.0 / 25.0, end: 1.0 / 25e4 };
        let torchs = [
            0.04,
            0.52,
            1.0,
            0.9504846320134737,
            0.8117456539497631,
            0.6112620219362893,
            0.38874197806371075,
            0.18825834605023697,
            0.049519367986526286,
            4e-06,
        ];
        assert_close(&factors(&cycle, None), &torchs);
    }

    /// `OneCycleLR(max_lr=1, total_steps=7, pct_start=0.9, div_factor=25, final_div_factor=1e4)`: its last two, and the one of
    /// `total_steps=1`.
    #[test]
    fn one_cycle_ends_at_its_end_however_short_the_fall_is() {
        let cycle = Schedule::OneCycle { peak_at: 0.9, start: 1.0 / 25.0, end: 1.0 / 25e4 };
        let found = [5, 6].map(|done| cycle.factor(None, When { done, epoch: 7, all: 7, plateaus: 0 }));
        assert_close(&found, &[0.9924306774148465, 4e-06]);
        assert_close(&[cycle.factor(None, When { done: 0, epoch: 1, all: 1, plateaus: 0 })], &[4e-06]);
        let at_its_end = Schedule::OneCycle { peak_at: 1.0, start: 0.5, end: 0.0 };
        let found = [0, 1, 2].map(|done| at_its_end.factor(None, When { done, epoch: 3, all: 3, plateaus: 0 }));
        assert_close(&found, &[0.5, 0.75, 1.0]);
    }

    /// `numpy.interp(range(10), [0, 3, 10], [0.2, 1, 0.05])`.
    #[test]
    fn a_triangle_is_numpys_interpolation() {
        let triangle = Schedule::Triangle { peak_at: 0.39, start: 0.2, end: 0.05 };
        let fall = |steps: f64| 1.0 - 0.95 * steps / 7.0;
        let expected =
            [0.2, 0.2 + 0.8 / 3.0, 0.2 + 1.6 / 3.0, 1.0, fall(1.), fall(2.), fall(3.), fall(4.), fall(5.), fall(6.)];
        assert_close(&factors(&triangle, None), &expected);
        let at_once = Schedule::Triangle { peak_at: 0.0, start: 0.2, end: 0.0 };
        assert_close(&factors(&at_once, None)[..2], &[1.0, 0.9]);
        let warm_up = Some(WarmUp { epochs: 1.0, from: 0.0 });
        let message = at_once.check(warm_up).unwrap_err().to_string();
        assert_eq!(message, "schedule triangle has a rise of its own and takes no warm-up");
    }

    #[test]
    fn a_warm_up_rises_and_hands_over() {
        let warm_up = Some(WarmUp { epochs: 2.0, from: 0.2 });
        let found = factors(&Schedule::Cosine, warm_up);
        assert_close(&found[..5], &[0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_close(&found[7..8], &[0.5]);
    }

    #[test]
    fn what_cannot_be_meant() {
        let error = |schedule: Schedule, warm_up| schedule.check(warm_up).unwrap_err().to_string();
        let step = Schedule::Step { every: 0.0, factor: 0.5 };
        assert_eq!(error(step, None), "schedule every 0 must be a number above 0");
        let cycle = Schedule::OneCycle { peak_at: 0.3, start: 0.1, end: 0.0 };
        let warm_up = Some(WarmUp { epochs: 1.0, from: 0.0 });
        assert_eq!(error(cycle, warm_up), "schedule one-cycle has a rise of its own and takes no warm-up");
        let warm_up = Some(WarmUp { epochs: -1.0, from: 0.0 });
        assert!(error(Schedule::Constant, warm_up).starts_with("warm-up of -1 epochs"));
    }
}
