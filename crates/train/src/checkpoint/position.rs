//! Where a run is.

use crate::epoch::Epoch;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};

/// How the names of checkpoints begin.
pub(crate) const PREFIX: &str = "step-";

/// Where a run is, and what it has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The epoch under way, counted from 1.
    pub(crate) epoch: usize,
    /// Batches of it that are done.
    pub(crate) batches: usize,
    /// Steps of it that are done.
    pub(crate) steps: usize,
    /// Images of it that were trained on.
    pub(crate) seen: usize,
    /// Those whose largest score was their label's.
    pub(crate) correct: usize,
    /// Sum of their losses.
    pub(crate) loss_sum: f64,
    /// Learning rate of the last step.
    pub(crate) learning_rate: f64,
    /// Seconds the epoch has taken.
    pub(crate) seconds: f64,
    /// Steps of the run.
    pub(crate) updates: usize,
    /// Training passes of the run, which dropout's masks are drawn by.
    pub(crate) passes: u64,
    /// The epochs that are over.
    pub(crate) epochs: Vec<Epoch>,
}

impl Position {
    /// Before the first step.
    pub(crate) fn start() -> Self {
        Self {
            epoch: 1,
            batches: 0,
            steps: 0,
            seen: 0,
            correct: 0,
            loss_sum: 0.0,
            learning_rate: 0.0,
            seconds: 0.0,
            updates: 0,
            passes: 0,
            epochs: Vec::new(),
        }
    }

    /// The name of a checkpoint here; later ones come later in the alphabet.
    pub(crate) fn name(&self) -> String {
        match self.batches {
            0 => format!("{PREFIX}{:08}-epoch-{:04}", self.updates, self.epoch - 1),
            _ => format!("{PREFIX}{:08}", self.updates),
        }
    }

    /// Whether a run can be there.
    ///
    /// # Errors
    ///
    /// The first number that cannot be, in words.
    pub(crate) fn check(&self, run: &Extent, settings: &Settings) -> Result<(), String> {
        let require = |holds: bool, problem: String| if holds { Ok(()) } else { Err(problem) };
        let at_most = |name: &str, number: usize, most: usize| {
            require(number <= most, format!("{number} {name} where there can be {most} at most"))
        };
        let size = |name: &str, number: f64| require(number.is_finite() && number >= 0.0, format!("{name} {number}"));
        let time =
            |seconds: f64| require((0.0..=MOST_SECONDS).contains(&seconds), format!("a time of {seconds} seconds"));
        let Self { epoch, batches, steps, seen, correct, updates, passes, .. } = *self;
        require(epoch >= 1, format!("epoch {epoch}"))?;
        at_most("finished epochs", epoch - 1, settings.epochs)?;
        let finished = self.epochs.len();
        require(finished == epoch - 1, format!("epoch {epoch} after {finished} finished epochs"))?;
        at_most("batches of an epoch", batches, if finished == settings.epochs { 0 } else { run.batches })?;
        at_most("steps of an epoch", steps, batches.min(run.steps))?;
        at_most("images of an epoch", seen, batches.saturating_mul(settings.batch_size).min(run.images))?;
        at_most("right answers", correct, seen)?;
        // With other settings, earlier epochs may have had as many steps as there are images.
        let of_epoch = if run.changed { run.images } else { run.steps };
        at_most("steps", updates, finished.saturating_mul(of_epoch).saturating_add(steps))?;
        let least = u64::try_from(updates).unwrap_or(u64::MAX);
        // Each shard of a batch passes by itself; with other settings, batches of earlier epochs had any number of shards.
        let of_epochs = if run.changed { usize::MAX } else { run.batches };
        let passes_at_most = finished.saturating_mul(of_epochs).saturating_add(batches).saturating_mul(settings.shards);
        let most = u64::try_from(passes_at_most).unwrap_or(u64::MAX);
        require((least..=most).contains(&passes), format!("{passes} training passes where {least} to {most} can be"))?;
        size("a sum of losses of", self.loss_sum)?;
        size("a learning rate of", self.learning_rate)?;
        time(self.seconds)?;
        for (number, epoch) in (1..).zip(&self.epochs) {
            require(epoch.epoch == number, format!("epoch {} in place of epoch {number}", epoch.epoch))?;
            size("a training loss of", epoch.train_loss)?;
            size("a test loss of", epoch.test_loss)?;
            size("a learning rate of", epoch.learning_rate)?;
            size("a speed of", epoch.images_per_second)?;
            time(epoch.seconds)?;
            for share in [epoch.train_accuracy, epoch.test_accuracy] {
                require((0.0..=1.0).contains(&share), format!("an accuracy of {share}"))?;
            }
        }
        Ok(())
    }

    /// Before the first step of the epoch after `epoch`.
    pub(crate) fn after(self, epoch: Epoch) -> Self {
        let mut epochs = self.epochs;
        epochs.push(epoch);
        let Self { epoch, learning_rate, updates, passes, .. } = self;
        Self { epoch: epoch + 1, learning_rate, updates, passes, epochs, ..Self::start() }
    }
}

