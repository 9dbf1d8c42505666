//! What a run keeps beside its weights and figures: it is written with the run, and holds for one that goes on.

use crate::cli;
use cnn_figures::plural;
use cnn_train::{Checkpoints, Every, RunFolder};
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keeping {
    /// How many of the newest checkpoints.
    pub checkpoints: Option<usize>,
    /// Steps between two of them.
    pub steps: Option<usize>,
    /// Whether event files for TensorBoard are written.
    pub tensorboard: bool,
}

impl Keeping {
    /// What the command line asks for, else what the run had that goes on.
    pub fn of(args: &cli::Train, before: Option<Self>) -> Self {
        let before = before.unwrap_or_default();
        Self {
            checkpoints: args.folder.keep.map(usize::from).or(before.checkpoints),
            steps: args.folder.checkpoint_steps.map(|steps| steps as usize).or(before.steps),
            tensorboard: args.watching.tensorboard || (before.tensorboard && !args.watching.no_tensorboard),
        }
    }

    /// The run's checkpoints.
    pub fn apply(self, folder: RunFolder) -> RunFolder {
        let usual = Checkpoints::default();
        let every = self.steps.map_or(usual.every, Every::Steps);
        folder.checkpointing(Checkpoints { keep: self.checkpoints.unwrap_or(usual.keep), every })
    }

    /// What of it is not the usual, in words.
    pub fn in_words(self) -> Option<String> {
        let checkpoints = self.checkpoints.map(|keep| format!("{} kept", plural(keep, "checkpoint", "checkpoints")));
        let steps = self.steps.map(|steps| format!("one every {}", plural(steps, "step", "steps")));
        let events = self.tensorboard.then(|| "event files for TensorBoard".to_string());
        let all: Vec<String> = [checkpoints, steps, events].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}
