//! `train`: a network, a data set, settings, and a folder for what comes of it.

mod find_rate;
mod going_on;

use super::report;
use crate::cli::{self, Common};
use crate::data::{apart, put_back};
use crate::judging::{self, Verdicts};
use crate::keeping::Keeping;
use crate::output::Work;
use crate::session::{Choice, Session};
use crate::start::{self, Before};
use crate::watching::watched;
use crate::{changed, no_effect, processes};
use anyhow::{Result, bail, ensure};
use cnn_distributed::Ranks;
use cnn_figures::{path, percent};
use cnn_report::Run;
use cnn_train::{Ending, Outcome, Recipe, RunFolder, Silent, Task, train};
use going_on::{Described, best_is_there, described, goes_on_from, recipe_of};
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
    let described = resumed.as_ref().map(described).transpose()?.unwrap_or_default();
    let (before, described) = processes::of_first(ranks, (before, described))?;
    let keeping = Keeping::of(args, described.keeping);
    let mut session = Session::new(&choice(args, before.clone(), &described, common)?, common)?;
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
        best_is_there(folder, &session)?;
    }
    start::lines(&session, Before::Run)?.iter().for_each(|line| println!("{line}"));
    // From here on, a terminal that goes away takes nothing with it but what it would have shown.
    let _work = Work::begin();
    let mut folder = match resumed {
        Some(folder) => folder.changing(),
        None => open(&args.folder, &session)?,
    };
    session.describe(&mut folder, &session.recipe, keeping)?;
    let folder = keeping.apply(folder);
    let ranks = Some(ranks).filter(|ranks| ranks.world() > 1);
    let task = Task { metrics, ranks, ..session.task(&session.recipe) };
    let kept = keeping.in_words().map_or_else(String::new, |kept| format!(": {kept}"));
    println!("writing to {}{kept}", path(folder.path()));
    let warnings = start::warnings(&session)?;
    let watching = cli::Watching { tensorboard: keeping.tensorboard, ..args.watching.clone() };
    let outcome = watched(&watching, &task, warnings, |observer| Ok(train(&task, Some(&folder), observer)?));
    let outcome = outcome.map_err(|error| going_on_later(error, &folder))?;
    tell(&outcome, &folder);
    let run = Run::read(folder.path())?;
    let verdicts = judging::judged(&run, &session.dataset, &task.device)?;
    RunFolder::write_judgement(&run.path, &verdicts.as_json(&run))?;
    if !args.watching.no_report {
        let page = report::write(&run, &verdicts)?;
        println!("report: {}", path(&page));
    } else if run.shows_judgement() {
        println!("the report that is there is of before: cargo xtask report {} writes it anew", path(&run.path));
    }
    tell_held_out(&verdicts);
    Ok(())
}

/// An error with what helps a run that has a checkpoint: without the damaged it would be another one.
fn going_on_later(error: anyhow::Error, folder: &RunFolder) -> anyhow::Error {
    match folder.has_checkpoint() {
        Ok(true) => put_back(error),
        _ => error,
    }
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

fn choice<'a>(
    args: &'a cli::Train,
    before: Option<Recipe>,
    described: &'a Described,
    common: &Common,
) -> Result<Choice<'a>> {
    let goes_on = args.folder.resume.is_some();
    ensure!(!goes_on || common.seed.is_none(), "--resume goes on with the run's own seed: leave --seed out");
    let recipe = match (before, &args.settings.recipe) {
        (Some(recipe), _) => Some(recipe),
        (None, Some(name)) => Some(changed::anew(Recipe::find(name)?)),
        (None, None) => None,
    };
    Ok(Choice {
        network: args.network.as_deref(),
        exact: args.exact,
        recipe,
        recipe_name: args.settings.recipe.as_deref().or(described.recipe.as_deref()),
        settings: &args.settings,
        data: &args.data,
        resize: args.resize,
        init: args.init.as_deref(),
        engine: args.engine,
        preparation: described.preparation.clone(),
        goes_on,
    })
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

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3` … that is not there.
fn free_folder(name: &str) -> PathBuf {
    let numbered = |number: usize| match number {
        1 => Path::new("runs").join(name),
        _ => Path::new("runs").join(format!("{name}-{number}")),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
