//! Recipes: named settings in readable files.
//!
//! A recipe is TOML. `[training]` holds [`Settings`], `[data]` what is trained on; what is left out is as usual.
//! The files under `recipes/` are part of this crate and have their names; any other file is read by its path, the
//! `recipe.toml` in the folder of a run too, which repeats that run.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::prefix::fits;
use crate::recipe_words::{NONE, OPTIONAL, plain, without_none};
use crate::settings::Settings;
use cnn_data::Fold;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The recipes of this crate, by name. The first that fits a network and a data set is the usual one.
const RECIPES: &[(&str, &str)] = &[
    ("mnist", include_str!("../recipes/mnist.toml")),
    ("mnist-fast", include_str!("../recipes/mnist-fast.toml")),
    ("mnist-best", include_str!("../recipes/mnist-best.toml")),
    ("cifar10-fast", include_str!("../recipes/cifar10-fast.toml")),
    ("mlp", include_str!("../recipes/mlp.toml")),
    ("lenet-paper", include_str!("../recipes/lenet-paper.toml")),
    ("book-lenet", include_str!("../recipes/book-lenet.toml")),
    ("book", include_str!("../recipes/book.toml")),
    ("resnet-cifar", include_str!("../recipes/resnet-cifar.toml")),
    ("densenet-cifar", include_str!("../recipes/densenet-cifar.toml")),
    ("alexnet-paper", include_str!("../recipes/alexnet-paper.toml")),
    ("vgg-paper", include_str!("../recipes/vgg-paper.toml")),
    ("googlenet-paper", include_str!("../recipes/googlenet-paper.toml")),
    ("inception-v3-paper", include_str!("../recipes/inception-v3-paper.toml")),
    ("densenet-paper", include_str!("../recipes/densenet-paper.toml")),
    ("resnet-paper", include_str!("../recipes/resnet-paper.toml")),
    ("unnormalised", include_str!("../recipes/unnormalised.toml")),
    ("cifar", include_str!("../recipes/cifar.toml")),
    ("modern", include_str!("../recipes/modern.toml")),
    ("usual", include_str!("../recipes/usual.toml")),
];

/// No recipe has as many bytes.
const LARGEST_FILE: u64 = 1_000_000;

/// What is trained, on what, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// Where the numbers come from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The networks it is the usual recipe of; `*` stands for any letters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The data sets it is the usual recipe on; none for all. A folder of images is `folder` here, whatever its own name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
    /// The network, if the recipe is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// What computes a step, if not what is fastest on the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// The data.
    #[serde(skip_serializing_if = "DataChoice::is_empty")]
    pub data: DataChoice,
    /// How to train.
    pub training: Settings,
}

/// What a recipe trains on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DataChoice {
    /// The data set, as the command line names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The folder of its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The share of each class of a folder to test on, where the folder has no images for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_share: Option<f64>,
    /// Whether damaged files of a folder are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_damaged: bool,
    /// The most pixels of an image of a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_pixels: Option<u64>,
    /// Whether images of a folder are taken as they lie in their files, not turned as their cameras noted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_exif: bool,
    /// The part of a cross-validation that is judged, all others being trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// What draws digits, a limit, and which images are judged, where it is not the training's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Grey (1) or colours (3), where the pictures of a folder are not taken as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Only so many of the training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The side that images are brought to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// The weights to start from: a file, a run's folder, or the name of published ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
}

impl DataChoice {
    /// The largest side that images are stretched to.
    pub const LARGEST_SIDE: usize = 4096;

    /// Whether the numbers can be meant.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn check(&self) -> Result<()> {
        let require = |setting, holds: bool, problem: String| match holds {
            true => Ok(()),
            false => Err(Error::Setting { setting, problem }),
        };
        let (side, limit) = (self.resize.unwrap_or(1), self.limit.unwrap_or(1));
        let largest = Self::LARGEST_SIDE;
        require("resize", (1..=largest).contains(&side), format!("{side} must be from 1 to {largest}"))?;
        require("limit", limit >= 1, format!("{limit} must be at least 1"))?;
        let channels = self.channels.unwrap_or(1);
        require("channels", matches!(channels, 1 | 3), format!("{channels} must be 1, which is grey, or 3"))?;
        let seed = self.seed.unwrap_or(0);
        require("seed", i64::try_from(seed).is_ok(), format!("{seed} must be at most {}", i64::MAX))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Recipe {
    /// The names of this crate's recipes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        RECIPES.iter().map(|(name, _)| *name)
    }

    /// The file of a recipe of this crate.
    pub fn text(name: &str) -> Option<&'static str> {
        RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// A recipe of this crate by its name, else the file of that path.
    ///
    /// # Errors
    ///
    /// A name that is none and no file either, a file that is no recipe.
    pub fn find(name: &str) -> Result<Self> {
        if let Some(text) = Self::text(name) {
            return Self::parse(Path::new(name), text);
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            let known = Self::names().collect::<Vec<_>>().join(", ");
            return Err(Error::UnknownRecipe { name: name.to_string(), known });
        }
        Self::read(path)
    }

