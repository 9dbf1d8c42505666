//! The data set of a command.

use crate::cli::Data;
use crate::data_name::{FOLDER, folder_of, named};
use crate::no_effect;
use crate::progress::looked_through;
use anyhow::{Context, Result, anyhow, bail};
use cnn_core::Weights;
use cnn_data::{
    Damage, Dataset, DigitsConfig, FolderConfig, FolderImages, Name, Source, digits, folder, folder_images, load,
};
use cnn_train::{DataChoice, DataMark, Recipe, RunFolder, TestTime};
use std::path::Path;

/// Files of a run's folder.
const RECIPE: &str = RunFolder::RECIPE;
const CONFIG: &str = RunFolder::CONFIG;

/// Loads the data set that `args` names; `seed` draws digits, and what a limit or a folder's split leaves to chance.
pub fn dataset(args: &Data, seed: u64) -> Result<Dataset> {
    let mut choice = DataChoice::default();
    change(&mut choice, args);
    changed(&choice, args, seed)
}

/// Loads the data set of a choice that `args` have changed.
///
/// # Errors
/// Flags among them that change nothing.
pub fn changed(choice: &DataChoice, args: &Data, seed: u64) -> Result<Dataset> {
    no_effect::of_choice(args, choice)?;
    let dataset = chosen(choice, seed)?;
    no_effect::of_share(args, choice, &dataset)?;
    Ok(dataset)
}

/// Changes a choice as the command line says.
pub fn change(choice: &mut DataChoice, args: &Data) {
    choice.dataset = args.dataset.clone().or(choice.dataset.take());
    choice.data_dir = args.data_dir.clone().or(choice.data_dir.take());
    choice.limit = args.limit.map(|limit| limit as usize).or(choice.limit);
    choice.test_share = args.test_share.or(choice.test_share);
    choice.fold = args.fold.or(choice.fold);
    choice.channels = args.channels.map(usize::from).or(choice.channels);
    choice.skip_damaged |= args.skip_damaged;
    choice.no_exif |= args.no_exif;
    choice.max_pixels = args.max_pixels.or(choice.max_pixels);
}

/// A choice that means the same from any working directory.
pub fn absolute(choice: &mut DataChoice) -> Result<()> {
    let full =
        |path: &Path| std::path::absolute(path).with_context(|| format!("cannot find {}", cnn_figures::path(path)));
    choice.dataset = match choice.dataset.take().map(|name| named(&name)) {
        Some(name) => Some(match name.strip_prefix(FOLDER) {
            Some(path) => format!("{FOLDER}{}", full(Path::new(path))?.display()),
            None => name,
        }),
        None => None,
    };
    choice.data_dir = choice.data_dir.take().map(|folder| full(&folder)).transpose()?;
    choice.init = match choice.init.take() {
        // What is no file is a name.
        Some(init) if Path::new(&init).exists() => Some(full(Path::new(&init))?.display().to_string()),
        init => init,
    };
    Ok(())
}

/// Refuses a folder for results that lies in the folder of the images: what is written there would be taken for them.
pub fn apart(out: &Path, choice: &DataChoice) -> Result<()> {
    let Some(images) = choice.dataset.as_deref().and_then(folder_of) else { return Ok(()) };
    let full = std::path::absolute(out).with_context(|| format!("cannot find {}", cnn_figures::path(out)))?;
    // The last folder on the way that is there may be a link.
    let there = full.ancestors().find_map(|path| Some((path, path.canonicalize().ok()?)));
    let place = there.and_then(|(path, real)| Some(real.join(full.strip_prefix(path).ok()?))).unwrap_or(full);
    if images.canonicalize().is_ok_and(|images| place.starts_with(images)) {
        bail!(
            "{} lies in {}, whose pictures are trained on: what is written there would be taken for a class or for a \
             picture of one; choose an --out beside it",
            cnn_figures::path(out),
            cnn_figures::path(&images)
        );
    }
    Ok(())
}

