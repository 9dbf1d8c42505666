//! `train`: a network, a data set, settings, and a folder for what comes of it.

use super::{data, settings};
use crate::cli::{self, Common, EngineName};
use crate::progress::Progress;
use anyhow::{Context, Result};
use cnn_core::Network;
use cnn_data::Fit;
use cnn_train::{Checkpoints, Engine, Every, Recipe, RunFolder, Start, Task, WeightsFile, train};
use cnn_zoo::{Entry, Family};
use serde_json::json;
use std::path::{Path, PathBuf};

pub fn run(args: &cli::Train, common: &Common) -> Result<()> {
    let plan = Plan::new(args, common)?;
    // What can be wrong is found before anything is loaded, drawn or written.
    if args.exact || Family::find(&plan.network).is_none() {
        cnn_zoo::find(&plan.network)?;
    }
    let device = common.device.open()?;
    let dataset = data::chosen(&plan.recipe.data, plan.recipe.training.seed)?;
    let entry = choose(&plan, args.exact, dataset.train().shape())?;
    let mut recipe = match plan.complete {
        true => plan.recipe,
        false => {
            // The usual recipe is the variant's, not the family's.
            let mut usual = Recipe::usual(entry.name, dataset.name())?;
            usual.training.seed = common.seed();
            settings::change(&mut usual, &args.settings)?;
            Recipe { data: plan.recipe.data, ..usual }
        }
    };
    recipe.network = Some(entry.name.to_string());
    let settings = recipe.training.clone();
    settings.check()?;
    let engine = match args.engine {
        None => Engine::usual(&device),
        Some(EngineName::Candle) => Engine::Candle,
        Some(EngineName::Plan) => Engine::Plan,
    };
    let architecture = entry.architecture(dataset.classes().len());
    let (network, preparation) = cnn_train::fit(&architecture, dataset.train(), recipe.data.resize)?;
    announce(&plan.network, &network, &preparation.fit, dataset.train().shape());
    let start = recipe.data.init.as_deref().map(|file| start(file, &network)).transpose()?;
    let mut folder = plan.folder.open(&entry, dataset.name())?;
    if !plan.folder.resumes() {
        folder.write_config(&json!({
            "network": entry.name,
            "classes": dataset.classes().len(),
            "input": network.input().dims(),
            "dataset": dataset.name(),
            "preparation": preparation,
            "settings": settings,
            "engine": engine,
        }))?;
        folder.write_recipe(&recipe)?;
    }
    println!("writing to {}", folder.path().display());
    let task = Task { network: &network, dataset: &dataset, preparation, settings, device, engine, start };
    let outcome = train(&task, Some(&mut folder), &mut Progress::new())?;
    let best = &outcome.epochs[outcome.best];
    if outcome.epochs.len() < task.settings.epochs {
        println!("stopped after epoch {}: no new best for {} epochs", outcome.epochs.len(), outcome.epochs.len() - best.epoch);
    }
    println!(
        "best test accuracy {:.2} % after epoch {}: {}",
        100.0 * best.test_accuracy,
        best.epoch,
        folder.best().display()
    );
    Ok(())
}

/// What the arguments come to before data are loaded.
struct Plan<'a> {
    network: String,
    recipe: Recipe,
    /// Whether the recipe says all, or the network's usual one is still to be found.
    complete: bool,
    folder: FolderChoice<'a>,
}

impl<'a> Plan<'a> {
    fn new(args: &'a cli::Train, common: &Common) -> Result<Self> {
        let folder = FolderChoice(&args.folder);
        if let Some(path) = &args.folder.resume {
            let recipe = Recipe::find(&RunFolder::resume(path)?.recipe().to_string_lossy())?;
            let network = recipe.network.clone().context("the run's recipe names no network")?;
            return Ok(Self { network, recipe, complete: true, folder });
        }
        let mut recipe = match &args.settings.recipe {
            Some(name) => Recipe::find(name)?,
            None => Recipe::default(),
        };
        let complete = args.settings.recipe.is_some();
        let network = args.network.clone().or_else(|| recipe.network.clone());
        let network = network.with_context(|| format!("a recipe without a network needs one: cargo xtask train NET --recipe {}", args.settings.recipe.as_deref().unwrap_or("NAME")))?;
        recipe.training.seed = common.seed.or(complete.then_some(recipe.training.seed)).unwrap_or(1);
        settings::change(&mut recipe, &args.settings)?;
        // Slips are found before data are loaded, whatever the recipe will be.
        recipe.training.check()?;
        data::change(&mut recipe.data, &args.data);
        recipe.data.resize = args.resize.map(|side| side as usize).or(recipe.data.resize);
        recipe.data.init = args.init.clone().or(recipe.data.init);
        Ok(Self { network, recipe, complete, folder })
    }
}

/// The folder as the arguments say.
struct FolderChoice<'a>(&'a cli::Folder);

impl FolderChoice<'_> {
    fn resumes(&self) -> bool {
        self.0.resume.is_some()
    }

    fn open(&self, entry: &Entry, dataset: &str) -> Result<RunFolder> {
        let folder = match (&self.0.resume, &self.0.out) {
            (Some(path), _) => RunFolder::resume(path)?,
            (None, Some(path)) if self.0.overwrite => RunFolder::create_or_overwrite(path)?,
            (None, Some(path)) => RunFolder::create(path)?,
            (None, None) => RunFolder::create(&free_folder(&format!("{}-{dataset}", entry.name)))?,
        };
        let usual = Checkpoints::default();
        let every = self.0.checkpoint_steps.map_or(usual.every, |steps| Every::Steps(steps as usize));
        Ok(folder.checkpointing(Checkpoints { keep: self.0.keep.into(), every }))
    }
}

/// The network of that very name, or the family's variant that fits the images.
fn choose(plan: &Plan<'_>, exact: bool, images: [usize; 3]) -> Result<Entry> {
    let name = match Family::find(&plan.network) {
        // The network a recipe names was chosen when it was written.
        Some(family) if !exact && plan.recipe.network.as_ref() != Some(&plan.network) => family.variant_for(images),
        _ => &plan.network,
    };
    Ok(cnn_zoo::find(name)?)
}

/// Weights to start from, and a word about what begins anew.
fn start(file: &Path, network: &Network) -> Result<Start> {
    let weights = WeightsFile::read(file, &cnn_core::candle_core::Device::Cpu)?;
    let start = weights.start(network)?;
    let all = start.tensors.len() + start.anew.len();
    let anew = match start.anew.as_slice() {
        [] => String::new(),
        names => format!("; {} begin anew", names.join(", ")),
    };
    println!("{} of {all} tensors from {}{anew}", start.tensors.len(), file.display());
    Ok(start)
}

fn announce(asked: &str, network: &Network, fit: &Fit, [c, h, w]: [usize; 3]) {
    let chosen = if network.name() == asked { String::new() } else { format!(" (chosen for {asked})") };
    let how = match fit {
        Fit::None => String::new(),
        Fit::Pad { height, width } => format!(", framed to {height}×{width}"),
        Fit::Resize { height, width } => format!(", stretched to {height}×{width}"),
    };
    let parameters = network.summary().parameters;
    println!("{}{chosen}: {parameters} parameters, images {c}×{h}×{w}{how}", network.name());
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3` … that is not there.
fn free_folder(name: &str) -> PathBuf {
    let name = name.replace(['/', ':'], "-");
    let numbered = |number: usize| match number {
        1 => Path::new("runs").join(&name),
        _ => Path::new("runs").join(format!("{name}-{number}")),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
