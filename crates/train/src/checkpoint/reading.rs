//! Reading a checkpoint, and whether a run can go on from it.

use super::checksums::{self, CHECKSUMS};
use super::{AVERAGE, DAMAGED, Extent, Header, History, KEY, Position, STATE, WEIGHTS, any, clean, list, remove};
use crate::changes::{Change, DataMark};
use crate::engine::{Engine, Saved};
use crate::error::{Error, Result};
use crate::schedule::{Schedule, WarmUp};
use crate::settings::Settings;
use cnn_core::Network;
use cnn_data::Card;
use cnn_weights::Weights;
use std::collections::HashMap;
use std::mem::discriminant;
use std::path::{Path, PathBuf};

/// The most bytes of a file of a checkpoint.
const LARGEST: u64 = 1 << 40;
/// Settings that must stay while an epoch is under way.
const OF_AN_EPOCH: [&str; 4] = ["batch-size", "shards", "accumulate", "balance"];

/// A checkpoint as it is read.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    /// The weights, and the state beside them.
    pub(crate) saved: Saved,
    pub(crate) history: History,
    /// What the run has now and had not.
    pub(crate) changes: Vec<Change>,
}

/// What is to go on.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) network: &'a Network,
    pub(crate) card: &'a Card,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
    pub(crate) data: &'a DataMark,
    /// Number of images to train on.
    pub(crate) images: usize,
    /// Whether settings may be others than they were.
    pub(crate) may_change: bool,
}

