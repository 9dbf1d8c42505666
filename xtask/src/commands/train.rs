//! `train`: a network, a data set, settings, and a folder for what comes of it.

use super::report;
use crate::cli::{self, Common};
use crate::output::Work;
use crate::session::{Choice, Session};
use crate::watching::watched;
use anyhow::{Result, ensure};
use cnn_data::Preparation;
use cnn_report::Run;
use cnn_train::{Checkpoints, Ending, Every, Recipe, RunFolder, train};
use std::path::{Path, PathBuf};

pub fn run(args: &cli::Train, common: &Common) -> Result<()> {
    // A run that goes on is locked before anything is read of it.
    let resumed = args.folder.resume.as_deref().map(RunFolder::resume).transpose()?;
    let session = Session::new(&choice(args, resumed.as_ref(), common)?, common)?;
    // From here on, a terminal that goes away takes nothing with it but what it would have shown.
    let work = Work::begin();
    let folder = match resumed {
        Some(folder) => folder,
        None => {
            let mut folder = open(&args.folder, &session.name())?;
            session.describe(&mut folder, &session.recipe)?;
            folder
        }
    };
    let folder = folder.checkpointing(checkpoints(&args.folder));
    println!("writing to {}", folder.path().display());
    let task = session.task(&session.recipe);
    let outcome = watched(&args.watching, |observer| Ok(train(&task, Some(&folder), observer)?))?;
    drop(work);
    let best = &outcome.epochs[outcome.best];
    match outcome.ending {
        Ending::Rule => println!("stopped early: no new best since epoch {}", best.epoch),
        Ending::Observer => println!("stopped after epoch {}", outcome.epochs.len()),
        _ => {}
    }
    println!(
        "best test accuracy {:.2} % after epoch {}: {}",
        100.0 * best.test_accuracy,
        best.epoch,
        folder.best().display()
    );
    if !args.watching.no_report {
        let page = report::judged(&Run::read(folder.path())?, &session.dataset, &task.device)?;
        println!("report: {}", page.display());
    }
    Ok(())
}

fn choice<'a>(args: &'a cli::Train, resumed: Option<&RunFolder>, common: &Common) -> Result<Choice<'a>> {
    let recipe = match (resumed, &args.settings.recipe) {
        (Some(folder), _) => {
            ensure!(common.seed.is_none(), "--resume goes on with the run's own seed");
            let mut recipe = Recipe::find(&folder.recipe().to_string_lossy())?;
            if folder.has_checkpoint()? {
                // The weights it began with are no longer needed, and their file may be gone.
                recipe.data.init = None;
            }
            Some(recipe)
        }
        (None, Some(name)) => Some(Recipe::find(name)?),
        (None, None) => None,
    };
    Ok(Choice {
        network: args.network.as_deref(),
        exact: args.exact,
        recipe,
        settings: &args.settings,
        data: &args.data,
        resize: args.resize,
        init: args.init.as_deref(),
        engine: args.engine,
        preparation: resumed.map(preparation).transpose()?.flatten(),
    })
}

/// How a run has prepared its pictures so far.
fn preparation(folder: &RunFolder) -> Result<Option<Preparation>> {
    let run = Run::read(folder.path())?;
    let preparation = run.config.get("preparation").cloned();
    Ok(preparation.map(serde_json::from_value).transpose()?)
}

fn open(args: &cli::Folder, name: &str) -> Result<RunFolder> {
    Ok(match &args.out {
        Some(path) if args.overwrite => RunFolder::create_or_overwrite(path)?,
        Some(path) => RunFolder::create(path)?,
        None => RunFolder::create(&free_folder(name))?,
    })
}

fn checkpoints(args: &cli::Folder) -> Checkpoints {
    let usual = Checkpoints::default();
    let every = args.checkpoint_steps.map_or(usual.every, |steps| Every::Steps(steps as usize));
    Checkpoints { keep: args.keep.into(), every }
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3` … that is not there.
fn free_folder(name: &str) -> PathBuf {
    let numbered = |number: usize| match number {
        1 => Path::new("runs").join(name),
        _ => Path::new("runs").join(format!("{name}-{number}")),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
