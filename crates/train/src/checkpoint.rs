//! Checkpoints: all that a run needs to go on as if it had never stopped.
//!
//! A checkpoint is a folder with three files. `weights.safetensors` is a plain file of weights; `state.safetensors` holds
//! what lies beside them: the optimiser's memory, the moving average, and as metadata where in the run they were taken;
//! `checksums` has a line for each of the two. The folder is written under another name, to the disk, and renamed, so
//! that what has a checkpoint's name is whole; the checksums show whether it still is.

use crate::engine::{Engine, Saved};
use crate::epoch::Epoch;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::weights::file_of;
use crate::whole_file::{WRITING, sync_folder, write_synced};
use cnn_core::Network;
use cnn_data::Card;
use cnn_weights::{BorrowedWeights, Weights};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "weights.safetensors";
const STATE: &str = "state.safetensors";
const CHECKSUMS: &str = "checksums";
/// The one key of the state's metadata.
const KEY: &str = "checkpoint";
const PREFIX: &str = "step-";
const LEAVING: &str = ".leaving-";
/// A checkpoint that is damaged, out of the way of the run that goes on from an older one.
const DAMAGED: &str = "damaged-";

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
    fn name(&self) -> String {
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
    fn check(&self, run: &Extent, settings: &Settings) -> Result<(), String> {
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
        at_most("steps", updates, finished * run.steps + steps)?;
        let least = u64::try_from(updates).unwrap_or(u64::MAX);
        let most = u64::try_from(finished * run.batches + batches).unwrap_or(u64::MAX);
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
}

/// What a checkpoint is of: a run goes on only with the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    position: Position,
    settings: Settings,
    engine: Engine,
}

/// A checkpoint as it is read.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    /// The weights, and the state beside them.
    pub(crate) saved: Saved,
}

/// What is written.
pub(crate) struct Taken<'a> {
    pub(crate) position: &'a Position,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
    pub(crate) card: &'a Card,
    pub(crate) weights: &'a BorrowedWeights<'a>,
    pub(crate) state: &'a BorrowedWeights<'a>,
}

/// What is to go on.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) network: &'a Network,
    pub(crate) card: &'a Card,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
    pub(crate) extent: Extent,
}

/// Writes a checkpoint into `folder`, then removes all but the newest `keep`.
///
/// # Errors
///
/// A folder that cannot be written, a full disk; what was there stays.
pub(crate) fn write(folder: &Path, taken: &Taken<'_>, keep: usize) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::file(folder, "cannot make the folder"))?;
    let path = folder.join(taken.position.name());
    // The same step of the same run has the same bits.
    if !path.exists() {
        let temporary = tempfile::Builder::new()
            .prefix(WRITING)
            .tempdir_in(folder)
            .map_err(Error::file(folder, "cannot write into the folder"))?;
        let weights = file_of(taken.weights.clone(), taken.card, &path)?;
        let header =
            Header { position: taken.position.clone(), settings: taken.settings.clone(), engine: taken.engine };
        let header = serde_json::to_string(&header).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
        let state = taken.state.clone().with_metadata(KEY, header).to_bytes(&path.display().to_string())?;
        let checksums = checksums(&weights, &state);
        for (name, bytes) in [(WEIGHTS, weights.as_slice()), (STATE, &state), (CHECKSUMS, checksums.as_bytes())] {
            write_synced(&temporary.path().join(name), bytes)?;
        }
        sync_folder(temporary.path())?;
        let written = temporary.keep();
        std::fs::rename(&written, &path).map_err(Error::file(&path, "cannot write"))?;
        sync_folder(folder)?;
    }
    remove_old(folder, keep)
}

/// The text of `checksums`: a line for the weights, one for the state, and one for these two lines.
fn checksums(weights: &[u8], state: &[u8]) -> String {
    let line =
        |name: &str, bytes: &[u8]| format!("crc32 {:08x} bytes {} {name}\n", crc32fast::hash(bytes), bytes.len());
    let lines = line(WEIGHTS, weights) + &line(STATE, state);
    let own = line(CHECKSUMS, lines.as_bytes());
    lines + &own
}

