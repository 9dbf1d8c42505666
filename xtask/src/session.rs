//! A training that waits only for its folder: recipe, data and network brought together.

use crate::cli::{self, Common, EngineName};
use crate::preparation::in_words;
use crate::trained;
use crate::weights::of_file;
use crate::{data, settings};
use anyhow::{Context, Result};
use cnn_core::Network;
use cnn_core::candle_core::Device;
use cnn_core::weights::Allowed;
use cnn_data::{Card, Dataset, Fit, Preparation};
use cnn_train::{Engine, Recipe, RunFolder, Start, Task, Weights};
use cnn_zoo::{Entry, Family};
use serde_json::json;
use std::path::Path;

/// What is trained, on what, and how.
pub struct Session {
    /// Names the network; its settings are those of the tasks.
    pub recipe: Recipe,
    pub dataset: Dataset,
    network: Network,
    preparation: Preparation,
    device: Device,
    engine: Engine,
    start: Option<Start>,
}

/// What a command line asks for.
pub struct Choice<'a> {
    /// The network; else the recipe's.
    pub network: Option<&'a str>,
    /// Whether a family's name is that of a network.
    pub exact: bool,
    /// The recipe; else the network's usual one.
    pub recipe: Option<Recipe>,
    /// What differs from the recipe.
    pub settings: &'a cli::Settings,
    pub data: &'a cli::Data,
    pub resize: Option<u32>,
    pub init: Option<&'a Path>,
    pub engine: Option<EngineName>,
    /// How a run that goes on prepared its pictures.
    pub preparation: Option<Preparation>,
}

impl Session {
    pub fn new(choice: &Choice<'_>, common: &Common) -> Result<Self> {
        let mut recipe = choice.changed(choice.recipe.clone().unwrap_or_default(), common)?;
        let asked = choice.network.map(str::to_string).or_else(|| recipe.network.clone());
        let asked = asked.context("this recipe names no network: say which, as in cargo xtask train NET --recipe …")?;
        // What can be wrong is found before anything is loaded, drawn or written.
        if choice.exact || Family::find(&asked).is_none() {
            cnn_zoo::find(&asked)?;
        }
        recipe.check()?;
        let device = common.device.open()?;
        let dataset = data::chosen(&recipe.data, recipe.training.seed)?;
        let entry = choose(choice, &asked, dataset.train().shape())?;
        if choice.recipe.is_none() {
            // Only now is it known which of a family's networks it is.
            recipe = choice.changed(Recipe::usual(entry.name, dataset.name())?, common)?;
            recipe.check()?;
        }
        // What is written beside a run is of this network on these images, not of several.
        (recipe.networks, recipe.datasets) = (Vec::new(), Vec::new());
        recipe.network = Some(entry.name.to_string());
        let engine = match choice.engine {
            None => recipe.engine.unwrap_or_else(|| Engine::usual(&device)),
            Some(EngineName::Candle) => Engine::Candle,
            Some(EngineName::Plan) => Engine::Plan,
        };
        recipe.engine = (engine != Engine::usual(&device)).then_some(engine);
        let architecture = entry.architecture(dataset.classes().len());
        let init = recipe.data.init.as_deref();
        let weights = init.map(|file| trained::read(&file.to_string_lossy())).transpose()?;
        let (images, resize) = (dataset.train(), recipe.data.resize);
        let theirs = match (&choice.preparation, &weights) {
            (Some(preparation), _) => Some(preparation.clone()),
            (None, Some(weights)) => Card::of(weights)?.map(|card| card.preparation),
            (None, None) => None,
        };
        let (network, preparation) = match &theirs {
            Some(theirs) => cnn_train::fit_as(&architecture, images, resize, theirs)?,
            None => cnn_train::fit(&architecture, images, resize)?,
        };
        announce(&asked, &network, &preparation.fit, dataset.train().shape());
        if theirs.is_some() && choice.preparation.is_none() {
            println!("pictures are prepared as for these weights: {}", in_words(&preparation));
        }
        let start = init.zip(weights.as_ref()).map(|(file, weights)| start(file, weights, &network)).transpose()?;
        let session = Self { recipe, dataset, network, preparation, device, engine, start };
        session.task(&session.recipe).check()?;
        Ok(session)
    }

    /// The training of this session by `recipe`, which differs in its settings alone.
    pub fn task(&self, recipe: &Recipe) -> Task<'_> {
        Task {
            settings: recipe.training.clone(),
            device: self.device.clone(),
            engine: self.engine,
            start: self.start.clone(),
            ..Task::new(&self.network, &self.dataset, self.preparation.clone())
        }
    }

    /// A name for what is trained on what.
    pub fn name(&self) -> String {
        format!("{}-{}", self.network.name(), self.dataset.name()).replace(['/', ':'], "-")
    }

    /// Writes what a run is of, and the recipe that repeats it.
    pub fn describe(&self, folder: &mut RunFolder, recipe: &Recipe) -> Result<()> {
        folder.write_config(&json!({
            "network": self.network.name(),
            "classes": self.dataset.classes().len(),
            "input": self.network.input().dims(),
            "dataset": self.dataset.name(),
            "preparation": self.preparation,
            "settings": recipe.training,
            "engine": self.engine,
        }))?;
        Ok(folder.write_recipe(recipe)?)
    }
}

impl Choice<'_> {
    /// A recipe with what the command line changes.
    fn changed(&self, mut recipe: Recipe, common: &Common) -> Result<Recipe> {
        recipe.training.seed = common.seed.unwrap_or(recipe.training.seed);
        settings::change(&mut recipe, self.settings)?;
        data::change(&mut recipe.data, self.data);
        recipe.data.resize = self.resize.map(|side| side as usize).or(recipe.data.resize);
        recipe.data.init = self.init.map(Path::to_path_buf).or(recipe.data.init);
        Ok(recipe)
    }
}

/// The network of that very name, or the family's variant that fits the images.
fn choose(choice: &Choice<'_>, asked: &str, images: [usize; 3]) -> Result<Entry> {
    let name = match Family::find(asked) {
        // The network that a recipe names was chosen before.
        Some(family) if !choice.exact && choice.network.is_some() => family.variant_for(images),
        _ => asked,
    };
    Ok(cnn_zoo::find(name)?)
}

/// Weights to start from, and what became of each tensor.
fn start(file: &Path, weights: &Weights, network: &Network) -> Result<Start> {
    let loading = of_file(file, weights.load(network, Allowed::START))?;
    println!("{loading}");
    of_file(file, loading.start(network))
}

fn announce(asked: &str, network: &Network, fit: &Fit, [c, h, w]: [usize; 3]) {
    let chosen = if network.name() == asked { String::new() } else { format!(" (chosen for {asked})") };
    let how = match fit {
        Fit::None => String::new(),
        Fit::Pad { height, width } => format!(", framed to {height}×{width}"),
        Fit::Resize { height, width, interpolation } => format!(", stretched to {height}×{width} ({interpolation})"),
        Fit::Crop { short, height, width, interpolation } => {
            format!(" or more, shorter side {short} ({interpolation}), of it {height}×{width}")
        }
        _ => format!(", fitted as {fit:?}"),
    };
    let parameters = network.summary().parameters;
    println!("{}{chosen}: {parameters} parameters, images {c}×{h}×{w}{how}", network.name());
}