    /// The recipe in a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = cnn_core::file::read_text(path, LARGEST_FILE).map_err(Error::file(path, "cannot read"))?;
        Self::parse(path, &text)
    }

    /// Whether the numbers can be meant, and can be written to a file again.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn check(&self) -> Result<()> {
        self.training.check()?;
        self.data.check()?;
        self.to_toml().map(drop)
    }

    /// The usual recipe for the network of this name on the data set of this name: its source's where the source
    /// names one, otherwise SGD with momentum 0.9 and a cosine.
    ///
    /// # Errors
    ///
    /// Only if a recipe of this crate is invalid; a test rules that out.
    pub fn usual(network: &str, dataset: &str) -> Result<Self> {
        match Self::usual_name(network, dataset)? {
            Some(name) => Self::find(name),
            None => Ok(Self::default()),
        }
    }

    /// The name of the recipe that [`Recipe::usual`] gives, if one of this crate's is the usual one.
    ///
    /// # Errors
    ///
    /// As [`Recipe::usual`].
    pub fn usual_name(network: &str, dataset: &str) -> Result<Option<&'static str>> {
        let dataset = dataset.split(':').next().unwrap_or(dataset);
        for (name, text) in RECIPES {
            let recipe = Self::parse(Path::new(name), text)?;
            let on = recipe.datasets.is_empty() || recipe.datasets.iter().any(|known| known == dataset);
            if on && recipe.networks.iter().any(|pattern| fits(pattern, network)) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// The recipe as a file.
    ///
    /// # Errors
    ///
    /// Numbers that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::Setting { setting: "recipe", problem: error.to_string() })
    }

    /// The same with one setting changed: `assignment` is a line of TOML within `[training]`, such as
    /// `epochs = 3`, `optimizer.sgd.momentum = 0.5` or `schedule = { step = { every = 2, factor = 0.5 } }`. What a recipe may do
    /// without is switched off by `"none"`, as in `clip = "none"`.
    ///
    /// # Errors
    ///
    /// What is no such line, or no setting.
    pub fn set(&mut self, assignment: &str) -> Result<()> {
        let error = |problem: String| Error::Set { assignment: assignment.to_string(), problem };
        let mut changes: toml::Table = toml::from_str(assignment).map_err(|e| error(plain(e.message(), None)))?;
        if changes.is_empty() {
            return Err(error("sets nothing: expected a line such as `epochs = 3`".to_string()));
        }
        let mut settings = toml::Table::try_from(&self.training).map_err(|e| error(e.to_string()))?;
        changes.retain(|key, value| {
            let off = OPTIONAL.contains(&key) && value.as_str() == Some(NONE);
            if off {
                settings.remove(key);
            }
            !off
        });
        merge(&mut settings, changes, keys(assignment));
        match settings.clone().try_into() {
            Ok(training) => self.training = training,
            Err(problem) => {
                let problem: toml::de::Error = problem;
                return Err(error(plain(problem.message(), Some(&settings))));
            }
        }
        Ok(())
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        let text = &without_none(text);
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let table = text.parse::<toml::Table>().unwrap_or_default();
            let problem = plain(error.message(), table.get("training").and_then(toml::Value::as_table));
            Error::Recipe { path: path.to_path_buf(), line, problem }
        })
    }
}

/// How many keys lead to the value that a line sets: two in `clip.norm = 1.0`.
fn keys(line: &str) -> usize {
    // The first sign of equality that is in no key ends them.
    let until = |(place, _): (usize, &str)| toml::from_str::<toml::Table>(&format!("{}= 0", &line[..place])).ok();
    let found = line.match_indices('=').filter_map(until).find(|table| !table.is_empty());
    let mut inner = found.map(toml::Value::Table);
    std::iter::from_fn(|| {
        inner = inner.take()?.as_table()?.values().next().cloned();
        inner.as_ref().map(drop)
    })
    .count()
}

