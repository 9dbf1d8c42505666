//! The folder of a run: weights, figures, the recipe, checkpoints.

use crate::checkpoint::{self, Checkpoint, Wanted};
use crate::claim::{Claim, Whereabouts};
use crate::epoch::{Epoch, best_epoch};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run_files::{BEST, CHECKPOINTS, CONFIG, EVENT_FILE, EVENTS, JUDGEMENT, LAST, METRICS, RECIPE, REPORT};
use crate::set_aside::SetAside;
use crate::whole_file::{link_whole, write_whole};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What others write beside a run's files.
const BESIDE: [&str; 2] = [REPORT, EVENTS];

/// The folder a run writes to. Every file in it is whole at every moment, but for the event files of TensorBoard, which grow;
/// and one run at a time writes there.
///
/// | file | |
/// | --- | --- |
/// | `best.safetensors` | weights of the epoch with the highest test accuracy |
/// | `last.safetensors` | weights after the last finished epoch |
/// | `metrics.jsonl` | an [`Epoch`] a line |
/// | `judgement.json` | what the best weights are worth, on images that were held out too |
/// | `config.json` | what was trained on what |
/// | `recipe.toml` | the settings, to run it again |
/// | `checkpoints/step-N` | what the run needs to go on; one that is damaged is renamed to `damaged-step-N` |
/// | `report/`, `tensorboard/` | what others write of the run; the report of one that is replaced stays until the new one's is written |
/// | `.cnn-run` | says that the folder holds a run, and is locked while the run goes on |
///
/// A run that is replaced stays in `.replaced` until the new one has a checkpoint or weights of its own; if the new one
/// ends before that, the old one is put back.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    checkpoints: Checkpoints,
    resumed: bool,
    /// Whether a run that goes on may have other settings than it had.
    changing: bool,
    /// Whether they are still to be written.
    undescribed: AtomicBool,
    /// What the run was started with, as it is or will be written.
    described: Described,
    claim: Claim,
}

/// The text of `config.json` and of `recipe.toml`.
#[derive(Clone, Debug, Default)]
struct Described {
    config: Option<Vec<u8>>,
    recipe: Option<Vec<u8>>,
}

/// When checkpoints are taken, and how many are kept. There is one after every epoch and one when a run is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// How many of the newest are kept, at least one.
    pub keep: usize,
    /// When there is one between two epochs.
    pub every: Every,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Every {
    /// After so many steps.
    Steps(usize),
    /// After such a time.
    Time(Duration),
}

impl Default for Checkpoints {
    /// The newest one; every ten minutes.
    fn default() -> Self {
        Self { keep: 1, every: Every::Time(Duration::from_secs(600)) }
    }
}

impl RunFolder {
    /// The folder of its checkpoints.
    pub const CHECKPOINTS: &'static str = CHECKPOINTS;
    /// The file of the weights of the best epoch.
    pub const BEST: &'static str = BEST;
    /// The file of the figures of all epochs.
    pub const METRICS: &'static str = METRICS;
    /// The file that says what was trained on what.
    pub const CONFIG: &'static str = CONFIG;
    /// The file of the settings.
    pub const RECIPE: &'static str = RECIPE;
    /// The folder of the run's report.
    pub const REPORT: &'static str = REPORT;
    /// The folder of TensorBoard's event files.
    pub const EVENTS: &'static str = EVENTS;
    /// How the name of an event file begins.
    pub const EVENT_FILE: &'static str = EVENT_FILE;

    /// Makes the folder `path`, or takes it if it holds neither a run nor files of others where a run's would be. A run
    /// that came to no checkpoint does not count: it is replaced.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, that holds a run already, that another process is writing to, or that
    /// has somebody else's files under a run's names. It stays as it was.
    pub fn create(path: &Path) -> Result<Self> {
        let folder = Self::claimed(path)?;
        match results(path)? {
            Some(file) => Err(Error::FolderTaken { path: path.to_path_buf(), file }),
            None => Ok(folder),
        }
    }

    /// Makes the folder `path`; what an earlier run left there is replaced. Only files that a run wrote are removed, and
    /// only when the new run has written a checkpoint or weights.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, that another process is writing to, or that has somebody else's files
    /// under a run's names. It stays as it was.
    pub fn create_or_overwrite(path: &Path) -> Result<Self> {
        let folder = Self::claimed(path)?;
        if results(path)?.is_some() {
            SetAside::of(path).set()?;
        }
        Ok(folder)
    }

