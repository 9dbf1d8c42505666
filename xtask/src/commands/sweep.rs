//! `sweep`: every combination of some settings, each a run of its own; a table and a picture of what came of them.

use super::report::cost;
use crate::cli::{self, Common};
use crate::data::unchanged;
use crate::interrupt::Interrupts;
use crate::output::Work;
use crate::progress::Progress;
use crate::session::{Choice, Session};
use crate::settings;
use crate::watching::GoingOn;
use anyhow::{Context, Result, bail, ensure};
use cnn_report::{Comparison, Grid, Run};
use cnn_train::{Claim, Error, Observers, Recipe, RunFolder, train};
use std::path::{Path, PathBuf};

/// What a sweep writes beside its runs.
const PICTURE: &str = "sweep.svg";
const REPORT: &str = "report";

/// The most runs of a sweep.
const MOST: usize = 10_000;

/// A setting, and the values it takes.
struct Axis {
    name: String,
    values: Vec<Value>,
}

/// A value as it is written, and what it changes in a recipe.
struct Value {
    text: String,
    change: Change,
}

enum Change {
    Flags(Box<cli::Settings>),
    Assignment(String),
}

pub fn run(args: &cli::Sweep, common: &Common) -> Result<()> {
    let axes = axes(args)?;
    ensure!(!axes.is_empty(), "nothing to try: give --lr, --momentum, --weight-decay, --batch-size or --over");
    let session = session(args, common)?;
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("sweep-{}", session.name())));
    let combinations = combinations(&axes)?;
    // What cannot be is found before the first run.
    let mut recipes = Vec::new();
    for combination in &combinations {
        let mut recipe = session.recipe.clone();
        for (axis, value) in axes.iter().zip(combination) {
            axis.values[*value].change.make(&mut recipe)?;
        }
        // All runs are on the same data, whatever their seeds.
        recipe.data.seed = recipe.data.seed.or(Some(session.recipe.training.seed));
        recipe.check()?;
        session.task(&recipe).check()?;
        recipes.push((name(&axes, combination), recipe));
    }
    let _claim = Claim::take(&out, &[PICTURE, REPORT])?;
    let (mut outcomes, mut interrupts) = (Vec::new(), Interrupts::default());
    // A terminal that goes away takes nothing with it but what it would have shown.
    let work = Work::begin();
    for (number, (name, recipe)) in recipes.iter().enumerate() {
        println!("run {} of {}: {name}", number + 1, combinations.len());
        outcomes.push(outcome(&session, recipe, &out.join(name), &mut interrupts)?);
    }
    drop((work, interrupts));
    let runs: Vec<Run> = outcomes.iter().flatten().map(|(path, _)| Run::read(path)).collect::<Result<_, _>>()?;
    let runs = runs.into_iter().map(|run| (cost(&run), run)).map(|(cost, run)| (run, cost));
    let comparison = Comparison::of(runs.collect());
    let page = comparison.write(&out.join(REPORT))?;
    let picture = out.join(PICTURE);
    let accuracies: Vec<Option<f64>> = outcomes.iter().map(|outcome| Some(outcome.as_ref()?.1)).collect();
    grid(&axes, &accuracies).write(&picture)?;
    print!("{comparison}");
    for (combination, _) in combinations.iter().zip(&accuracies).filter(|(_, accuracy)| accuracy.is_none()) {
        println!("diverged: {}", name(&axes, combination));
    }
    let best = accuracies.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    if let Some(first) = accuracies.iter().position(|accuracy| *accuracy == Some(best)) {
        println!("best: {}, {:.2} %", name(&axes, &combinations[first]), 100.0 * best);
    }
    println!("picture: {}\nreport: {}", picture.display(), page.display());
    Ok(())
}

fn session(args: &cli::Sweep, common: &Common) -> Result<Session> {
    let epochs = args.epochs;
    let settings = cli::Settings { epochs, set: args.set.clone(), ..cli::Settings::default() };
    // A network's name stands for its usual recipe.
    let is_network = Recipe::text(&args.recipe).is_none() && cnn_zoo::find(&args.recipe).is_ok();
    let (network, recipe) = match (&args.network, is_network) {
        (None, true) => (Some(args.recipe.as_str()), None),
        (network, _) => (network.as_deref(), Some(Recipe::find(&args.recipe)?)),
    };
    let choice = Choice {
        network,
        exact: true,
        recipe,
        recipe_name: (!is_network).then_some(args.recipe.as_str()),
        settings: &settings,
        data: &args.data,
        resize: args.resize,
        init: None,
        engine: args.engine,
        preparation: None,
        goes_on: false,
    };
    Session::new(&choice, common)
}

