//! Which learning rate to begin with.

use crate::checkpoint::Position;
use crate::error::{Error, Result};
use crate::freeze::frozen;
use crate::settings::Settings;
use crate::task::{Task, Taught};
use crate::training::{leave_out_singles, loaders};
use cnn_data::{Batch, Batches, Loader};
use std::ops::ControlFlow;

/// How a learning rate is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSearch {
    /// The learning rate of the first step.
    pub from: f64,
    /// The learning rate of the last one; between them each is the one before times the same factor.
    pub to: f64,
    /// Number of steps.
    pub steps: usize,
}

impl Default for RateSearch {
    /// From 10⁻⁶ to 10 in 200 steps.
    fn default() -> Self {
        Self { from: 1e-6, to: 10.0, steps: 200 }
    }
}

/// A step of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RatePoint {
    /// Its learning rate.
    pub learning_rate: f64,
    /// A moving average of the loss, that of this step before its update included.
    pub loss: f64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FoundRates {
    /// The steps, until the loss was far above its least, infinite or NaN.
    pub points: Vec<RatePoint>,
    /// Where the loss falls fastest over the logarithm of the learning rate.
    pub steepest: Option<f64>,
    /// A tenth of where the loss is least: as large a rate as is safe. None where it never fell, or where it still falls.
    pub largest: Option<f64>,
    /// Whether the loss falls still at the largest rate that was tried, so that no bound was found.
    pub still_falls: bool,
}

/// The share of the average that stays at each step.
const STAYS: f64 = 0.95;
/// So many times the least loss ends the search.
const FAR: f64 = 4.0;
/// From this step on the average is of as many as it ever is, about.
const SETTLED: usize = 20;
/// Steps on either side over which a slope is taken.
const REACH: usize = 5;

impl RateSearch {
    /// Takes steps with ever larger learning rates, from the task's beginning (Smith 2017, section 3.3), and judges nothing.
    /// The task's own learning rate and schedule play no part, nor does an average or what looks ahead. After each step
    /// `goes_on` is told how many are done and may end the search there.
    ///
    /// ```
    /// use cnn_core::definition::{chain, linear};
    /// use cnn_data::{DigitsConfig, Preparation, digits};
    /// use cnn_train::{RateSearch, Task};
    /// use std::ops::ControlFlow;
    ///
    /// let dataset = digits(DigitsConfig { train: 200, test: 10, seed: 1 })?;
    /// let network = chain().flatten().then("fc", linear(10)).named("softmax", [1, 28, 28]).at_usual_input()?;
    /// let task = Task::new(&network, &dataset, Preparation::mnist());
    /// let found = RateSearch { steps: 60, ..RateSearch::default() }.run(&task, &mut |_| ControlFlow::Continue(()))?;
    /// assert!(found.largest.is_some_and(|rate| (1e-4..1.0).contains(&rate)), "{found:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A task that cannot be done, images that are all left out; those of computing.
    pub fn run(&self, task: &Task<'_>, goes_on: &mut dyn FnMut(usize) -> ControlFlow<()>) -> Result<FoundRates> {
        let settings = Settings { average: None, lookahead: None, ..task.settings.clone() };
        let task = &Task { settings, ..task.clone() };
        task.check()?;
        if !task.moves()? {
            let problem = "all that is trained has 0 times the learning rate: none changes anything".to_string();
            return Err(Error::Setting { setting: "groups:", problem });
        }
        let settings = &task.settings;
        let frozen = frozen(task.network, &settings.freeze)?;
        let weighted = task.trained_loss()?;
        let loss = weighted.as_deref().unwrap_or(task.loss);
        let (start, taught) = (task.beginning()?, Taught { loss, frozen: &frozen });
        let mut learner = task.engine.learner(task.lesson(start.as_ref(), taught, &Position::start()))?;
        let (loader, _) = loaders(task)?;
        let single = task.single_valued(&frozen).is_some();
        let mut groups = Groups { loader: &loader, settings, single, epoch: 1, batches: None };
        let (mut points, mut average, mut least) = (Vec::<RatePoint>::new(), 0.0, f64::INFINITY);
        while points.len() < self.steps {
            let group = groups.next()?;
            let learning_rate = self.rate(points.len());
            let lost = f64::from(learner.step(&group, learning_rate)?.loss);
            average = STAYS * average + (1.0 - STAYS) * lost;
            // Without its beginning at 0 (Kingma and Ba 2015, section 3).
            let loss = average / (1.0 - STAYS.powi(points.len() as i32 + 1));
            if !loss.is_finite() || loss > FAR * least {
                break;
            }
            least = least.min(loss);
            points.push(RatePoint { learning_rate, loss });
            if goes_on(points.len()).is_break() {
                break;
            }
        }
        // Whoever ends a search early has not seen where the loss rises.
        let still_falls = points.len() == self.steps && least_of(&points).is_some_and(|at| at + REACH >= points.len());
        let largest = largest(&points).filter(|_| !still_falls);
        Ok(FoundRates { steepest: steepest(&points), largest, still_falls, points })
    }

