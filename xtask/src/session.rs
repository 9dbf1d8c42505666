//! A training that waits only for its folder: recipe, data and network brought together.

use crate::cli::{self, Common, EngineName};
use crate::data_name::folder_of;
use crate::keeping::Keeping;
use crate::own_data::gone;
use crate::preparation::in_words;
use crate::way_out::at_size;
use crate::weights::of_file;
use crate::{data, progress, settings, trained};
use anyhow::{Context, Result, bail};
use cnn_core::device::Device;
use cnn_core::weights::Allowed;
use cnn_core::{Architecture, Network};
use cnn_data::{Card, Dataset, Preparation};
use cnn_figures::count;
use cnn_train::{DataChoice, DataMark, Engine, Recipe, RunFolder, Start, Task, Weights};
use cnn_zoo::{Entry, Family};
use serde_json::json;
use std::path::Path;

/// What is trained, on what, and how.
pub struct Session {
    /// Names the network; its settings are those of the tasks.
    pub recipe: Recipe,
    pub dataset: Dataset,
    pub network: Network,
    pub preparation: Preparation,
    /// What the recipe is called.
    pub recipe_name: String,
    /// What was asked for, where another network was chosen for it.
    pub chosen_for: Option<String>,
    /// What else is to be said before the first step.
    pub notes: Vec<String>,
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
    /// What it is called.
    pub recipe_name: Option<&'a str>,
    /// What differs from the recipe.
    pub settings: &'a cli::Settings,
    pub data: &'a cli::Data,
    pub resize: Option<u32>,
    pub init: Option<&'a str>,
    pub engine: Option<EngineName>,
    /// How a run that goes on prepared its pictures.
    pub preparation: Option<Preparation>,
    /// Whether a run goes on, whose pictures were looked through when it began.
    pub goes_on: bool,
}

