//! `sweep`: every combination of some settings, seeds and parts of the data, each a run of its own; a table and a picture of
//! what came of them.

mod axes;
mod summary;

use super::report::cost;
use crate::cli::{self, Common};
use crate::data::{apart, unchanged};
use crate::interrupt::Interrupts;
use crate::judging;
use crate::keeping::Keeping;
use crate::output::Work;
use crate::progress::Progress;
use crate::session::{Choice, Session};
use crate::start::{self, Before};
use crate::watching::GoingOn;
use crate::{changed, no_effect};
use anyhow::{Result, bail, ensure};
use axes::{agree, axes, combinations, name};
use cnn_data::Fold;
use cnn_figures::path;
use cnn_report::{Comparison, Run};
use cnn_train::{Claim, Error, Observers, Recipe, RunFolder, Task, train, write_whole};
use std::collections::HashMap;
use std::path::Path;
use summary::{Done, grid, summary, table};

/// What a sweep writes beside its runs.
const PICTURE: &str = "sweep.svg";
const REPORT: &str = "report";
const TABLE: &str = "sweep.csv";

pub fn run(args: &cli::Sweep, common: &Common) -> Result<()> {
    let axes = axes(args)?;
    ensure!(
        !axes.is_empty(),
        "nothing to try: give --lr, --momentum, --weight-decay, --batch-size, --over, --seeds or --folds"
    );
    let combinations = combinations(&axes)?;
    // Each part of a cross-validation is another division of the data.
    let folds: Vec<Option<Fold>> = match args.folds {
        None => vec![args.data.fold],
        Some(of) => (1..=of).map(|number| Fold::new(number, of).map(Some)).collect::<Result<_, _>>()?,
    };
    let mut sessions: Vec<Session> = Vec::new();
    for fold in folds {
        sessions.push(session(args, fold, common, !sessions.is_empty())?);
    }
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("sweep-{}", sessions[0].name())));
    // What cannot be is found before the first run.
    let mut runs = Vec::new();
    for combination in &combinations {
        let fold = axes.iter().zip(combination).find(|(axis, _)| axis.name == "fold" && axis.repeats());
        let session = &sessions[fold.map_or(0, |(_, value)| *value)];
        let mut recipe = session.recipe.clone();
        for (axis, value) in axes.iter().zip(combination) {
            axis.values[*value].change.make(&mut recipe)?;
        }
        agree(&recipe, args, &axes, combination)?;
        // All runs are on the same data, whatever their seeds.
        recipe.data.seed = recipe.data.seed.or(Some(session.recipe.training.seed));
        recipe.check()?;
        session.task(&recipe).check()?;
        no_effect::of_shards(&recipe.training, &session.network)?;
        runs.push((session, name(&axes, combination), recipe));
    }
    each_is_another(&runs)?;
    apart(&out, &sessions[0].recipe.data)?;
    let names: Vec<&str> = runs.iter().map(|(_, name, _)| &**name).collect();
    for entry in std::fs::read_dir(&out).into_iter().flatten().flatten() {
        let name = entry.file_name();
        ensure!(
            !RunFolder::has_recipe(&entry.path()) || names.iter().any(|known| name == *known),
            "{} is a run of another sweep, whose table would be replaced: say its values too, or choose another --out",
            path(&entry.path())
        );
    }
    ensure!(!RunFolder::has_recipe(&out), "{}: holds a run, choose another --out", path(&out));
    let _claim = Claim::take(&out, &[PICTURE, REPORT, TABLE])?;
    let (mut outcomes, mut interrupts) = (Vec::new(), Interrupts::default());
    start::lines(&sessions[0], Before::Sweep)?.iter().for_each(|line| println!("{line}"));
    // A terminal that goes away takes nothing with it but what it would have shown.
    let work = Work::begin();
    for (number, (session, name, recipe)) in runs.iter().enumerate() {
        println!("run {} of {}: {name}", number + 1, combinations.len());
        let mut going_on = GoingOn::default();
        if number == 0 {
            going_on.warnings = start::warnings(session)?;
        }
        outcomes.push(outcome(session, recipe, &out.join(name), &mut Observers(vec![&mut going_on, &mut interrupts]))?);
    }
    drop((work, interrupts));
    let read: Vec<Run> = outcomes.iter().flatten().map(|done| Run::read(&done.path)).collect::<Result<_, _>>()?;
    let read = read.into_iter().map(|run| (cost(&run), run)).map(|(cost, run)| (run, cost));
    let comparison = Comparison::of(read.collect());
    let page = comparison.write(&out.join(REPORT))?;
    let accuracies: Vec<Option<f64>> =
        outcomes.iter().map(|done| done.as_ref().map(|done| done.best.test_accuracy)).collect();
    let picture = out.join(PICTURE);
    grid(&axes, &accuracies).write(&picture)?;
    write_whole(&out.join(TABLE), &table(&axes, &combinations, &outcomes)?)?;
    print!("{comparison}");
    for (combination, _) in combinations.iter().zip(&accuracies).filter(|(_, accuracy)| accuracy.is_none()) {
        println!("diverged: {}", name(&axes, combination));
    }
    for done in outcomes.iter().flatten().filter(|done| done.continued) {
        println!("went on, and was changed on the way: {}", path(&done.path));
    }
    let continued: Vec<bool> = outcomes.iter().map(|done| done.as_ref().is_some_and(|done| done.continued)).collect();
    print!("{}", summary(&axes, &combinations, &accuracies, &continued));
    println!("picture: {}\ntable: {}\nreport: {}", path(&picture), path(&out.join(TABLE)), path(&page));
    ensure!(accuracies.iter().any(Option::is_some), "every run diverged");
    Ok(())
}