/// Which file is not what it was when `checksums` was written.
fn differing(found: &[u8], weights: &[u8], state: &[u8]) -> Option<&'static str> {
    let expected = checksums(weights, state);
    if found == expected.as_bytes() {
        return None;
    }
    let lines: Vec<&[u8]> = found.split_inclusive(|byte| *byte == b'\n').collect();
    let [of_weights, of_state, own] = lines[..] else { return Some(CHECKSUMS) };
    let both = [of_weights, of_state].concat();
    let is_whole = own == format!("crc32 {:08x} bytes {} {CHECKSUMS}\n", crc32fast::hash(&both), both.len()).as_bytes();
    let same = expected.as_bytes().starts_with(of_weights);
    Some(if !is_whole {
        CHECKSUMS
    } else if same {
        STATE
    } else {
        WEIGHTS
    })
}

/// The newest whole checkpoint in `folder`; `None` where there is none at all. A warning tells of newer ones that are
/// damaged. Whatever was being written or removed when a run ended goes away.
///
/// # Errors
///
/// Checkpoints that are all damaged, or one that is of another network or other settings.
pub(crate) fn newest(folder: &Path, wanted: &Wanted<'_>) -> Result<Option<Checkpoint>> {
    clean(folder)?;
    let mut damaged: Vec<(PathBuf, PathBuf, String)> = Vec::new();
    for path in list(folder)?.into_iter().rev() {
        let found = match read(&path, wanted) {
            Err(Error::Damaged { path: file, problem }) => {
                damaged.push((path, file, problem));
                continue;
            }
            found => found?,
        };
        for (other, file, problem) in damaged {
            let from = path.file_name().unwrap_or_default().to_string_lossy();
            tracing::warn!("{}: damaged: {problem}; going on from the older checkpoint {from}", file.display());
            // Out of the way of the one that is taken when the run comes here again.
            let name = other.file_name().unwrap_or_default().to_string_lossy();
            let aside = folder.join(format!("{DAMAGED}{name}"));
            remove(&aside)?;
            std::fs::rename(&other, aside).map_err(Error::file(&other, "cannot move"))?;
        }
        return Ok(Some(found));
    }
    match damaged.into_iter().next() {
        None => Ok(None),
        Some((_, path, problem)) => {
            let way = "no older checkpoint is whole; begin anew with --recipe and the run's recipe.toml";
            Err(Error::Damaged { path, problem: format!("{problem}; {way}") })
        }
    }
}

/// The most bytes of a file of a checkpoint.
const LARGEST: u64 = 1 << 40;

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Checkpoint> {
    let Wanted { network, card, settings, engine, extent } = *wanted;
    let damaged = |name: &str, problem: String| Error::Damaged { path: path.join(name), problem };
    let file = |name: &str| {
        cnn_core::file::read(path.join(name), LARGEST).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if name == CHECKSUMS => damaged(
                name,
                "missing, as in the checkpoints of earlier versions, whose damage cannot be told".to_string(),
            ),
            std::io::ErrorKind::NotFound
            | std::io::ErrorKind::InvalidInput
            | std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::FileTooLarge => damaged(name, format!("cannot be read: {error}")),
            // What the system refuses now may be whole: nothing is put aside for it.
            _ => Error::file(&path.join(name), "cannot read")(error),
        })
    };
    let (found, weights, state) = (file(CHECKSUMS)?, file(WEIGHTS)?, file(STATE)?);
    if let Some(name) = differing(&found, &weights, &state) {
        return Err(damaged(name, "contents and checksum do not agree".to_string()));
    }
    let tensors = |name: &str, bytes: Vec<u8>| {
        let source = path.join(name).display().to_string();
        Weights::from_bytes(bytes, &source).map_err(|error| damaged(name, error.to_string()))
    };
    let (weights, state) = (tensors(WEIGHTS, weights)?, tensors(STATE, state)?);
    let header = state.metadata().get(KEY);
    let header = header.ok_or_else(|| damaged(STATE, "it does not say where it was taken".to_string()))?;
    let header: Header = serde_json::from_str(header).map_err(|e| damaged(STATE, e.to_string()))?;
    let found = Card::of(&weights).map_err(|error| damaged(WEIGHTS, error.to_string()))?;
    let other = |problem: String| Error::Checkpoint { path: path.to_path_buf(), problem };
    match found {
        Some(found) if found.network != card.network => {
            return Err(other(format!("of {}, not of {}", found.network, card.network)));
        }
        // Checkpoints of earlier versions do not know the pictures' size.
        Some(found) if (Card { images: found.images.or(card.images), ..found.clone() }) != *card => {
            return Err(other(format!(
                "taken on {} with {} classes and images of {:?}, not on {} with {} and {:?}",
                found.dataset,
                found.classes.len(),
                found.input,
                card.dataset,
                card.classes.len(),
                card.input
            )));
        }
        _ => {}
    }
    if header.engine != engine {
        return Err(other(format!("taken with the engine {:?}, not with {engine:?}", header.engine).to_lowercase()));
    }
    if header.settings != *settings {
        return Err(other("taken with other settings".to_string()));
    }
    header.position.check(&extent, settings).map_err(|problem| damaged(STATE, format!("it tells of {problem}")))?;
    weights.check(network).map_err(|error| other(format!("whose weights do not fit: {error}")))?;
    if let Some(spec) = network.tensors().find(|spec| {
        (settings.average.is_some() || settings.lookahead.is_some())
            && state.get(&format!("average/{}", spec.name)).is_none()
    }) {
        return Err(damaged(STATE, format!("it has no average of {}", spec.name)));
    }
    let sizes: HashMap<&str, usize> = network.tensors().map(|spec| (spec.name.as_str(), spec.elements())).collect();
    for (name, tensor) in state.iter() {
        let expected = name.split_once('/').and_then(|(_, tensor)| sizes.get(tensor)).copied();
        if expected != Some(tensor.elements()) {
            return Err(damaged(STATE, format!("{name} with {} numbers belongs to no tensor", tensor.elements())));
        }
    }
    let saved = Saved { steps: header.position.updates as i32, weights, state };
    Ok(Checkpoint { position: header.position, saved })
}

