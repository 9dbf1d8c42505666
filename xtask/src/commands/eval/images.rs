//! The images that weights are judged on.

use crate::cli::{self, Common};
use crate::data::{self, RunData};
use crate::data_name::{folder_of, name_of_folder};
use crate::learnt;
use crate::own_data::OwnData;
use crate::reads::Reads;
use crate::start;
use anyhow::{Result, bail};
use cnn_core::Weights;
use cnn_data::{Card, Dataset, FolderImages, Images, Name};
use cnn_figures::plural;

/// The images that are judged.
pub struct Judged {
    pub images: Images,
    pub classes: Vec<String>,
    /// What they are, for a sentence.
    pub of: String,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
    /// Images in memory whose statistics stand in for a preparation that nobody names.
    pub statistics: Option<Images>,
    /// Images to train on, where the data set has some.
    pub learnt: Option<Images>,
    /// Whether the seed says which images they are.
    pub drawn: bool,
    /// Images that the run held out, and what they are.
    pub held_out: Option<(Images, String)>,
    /// The files that they are of.
    pub reads: Reads,
}

/// The images that a command line means: those of the run whose weights they are, unless it names others.
pub fn judged(args: &cli::Judge, common: &Common, weights: &Weights) -> Result<Judged> {
    let run = RunData::of_weights(weights)?;
    let asked = args.data.dataset.as_deref();
    let (mut notes, card) = (Vec::new(), Card::of(weights)?);
    let seed = common.seed();
    if let Some(own) = run.as_ref().map(|run| OwnData::of(run, &args.data)).transpose()?.flatten() {
        as_the_run(&args.trained)?;
        if let Some(asked) = common.seed.filter(|seed| *seed != own.run.seed) {
            bail!("the run set its images aside by seed {}, not by {asked}: leave --seed out", own.run.seed);
        }
        return Ok(of_run(own));
    }
    // Of images that no run set aside; a doubt where it is not known what the weights have learnt.
    let learnt = |images: &Images, doubt: Option<&str>| match &run {
        Some(run) => learnt::note(run, images),
        None => doubt.map(str::to_string),
    };
    let reads = Reads::default().data(&args.data);
    if let Some(folder) = asked.and_then(folder_of) {
        let upright =
            card.as_ref().is_none_or(|card| card.upright) && !run.as_ref().is_some_and(|run| run.choice.no_exif);
        let found = data::folder_to_judge(&args.data, &folder, upright)?;
        let name = name_of_folder(&found.path);
        let of_that_name = found.path == folder && card.is_some_and(|card| card.dataset == name);
        let doubt = "the weights were trained on a data set of this name: if it is this folder, most of these images were learnt";
        notes.extend(start::of_folder(&found, &folder));
        notes.extend(learnt(&found.images, of_that_name.then_some(doubt)));
        let of = format!("{} of {}", plural(found.images.len(), "image", "images"), found.path.display());
        let FolderImages { images, classes, .. } = found;
        return Ok(Judged {
            statistics: None,
            learnt: None,
            drawn: false,
            held_out: None,
            images,
            classes,
            of,
            notes,
            reads,
        });
    }
    let of_run = run.as_ref().and_then(|run| run.choice.dataset.clone());
    let known = of_run.or_else(|| card.map(|card| card.dataset)).filter(|name| !name.is_empty());
    if let (None, Some(known)) = (asked, &known)
        && !known.split('+').all(|name| name.parse::<Name>().is_ok())
    {
        bail!(
            "the weights were trained on {}, which is no data set by name: --dataset says what they are judged on",
            cnn_figures::printable(known)
        );
    }
    let mut named = cli::Data { dataset: args.data.dataset.clone().or(known), ..args.data.clone() };
    named.limit = None;
    let dataset = data::dataset(&named, seed)?;
    let doubt =
        "a fold is one of the images to train on: weights that were trained without this fold set aside have learnt it";
    notes.extend(learnt(dataset.test(), named.fold.is_some().then_some(doubt)));
    let of = test_images(&dataset, named.fold.is_some());
    let (images, classes) = (dataset.test().clone(), dataset.classes().to_vec());
    let learnt = Some(dataset.train().clone());
    let of_digits =
        named.dataset.as_deref().unwrap_or(Name::Digits.as_str()).split('+').any(|name| name == Name::Digits.as_str());
    let drawn = of_digits || named.fold.is_some();
    Ok(Judged { images, classes, of, notes, statistics: in_memory(&dataset), learnt, drawn, held_out: None, reads })
}

/// Refuses what would have a run's own images judged otherwise than the run judged them.
fn as_the_run(trained: &cli::Trained) -> Result<()> {
    let cli::Known { class_names, preparation } = &trained.known;
    let flags = [
        ("--class-names", class_names.is_some()),
        ("--mean", preparation.mean.is_some()),
        ("--std", preparation.std.is_some()),
        ("--crop", preparation.crop.is_some()),
        ("--interpolation", preparation.interpolation.is_some()),
        ("--other-channels", trained.other_channels),
    ];
    match flags.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => {
            bail!(
                "the run's own images are prepared and called as the run did: leave {flag} out, or name another --dataset"
            )
        }
        None => Ok(()),
    }
}

/// The images that a run set aside.
fn of_run(OwnData { run, dataset, changed, moved }: OwnData) -> Judged {
    let moved = moved.then(|| "these are the run's own images, in another place".to_string());
    Judged {
        held_out: dataset.held_out().map(|images| (images.clone(), held_out_images(&dataset, images))),
        images: dataset.test().clone(),
        classes: dataset.classes().to_vec(),
        of: test_images(&dataset, run.choice.fold.is_some()),
        notes: moved.into_iter().chain(changed).chain(learnt::twice(&dataset)).collect(),
        statistics: in_memory(&dataset),
        learnt: Some(dataset.train().clone()),
        drawn: true,
        reads: Reads::default().choice(&run.choice),
    }
}

/// What is judged of a data set that is loaded: where it lies, if it is of a folder; a fold is of those to train on.
fn test_images(dataset: &Dataset, is_fold: bool) -> String {
    if let Some(origins) = dataset.origins() {
        return format!("{} of {}", plural(dataset.test().len(), "image", "images"), origins.test);
    }
    let kind = if is_fold { "" } else { "test " };
    format!("{} of {}", plural(dataset.test().len(), &format!("{kind}image"), &format!("{kind}images")), dataset.name())
}

/// What the images are that a run held out.
fn held_out_images(dataset: &Dataset, images: &Images) -> String {
    let origin = dataset.origins().and_then(|origins| origins.held_out.as_deref());
    match origin {
        Some(origin) => format!("{} of {origin}", plural(images.len(), "image", "images")),
        None => format!("{} of {}", plural(images.len(), "test image", "test images"), dataset.name()),
    }
}

/// The images to train on, where all of them are in memory.
fn in_memory(dataset: &Dataset) -> Option<Images> {
    Some(dataset.train()).filter(|images| images.in_memory()).cloned()
}