/// The newest whole checkpoint in `folder`; `None` where there is none at all. A warning tells of newer ones that are
/// damaged. Whatever was being written or removed when a run ended goes away.
///
/// # Errors
///
/// Checkpoints that are all damaged, or one that is of another network or other settings.
pub(crate) fn newest(folder: &Path, wanted: &Wanted<'_>) -> Result<Option<Checkpoint>> {
    // Where there is none yet, one that was being written says so until there is.
    if any(folder)? {
        clean(folder)?;
    }
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

/// Reads and checks a checkpoint's files, whatever it is of.
fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Checkpoint> {
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
    let checksums = file(CHECKSUMS)?;
    let differs = |name: &str| damaged(name, "contents and checksum do not agree".to_string());
    let lines = checksums::lines(&checksums).ok_or_else(|| differs(CHECKSUMS))?;
    let listed = |name: &str| lines.iter().any(|line| line.trim_end().ends_with(&format!(" {name}")));
    let tensors = |name: &str| {
        let bytes = file(name)?;
        if !lines.contains(&checksums::line(name, &bytes).as_str()) {
            return Err(differs(name));
        }
        let source = path.join(name).display().to_string();
        Weights::from_bytes(bytes, &source).map_err(|error| damaged(name, error.to_string()))
    };
    let (weights, state) = (tensors(WEIGHTS)?, tensors(STATE)?);
    let average = if listed(AVERAGE) { Some(tensors(AVERAGE)?) } else { None };
    let header = state.metadata().get(KEY);
    let header = header.ok_or_else(|| damaged(STATE, "it does not say where it was taken".to_string()))?;
    let header: Header = serde_json::from_str(header).map_err(|e| damaged(STATE, e.to_string()))?;
    let found = Card::of(&weights).map_err(|error| damaged(WEIGHTS, error.to_string()))?;
    let other = |problem: String| Error::Checkpoint { path: path.to_path_buf(), problem };
    let extent = Extent { changed: header.history.changed, ..Extent::of(wanted.images, &header.settings) };
    // Of other images, the position may well be right, and other images are prepared otherwise.
    same_network(found.as_ref(), wanted.card).map_err(other)?;
    same_data(header.data.as_ref(), wanted.data).map_err(other)?;
    same_preparation(found.as_ref(), wanted.card).map_err(other)?;
    let (settings, network) = (&header.settings, wanted.network);
    header.position.check(&extent, settings).map_err(|problem| damaged(STATE, format!("it tells of {problem}")))?;
    weights.check(network).map_err(|error| other(format!("whose weights do not fit: {error}")))?;
    match &average {
        Some(average) => {
            average.check(network).map_err(|error| other(format!("whose average does not fit: {error}")))?;
        }
        None if settings.averages() => {
            return Err(damaged(AVERAGE, "missing, as in the checkpoints of earlier versions".to_string()));
        }
        None => {}
    }
    if let Some((name, number)) = average.as_ref().map_or(Ok(None), infinite)? {
        return Err(damaged(AVERAGE, format!("{name} holds {number}")));
    }
    let sizes: HashMap<&str, usize> = network.tensors().map(|spec| (spec.name.as_str(), spec.elements())).collect();
    for (name, tensor) in state.iter() {
        let expected = name.split_once('/').and_then(|(_, tensor)| sizes.get(tensor)).copied();
        if expected != Some(tensor.elements()) {
            return Err(damaged(STATE, format!("{name} with {} numbers belongs to no tensor", tensor.elements())));
        }
    }
    if let Some((name, number)) = infinite(&state)? {
        return Err(damaged(STATE, format!("{name} holds {number}")));
    }
    let changes = changes(&header, wanted).map_err(other)?;
    Ok(going_on(header, changes, wanted, Saved { steps: 0, weights, average, state }))
}

/// The first number that is none or infinite, and its tensor.
fn infinite(weights: &Weights) -> Result<Option<(String, f32)>> {
    for (name, tensor) in weights.iter() {
        if let Some(number) = tensor.numbers::<f32>(name)?.iter().find(|number| !number.is_finite()) {
            return Ok(Some((name.to_string(), *number)));
        }
    }
    Ok(None)
}

/// What goes on by the settings that are wanted.
fn going_on(header: Header, changes: Vec<Change>, wanted: &Wanted<'_>, mut saved: Saved) -> Checkpoint {
    let Header { position, settings, mut history, .. } = header;
    history.changed |= !changes.is_empty();
    if settings.schedule != wanted.settings.schedule {
        history.schedule_since = position.epochs.len();
    }
    if discriminant(&settings.optimizer) != discriminant(&wanted.settings.optimizer) {
        // Another rule remembers other things, and begins with none. One of other numbers keeps what it needs.
        history.rule_since = position.updates;
        saved.state = Weights::new().from_source(saved.state.source().to_string());
    }
    saved.average = match wanted.settings.averages() {
        // One that begins now begins with the weights.
        true => saved.average.or_else(|| Some(saved.weights.clone())),
        false => None,
    };
    saved.steps = position.updates.saturating_sub(history.rule_since) as i32;
    Checkpoint { position, saved, history, changes }
}

/// Whether it is of the same network, for the same classes and inputs. The data may lie elsewhere under another name.
fn same_network(found: Option<&Card>, card: &Card) -> Result<(), String> {
    let Some(found) = found else { return Ok(()) };
    if found.network != card.network {
        return Err(format!("of {}, not of {}", found.network, card.network));
    }
    if found.classes != card.classes {
        let place = found.classes.iter().zip(&card.classes).position(|(a, b)| a != b);
        let first = place.map_or_else(String::new, |place| {
            format!(
                ", of which number {} is {:?} instead of {:?}",
                place + 1,
                card.classes[place],
                found.classes[place]
            )
        });
        return Err(format!(
            "for {} classes, not for the {} of the data{first}: bring the data back, or begin another run in another folder",
            found.classes.len(),
            card.classes.len()
        ));
    }
    Ok(())
}

/// Whether pictures are prepared as they were.
fn same_preparation(found: Option<&Card>, card: &Card) -> Result<(), String> {
    let Some(found) = found else { return Ok(()) };
    if found.input != card.input {
        let size = |[c, h, w]: [usize; 3]| format!("{c}×{h}×{w}");
        let (then, now) = (size(found.input), size(card.input));
        return Err(format!("taken with pictures prepared to {then}, not as now to {now}: another run"));
    }
    if found.preparation == card.preparation {
        return Ok(());
    }
    let parts = |card: &Card| serde_json::to_value(&card.preparation).unwrap_or_default();
    let (then, now) = (parts(found), parts(card));
    let part = then.as_object().and_then(|parts| parts.keys().find(|part| then[part.as_str()] != now[part.as_str()]));
    let what = part.map_or_else(String::new, |part| format!(" ({part} {}, now {})", then[part], now[part]));
    Err(format!("taken with pictures prepared otherwise{what}: another run"))
}

fn same_data(found: Option<&DataMark>, data: &DataMark) -> Result<(), String> {
    match found {
        Some(found) if found != data => Err(format!(
            "of a run on {found}, but the data changed and is now {data}: bring it back, or begin another run in another folder, from these weights with --init"
        )),
        _ => Ok(()),
    }
}

/// What is another setting than it was.
///
/// # Errors
///
/// A setting that would make it another run, or that cannot change here.
fn changes(header: &Header, wanted: &Wanted<'_>) -> Result<Vec<Change>, String> {
    if header.engine != wanted.engine {
        let engines = format!("{:?}, not with {:?}", header.engine, wanted.engine).to_lowercase();
        return Err(format!("taken with the engine {engines}: go on with that, or begin another run with --init"));
    }
    let changes = header.settings.changes(wanted.settings);
    let words = |changes: &[Change]| changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(change) = changes.iter().find(|change| change.name == "seed") {
        return Err(format!("taken with another seed, which makes another run: {change}"));
    }
    if !wanted.may_change && !changes.is_empty() {
        return Err(format!("taken with other settings: {}", words(&changes)));
    }
    let (position, epochs) = (&header.position, wanted.settings.epochs);
    let done = position.epochs.len();
    if done + usize::from(position.batches > 0) > epochs {
        let within = if position.batches > 0 { " and a part of another" } else { "" };
        return Err(format!(
            "taken after {done} epochs{within}: {epochs} are fewer; --epochs says how many there shall be"
        ));
    }
    if let Some(change) = changes.iter().find(|change| change.name.split('.').next() == Some("warm-up")) {
        // A cosine begins where the warm-up ends.
        let acts = wanted.settings.schedule == Schedule::Cosine;
        let over = |warm_up: Option<WarmUp>| warm_up.is_none_or(|warm_up| warm_up.epochs <= done as f64);
        if !acts && over(header.settings.warm_up) && over(wanted.settings.warm_up) {
            return Err(format!(
                "taken after {done} epochs, when its time is over: {change} has no effect; leave it out"
            ));
        }
    }
    match changes.iter().find(|change| position.batches > 0 && OF_AN_EPOCH.contains(&change.name.as_str())) {
        Some(change) => {
            Err(format!("taken within epoch {}, where {change} cannot be: let the epoch end first", position.epoch))
        }
        None => Ok(changes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnn_data::Preparation;

    #[test]
    fn what_differs_in_the_preparation_is_named() {
        let card = |preparation| Card {
            network: "small".to_string(),
            input: [1, 28, 28],
            classes: Vec::new(),
            dataset: "digits".to_string(),
            images: None,
            upright: true,
            preparation,
        };
        let (then, now) = (card(Preparation::mnist()), card(Preparation { mean: vec![0.5], ..Preparation::mnist() }));
        assert_eq!(same_preparation(Some(&then), &then), Ok(()));
        let message = same_preparation(Some(&then), &now).unwrap_err();
        assert!(message.starts_with("taken with pictures prepared otherwise (mean [0.13"), "{message}");
        assert!(message.ends_with("], now [0.5]): another run"), "{message}");
        let larger = Card { input: [1, 32, 32], ..then.clone() };
        let message = same_preparation(Some(&then), &larger).unwrap_err();
        assert!(message.contains("prepared to 1×28×28, not as now to 1×32×32"), "{message}");
    }
}