/// What a run was trained and judged on, and the seed that drew what was left to chance.
#[derive(Clone)]
pub struct RunData {
    pub choice: DataChoice,
    pub seed: u64,
    /// The views it was judged by.
    pub test_time: TestTime,
    /// By what the data is known again, where the run says it.
    pub mark: Option<DataMark>,
}

impl RunData {
    /// The data of the run in a folder, as its recipe tells; none where the folder holds no run.
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        let (recipe, config) = (folder.join(RECIPE), folder.join(CONFIG));
        if !recipe.is_file() || !config.is_file() {
            return Ok(None);
        }
        let recipe = Recipe::find(&recipe.to_string_lossy())?;
        let mark = cnn_report::Run::config_of(folder)?.get("data").cloned();
        let mark = mark.map(serde_json::from_value).transpose().with_context(|| cnn_figures::path(&config))?;
        let Recipe { data, training, .. } = recipe;
        Ok(Some(Self { choice: data, seed: training.seed, test_time: training.test_time, mark }))
    }

    /// The data of the run that weights of a file belong to: the file lies in its folder, or in one of its checkpoints.
    pub fn of_weights(weights: &Weights) -> Result<Option<Self>> {
        let path = Path::new(weights.source());
        if !path.is_file() {
            return Ok(None);
        }
        // A path that is its file's name alone has an empty parent.
        let full = std::path::absolute(path)?;
        for folder in full.ancestors().skip(1).take(3) {
            let inside = full
                .strip_prefix(folder)
                .is_ok_and(|rest| rest.components().count() == 1 || rest.starts_with(RunFolder::CHECKPOINTS));
            if inside && let Some(run) = Self::of(folder)? {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The same data where the command line says it lies.
    ///
    /// # Errors
    /// What would make it other data: which images were trained on is the run's to say.
    pub fn located(mut self, args: &Data) -> Result<Self> {
        no_effect::of_choice(args, &self.choice)?;
        let before = self.choice.clone();
        change(&mut self.choice, &Data { limit: None, ..args.clone() });
        unchanged(
            &before,
            &self.choice,
            "the images were set aside by the run: leave it out, or name another --dataset",
        )?;
        Ok(self)
    }

    /// The same data in the folder that the command line names, if the run's images are there now: by its own share, seed and
    /// fold it comes to the same.
    pub fn moved(&self, args: &Data) -> Option<Self> {
        let mark = self.mark.as_ref()?;
        folder_of(self.choice.dataset.as_deref()?)?;
        folder_of(args.dataset.as_deref()?)?;
        let choice = DataChoice { dataset: args.dataset.clone(), ..self.choice.clone() };
        let there = Self { choice, seed: self.seed, test_time: self.test_time, mark: Some(mark.clone()) };
        // What cannot be read is other data, whose own error is told.
        let found = there.load().ok()?;
        (DataMark::of(&found) == *mark).then_some(there)
    }

    /// Its images; files that are damaged are left out where the run left some out.
    pub fn load(&self) -> Result<Dataset> {
        let dataset = chosen(&self.choice, self.seed)?;
        if self.choice.skip_damaged { looked_through(dataset) } else { Ok(dataset) }
    }

    /// What is to be said where the data is no longer what the run was trained on.
    pub fn note(&self, dataset: &Dataset) -> Option<String> {
        let (mark, found) = (self.mark.as_ref()?, DataMark::of(dataset));
        (*mark != found).then(|| {
            format!(
                "the data changed since the run was trained on {mark}: now {found}, and images that it was trained on may be \
                 among those that are judged"
            )
        })
    }
}

/// An error of a damaged file where --skip-damaged would make the data of a run other data.
pub fn put_back(error: anyhow::Error) -> anyhow::Error {
    without_skipping(error, "put the file back as it was")
}

/// An error of a damaged file where --skip-damaged is not to be had.
pub fn mend(error: anyhow::Error) -> anyhow::Error {
    without_skipping(error, "put an intact file in its place, or take it away")
}

fn without_skipping(error: anyhow::Error, way_out: &str) -> anyhow::Error {
    const SKIPPING: &str = "--skip-damaged leaves such files out";
    let text = format!("{error:#}");
    if text.contains(SKIPPING) { anyhow!(text.replace(SKIPPING, way_out)) } else { error }
}

/// Refuses what makes a choice one of other images, naming the flag; `way_out` follows it.
pub fn unchanged(before: &DataChoice, now: &DataChoice, way_out: &str) -> Result<()> {
    let differing = [
        ("--limit", before.limit != now.limit),
        ("--test-share", before.test_share != now.test_share),
        ("--fold", before.fold != now.fold),
        ("--channels", before.channels != now.channels),
        ("--no-exif", before.no_exif != now.no_exif),
        ("--resize", before.resize != now.resize),
    ];
    match differing.into_iter().find(|(_, differs)| *differs) {
        Some((flag, _)) => bail!("{flag} would make it another run; {way_out}"),
        None => Ok(()),
    }
}

/// All images of a folder to judge weights on that were not trained on it; turned as their cameras noted if those that the
/// weights were trained on were, and the command line says nothing else.
pub fn folder_to_judge(args: &Data, folder: &Path, upright: bool) -> Result<FolderImages> {
    no_effect::of_folder_to_judge(args, folder)?;
    Ok(folder_images(&FolderConfig {
        damage: if args.skip_damaged { Damage::Skip } else { Damage::Refuse },
        max_pixels: args.max_pixels.unwrap_or(FolderConfig::MAX_PIXELS),
        upright: upright && !args.no_exif,
        ..FolderConfig::new(folder)
    })?)
}

/// Loads the data set of a choice; `seed` draws digits, and what a limit or a folder's split leaves to chance, unless the
/// choice has a seed of its own.
pub fn chosen(choice: &DataChoice, seed: u64) -> Result<Dataset> {
    let seed = choice.seed.unwrap_or(seed);
    let mut dataset = whole(choice, seed)?;
    if let Some(fold) = choice.fold.filter(|_| dataset.train().in_memory()) {
        dataset = dataset.folded(fold, seed)?;
    }
    if let Some(limit) = choice.limit {
        dataset = dataset.limited(limit, seed);
    }
    match choice.channels {
        None => Ok(dataset),
        Some(channels) => dataset
            .in_channels(channels)
            .with_context(|| format!("images of {} channels cannot have {channels}", dataset.train().channels())),
    }
}

fn whole(choice: &DataChoice, seed: u64) -> Result<Dataset> {
    let name = named(choice.dataset.as_deref().unwrap_or(Name::Digits.as_str()));
    if let Some(path) = name.strip_prefix(FOLDER) {
        if choice.data_dir.is_some() {
            bail!("--data-dir is where the classic files lie; for a folder of images, leave it out");
        }
        return Ok(folder(&FolderConfig {
            test_share: choice.test_share.unwrap_or(FolderConfig::TEST_SHARE),
            fold: choice.fold,
            seed,
            damage: if choice.skip_damaged { Damage::Skip } else { Damage::Refuse },
            max_pixels: choice.max_pixels.unwrap_or(FolderConfig::MAX_PIXELS),
            upright: !choice.no_exif,
            ..FolderConfig::new(path)
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
    let parsed: Result<Name, _> = name.parse();
    let parsed = match parsed {
        Err(error) => bail!("{error}; nor is there a folder of that name"),
        Ok(parsed) => parsed,
    };
    let source = match (&choice.data_dir, parsed) {
        (Some(folder), _) => Source::Folder(folder.clone()),
        (None, Name::Digits) => return Ok(digits(DigitsConfig { seed, ..DigitsConfig::default() })?),
        (None, _) => Source::Hub,
    };
    Ok(load(parsed, &source)?)
}