impl Session {
    pub fn new(choice: &Choice<'_>, common: &Common) -> Result<Self> {
        let mut recipe = choice.changed(choice.recipe.clone().unwrap_or_default(), common)?;
        let asked = choice.network.map(str::to_string).or_else(|| recipe.network.clone());
        let asked = asked.with_context(|| {
            match choice.recipe.is_some() && choice.network.is_none() && choice.preparation.is_some() {
                true => "the run's recipe.toml names no network: put the file back as it was",
                false => "this recipe names no network: say which, as in cargo xtask train NET --recipe …",
            }
        })?;
        // What can be wrong is found before anything is loaded, drawn or written.
        if choice.exact || Family::find(&asked).is_none() {
            cnn_zoo::find(&asked)?;
        }
        recipe.check()?;
        if choice.goes_on {
            gone(&recipe.data)?;
        }
        let device = common.device.open()?;
        let weights = recipe.data.init.as_deref().map(trained::read).transpose()?;
        let card = weights.as_ref().map(Card::of).transpose()?.flatten();
        unturned(&mut recipe, card.as_ref());
        let mut dataset = data::changed(&recipe.data, choice.data, recipe.training.seed)?;
        let entry = choose(choice, &asked, dataset.train().shape())?;
        let mut recipe_name = choice.recipe_name.map(str::to_string);
        if choice.recipe.is_none() {
            // Only now is it known which of a family's networks it is. A folder may be called as a set is, and is none.
            let set = if dataset.origins().is_some() { "folder" } else { dataset.name() };
            recipe = choice.changed(Recipe::usual(entry.name, set)?, common)?;
            unturned(&mut recipe, card.as_ref());
            recipe.check()?;
            let usual = Recipe::usual_name(entry.name, set)?;
            recipe_name = Some(usual.map_or_else(|| "the usual settings".to_string(), str::to_string));
        }
        let architecture = entry.architecture(dataset.classes().len());
        let mut notes = Vec::new();
        if let Some(limit) = recipe.data.limit.filter(|limit| *limit > dataset.train().len()) {
            notes.push(format!("a limit of {} leaves out none of the images to train on", count(limit)));
        }
        if let Some(grey) = grey(&mut recipe.data, &architecture, &dataset)? {
            dataset = grey;
            notes.push(
                "the pictures are grey, and so is what the network reads: --channels 3 gives it colours".to_string(),
            );
        }
        // What is written beside a run is of this network on these images, not of several, and means the same anywhere.
        (recipe.networks, recipe.datasets) = (Vec::new(), Vec::new());
        recipe.network = Some(entry.name.to_string());
        data::absolute(&mut recipe.data)?;
        let engine = match choice.engine {
            None => recipe.engine.unwrap_or_else(|| Engine::usual(&device)),
            Some(EngineName::Candle) => Engine::Candle,
            Some(EngineName::Plan) => Engine::Plan,
        };
        recipe.engine = (engine != Engine::usual(&device)).then_some(engine);
        let init = recipe.data.init.as_deref();
        let (images, resize) = (dataset.train(), recipe.data.resize);
        let theirs = choice.preparation.clone().or_else(|| card.as_ref().map(|card| card.preparation.clone()));
        let (network, preparation) = match &theirs {
            Some(theirs) => cnn_train::fit_as(&architecture, images, resize, theirs)?,
            None => cnn_train::fit(&architecture, images, resize).map_err(|error| match resize {
                Some(side) => at_size(error.into(), "--resize", &architecture, [images.channels(), side]),
                None => error.into(),
            })?,
        };
        if theirs.is_some() && choice.preparation.is_none() {
            let turned = if images.are_upright() { "" } else { "; not turned as their cameras noted" };
            notes.push(format!("pictures are prepared as for these weights: {}{turned}", in_words(&preparation)));
        }
        let start = match (init, &weights) {
            (Some(init), Some(weights)) => {
                let start = start(Path::new(init), weights, &network, &mut notes)?;
                notes.extend(card.as_ref().and_then(|card| of_other_classes(card, dataset.classes())));
                Some(start)
            }
            _ => None,
        };
        let chosen_for = (network.name() != asked).then_some(asked);
        let recipe_name = recipe_name.unwrap_or_default();
        let mut session =
            Self { recipe, dataset, network, preparation, recipe_name, chosen_for, notes, device, engine, start };
        session.task(&session.recipe).check()?;
        // Damage is found before anything is written. A run that goes on without the damaged leaves the same ones out.
        if !choice.goes_on || session.recipe.data.skip_damaged {
            session.dataset = progress::looked_through(session.dataset)?;
        }
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

    /// Writes what a run is of, what it keeps beside the usual, and the recipe that repeats it.
    pub fn describe(&self, folder: &mut RunFolder, recipe: &Recipe, keeping: Keeping) -> Result<()> {
        folder.write_config(&json!({
            "network": self.network.name(),
            "recipe": self.recipe_name,
            "classes": self.dataset.classes().len(),
            "input": self.network.input().dims(),
            "dataset": self.dataset.name(),
            "data": DataMark::of(&self.dataset),
            "preparation": self.preparation,
            "settings": recipe.training,
            "engine": self.engine,
            "keeping": keeping,
        }))?;
        Ok(folder.write_recipe(recipe)?)
    }
}

impl Choice<'_> {
    /// A recipe with what the command line changes.
    fn changed(&self, mut recipe: Recipe, common: &Common) -> Result<Recipe> {
        recipe.training.seed = common.seed.unwrap_or(recipe.training.seed);
        settings::change(&mut recipe, self.settings)?;
        if let Some(seed) = common.seed.filter(|seed| *seed != recipe.training.seed) {
            let set = recipe.training.seed;
            bail!("a flag and --set say different things, seed {seed} → {set}: leave one of them out");
        }
        data::change(&mut recipe.data, self.data);
        recipe.data.resize = self.resize.map(|side| side as usize).or(recipe.data.resize);
        recipe.data.init = self.init.map(str::to_string).or(recipe.data.init);
        Ok(recipe)
    }
}

/// Pictures of a folder stay as they lie in their files where those of the weights to begin with did.
fn unturned(recipe: &mut Recipe, card: Option<&Card>) {
    let of_folder = recipe.data.dataset.as_deref().and_then(folder_of).is_some();
    recipe.data.no_exif |= of_folder && card.is_some_and(|card| !card.upright);
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

/// The images in grey, where they are and a network is for grey ones, unless the choice says what is to be.
pub fn grey(choice: &mut DataChoice, architecture: &Architecture, dataset: &Dataset) -> Result<Option<Dataset>> {
    let [usual, ..] = architecture.usual_input();
    let images = dataset.train();
    if choice.channels.is_some() || usual != 1 || images.channels() == 1 || !images.are_grey() {
        return Ok(None);
    }
    choice.channels = Some(1);
    Ok(dataset.in_channels(1))
}

/// What is said of weights for as many classes, but others.
fn of_other_classes(card: &Card, classes: &[String]) -> Option<String> {
    let other = card.classes.len() == classes.len() && card.classes != classes;
    other.then(|| {
        format!(
            "the weights' classes are called otherwise ({}): the last layer goes on from what it was for them, place by place",
            card.classes.join(", ")
        )
    })
}

/// Weights to start from, and what became of each tensor.
fn start(file: &Path, weights: &Weights, network: &Network, notes: &mut Vec<String>) -> Result<Start> {
    let loading = of_file(file, weights.load(network, Allowed::START))?;
    notes.extend(loading.to_string().lines().map(str::to_string));
    of_file(file, loading.start(network))
}
