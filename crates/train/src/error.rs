//! What can go wrong in training.

use cnn_figures::number;
use std::path::PathBuf;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a group's learning rate is, beside the run's.
fn of_group(group: Option<&(String, f64)>) -> String {
    group.map_or_else(String::new, |(prefix, factor)| format!(", times {} for the group {prefix}", number(*factor)))
}

/// An error of this crate: one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A batch the planned step cannot take.
    #[error(transparent)]
    Plan(#[from] cnn_plan::Error),
    /// What is wrong between ranks.
    #[error(transparent)]
    Ranks(#[from] cnn_distributed::Error),
    /// What is wrong with weights.
    #[error(transparent)]
    Weights(#[from] cnn_weights::Error),
    /// A data set, or a part of it, without an image.
    #[error("expected at least 1 image to {to}, found 0")]
    NoImages {
        /// What the images are for: `train on` or `judge`.
        to: &'static str,
    },
    /// Scores that say nothing of an image.
    #[error("the scores of image {image}, counted from 0, are not all finite: {score}")]
    Scores {
        /// Its place in the set.
        image: usize,
        /// The first score that is not.
        score: f32,
    },
    /// A label that none of the classes has.
    #[error(
        "image {image}, counted from 0, has the label {label}, expected one below {classes}, the number of its scores"
    )]
    Label {
        /// Its place in the set, or in a batch that stands alone.
        image: usize,
        /// The label.
        label: u32,
        /// The number of classes.
        classes: usize,
    },
    /// Labels and scores that do not belong together.
    #[error(
        "{numbers} scores of {images} images come with {labels} labels, expected as many scores and one label for each"
    )]
    Labels {
        /// Number of images.
        images: usize,
        /// Scores of all of them.
        numbers: usize,
        /// Labels given.
        labels: usize,
    },
    /// A file or folder that could not be read or written.
    #[error("{}: {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, for example `cannot write`.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A folder that another process writes to.
    #[error("{}: another training is writing to this folder; let it end, or choose another folder", path.display())]
    FolderInUse {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with somebody else's files where this program's would be.
    #[error("{}: holds {file}, which no run wrote there; choose another folder", path.display())]
    FolderForeign {
        /// The folder.
        path: PathBuf,
        /// The file or folder that was found there.
        file: &'static str,
    },
    /// A folder of several runs, such as a sweep's.
    #[error("{}: holds runs, as {}; choose another folder", path.display(), run.display())]
    FolderOfRuns {
        /// The folder.
        path: PathBuf,
        /// One of its runs.
        run: PathBuf,
    },
    /// A run's folder that is no longer where the run writes.
    #[error("{}: the run's folder was moved or removed meanwhile; {kept}", path.display())]
    FolderLost {
        /// Where it was.
        path: PathBuf,
        /// What could be kept.
        kept: String,
    },
    /// A folder that already holds a run.
    #[error("{}: already holds a run ({file}); choose another folder, or replace it with --overwrite", path.display())]
    FolderTaken {
        /// The folder.
        path: PathBuf,
        /// The file that was found there.
        file: &'static str,
    },
    /// A run whose checkpoints were removed.
    #[error(
        "{}: holds {file} but no checkpoint to go on from: begin another run, with --init from these weights if you like",
        path.display()
    )]
    CheckpointsGone {
        /// The folder.
        path: PathBuf,
        /// What came of the run.
        file: &'static str,
    },
    /// A checkpoint that a run cannot go on from.
    #[error("{}: a checkpoint {problem}", path.display())]
    Checkpoint {
        /// The checkpoint, or the file in it.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A run that is over, so that other settings have no effect.
    #[error(
        "the run is over after {epochs} epochs{}, so {change} would have no effect: {}",
        if *.by_rule { ", since --patience of them brought no new best" } else { "" },
        if *.by_rule { "a larger --patience lets it go on" } else { "--epochs says how many there shall be" }
    )]
    RunOver {
        /// Epochs that are done.
        epochs: usize,
        /// A setting that is another.
        change: String,
        /// Whether its own rule ended it before its last epoch.
        by_rule: bool,
    },
    /// A checkpoint of which some file is no longer what was written.
    #[error("{}: damaged: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder that holds no run.
    #[error("{}: holds no run that could go on: there is no {file}", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        file: &'static str,
    },
    /// A file that is no recipe.
    #[error("{}:{line}: {problem}", path.display())]
    Recipe {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A setting that cannot be made.
    #[error("{assignment}: {problem}")]
    Set {
        /// What was to be set.
        assignment: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A recipe that is not there.
    #[error("there is no recipe {name}, nor a file of that name; there are {known}")]
    UnknownRecipe {
        /// The name that was asked for.
        name: String,
        /// The recipes there are.
        known: String,
    },
    /// Frozen tensors that are not there, or all of them.
    #[error("freeze {prefix}: {network} {problem}")]
    Freeze {
        /// What the names should begin with.
        prefix: String,
        /// The network.
        network: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting that cannot be.
    #[error("{setting} {problem}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// The rule it breaks, with its value.
        problem: String,
    },
    /// A loss that is no longer a number.
    #[error(
        "training diverged: the loss is {loss} at step {step} of epoch {epoch} (learning rate {}{}); {way_out}",
        number(*learning_rate), of_group(group.as_ref())
    )]
    Diverged {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step within the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// Learning rate at that step.
        learning_rate: f64,
        /// The group of tensors whose learning rate is the largest, where it is larger than that: its prefix, and what
        /// the rate is multiplied by.
        group: Option<(String, f64)>,
        /// What may help.
        way_out: String,
    },
    /// An epoch in which nothing could be trained on.
    #[error("no step could be taken in epoch {epoch}: {reason}")]
    NoStep {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Why.
        reason: String,
    },
    /// A run that cannot fit in memory.
    #[error("{what} does not fit: at least {shortage}; {way_out}")]
    Memory {
        /// What needs it.
        what: String,
        /// What it needs at least, and what there is.
        shortage: cnn_core::memory::Shortage,
        /// What would help.
        way_out: &'static str,
    },
    /// The observer stopped the run.
    #[error("interrupted at step {step} of epoch {epoch}; {kept}")]
    Interrupted {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step within the epoch, counted from 1.
        step: usize,
        /// What the folder holds.
        kept: String,
    },
    /// A data set whose labels the network cannot give.
    #[error("{network} gives {outputs} classes, but {dataset} has {classes}")]
    Classes {
        /// The network.
        network: String,
        /// Its number of outputs.
        outputs: usize,
        /// The data set.
        dataset: String,
        /// Its number of classes.
        classes: usize,
    },
    /// The engine `candle` in a build without the feature of that name.
    #[error("the engine candle is not in this program, which was built without the feature `candle`")]
    CandleFeature,
    /// A first layer that whitens, in a build without what it takes.
    #[error("whitening is not in this program, which was built without the feature `whitening`")]
    WhiteningFeature,
    /// An error of a loss or an engine of one's own.
    #[error("{source}")]
    Own {
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An error of the network.
    #[error(transparent)]
    Network(#[from] cnn_core::Error),
    /// An error of the data set.
    #[error(transparent)]
    Data(#[from] cnn_data::Error),
    /// What went wrong with a model.
    #[error(transparent)]
    Model(#[from] cnn_core::ModelError),
    /// An error inside candle.
    #[cfg(feature = "candle")]
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    /// An error of a loss or an engine of one's own.
    pub fn own(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Own { source: source.into() }
    }

    /// The same of an image of a batch, with so many images of its set before the batch.
    pub(crate) fn behind(self, images: usize) -> Self {
        match self {
            Self::Label { image, label, classes } => Self::Label { image: images + image, label, classes },
            other => other,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, action, source }
    }
}
