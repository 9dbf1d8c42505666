//! `train`: a network, a data set, settings, and a folder for what comes of it.

mod find_rate;

use super::report;
use crate::cli::{self, Common};
use crate::data::{apart, put_back, unchanged};
use crate::judging::{self, Verdicts};
use crate::output::Work;
use crate::session::{Choice, Session};
use crate::start::{self, Before};
use crate::watching::watched;
use crate::{changed, no_effect, processes};
use anyhow::{Result, bail, ensure};
use cnn_data::Preparation;
use cnn_distributed::Ranks;
use cnn_figures::{path, percent};
use cnn_report::Run;
use cnn_train::{Checkpoints, Ending, Every, Outcome, Recipe, RunFolder, Silent, Task, train};
use std::path::{Path, PathBuf};

pub fn run(args: &cli::Train, common: &Common) -> Result<()> {
    if processes::start(args, common)? {
        return Ok(());
    }
    let ranks = processes::join(args)?;
    let done =
        on(&ranks, args, common).map_err(|error| if args.folder.resume.is_some() { put_back(error) } else { error });
    match done {
        Ok(()) => Ok(ranks.finish()?),
        // All ranks end, and one of them says why.
        Err(error) if ranks.world() > 1 => Err(ranks.fail(&format!("{error:#}")).into()),
        Err(error) => Err(error),
    }
}

/// Trains on this rank, together with the others.
fn on(ranks: &Ranks, args: &cli::Train, common: &Common) -> Result<()> {
    no_effect::of_ranks(args, ranks.world())?;
    if let Some(folder) = args.folder.resume.as_deref().filter(|folder| !folder.exists()) {
        bail!("--resume {}: there is no such folder, expected that of a run", path(folder));
    }
    // A run that goes on is locked before anything is read of it.
    let resumed = args.folder.resume.as_deref().filter(|_| ranks.is_first()).map(RunFolder::resume).transpose()?;
    let before = resumed.as_ref().map(recipe_of).transpose()?;
    let preparation = resumed.as_ref().map(preparation).transpose()?.flatten();
    let (before, preparation) = processes::of_first(ranks, (before, preparation))?;
    let mut session = Session::new(&choice(args, before.clone(), preparation, common)?, common)?;
    processes::share_out(ranks, args, &mut session)?;
    no_effect::of_shards(&session.recipe.training, &session.network)?;
    if args.find_lr {
        return find_rate::run(&session, args.folder.out.as_deref());
    }
    if let Some(before) = &before {
        // Another rank goes on as the first does.
        let begun = resumed.as_ref().map(RunFolder::has_checkpoint).transpose()?.unwrap_or_default();
        goes_on_from(before, &mut session, begun)?;
    }
    let metrics = judging::metrics(session.dataset.classes().len());
    processes::agree(ranks, &session)?;
    if !ranks.is_first() {
        let task = Task { metrics, ranks: Some(ranks), ..session.task(&session.recipe) };
        train(&task, None, &mut Silent)?;
        return Ok(());
    }
    if let Some(folder) = &resumed {
        ensure!(
            folder.best().is_file()
                || folder.kept()? == 0
                || Run::read(folder.path()).is_ok_and(|run| run.epochs.is_empty()),
            "{} is gone, without which the run cannot be judged at its end: begin another with --init {}",
            path(&folder.best()),
            path(&folder.last())
        );
    }
    start::lines(&session, Before::Run)?.iter().for_each(|line| println!("{line}"));
    // From here on, a terminal that goes away takes nothing with it but what it would have shown.
    let work = Work::begin();
    let mut folder = match resumed {
        Some(folder) => folder.changing(),
        None => open(&args.folder, &session)?,
    };
    session.describe(&mut folder, &session.recipe)?;
    let checkpoints = checkpoints(&args.folder, folder.kept()?);
    let folder = folder.checkpointing(checkpoints);
    let ranks = Some(ranks).filter(|ranks| ranks.world() > 1);
    let task = Task { metrics, ranks, ..session.task(&session.recipe) };
    println!("writing to {}", path(folder.path()));
    let warnings = start::warnings(&session)?;
    let outcome = watched(&args.watching, &task, warnings, |observer| Ok(train(&task, Some(&folder), observer)?))?;
    drop(work);
    tell(&outcome, &folder);
    let run = Run::read(folder.path())?;
    let verdicts = judging::judged(&run, &session.dataset, &task.device)?;
    RunFolder::write_judgement(&run.path, &verdicts.as_json(&run))?;
    if !args.watching.no_report {
        let page = report::write(&run, &verdicts)?;
        println!("report: {}", path(&page));
    }
    tell_held_out(&verdicts);
    Ok(())
}