    /// Takes the folder of a run that ended before it was done: [`train`](crate::train) goes on from its newest
    /// checkpoint, or from the beginning if it came to none.
    ///
    /// # Errors
    ///
    /// A folder that holds no run, that another process is writing to, or whose checkpoints were removed while what came of
    /// the run is still there: beginning anew would write over it.
    pub fn resume(path: &Path) -> Result<Self> {
        let aside = SetAside::of(path);
        let missing = || Error::NoRun { path: path.to_path_buf(), file: RECIPE };
        if !Self::has_recipe(path) && !aside.exists() {
            return Err(missing());
        }
        if !Claim::marks(path) {
            // A run of an earlier version, or something else of that name.
            Recipe::read(&path.join(RECIPE))?;
        }
        let claim = Claim::lock(path)?;
        aside.settle(results(path)?.is_some(), Self::has_recipe(path))?;
        let text = |name| -> Result<Option<Vec<u8>>> {
            match cnn_core::file::read(path.join(name), LARGEST_TEXT) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                read => read.map(Some).map_err(Error::file(path.join(name), "cannot read")),
            }
        };
        let described = Described { config: text(CONFIG)?, recipe: text(RECIPE)? };
        match described.recipe {
            None => Err(missing()),
            Some(_) => {
                checkpoints_are_there(path)?;
                let mut folder = Self::of(path, claim);
                (folder.resumed, folder.described) = (true, described);
                Ok(folder)
            }
        }
    }

    fn of(path: &Path, claim: Claim) -> Self {
        let (checkpoints, described) = (Checkpoints::default(), Described::default());
        Self {
            path: path.to_path_buf(),
            checkpoints,
            resumed: false,
            changing: false,
            undescribed: AtomicBool::new(false),
            described,
            claim,
        }
    }

    /// The same for a run that may go on with other settings than it had: all but the seed can change. What is written of
    /// the run from here on takes its place with the first checkpoint that [`train`](crate::train) writes.
    #[must_use]
    pub fn changing(mut self) -> Self {
        self.changing = self.resumed;
        self.undescribed = AtomicBool::new(self.changing);
        self
    }

    /// The folder with a lock on it and whatever a program that was killed had begun to replace put back.
    fn claimed(path: &Path) -> Result<Self> {
        let names = [LAST, BEST, METRICS, JUDGEMENT, CONFIG, RECIPE, CHECKPOINTS];
        if let Some(run) = run_of_sweep(path)? {
            return Err(Error::FolderOfRuns { path: path.to_path_buf(), run });
        }
        let claim = match holds_run(path) {
            true => Claim::lock(path)?,
            false => Claim::take(path, &[names.as_slice(), &BESIDE].concat())?,
        };
        // Better to learn now than after the first epoch.
        tempfile::tempfile_in(path).map_err(Error::file(path, "cannot write into the folder"))?;
        SetAside::of(path).settle(results(path)?.is_some(), false)?;
        Ok(Self::of(path, claim))
    }

    /// Whether the folder `path` has the recipe of a run, and so is one's.
    pub fn has_recipe(path: &Path) -> bool {
        path.join(RECIPE).exists()
    }

    /// The same with other checkpoints.
    #[must_use]
    pub fn checkpointing(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = checkpoints;
        self
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The weights of the epoch with the highest accuracy.
    pub fn best(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// The weights after the last finished epoch.
    pub fn last(&self) -> PathBuf {
        self.path.join(LAST)
    }

    /// The recipe the run was started with.
    pub fn recipe(&self) -> PathBuf {
        self.path.join(RECIPE)
    }

    /// Writes what the run was started with; of a run that goes on with other settings, when it does.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn write_config(&mut self, config: &impl Serialize) -> Result<()> {
        let path = self.path.join(CONFIG);
        let text = serde_json::to_string_pretty(config).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
        self.described.config = Some((text + "\n").into_bytes());
        if self.changing { Ok(()) } else { self.describe() }
    }

    /// Writes the recipe that repeats the run; from then on the folder holds a run. As [`RunFolder::write_config`].
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn write_recipe(&mut self, recipe: &Recipe) -> Result<()> {
        self.described.recipe = Some(recipe.to_toml()?.into_bytes());
        if self.changing { Ok(()) } else { self.describe() }
    }

    /// Writes the settings of a run that goes on with others, once.
    pub(crate) fn describe_changes(&self) -> Result<()> {
        if self.undescribed.load(Ordering::Acquire) {
            self.describe()?;
            self.undescribed.store(false, Ordering::Release);
        }
        Ok(())
    }

    fn describe(&self) -> Result<()> {
        for (name, text) in [(CONFIG, &self.described.config), (RECIPE, &self.described.recipe)] {
            if let Some(text) = text {
                write_whole(&self.path.join(name), text)?;
            }
        }
        Ok(())
    }

    /// Writes what the best weights are worth into a run's folder: `judgement.json`.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn write_judgement(folder: &Path, judgement: &impl Serialize) -> Result<()> {
        let path = folder.join(JUDGEMENT);
        let text = serde_json::to_string_pretty(judgement).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
        write_whole(&path, (text + "\n").as_bytes())
    }

    /// Whether the folder keeps a finished run that another one was to replace.
    pub fn replaces(path: &Path) -> bool {
        SetAside::of(path).exists()
    }

    /// Whether there is a checkpoint to go on from.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read.
    pub fn has_checkpoint(&self) -> Result<bool> {
        checkpoint::any(&self.path.join(CHECKPOINTS))
    }

    /// How many checkpoints there are.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read.
    pub fn kept(&self) -> Result<usize> {
        checkpoint::count(&self.path.join(CHECKPOINTS))
    }

    pub(crate) fn checkpoints(&self) -> Checkpoints {
        self.checkpoints
    }

    pub(crate) fn may_change(&self) -> bool {
        self.changing
    }

    pub(crate) fn whereabouts(&self) -> Whereabouts {
        self.claim.whereabouts()
    }

    /// Makes the folder anew, with what the run was started with.
    pub(crate) fn again(&self) -> Result<Self> {
        let mut again = Self::create(&self.path)?;
        again.described = self.described.clone();
        again.describe()?;
        Ok(again)
    }

    /// The checkpoint to go on from, if the run is one that goes on.
    pub(crate) fn newest(&self, wanted: &Wanted<'_>) -> Result<Option<Checkpoint>> {
        let checkpoints = self.path.join(CHECKPOINTS);
        let found = if self.resumed { checkpoint::newest(&checkpoints, wanted)? } else { None };
        let Some(epochs) = found.as_ref().map(|found| &found.position.epochs).filter(|epochs| !epochs.is_empty())
        else {
            return Ok(found);
        };
        // What was kept of epochs after it may never come again.
        let best = best_epoch(epochs) + 1;
        let link = |epoch, file: &Path| -> Result<bool> {
            let Some(weights) = checkpoint::weights_of(&checkpoints, epoch)? else { return Ok(false) };
            link_whole(&weights, file)?;
            Ok(true)
        };
        link(epochs.len(), &self.last())?;
        if !link(best, &self.best())? {
            self.tell_whose_best(best);
        }
        Ok(found)
    }

    /// Says so if the best weights are of a later epoch than `epoch`, one that the run has lost.
    fn tell_whose_best(&self, epoch: usize) {
        let text = cnn_core::file::read(self.path.join(METRICS), LARGEST_TEXT).unwrap_or_default();
        let kept: Vec<Epoch> = serde_json::Deserializer::from_slice(&text).into_iter().map_while(Result::ok).collect();
        let holds = best_epoch(&kept) + 1;
        if holds > epoch {
            tracing::warn!(
                "{}: of epoch {holds}, which the run has lost; weights of epoch {epoch} are gone, so it stays until an epoch is better",
                self.best().display()
            );
        }
    }

    /// Whether the folder is still there: a run stops soon after its folder was moved or removed.
    pub(crate) fn is_there(&self) -> bool {
        self.whereabouts() == Whereabouts::There
    }

    /// Writes the figures of all epochs so far.
    pub(crate) fn keep_metrics(&self, epochs: &[Epoch]) -> Result<()> {
        let path = self.path.join(METRICS);
        if epochs.is_empty() && !path.exists() {
            return Ok(());
        }
        let mut text = String::new();
        for epoch in epochs {
            text += &serde_json::to_string(epoch).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
            text.push('\n');
        }
        write_whole(&path, text.as_bytes())
    }
}