/// Refuses two runs of the same settings, and one whose folder cannot be made.
fn each_is_another(runs: &[(&Session, String, Recipe)]) -> Result<()> {
    /// Bytes of a file's name, on the systems there are.
    const LONGEST: usize = 255;
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (_, name, recipe) in runs {
        if let Some(other) = seen.insert(recipe.to_toml()?, name) {
            bail!("{other} and {name} are runs of the same settings: leave out one of the two");
        }
        ensure!(
            name.len() <= LONGEST,
            "{name}: a run's folder is called so, but a name has at most {LONGEST} bytes; try fewer settings at a time"
        );
    }
    Ok(())
}

fn session(args: &cli::Sweep, fold: Option<Fold>, common: &Common, again: bool) -> Result<Session> {
    let settings = axes::of_all(args);
    // A network's name stands for its usual recipe.
    let is_network = Recipe::text(&args.recipe).is_none() && cnn_zoo::find(&args.recipe).is_ok();
    let (network, recipe) = match (&args.network, is_network) {
        (None, true) => (Some(args.recipe.as_str()), None),
        (network, _) => (network.as_deref(), Some(changed::anew(Recipe::find(&args.recipe)?))),
    };
    let data = cli::Data { fold, ..args.data.clone() };
    let choice = Choice {
        network,
        exact: true,
        recipe,
        recipe_name: (!is_network).then_some(args.recipe.as_str()),
        settings: &settings,
        data: &data,
        resize: args.resize,
        init: None,
        engine: args.engine,
        preparation: None,
        goes_on: again,
    };
    Session::new(&choice, common)
}

/// What came of a combination's run, `None` if it diverged. A run that is over is not taken
/// again, one that was stopped, or shall have more epochs, goes on.
fn outcome(session: &Session, recipe: &Recipe, path: &Path, others: &mut Observers<'_>) -> Result<Option<Done>> {
    let task = Task { metrics: judging::metrics(session.dataset.classes().len()), ..session.task(recipe) };
    let folder = match RunFolder::resume(path) {
        Err(Error::NoRun { .. }) => {
            let mut folder = RunFolder::create(path)?;
            session.describe(&mut folder, recipe, Keeping::default())?;
            folder
        }
        resumed => goes_on(session, recipe, resumed?)?,
    };
    let mut progress = Progress::new();
    match train(&task, Some(&folder), &mut Observers(vec![others, &mut progress])) {
        Ok(outcome) => {
            let [best, last] = [outcome.best, outcome.epochs.len() - 1].map(|place| outcome.epochs[place].clone());
            Ok(Some(Done { path: path.to_path_buf(), best, last, continued: outcome.changed }))
        }
        Err(error @ Error::Diverged { .. }) => {
            println!("{error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The folder of a run that goes on, which may get more epochs and nothing else.
fn goes_on(session: &Session, recipe: &Recipe, folder: RunFolder) -> Result<RunFolder> {
    let before = Recipe::find(&folder.recipe().to_string_lossy())?;
    let changes = before.training.changes(&recipe.training);
    if let Some(change) = changes.iter().find(|change| change.name != "epochs") {
        bail!(
            "{}: holds a run that differs: {change}; only --epochs can change, choose another --out",
            folder.path().display()
        );
    }
    unchanged(&before.data, &recipe.data, "a sweep goes on with the same data: choose another --out")?;
    if changes.is_empty() {
        return Ok(folder);
    }
    let (mut folder, mut recipe) = (folder.changing(), recipe.clone());
    if folder.has_checkpoint()? {
        changed::note(&before, &changes, &mut recipe);
    }
    session.describe(&mut folder, &recipe, Keeping::default())?;
    Ok(folder)
}