/// The longest time an epoch can have taken: a century, in seconds.
const MOST_SECONDS: f64 = 3.2e9;

/// What an epoch of a run has, at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) images: usize,
    pub(crate) batches: usize,
    pub(crate) steps: usize,
    /// Whether earlier epochs may have had others.
    pub(crate) changed: bool,
}

impl Extent {
    /// Of a run on so many images.
    pub(crate) fn of(images: usize, settings: &Settings) -> Self {
        let batches = images.div_ceil(settings.batch_size.max(1));
        Self { images, batches, steps: batches.div_ceil(settings.accumulate.max(1)), changed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Extent = Extent { images: 95, batches: 10, steps: 5, changed: false };

    fn settings() -> Settings {
        Settings { epochs: 3, batch_size: 10, accumulate: 2, ..Settings::default() }
    }

    fn finished(epoch: usize) -> Epoch {
        Epoch {
            epoch,
            train_loss: 1.0,
            train_accuracy: 0.5,
            test_loss: 2.0,
            test_accuracy: 0.4,
            learning_rate: 0.1,
            images_per_second: 100.0,
            seconds: 1.0,
            ..Epoch::default()
        }
    }

    /// Three batches into the second epoch.
    fn position() -> Position {
        let start = Position { updates: 5, passes: 10, ..Position::start() };
        let second = start.after(finished(1));
        Position { batches: 4, steps: 2, seen: 40, correct: 9, loss_sum: 80.0, updates: 7, passes: 14, ..second }
    }

    #[test]
    fn positions_that_a_run_can_have() {
        let check = |position: Position| position.check(&RUN, &settings());
        assert_eq!(check(Position::start()), Ok(()));
        assert_eq!(check(position()), Ok(()));
        let end = Position { updates: 15, passes: 30, ..Position::start() };
        assert_eq!(check((1..=3).fold(end, |position, epoch| position.after(finished(epoch)))), Ok(()));
    }

    #[test]
    fn positions_that_lie_are_told_by_their_number() {
        type Lie = fn(&mut Position);
        let lies: [(&str, Lie); 21] = [
            ("epoch 0", |p| p.epoch = 0),
            ("4 finished epochs where there can be 3 at most", |p| p.epoch = 5),
            ("18446744073709551614 finished epochs where there can be 3 at most", |p| p.epoch = usize::MAX),
            ("epoch 3 after 1 finished epochs", |p| p.epoch = 3),
            ("epoch 2 after 0 finished epochs", |p| p.epochs.clear()),
            ("11 batches of an epoch where there can be 10 at most", |p| p.batches = 11),
            ("5 steps of an epoch where there can be 4 at most", |p| p.steps = 5),
            ("18446744073709551615 steps of an epoch where there can be 4 at most", |p| p.steps = usize::MAX),
            ("41 images of an epoch where there can be 40 at most", |p| p.seen = 41),
            ("41 right answers where there can be 40 at most", |p| p.correct = 41),
            ("18446744073709551615 steps where there can be 7 at most", |p| p.updates = usize::MAX),
            ("6 training passes where 7 to 14 can be", |p| p.passes = 6),
            ("18446744073709551615 training passes where 7 to 14 can be", |p| p.passes = u64::MAX),
            ("a sum of losses of NaN", |p| p.loss_sum = f64::NAN),
            ("a learning rate of inf", |p| p.learning_rate = f64::INFINITY),
            ("a time of -1 seconds", |p| p.seconds = -1.0),
            ("a time of NaN seconds", |p| p.seconds = f64::NAN),
            ("epoch 9 in place of epoch 1", |p| p.epochs[0].epoch = 9),
            ("a time of -2 seconds", |p| p.epochs[0].seconds = -2.0),
            ("an accuracy of 1.5", |p| p.epochs[0].test_accuracy = 1.5),
            ("a test loss of -1", |p| p.epochs[0].test_loss = -1.0),
        ];
        for (expected, lie) in lies {
            let mut position = position();
            lie(&mut position);
            assert_eq!(position.check(&RUN, &settings()), Err(expected.to_string()));
        }
        let huge = Position { seconds: 1e300, ..position() }.check(&RUN, &settings());
        assert!(huge.is_err_and(|problem| problem.ends_with(" seconds")));
    }

    #[test]
    fn earlier_epochs_may_have_had_more_steps_where_settings_changed() {
        let more = Position { updates: 30, passes: 60, ..position() };
        assert!(more.check(&RUN, &settings()).is_err());
        assert_eq!(more.check(&Extent { changed: true, ..RUN }, &settings()), Ok(()));
        // Each batch of a finished epoch may have been cut into any number of shards.
        let shards = Position { passes: 9000, ..position() };
        assert!(shards.check(&RUN, &settings()).is_err());
        assert_eq!(shards.check(&Extent { changed: true, ..RUN }, &settings()), Ok(()));
        let most = Position { updates: 98, passes: 98, ..position() };
        assert!(most.check(&Extent { changed: true, ..RUN }, &settings()).is_err());
    }
}