impl Drop for RunFolder {
    /// A run that ends with nothing to show gives its place back to the one it was to replace.
    fn drop(&mut self) {
        let came_to_nothing = || matches!(results(&self.path), Ok(None));
        if !self.resumed
            && self.is_there()
            && came_to_nothing()
            && let Err(error) = SetAside::of(&self.path).put_back()
        {
            tracing::warn!("the run that was to be replaced is in .replaced: {error}");
        }
    }
}

/// What a run came to, by the first file that shows it.
fn results(path: &Path) -> Result<Option<&'static str>> {
    let file = [LAST, BEST, METRICS].into_iter().find(|file| path.join(file).exists());
    match file {
        Some(file) => Ok(Some(file)),
        None => Ok(checkpoint::any(&path.join(CHECKPOINTS))?.then_some(CHECKPOINTS)),
    }
}

/// Refuses a run that has results but no checkpoint, unless it was ended while it wrote its very first.
fn checkpoints_are_there(path: &Path) -> Result<()> {
    if checkpoint::any(&path.join(CHECKPOINTS))? {
        return Ok(());
    }
    let Some(file) = results(path)? else { return Ok(()) };
    match checkpoint::was_being_written(&path.join(CHECKPOINTS))? {
        true => Ok(()),
        false => Err(Error::CheckpointsGone { path: path.to_path_buf(), file }),
    }
}

