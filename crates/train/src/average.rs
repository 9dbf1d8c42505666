//! Averages of the weights.

use crate::error::{Error, Result};
use crate::limits::LARGEST_COUNT;
use cnn_figures::number;
use serde::{Deserialize, Serialize};

/// Lookahead (Zhang et al. 2019): after every few steps slow weights move towards those that are trained, and these go on
/// from there; statistics of batch normalisation too. The slow weights are judged and kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lookahead {
    /// Steps between two meetings.
    pub every: usize,
    /// The share of the slow weights that stays at a meeting, at the end of the run.
    pub stays: f64,
    /// The share rises to that with this power of the share of the run that is over (Jordan 2024 has 3); 0 for the same
    /// throughout.
    #[serde(default)]
    pub rise: f64,
}

impl Lookahead {
    /// The share of the slow weights that stays after `steps` of `all`, if the weights meet then. At the end of the run
    /// they meet in any case.
    pub(crate) fn staying(&self, steps: i32, all: usize) -> Option<f64> {
        let done = usize::try_from(steps).unwrap_or(0);
        let meets = done > 0 && (done.is_multiple_of(self.every.max(1)) || done == all);
        meets.then(|| self.stays * (done as f64 / all.max(1) as f64).min(1.0).powf(self.rise))
    }

    fn check(&self) -> Result<()> {
        let Self { every, stays, rise } = *self;
        let holds =
            (1..=LARGEST_COUNT).contains(&every) && (0.0..1.0).contains(&stays) && rise.is_finite() && rise >= 0.0;
        let [stays, rise] = [stays, rise].map(number);
        let problem = format!(
            "every {every} steps, of which {stays} stays with a rise of {rise}: a number of steps from 1 to {} is needed, a \
             share in [0, 1) and a power from 0 up",
            LARGEST_COUNT
        );
        if holds { Ok(()) } else { Err(Error::Setting { setting: "lookahead", problem }) }
    }
}

/// What is averaged over the steps of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Averaging {
    /// The share of a moving average that stays at each step.
    Moving(f64),
    /// Slow weights, in a run of so many steps.
    Slow(Lookahead, usize),
}

/// What an average does after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Move {
    /// It goes towards the weights, which go on as they are; the share of it that stays.
    Follow(f64),
    /// It goes towards the weights, and they go on from it.
    Meet(f64),
}

impl Averaging {
    /// A moving average of which so much stays, or slow weights, in a run of `all` steps.
    pub(crate) fn of(moving: Option<f64>, lookahead: Option<Lookahead>, all: usize) -> Option<Self> {
        moving.map(Self::Moving).or(lookahead.map(|lookahead| Self::Slow(lookahead, all)))
    }

    /// What happens after `steps` steps.
    pub(crate) fn after(self, steps: i32) -> Option<Move> {
        match self {
            Self::Moving(share) => Some(Move::Follow(staying(share, steps))),
            Self::Slow(lookahead, all) => lookahead.staying(steps, all).map(Move::Meet),
        }
    }

    /// Whether they can be meant, and not both at once.
    pub(crate) fn check(moving: Option<f64>, lookahead: Option<Lookahead>) -> Result<()> {
        if let Some(share) = moving.filter(|share| !(0.0..1.0).contains(share)) {
            return Err(Error::Setting { setting: "average", problem: format!("{} must be in [0, 1)", number(share)) });
        }
        let Some(lookahead) = lookahead else { return Ok(()) };
        if moving.is_some() {
            let problem = "has slow weights, which are an average already: leave out average or lookahead".to_string();
            return Err(Error::Setting { setting: "lookahead", problem });
        }
        lookahead.check()
    }
}

/// The share of an average that stays when a new value comes in, after `steps` of them: `share`, but less in the
/// beginning, so that the freshly initialised weights are soon forgotten (as in TensorFlow's moving average).
fn staying(share: f64, steps: i32) -> f64 {
    let steps = f64::from(steps);
    share.min((1.0 + steps) / (10.0 + steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_forgets_its_beginning() {
        assert_eq!([staying(0.9, 0), staying(0.9, 1), staying(0.9, 1000)], [0.1, 2.0 / 11.0, 0.9]);
    }

    #[test]
    fn slow_weights_meet_the_others_every_few_steps_and_at_the_end() {
        let averaging = Averaging::Slow(Lookahead { every: 4, stays: 0.5, rise: 1.0 }, 10);
        let moves: Vec<Option<Move>> = (0..=10).map(|steps| averaging.after(steps)).collect();
        let met: Vec<usize> = (0..=10).filter(|steps| moves[*steps].is_some()).collect();
        assert_eq!(met, [4, 8, 10]);
        assert_eq!([moves[4], moves[10]], [Some(Move::Meet(0.5 * 0.4)), Some(Move::Meet(0.5))]);
        let constant = Lookahead { every: 1, stays: 0.5, rise: 0.0 };
        assert_eq!(constant.staying(1, 10), Some(0.5));
    }

    #[test]
    fn what_cannot_be_meant() {
        let usual = Lookahead { every: 5, stays: 0.5, rise: 3.0 };
        let check = Averaging::check;
        assert!(check(None, Some(usual)).is_ok() && check(Some(0.9), None).is_ok());
        for wrong in
            [Lookahead { every: 0, ..usual }, Lookahead { stays: 1.0, ..usual }, Lookahead { rise: -1.0, ..usual }]
        {
            assert!(check(None, Some(wrong)).unwrap_err().to_string().starts_with("lookahead every "));
        }
        let message = check(Some(0.9), Some(usual)).unwrap_err().to_string();
        assert!(message.starts_with("lookahead has slow weights"), "{message}");
        assert_eq!(check(Some(1.0), None).unwrap_err().to_string(), "average 1 must be in [0, 1)");
    }
}
