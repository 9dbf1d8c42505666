//! The `config.json` of a repository in timm's form.

use crate::published::{Classes, Origin, Published};
use crate::{Error, Options, Repository, Result, fetch, imagenet};
use cnn_core::error::near_names;
use cnn_core::file;
use cnn_data::{Fit, Preparation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The name of the file, and the most that is read of it: those of timm's have 600 bytes, and class names come to more.
const CONFIG: &str = "config.json";
const MOST: u64 = 16 << 20;

/// The most classes.
const MOST_CLASSES: usize = 100_000;

/// What a repository says of its weights.
pub(crate) struct Config {
    path: PathBuf,
    model: Model,
    pretrained: Pretrained,
}

#[derive(Deserialize)]
struct Model {
    architecture: Option<String>,
    num_classes: Option<usize>,
    global_pool: Option<Value>,
    model_args: Option<Map<String, Value>>,
    label_names: Option<Value>,
    label_descriptions: Option<Value>,
    pretrained_cfg: Option<Pretrained>,
}

#[derive(Deserialize)]
struct Pretrained {
    tag: Option<String>,
    num_classes: Option<usize>,
    input_size: Option<[usize; 3]>,
    test_input_size: Option<[usize; 3]>,
    interpolation: Option<String>,
    crop_pct: Option<f64>,
    test_crop_pct: Option<f64>,
    crop_mode: Option<String>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    label_names: Option<Value>,
    license: Option<String>,
    origin_url: Option<String>,
}

impl Config {
    /// The repository's, from the cache or the hub.
    pub(crate) fn fetched(repository: &Repository, options: &Options) -> Result<Self> {
        let path = fetch::of_repository(repository, CONFIG, MOST, options)?;
        let bytes = file::read(&path, MOST).map_err(|source| Error::Read { path: path.clone(), source })?;
        Self::read(&bytes, &path)
    }

    /// From the file's bytes; `path` is what errors name.
    pub(crate) fn read(bytes: &[u8], path: &Path) -> Result<Self> {
        let mut model: Model = parsed(bytes, path)?;
        // Older files have the same entries outside of `pretrained_cfg`.
        let pretrained = match model.pretrained_cfg.take() {
            Some(pretrained) => pretrained,
            None => parsed(bytes, path)?,
        };
        Ok(Self { path: path.to_path_buf(), model, pretrained })
    }

    /// The weights of `repository`, which this describes.
    ///
    /// # Errors
    ///
    /// [`Error::Architecture`] for a network that is not here; [`Error::Config`] for what is missing, what cannot be, and
    /// what makes the network another one.
    pub(crate) fn published(&self, repository: &Repository) -> Result<Published> {
        let network = self.network(repository)?;
        self.check_arguments()?;
        let input = self.input()?;
        let preparation = self.preparation(input)?;
        let classes = self.classes(repository)?;
        let is_imagenet = classes == Classes::ImageNet;
        Ok(Published {
            name: format!("hf:{repository}"),
            network: network.to_string(),
            publisher: repository.path().split('/').next().unwrap_or_default().to_string(),
            is_default: false,
            origin: Origin::Hub { repository: repository.clone(), file: "model.safetensors".to_string() },
            digest: None,
            bytes: None,
            dataset: if is_imagenet { "imagenet".to_string() } else { repository.path() },
            input,
            preparation,
            transforms_input: false,
            classes,
            parameters: None,
            top1: None,
            top5: None,
            licence: self.pretrained.license.clone(),
            source: self.pretrained.origin_url.clone().unwrap_or_else(|| format!("hf:{repository}")),
        })
    }

    fn wrong(&self, problem: impl Into<String>) -> Error {
        Error::Config { path: self.path.clone(), problem: problem.into() }
    }

    /// The network here that is timm's of the name: where timm has published weights, the names are the same.
    fn network(&self, repository: &Repository) -> Result<&'static str> {
        let found =
            self.model.architecture.as_deref().ok_or_else(|| self.wrong("expected an architecture, found none"))?;
        let timms = || crate::all().filter(|known| known.publisher == "timm").map(|known| &*known.network);
        timms().find(|known| *known == found).ok_or_else(|| Error::Architecture {
            repository: repository.to_string(),
            found: found.chars().take(100).collect(),
            near: near_names(found, timms().collect::<std::collections::BTreeSet<_>>()),
        })
    }

    /// Refuses arguments that make another network of the architecture.
    fn check_arguments(&self) -> Result<()> {
        let harmless = ["in_chans", "num_classes", "drop_rate", "drop_path_rate", "drop_block_rate", "aux_logits"];
        let arguments = self.model.model_args.iter().flatten();
        if let Some((name, value)) = arguments.into_iter().find(|(name, _)| !harmless.contains(&name.as_str())) {
            let value: String = value.to_string().chars().take(40).collect();
            return Err(self.wrong(format!("expected the architecture as it is, found it with {name} = {value}")));
        }
        match &self.model.global_pool {
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(pool)) if pool == "avg" => Ok(()),
            Some(_) => Err(self.wrong("expected the global_pool avg, found another")),
        }
    }

    fn input(&self) -> Result<[usize; 3]> {
        let found = self.pretrained.test_input_size.or(self.pretrained.input_size);
        let input = found.ok_or_else(|| self.wrong("expected an input_size, found none"))?;
        if input[1..].iter().any(|side| !(1..=Fit::MAX_SIDE).contains(side)) || !(1..=1024).contains(&input[0]) {
            let expected = format!("channels, height and width of at most {} pixels", Fit::MAX_SIDE);
            return Err(self.wrong(format!("expected an input_size of {expected}, found {input:?}")));
        }
        Ok(input)
    }

    fn preparation(&self, input: [usize; 3]) -> Result<Preparation> {
        let of = &self.pretrained;
        let missing = |what: &str| self.wrong(format!("expected {what}, found none"));
        let crop = of.test_crop_pct.filter(|_| of.test_input_size.is_some()).or(of.crop_pct);
        let crop = crop.ok_or_else(|| missing("a crop_pct"))?;
        let mode = of.crop_mode.as_deref().unwrap_or("center").parse();
        let mean = of.mean.clone().ok_or_else(|| missing("a mean"))?;
        let std = of.std.clone().ok_or_else(|| missing("an std"))?;
        let interpolation = of.interpolation.as_deref().ok_or_else(|| missing("an interpolation"))?;
        let [_, height, width] = input;
        let fit = || Fit::timm([height, width], crop, mode?, interpolation.parse()?);
        let preparation = fit().map(|fit| Preparation { fit, mean, std });
        // Any picture shows whether it can be.
        let checked = preparation.and_then(|preparation| preparation.shape(input).map(|_| preparation));
        checked.map_err(|problem: cnn_data::Error| self.wrong(problem.to_string()))
    }

    fn classes(&self, repository: &Repository) -> Result<Classes> {
        let count = self.model.num_classes.or(self.pretrained.num_classes).unwrap_or(1000);
        if !(1..=MOST_CLASSES).contains(&count) {
            return Err(self.wrong(format!("expected a num_classes of 1 to {MOST_CLASSES}, found {count}")));
        }
        if let Some(names) = self.model.label_names.as_ref().or(self.pretrained.label_names.as_ref()) {
            let names = labels(names, count)
                .ok_or_else(|| self.wrong(format!("expected label_names of {count} classes, found another number")))?;
            if names.iter().map(String::as_str).eq(imagenet::synsets()) {
                return Ok(Classes::ImageNet);
            }
            return Ok(Classes::Named(names.into_iter().map(|name| self.described(name)).collect()));
        }
        let path = repository.path();
        let tags = [self.pretrained.tag.as_deref().unwrap_or_default(), &path];
        match count == 1000 && tags.iter().any(|tag| tag.ends_with("in1k") || tag.contains("imagenet")) {
            true => Ok(Classes::ImageNet),
            // Nobody says what they are: their numbers.
            false => Ok(Classes::Named((0..count).map(|class| class.to_string()).collect())),
        }
    }

    /// What a class is called where `label_descriptions` say, else its name.
    fn described(&self, name: String) -> String {
        let described = self.model.label_descriptions.as_ref().and_then(|all| all.get(&name)?.as_str());
        described.map_or(name, str::to_string)
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<T> {
    let parsed = serde_json::from_slice(bytes);
    parsed.map_err(|error| Error::Config {
        path: path.to_path_buf(),
        problem: format!("expected timm's form, found {error}"),
    })
}

/// The names in order: a list, or an object from each class's number to its name.
fn labels(names: &Value, count: usize) -> Option<Vec<String>> {
    let text = |name: &Value| name.as_str().map(str::to_string);
    match names {
        Value::Array(names) if names.len() == count => names.iter().map(text).collect(),
        Value::Object(names) if names.len() == count => {
            (0..count).map(|class| text(names.get(&class.to_string())?)).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "timm_tests.rs"]
mod tests;