/// The most bytes of a run's settings.
const LARGEST_TEXT: u64 = 4 << 20;

/// A run within a folder that was claimed and is none itself: then it is a sweep's.
fn run_of_sweep(path: &Path) -> Result<Option<PathBuf>> {
    if !Claim::marks(path) || RunFolder::has_recipe(path) {
        return Ok(None);
    }
    // What a run sets aside lies in a hidden folder.
    let hidden = |inner: &Path| inner.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    // One that was killed early has its mark alone.
    let is_run = |inner: &Path| RunFolder::has_recipe(inner) || Claim::marks(inner);
    Ok(checkpoint::entries(path)?.into_iter().find(|inner| !hidden(inner) && is_run(inner)))
}

/// Whether the folder holds a run: it is marked so, or by what an earlier version wrote.
fn holds_run(path: &Path) -> bool {
    let object =
        |text: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&text).is_ok_and(|c| c["settings"].is_object());
    Claim::marks(path)
        || (Recipe::read(&path.join(RECIPE)).is_ok()
            && cnn_core::file::read(path.join(CONFIG), LARGEST_TEXT).is_ok_and(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run's files, those of `.replaced` too, each with its contents.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    files.push((name, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files.retain(|(name, _)| name != ".cnn-run");
        files.sort();
        files
    }

    /// A run with weights, a checkpoint, and beside them what it did not write.
    fn run(folder: &Path) -> RunFolder {
        let mut run = RunFolder::create(folder).unwrap();
        run.write_config(&serde_json::json!({ "settings": {} })).unwrap();
        run.write_recipe(&Recipe { about: "old".to_string(), ..Recipe::default() }).unwrap();
        let checkpoint = folder.join(CHECKPOINTS).join("step-00000004");
        std::fs::create_dir_all(&checkpoint).unwrap();
        for file in [run.last(), run.best(), checkpoint.join("state.safetensors"), folder.join("notes.txt")] {
            std::fs::write(file, "old").unwrap();
        }
        std::fs::write(folder.join(CHECKPOINTS).join("theirs.txt"), "kept").unwrap();
        run
    }

    #[test]
    fn a_run_that_comes_to_nothing_leaves_the_one_it_was_to_replace() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        drop(run(&folder));
        let before = files(&folder);
        let mut new = RunFolder::create_or_overwrite(&folder).unwrap();
        assert!(!new.last().exists() && !new.has_checkpoint().unwrap());
        new.write_recipe(&Recipe { about: "new".to_string(), ..Recipe::default() }).unwrap();
        std::fs::create_dir_all(folder.join(EVENTS)).unwrap();
        std::fs::write(folder.join(EVENTS).join("events.out.tfevents.9.new.0"), "of the new run").unwrap();
        drop(new);
        assert_eq!(files(&folder), before);
        // The same where the program was killed in between: whoever comes next finds the old run.
        let mut new = RunFolder::create_or_overwrite(&folder).unwrap();
        new.write_recipe(&Recipe { about: "new".to_string(), ..Recipe::default() }).unwrap();
        new.resumed = true;
        drop(new);
        assert!(matches!(RunFolder::create(&folder), Err(Error::FolderTaken { .. })));
        assert_eq!(files(&folder), before);
    }

    #[test]
    fn a_run_is_replaced_once_the_new_one_has_something_and_nothing_else_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        drop(run(&folder));
        let new = RunFolder::create_or_overwrite(&folder).unwrap();
        std::fs::write(new.last(), "new").unwrap();
        SetAside::of(&folder).discard().unwrap();
        drop(new);
        let found = files(&folder);
        let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let expected = [("checkpoints/theirs.txt", "kept"), ("last.safetensors", "new"), ("notes.txt", "old")];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_folder_of_runs_is_none() {
        let parent = tempfile::tempdir().unwrap();
        let whole = |run: &Path| RunFolder::create(run).unwrap().write_recipe(&Recipe::default()).unwrap();
        let killed_early = |run: &Path| drop(Claim::take(run, &[REPORT]).unwrap());
        for (name, first) in [("sweep", &whole as &dyn Fn(&Path)), ("killed", &killed_early)] {
            let sweep = parent.path().join(name);
            let claim = Claim::take(&sweep, &[REPORT]).unwrap();
            first(&sweep.join("lr=0.1"));
            drop(claim);
            let before = files(&sweep);
            for made in [RunFolder::create, RunFolder::create_or_overwrite, RunFolder::resume] {
                assert!(matches!(made(&sweep), Err(Error::FolderOfRuns { .. } | Error::NoRun { .. })));
            }
            assert_eq!(files(&sweep), before);
        }
    }

    #[test]
    fn a_run_that_came_to_nothing_blocks_no_other() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        let mut first = RunFolder::create(&folder).unwrap();
        first.write_recipe(&Recipe::default()).unwrap();
        assert!(matches!(RunFolder::create(&folder), Err(Error::FolderInUse { .. })));
        assert!(matches!(RunFolder::create_or_overwrite(&folder), Err(Error::FolderInUse { .. })));
        assert!(matches!(RunFolder::resume(&folder), Err(Error::FolderInUse { .. })));
        drop(first);
        RunFolder::create(&folder).unwrap();
    }

    #[test]
    fn what_was_being_written_goes_away_with_the_next_claim() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        let claims: [&dyn Fn(); 3] = [
            &|| drop(RunFolder::resume(&folder).unwrap()),
            &|| drop(RunFolder::create_or_overwrite(&folder).unwrap()),
            &|| drop(Claim::take(&folder, &[REPORT]).unwrap()),
        ];
        for claim in claims {
            if results(&folder).unwrap().is_none() {
                drop(run(&folder));
            }
            let left = [".writing-a", "report/.writing-b"].map(|name| folder.join(name));
            for left in &left {
                std::fs::create_dir_all(left).unwrap();
                std::fs::hard_link(folder.join(LAST), left.join("link")).unwrap();
            }
            std::fs::write(folder.join(".writing-c"), "half").unwrap();
            std::fs::write(folder.join("report/index.html"), "whole").unwrap();
            claim();
            assert!(left.iter().all(|left| !left.exists()) && !folder.join(".writing-c").exists());
            assert!(folder.join("report/index.html").exists());
        }
        // In a folder that was never claimed it is somebody else's.
        let theirs = parent.path().join("theirs");
        std::fs::create_dir_all(theirs.join(".writing-a")).unwrap();
        drop(RunFolder::create(&theirs).unwrap());
        assert!(theirs.join(".writing-a").exists());
    }

    #[test]
    fn a_folder_of_somebody_else_stays_as_it_is() {
        for name in [CONFIG, CHECKPOINTS, LAST, RECIPE, "report", "tensorboard"] {
            let folder = tempfile::tempdir().unwrap();
            let theirs = folder.path().join(name);
            std::fs::write(&theirs, "theirs").unwrap();
            for refused in [RunFolder::create(folder.path()), RunFolder::create_or_overwrite(folder.path())] {
                assert!(matches!(refused, Err(Error::FolderForeign { file, .. }) if file == name), "{refused:?}");
            }
            assert!(RunFolder::resume(folder.path()).is_err());
            assert_eq!(files(folder.path()), [(name.to_string(), "theirs".to_string())]);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