/// What came of a run, in a line.
fn tell(outcome: &Outcome, folder: &RunFolder) {
    let best = &outcome.epochs[outcome.best];
    match outcome.ending {
        Ending::Rule => println!("stopped early: no new best since epoch {}", best.epoch),
        Ending::Observer => println!("stopped after epoch {}", outcome.epochs.len()),
        _ => {}
    }
    println!(
        "best test accuracy {} after epoch {} of {}: {}",
        percent(best.test_accuracy),
        best.epoch,
        outcome.epochs.len(),
        path(&folder.best())
    );
}

fn tell_held_out(verdicts: &Verdicts) {
    if let Some(held_out) = &verdicts.held_out {
        let (accuracy, images) = (percent(held_out.predictions.top(1)), held_out.predictions.len());
        println!("held-out accuracy {accuracy}: {images} images of test, which took part in no choice");
    }
}

/// The recipe that a run was started with.
fn recipe_of(folder: &RunFolder) -> Result<Recipe> {
    let mut recipe = Recipe::find(&folder.recipe().to_string_lossy())?;
    if folder.has_checkpoint()? {
        // The weights it began with are no longer needed, and their file may be gone.
        recipe.data.init = None;
    }
    Ok(recipe)
}

/// Refuses what would make a run another, what does nothing once it has begun, and what would judge its next epochs otherwise
/// than those before; notes in its recipe what it does not repeat.
fn goes_on_from(before: &Recipe, session: &mut Session, begun: bool) -> Result<()> {
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
    changed::note(before, &changes, &mut session.recipe);
    Ok(())
}

fn choice<'a>(
    args: &'a cli::Train,
    before: Option<Recipe>,
    preparation: Option<Preparation>,
    common: &Common,
) -> Result<Choice<'a>> {
    let goes_on = args.folder.resume.is_some();
    ensure!(!goes_on || common.seed.is_none(), "--resume goes on with the run's own seed: leave --seed out");
    let recipe = match (before, &args.settings.recipe) {
        (Some(recipe), _) => Some(recipe),
        (None, Some(name)) => Some(Recipe::find(name)?),
        (None, None) => None,
    };
    Ok(Choice {
        network: args.network.as_deref(),
        exact: args.exact,
        recipe,
        recipe_name: args.settings.recipe.as_deref().or(goes_on.then_some("the run's own")),
        settings: &args.settings,
        data: &args.data,
        resize: args.resize,
        init: args.init.as_deref(),
        engine: args.engine,
        preparation,
        goes_on,
    })
}

/// How a run has prepared its pictures so far.
fn preparation(folder: &RunFolder) -> Result<Option<Preparation>> {
    // Its figures are written anew from the checkpoint, whatever became of their file.
    let preparation = Run::config_of(folder.path())?.get("preparation").cloned();
    Ok(preparation.map(serde_json::from_value).transpose()?)
}

fn open(args: &cli::Folder, session: &Session) -> Result<RunFolder> {
    let path = args.out.clone().unwrap_or_else(|| free_folder(&session.name()));
    apart(&path, &session.recipe.data)?;
    ensure!(path.to_str().is_some(), "--out {}: the name of a run's folder is to be UTF-8", cnn_figures::path(&path));
    Ok(match args.overwrite {
        true => RunFolder::create_or_overwrite(&path)?,
        false => RunFolder::create(&path)?,
    })
}

/// `kept` are those that there are: none of them was to go.
fn checkpoints(args: &cli::Folder, kept: usize) -> Checkpoints {
    let usual = Checkpoints::default();
    let every = args.checkpoint_steps.map_or(usual.every, |steps| Every::Steps(steps as usize));
    Checkpoints { keep: args.keep.map_or(kept.max(usual.keep), usize::from), every }
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3` … that is not there.
fn free_folder(name: &str) -> PathBuf {
    let numbered = |number: usize| match number {
        1 => Path::new("runs").join(name),
        _ => Path::new("runs").join(format!("{name}-{number}")),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