/// Whether `folder` has a checkpoint.
pub(crate) fn any(folder: &Path) -> Result<bool> {
    Ok(!list(folder)?.is_empty())
}

/// Whether a file or folder of this name is a checkpoint, or what became of one.
pub(crate) fn is_own(name: &str) -> bool {
    [PREFIX, WRITING, LEAVING, DAMAGED].iter().any(|prefix| name.starts_with(prefix))
}

/// The checkpoints in `folder`, oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = entries(folder)?.into_iter();
    let mut found: Vec<PathBuf> = found.filter(|path| starts_with(path, PREFIX) && path.is_dir()).collect();
    // By number: there may be more steps than a name has digits.
    found.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rest = name.strip_prefix(PREFIX).unwrap_or_default();
        let (steps, epoch) = rest.split_once("-epoch-").unwrap_or((rest, ""));
        (steps.parse::<u64>().ok(), epoch.parse::<u64>().ok(), name.clone())
    });
    Ok(found)
}

fn remove_old(folder: &Path, keep: usize) -> Result<()> {
    let mut checkpoints = list(folder)?;
    checkpoints.truncate(checkpoints.len().saturating_sub(keep.max(1)));
    for path in checkpoints {
        // Without its name at once, whatever comes in between.
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let leaving = folder.join(format!("{LEAVING}{name}"));
        std::fs::rename(&path, &leaving).map_err(Error::file(&path, "cannot remove"))?;
        std::fs::remove_dir_all(&leaving).map_err(Error::file(&leaving, "cannot remove"))?;
    }
    Ok(())
}

fn clean(folder: &Path) -> Result<()> {
    for path in entries(folder)? {
        if starts_with(&path, WRITING) || starts_with(&path, LEAVING) {
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::file(folder, "cannot remove")),
    }
}

/// The entries of a folder, in no order; none where there is no folder.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        entries => entries.map_err(Error::file(folder, "cannot read"))?,
    };
    let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    paths.map_err(Error::file(folder, "cannot read"))
}

fn starts_with(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Extent = Extent { images: 95, batches: 10, steps: 5 };

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
    fn checkpoints_are_in_the_order_of_their_steps() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["step-00000004", "step-00000004-epoch-0001", "step-99999999", "step-100000000-epoch-12345"];
        for name in names.iter().rev() {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let found: Vec<PathBuf> = list(folder.path()).unwrap();
        assert_eq!(found, names.map(|name| folder.path().join(name)));
    }
}