    fn rate(&self, step: usize) -> f64 {
        let share = step as f64 / self.steps.saturating_sub(1).max(1) as f64;
        self.from * (self.to / self.from).powf(share)
    }
}

/// The batches of one step after the other, epoch by epoch.
struct Groups<'a> {
    loader: &'a Loader<'a>,
    settings: &'a Settings,
    /// Whether a batch of a single image cannot be normalised.
    single: bool,
    epoch: usize,
    batches: Option<Batches>,
}

impl Groups<'_> {
    fn next(&mut self) -> Result<Vec<Batch>> {
        let Settings { accumulate, shards, seed, .. } = *self.settings;
        let images = self.loader.images();
        // The rest of an epoch may hold nothing, a whole one must not.
        for _ in 0..2 {
            let batches = self.batches.get_or_insert_with(|| self.loader.epoch(seed, self.epoch));
            loop {
                let mut group = batches.by_ref().take(accumulate * shards).collect::<Result<Vec<Batch>, _>>()?;
                if group.is_empty() {
                    break;
                }
                if self.single {
                    leave_out_singles(&mut group, self.settings, images);
                }
                if group.iter().any(|batch| !batch.indices.is_empty()) {
                    return Ok(group);
                }
            }
            (self.batches, self.epoch) = (None, self.epoch + 1);
        }
        let reason = "no batch could be trained on; their images were all left out".to_string();
        Err(Error::NoStep { epoch: self.epoch - 1, reason })
    }
}

fn steepest(points: &[RatePoint]) -> Option<f64> {
    let slope = |place: usize| points[place + REACH].loss - points[place - REACH].loss;
    // Before that the average is of few steps, and its noise may be steeper than what follows.
    let places = SETTLED..points.len().saturating_sub(REACH);
    let place = places.min_by(|a, b| slope(*a).total_cmp(&slope(*b)))?;
    (slope(place) < 0.0).then(|| points[place].learning_rate)
}

/// Where the loss is least.
fn least_of(points: &[RatePoint]) -> Option<usize> {
    (0..points.len()).min_by(|a, b| points[*a].loss.total_cmp(&points[*b].loss))
}

