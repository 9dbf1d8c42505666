//! The data set of a command.

use crate::cli::Data;
use anyhow::{Result, bail};
use cnn_data::{
    Damage, Dataset, DigitsConfig, FolderConfig, FolderImages, Name, Source, digits, folder, folder_images, load,
};
use cnn_train::{DataChoice, Recipe, TestTime};
use std::path::{Path, PathBuf};

/// Files of a run's folder.
const RECIPE: &str = "recipe.toml";
const CONFIG: &str = "config.json";

/// Loads the data set that `args` names; `seed` draws digits, and what a limit or a folder's split leaves to chance.
pub fn dataset(args: &Data, seed: u64) -> Result<Dataset> {
    let mut choice = DataChoice::default();
    change(&mut choice, args);
    chosen(&choice, seed)
}

/// Changes a choice as the command line says.
pub fn change(choice: &mut DataChoice, args: &Data) {
    choice.dataset = args.dataset.clone().or(choice.dataset.take());
    choice.data_dir = args.data_dir.clone().or(choice.data_dir.take());
    choice.limit = args.limit.map(|limit| limit as usize).or(choice.limit);
    choice.test_share = args.test_share.or(choice.test_share);
    choice.skip_damaged |= args.skip_damaged;
    choice.no_exif |= args.no_exif;
    choice.max_pixels = args.max_pixels.or(choice.max_pixels);
}

/// What a run was trained and judged on, and the seed that drew what was left to chance.
pub struct RunData {
    pub choice: DataChoice,
    pub seed: u64,
    /// The views it was judged by.
    pub test_time: TestTime,
}

impl RunData {
    /// The data of the run in a folder, as its recipe tells; none where the folder holds no run.
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        let recipe = folder.join(RECIPE);
        if !recipe.is_file() || !folder.join(CONFIG).is_file() {
            return Ok(None);
        }
        let recipe = Recipe::find(&recipe.to_string_lossy())?;
        let Recipe { data, training, .. } = recipe;
        Ok(Some(Self { choice: data, seed: training.seed, test_time: training.test_time }))
    }

    /// The same data with what the command line says instead.
    pub fn changed(mut self, args: &Data) -> Self {
        change(&mut self.choice, args);
        self
    }

    pub fn load(&self) -> Result<Dataset> {
        chosen(&self.choice, self.seed)
    }
}

/// All images of a folder to judge weights on that were not trained on it.
pub fn folder_to_judge(args: &Data, folder: &Path) -> Result<FolderImages> {
    Ok(folder_images(&FolderConfig {
        damage: if args.skip_damaged { Damage::Skip } else { Damage::Refuse },
        max_pixels: args.max_pixels.unwrap_or(FolderConfig::MAX_PIXELS),
        upright: !args.no_exif,
        ..FolderConfig::new(folder)
    })?)
}

/// Loads the data set of a choice; `seed` draws digits, and what a limit or a folder's split leaves to chance.
pub fn chosen(choice: &DataChoice, seed: u64) -> Result<Dataset> {
    let dataset = whole(choice, seed)?;
    Ok(match choice.limit {
        Some(limit) => dataset.limited(limit, seed),
        None => dataset,
    })
}

fn whole(choice: &DataChoice, seed: u64) -> Result<Dataset> {
    let name = choice.dataset.as_deref().unwrap_or(Name::Digits.as_str());
    if let Some(path) = name.strip_prefix("folder:") {
        if choice.data_dir.is_some() {
            bail!("--data-dir is where the classic files lie, expected only folder:PATH for a folder of images");
        }
        let damage = if choice.skip_damaged { Damage::Skip } else { Damage::Refuse };
        let test_share = choice.test_share.unwrap_or(FolderConfig::TEST_SHARE);
        let max_pixels = choice.max_pixels.unwrap_or(FolderConfig::MAX_PIXELS);
        return Ok(folder(&FolderConfig {
            path: PathBuf::from(path),
            test_share,
            seed,
            damage,
            max_pixels,
            upright: !choice.no_exif,
        })?);
    }
    if let Some((first, second)) = name.split_once('+') {
        let of = |name: &str| {
            // Digits are drawn, wherever the files of the other lie.
            let data_dir = choice.data_dir.clone().filter(|_| name != Name::Digits.as_str());
            whole(&DataChoice { dataset: Some(name.to_string()), data_dir, ..choice.clone() }, seed)
        };
        return Ok(of(first)?.joined(&of(second)?)?);
    }
    let name: Name = name.parse()?;
    let source = match (&choice.data_dir, name) {
        (Some(folder), _) => Source::Folder(folder.clone()),
        (None, Name::Digits) => return Ok(digits(DigitsConfig { seed, ..DigitsConfig::default() })?),
        (None, _) => Source::Hub,
    };
    Ok(load(name, &source)?)
}
