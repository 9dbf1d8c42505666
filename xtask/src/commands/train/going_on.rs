//! `train --resume`: what a run says of itself, and what it does not go on with.

use crate::changed;
use crate::data::unchanged;
use crate::keeping::Keeping;
use crate::session::Session;
use anyhow::{Result, anyhow, bail, ensure};
use cnn_data::{Card, Preparation};
use cnn_figures::path;
use cnn_report::Run;
use cnn_train::{Recipe, RunFolder, Weights};
use serde::{Deserialize, Serialize};

/// The recipe that a run was started with.
pub fn recipe_of(folder: &RunFolder) -> Result<Recipe> {
    let mut recipe = Recipe::find(&folder.recipe().to_string_lossy())?;
    if folder.has_checkpoint()? {
        // The weights it began with are no longer needed, and their file may be gone.
        recipe.data.init = None;
    }
    Ok(recipe)
}

/// Refuses what would make a run another, what does nothing once it has begun, and what would judge its next epochs otherwise
/// than those before; notes in its recipe what it does not repeat.
pub fn goes_on_from(before: &Recipe, session: &mut Session, begun: bool) -> Result<()> {
    unchanged(
        &before.data,
        &session.recipe.data,
        "--resume goes on with the run's own data: begin another with --init",
    )?;
    ensure!(
        before.training.seed == session.recipe.training.seed,
        "seed = {} would make it another run: --resume goes on with the run's own seed, {}",
        session.recipe.training.seed,
        before.training.seed
    );
    let changes = before.training.changes(&session.recipe.training);
    for change in changes.iter().filter(|_| begun) {
        match change.name.split('.').next() {
            Some("whitening") => {
                bail!("{change} has no effect: the run has begun, and whitening sets what it begins with; leave it out")
            }
            Some("test-time") => bail!(
                "{change}: the best of epochs that are judged in two ways is none; leave it out, and judge the run so by \
                 cargo xtask eval --test-time"
            ),
            _ => {}
        }
    }
    if begun {
        changed::note(before, &changes, &mut session.recipe);
    }
    Ok(())
}

/// What a run that goes on says of itself beside its recipe.
#[derive(Default, Serialize, Deserialize)]
pub struct Described {
    /// How it has prepared its pictures so far.
    pub preparation: Option<Preparation>,
    /// What its recipe is called.
    pub recipe: Option<String>,
    /// What it keeps.
    pub keeping: Option<Keeping>,
}

/// What the files of a run's folder say of it.
///
/// # Errors
///
/// A file that is gone or damaged.
pub fn described(folder: &RunFolder) -> Result<Described> {
    // Its figures are written anew from the checkpoint, whatever became of their file.
    let config = Run::config_of(folder.path()).map_err(|error| {
        let (file, last) = (folder.path().join(RunFolder::CONFIG), folder.last());
        let begin = if last.exists() { format!(" with --init {}", path(&last)) } else { String::new() };
        match file.exists() {
            true => anyhow!("{error}: put the file back as it was, or begin another run{begin}"),
            false => anyhow!(
                "{} is gone, which says how the run prepares its pictures: put it back, or begin another run{begin}",
                path(&file)
            ),
        }
    })?;
    let preparation = config.get("preparation").cloned().map(serde_json::from_value).transpose()?;
    let name = config["recipe"].as_str().filter(|name| !name.is_empty()).unwrap_or("the run's own");
    let keeping = config.get("keeping").cloned().map(serde_json::from_value).transpose()?;
    let keeping = match keeping {
        Some(keeping) => keeping,
        // Runs of earlier versions do not say it; they keep as many as there are.
        None => Keeping { checkpoints: Some(folder.kept()?.max(1)), ..Keeping::default() },
    };
    Ok(Described { preparation, recipe: Some(name.to_string()), keeping: Some(keeping) })
}

/// Refuses a run that goes on without its best weights: they may stay the best, and could not be judged at the end.
pub fn best_is_there(folder: &RunFolder, session: &Session) -> Result<()> {
    if folder.kept()? == 0 || Run::read(folder.path()).is_ok_and(|run| run.epochs.is_empty()) {
        return Ok(());
    }
    let (best, last) = (folder.best(), folder.last());
    let way_out =
        || format!("without it the run cannot be judged at its end: begin another with --init {}", path(&last));
    ensure!(best.is_file(), "{} is gone, and {}", path(&best), way_out());
    let problem = match Weights::read(&best) {
        Err(error) => Some(error.to_string()),
        Ok(weights) => match Card::of(&weights) {
            Err(error) => Some(format!("{}: {error}", path(&best))),
            Ok(card) => {
                let of = card.map_or_else(|| session.network.name().to_string(), |card| card.network);
                match of == session.network.name() {
                    true => weights.check(&session.network).err().map(|error| format!("{}: {error}", path(&best))),
                    false => Some(format!("{} holds weights of {of}, not of {}", path(&best), session.network.name())),
                }
            }
        },
    };
    problem.map_or(Ok(()), |problem| Err(anyhow!("{problem}; {}", way_out())))
}
