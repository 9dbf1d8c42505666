//! Averages of the weights.

use crate::error::{Error, Result};
use crate::limits::LARGEST_COUNT;
use crate::settings::Settings;
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
    /// The share of the slow weights that stays after `done` steps of `all`, if the weights meet then. At the end of the run
    /// they meet in any case; one that patience ends earlier does not know it beforehand.
    fn staying(&self, done: usize, all: usize) -> Option<f64> {
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
pub(crate) struct Averaging {
    kind: Kind,
    /// Steps of the run that are taken, whatever rule took them.
    taken: usize,
    /// Steps of the whole run.
    all: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// The share of a moving average that stays at each step.
    Moving(f64),
    /// Slow weights.
    Slow(Lookahead),
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
    /// A moving average or slow weights, where the settings ask for them, in a run of `all` steps of which `taken` are taken.
    pub(crate) fn of(settings: &Settings, taken: usize, all: usize) -> Option<Self> {
        let kind = settings.average.map(Kind::Moving).or(settings.lookahead.map(Kind::Slow))?;
        Some(Self { kind, taken, all })
    }

    /// Counts a step, and says what happens after it.
    pub(crate) fn step(&mut self) -> Option<Move> {
        self.taken += 1;
        match self.kind {
            Kind::Moving(share) => Some(Move::Follow(staying(share, self.taken))),
            Kind::Slow(lookahead) => lookahead.staying(self.taken, self.all).map(Move::Meet),
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
fn staying(share: f64, steps: usize) -> f64 {
    let steps = steps as f64;
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
        let lookahead = Some(Lookahead { every: 4, stays: 0.5, rise: 1.0 });
        let settings = Settings { lookahead, ..Settings::default() };
        let moves = |taken: usize| -> Vec<(usize, Move)> {
            let mut averaging = Averaging::of(&settings, taken, 10).unwrap();
            (taken + 1..=10).filter_map(|step| Some((step, averaging.step()?))).collect()
        };
        let expected = [(4, Move::Meet(0.5 * 0.4)), (8, Move::Meet(0.5 * 0.8)), (10, Move::Meet(0.5))];
        assert_eq!(moves(0), expected);
        assert_eq!(moves(5), expected[1..]);
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