/// Puts the entries of one table over another's, along so many keys. A table that has none of the keys put over it is a
/// choice among several, such as `sgd` and `adamw`, and gives way to the other.
fn merge(table: &mut toml::Table, changes: toml::Table, keys: usize) {
    for (key, change) in changes {
        match (table.get_mut(&key), change) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new))
                if keys > 1 && new.keys().any(|key| old.contains_key(key)) =>
            {
                merge(old, new, keys - 1);
            }
            (_, change) => {
                table.insert(key, change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Rule;
    use crate::schedule::Schedule;

    #[test]
    fn every_recipe_is_one_and_can_be_meant() {
        for name in Recipe::names() {
            let recipe = Recipe::find(name).unwrap();
            recipe.training.check().unwrap();
            assert!(!recipe.about.is_empty(), "{name}");
            assert_eq!(Recipe::parse(Path::new(name), &recipe.to_toml().unwrap()).unwrap(), recipe, "{name}");
        }
    }

    #[test]
    fn what_is_optional_is_switched_off_by_its_name() {
        let mut recipe = Recipe { training: Settings::default(), ..Recipe::find("cifar10-fast").unwrap() };
        let plain = recipe.training.clone();
        for on in [
            "class-weights = \"auto\"",
            "warm-up = { epochs = 1.0, from = 0.0 }",
            "clip = { norm = 1.0 }",
            "average = 0.9",
            "patience = 3",
        ] {
            recipe.set(on).unwrap();
            assert_ne!(recipe.training, plain, "{on}");
            recipe.set(&format!("{} = \"none\"", on.split(' ').next().unwrap())).unwrap();
            assert_eq!(recipe.training, plain, "{on}");
        }
        let mut fast = Recipe::find("cifar10-fast").unwrap();
        for off in OPTIONAL {
            fast.set(&format!("{off} = \"none\"")).unwrap();
        }
        assert!(fast.training.whitening.is_none() && fast.training.lookahead.is_none());
        assert!(fast.set("optimizer = \"none\"").is_err());
    }

    #[test]
    fn networks_have_their_sources_recipes() {
        let usual = |network, dataset| Recipe::usual(network, dataset).unwrap().training;
        assert_eq!(usual("lenet", "mnist"), Settings::default());
        let book = usual("lenet_d2l", "fashion-mnist");
        assert_eq!((book.learning_rate, book.batch_size, book.optimizer), (0.9, 256, Rule::sgd(0.0)));
        let small = usual("mnist_residual", "mnist");
        assert_eq!((small.learning_rate, small.schedule, small.optimizer), (0.01, Schedule::Constant, Rule::sgd(0.5)));
        assert_eq!(usual("resnet56_cifar", "cifar10").batch_size, 128);
        assert!(matches!(usual("vgg16", "cifar10").optimizer, Rule::AdamW { .. }));
        assert!(matches!(usual("vgg16_bn", "cifar10").optimizer, Rule::Sgd { .. }));
        // Digits must not be mirrored.
        assert_eq!(usual("resnet56_cifar", "digits").augmentation, Settings::default().augmentation);
        // The papers trained for weeks on ImageNet; photos of one's own are fewer.
        assert_ne!(usual("resnet50", "imagenet").learning_rate, Settings::default().learning_rate);
        assert_eq!(usual("resnet50", "folder"), Settings::default());
    }

    #[test]
    fn one_setting_is_changed() {
        let mut recipe = Recipe::default();
        recipe.set("optimizer.sgd.momentum = 0.5").unwrap();
        recipe.set("schedule = { step = { every = 2, factor = 0.5 } }").unwrap();
        recipe.set("clip.norm = 2.0").unwrap();
        assert_eq!(recipe.training.optimizer, Rule::sgd(0.5));
        assert_eq!(recipe.training.schedule, Schedule::Step { every: 2.0, factor: 0.5 });
        recipe.set("optimizer = { adamw = { beta1 = 0.9, beta2 = 0.99, eps = 1e-8, weight-decay = 0.0 } }").unwrap();
        assert!(matches!(recipe.training.optimizer, Rule::AdamW { .. }));
        // A whole value takes the place of the one before, as it does in a file.
        let sgd = |momentum, weight_decay| Rule::Sgd { momentum, nesterov: false, weight_decay };
        recipe.set("optimizer = { sgd = { momentum = 0.9, weight-decay = 0.1 } }").unwrap();
        recipe.set("optimizer.sgd.momentum = 0.8").unwrap();
        assert_eq!(recipe.training.optimizer, sgd(0.8, 0.1));
        for whole in ["optimizer = { sgd = { momentum = 0.7 } }", "optimizer.sgd = { momentum = 0.7 }"] {
            recipe.set("optimizer.sgd.weight-decay = 0.1").unwrap();
            recipe.set(whole).unwrap();
            assert_eq!(recipe.training.optimizer, sgd(0.7, 0.0), "{whole}");
        }
        recipe.set("class-weights = { of = { \"a=b\" = 2.0, c = 1.0 } }").unwrap();
        recipe.set("class-weights.of.\"a=b\" = 3.0").unwrap();
        assert!(recipe.to_toml().unwrap().contains("\"a=b\" = 3.0\nc = 1.0"), "{}", recipe.to_toml().unwrap());
        let error = recipe.set("epoch = 3").unwrap_err().to_string();
        assert!(error.starts_with("epoch = 3: unknown field `epoch`"), "{error}");
        assert!(recipe.set("epochs").is_err() && recipe.set("epochs = true").is_err());
    }

    #[test]
    fn a_slip_is_named_with_its_line() {
        let error = Recipe::parse(Path::new("mine.toml"), "[training]\nepochs = 3\nlearning-rat = 0.1\n").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("mine.toml:3: unknown field `learning-rat`"), "{text}");
        let error = Recipe::find("no-such-recipe").unwrap_err().to_string();
        assert!(error.starts_with("there is no recipe no-such-recipe, nor a file of that name; there are mnist, "));
    }
}