fn axes(args: &cli::Sweep) -> Result<Vec<Axis>> {
    let mut axes = Vec::new();
    let mut flags = |name: &str, values: Vec<(String, cli::Settings)>| {
        let value = |(text, flags)| Value { text, change: Change::Flags(Box::new(flags)) };
        if !values.is_empty() {
            axes.push(Axis { name: name.to_string(), values: values.into_iter().map(value).collect() });
        }
    };
    let none = cli::Settings::default;
    let each = |values: &[f64], flags: &dyn Fn(f64) -> cli::Settings| {
        values.iter().map(|value| (value.to_string(), flags(*value))).collect::<Vec<_>>()
    };
    flags("lr", each(&args.lr, &|lr| cli::Settings { lr: Some(lr), ..none() }));
    flags("momentum", each(&args.momentum, &|momentum| cli::Settings { momentum: Some(momentum), ..none() }));
    let decay = |decay| cli::Settings { weight_decay: Some(decay), ..none() };
    flags("weight-decay", each(&args.weight_decay, &decay));
    let batch = |size: &usize| (size.to_string(), cli::Settings { batch_size: Some(*size), ..none() });
    flags("batch-size", args.batch_size.iter().map(batch).collect());
    for over in &args.over {
        let (key, values) = over.split_once('=').with_context(|| format!("--over {over}: expected KEY = VALUE, …"))?;
        let value = |text: &str| {
            let text = text.trim().to_string();
            Value { change: Change::Assignment(format!("{} = {text}", key.trim())), text }
        };
        axes.push(Axis { name: key.trim().to_string(), values: values.split(',').map(value).collect() });
    }
    Ok(axes)
}

impl Change {
    fn make(&self, recipe: &mut Recipe) -> Result<()> {
        match self {
            Self::Flags(flags) => settings::change(recipe, flags),
            Self::Assignment(line) => Ok(recipe.set(line)?),
        }
    }
}

/// For each combination the position of every axis' value; the last axis changes fastest.
fn combinations(axes: &[Axis]) -> Result<Vec<Vec<usize>>> {
    let number = axes.iter().try_fold(1_usize, |number, axis| number.checked_mul(axis.values.len()));
    ensure!(number.is_some_and(|number| number <= MOST), "more than {MOST} combinations: give fewer values");
    Ok(all_combinations(axes))
}

fn all_combinations(axes: &[Axis]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |before, axis| {
        let longer = |before: &Vec<usize>| {
            let before = before.clone();
            (0..axis.values.len()).map(move |value| [before.clone(), vec![value]].concat())
        };
        before.iter().flat_map(longer).collect()
    })
}

/// The name of a combination, which is also its folder's.
fn name(axes: &[Axis], combination: &[usize]) -> String {
    let parts = axes.iter().zip(combination).map(|(axis, value)| format!("{}={}", axis.name, axis.values[*value].text));
    parts.collect::<Vec<_>>().join(",").replace(['/', '"', ' '], "")
}

/// The folder of a combination's run and its best test accuracy, `None` if it diverged. A run that is over is not taken
/// again, one that was stopped, or shall have more epochs, goes on.
fn outcome(
    session: &Session,
    recipe: &Recipe,
    path: &Path,
    interrupts: &mut Interrupts,
) -> Result<Option<(PathBuf, f64)>> {
    let task = session.task(recipe);
    let folder = match RunFolder::resume(path) {
        Err(Error::NoRun { .. }) => {
            let mut folder = RunFolder::create(path)?;
            session.describe(&mut folder, recipe)?;
            folder
        }
        resumed => goes_on(session, recipe, resumed?)?,
    };
    let (mut progress, mut going_on) = (Progress::new(), GoingOn::default());
    match train(&task, Some(&folder), &mut Observers(vec![&mut going_on, &mut progress, interrupts])) {
        Ok(outcome) => Ok(Some((path.to_path_buf(), outcome.epochs[outcome.best].test_accuracy))),
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
    let mut folder = folder.changing();
    session.describe(&mut folder, recipe)?;
    Ok(folder)
}

/// The last axis along the columns, all others along the rows.
fn grid(axes: &[Axis], accuracies: &[Option<f64>]) -> Grid {
    let Some((last, others)) = axes.split_last() else {
        return Grid { rows: Vec::new(), columns: Vec::new(), values: Vec::new() };
    };
    let label = |axis: &Axis, value: usize| format!("{} {}", axis.name, axis.values[value].text);
    let rows = all_combinations(others);
    let row = |row: &Vec<usize>| others.iter().zip(row).map(|(axis, value)| label(axis, *value)).collect::<Vec<_>>();
    Grid {
        rows: rows.iter().map(|combination| row(combination).join(", ")).collect(),
        columns: (0..last.values.len()).map(|value| label(last, value)).collect(),
        values: accuracies.chunks(last.values.len()).map(<[_]>::to_vec).collect(),
    }
}