fn largest(points: &[RatePoint]) -> Option<f64> {
    let least = &points[least_of(points)?];
    // Where the loss never fell, no rate is found.
    (least.loss < points.first()?.loss).then_some(least.learning_rate / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::average::Lookahead;
    use crate::group::Group;
    use cnn_core::definition::{batch_norm, chain, linear};
    use cnn_data::{DigitsConfig, Preparation, digits};

    fn found(settings: Settings) -> Result<FoundRates> {
        let dataset = digits(DigitsConfig { train: 50, test: 10, seed: 1 })?;
        let network = chain().flatten().then("fc", linear(10)).then("norm", batch_norm()).named("one", [1, 28, 28]);
        let network = network.at_usual_input().unwrap();
        let task = Task { settings, ..Task::new(&network, &dataset, Preparation::mnist()) };
        RateSearch { steps: 30, ..RateSearch::default() }.run(&task, &mut |_| ControlFlow::Continue(()))
    }

    #[test]
    fn what_plays_no_part_changes_nothing() {
        let plain = Settings { batch_size: 20, ..Settings::default() };
        let expected = found(plain.clone()).unwrap();
        assert_eq!(expected.points.len(), 30);
        let lookahead = Some(Lookahead { every: 2, stays: 0.5, rise: 0.0 });
        for other in [
            Settings { lookahead, ..plain.clone() },
            Settings { average: Some(0.9), ..plain.clone() },
            Settings { epochs: 3, learning_rate: 7.0, ..plain.clone() },
        ] {
            assert_eq!(found(other).unwrap(), expected);
        }
        // Shards are normalised one by one.
        assert_ne!(found(Settings { shards: 2, ..plain }).unwrap().points, expected.points);
    }

    #[test]
    fn where_nothing_moves_no_rate_is_sought() {
        let group = Group { prefix: "*".to_string(), learning_rate: 0.0, weight_decay: 1.0 };
        let error = found(Settings { groups: vec![group], ..Settings::default() }).unwrap_err().to_string();
        assert!(error.ends_with("0 times the learning rate: none changes anything"), "{error}");
    }

    #[test]
    fn where_the_loss_falls_still_there_is_no_bound() {
        let dataset = digits(DigitsConfig { train: 400, test: 10, seed: 1 }).unwrap();
        let network = chain().flatten().then("fc", linear(10)).named("one", [1, 28, 28]).at_usual_input().unwrap();
        let task = Task::new(&network, &dataset, Preparation::mnist());
        let search = RateSearch { from: 1e-4, to: 3e-3, steps: 60 };
        let found = search.run(&task, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(found.still_falls && found.largest.is_none() && found.steepest.is_some());
        let found = RateSearch { to: 100.0, ..search }.run(&task, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(!found.still_falls && found.largest.is_some());
    }

    #[test]
    fn a_step_is_of_one_epoch_and_a_search_ends() {
        // Three batches and two: the last step of an epoch is of one batch.
        for shards in [1, 2] {
            let settings = Settings { batch_size: 20, accumulate: 2, shards, ..Settings::default() };
            assert_eq!(found(settings).unwrap().points.len(), 30, "{shards}");
        }
        let error = found(Settings { batch_size: 1, ..Settings::default() }).unwrap_err().to_string();
        assert!(error.contains("cannot be normalised"), "{error}");
    }

    #[test]
    fn rates_are_found_where_the_loss_falls_and_where_it_is_least() {
        let search = RateSearch { from: 1e-4, to: 1.0, steps: 101 };
        assert!((search.rate(0) - 1e-4).abs() < 1e-12 && (search.rate(100) - 1.0).abs() < 1e-9);
        assert!((search.rate(50) - 1e-2).abs() < 1e-9);
        // Flat, then falling around 10⁻², least at 10⁻¹, then rising.
        let points: Vec<RatePoint> = (0..101)
            .map(|step| {
                let power = f64::from(step) / 25.0 - 4.0;
                let loss = 2.0 - 1.0 / (1.0 + (-6.0 * (power + 2.0)).exp()) + (power + 1.0).max(0.0).powi(2);
                RatePoint { learning_rate: search.rate(step as usize), loss }
            })
            .collect();
        let steepest = steepest(&points).unwrap();
        assert!((steepest.log10() + 2.0).abs() < 0.1, "{steepest}");
        let largest = largest(&points).unwrap();
        assert!((largest.log10() + 2.0).abs() < 0.3, "{largest}");
        // The average of the first steps is of few of them, and falls faster than anything later.
        let noisy = points.iter().enumerate().map(|(step, point)| {
            let noise = if step < 12 { 1.0 - step as f64 / 12.0 } else { 0.0 };
            RatePoint { loss: point.loss + noise, ..*point }
        });
        let found = super::steepest(&noisy.collect::<Vec<_>>()).unwrap();
        assert!((found.log10() + 2.0).abs() < 0.1, "{found}");
        let rising: Vec<RatePoint> = (0..20).map(|n| RatePoint { learning_rate: 1.0, loss: f64::from(n) }).collect();
        assert_eq!((super::steepest(&rising), super::largest(&rising)), (None, None));
        assert_eq!((super::steepest(&points[..3]), super::largest(&[])), (None, None));
    }
}
