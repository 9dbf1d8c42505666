//! `eval`: trained weights on a data set's test images.

mod figures;

use crate::cli::{self, Common};
use crate::data::{self, RunData};
use crate::settings;
use crate::trained::{self, Fallback, Prepared, of_weights};
use anyhow::{Result, anyhow, bail};
use cnn_catalogue::imagenet;
use cnn_core::Weights;
use cnn_data::{Card, Dataset, Images, Loader, Name, match_classes};
use cnn_train::{TestTime, check_evaluation_fits, classifier, predict};
use figures::Figures;
use std::path::{Path, PathBuf};

/// The images that are judged.
struct Judged {
    images: Images,
    classes: Vec<String>,
    /// What they are, for a sentence.
    of: String,
    /// What a reader of the figures should know.
    notes: Vec<String>,
    /// Images in memory whose statistics stand in for a preparation that nobody names.
    statistics: Option<Images>,
}

pub fn run(args: &cli::Eval, common: &Common) -> Result<()> {
    let device = common.device.open()?;
    // A run's folder or a file of weights may stand where the network does.
    let (network, source) = match args.network.as_deref() {
        Some(path) if args.trained.weights.is_none() && Path::new(path).exists() => (None, path),
        network => (network, trained::source(&args.trained, network)),
    };
    let weights = trained::read(source)?;
    let mut judged = judged(args, common, source, &weights)?;
    if let Some(limit) = args.data.limit.map(|limit| limit as usize).filter(|limit| *limit < judged.images.len()) {
        judged.images = judged.images.drawn(limit, common.seed());
        judged.of = format!("{limit} of {}, each class its share", judged.of);
    }
    let fallback = fallback(args, &weights, network, &mut judged)?;
    let opened = of_weights(&weights, &args.trained, network, fallback)?;
    let card = &opened.trained.card;

    let channels = card.preparation.mean.len();
    let suited = judged.images.in_channels(channels);
    let images =
        suited.ok_or_else(|| anyhow!("images of {} channels do not suit {channels}", judged.images.channels()))?;
    let known = match of_synsets(&judged.classes, &card.classes) {
        true => imagenet::synsets().map(str::to_string).collect(),
        false => card.classes.clone(),
    };
    let matched = match_classes(&images, &judged.classes, &known)?;
    judged.notes.extend(matched.notes.iter().map(ToString::to_string));
    check_evaluation_fits(&opened.trained.network, args.batch_size.min(images.len()))?;
    let loader = Loader::new(&matched.images, card.preparation.clone(), args.batch_size)?;
    let found = card.preparation.shape(matched.images.shape())?;
    if found != card.input {
        bail!("{}: images become {found:?}, but {} reads {:?} with these weights", judged.of, card.network, card.input);
    }
    let run = folder_of(source).map(|folder| RunData::of(&folder)).transpose()?.flatten();
    let own = run.map_or(TestTime::Plain, |run| run.test_time);
    let test_time = args.test_time.map_or(own, settings::test_time);
    let model =
        test_time.judging(classifier(&opened.trained.network, &opened.trained.weights, &device)?, card.input[2]);
    opened.announce();
    if test_time == TestTime::Flip {
        let whose = if args.test_time.is_none() { " (as the run)" } else { "" };
        eprintln!("judged by the mean score of each image and its mirror image{whose}");
    }
    for note in &judged.notes {
        eprintln!("{}", cnn_figures::printable(note));
    }
    let predictions = predict(&model, &loader)?;
    Figures::new(&predictions, card, &judged.of).print(args.json)
}

/// The images that a command line means: those of the run whose weights they are, unless it names others.
fn judged(args: &cli::Eval, common: &Common, source: &str, weights: &Weights) -> Result<Judged> {
    let own = folder_of(source).map(|folder| RunData::of(&folder)).transpose()?.flatten();
    let asked = args.data.dataset.as_deref();
    let (mut notes, card) = (Vec::new(), Card::of(weights)?);
    let seed = common.seed();
    let of_run = |own: &RunData| match asked {
        None => true,
        Some(asked) => own.choice.dataset.as_deref().is_some_and(|dataset| data::is_same(dataset, asked)),
    };
    if let Some(own) = own.filter(of_run) {
        if let Some(asked) = common.seed.filter(|seed| *seed != own.seed) {
            bail!("the run set its images aside by seed {}, not by {asked}: leave --seed out", own.seed);
        }
        let own = own.located(&args.data)?;
        let dataset = own.load()?;
        notes.extend(own.note(&dataset));
        let of = format!("{} test images of {}", dataset.test().len(), dataset.name());
        return Ok(Judged {
            images: dataset.test().clone(),
            classes: dataset.classes().to_vec(),
            of,
            notes,
            statistics: in_memory(&dataset),
        });
    }
    if let Some(folder) = asked.and_then(data::folder_of) {
        let found = data::folder_to_judge(&args.data, &folder)?;
        if found.path != folder {
            notes.push(format!("judged are the images of {}", found.path.display()));
        }
        let name = found.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if found.path == folder && card.is_some_and(|card| card.dataset == name) {
            notes.push(
                "the weights were trained on a data set of this name: if it is this folder, most of these images were learnt"
                    .to_string(),
            );
        }
        let of = format!("{} images of {}", found.images.len(), found.path.display());
        return Ok(Judged { statistics: None, images: found.images, classes: found.classes, of, notes });
    }
    let known = card.map(|card| card.dataset).filter(|name| name.split('+').all(|name| name.parse::<Name>().is_ok()));
    let mut named = cli::Data { dataset: args.data.dataset.clone().or(known), ..args.data.clone() };
    named.limit = None;
    let dataset = data::dataset(&named, seed)?;
    let of = format!("{} test images of {}", dataset.test().len(), dataset.name());
    let (images, classes) = (dataset.test().clone(), dataset.classes().to_vec());
    Ok(Judged { images, classes, of, notes, statistics: in_memory(&dataset) })
}

/// What stands in for what weights without a card do not say: the names of the classes in the order of the data set's, and
/// of images in memory the mean and the deviation of those to train on. Both are said.
fn fallback(
    args: &cli::Eval,
    weights: &Weights,
    network: Option<&str>,
    judged: &mut Judged,
) -> Result<Option<Fallback>> {
    if Card::of(weights)?.is_some() {
        return Ok(None);
    }
    if args.trained.known.class_names.is_none() {
        let shown: Vec<&str> = judged.classes.iter().take(5).map(String::as_str).collect();
        let more = if judged.classes.len() > shown.len() { ", …" } else { "" };
        let order = format!("{}{more}", shown.join(", "));
        judged.notes.push(format!(
            "the weights do not name their classes: taken to be those of the data set, in its order: {order} (--class-names)"
        ));
    }
    let classes = judged.classes.clone();
    let entry = network.and_then(|name| cnn_zoo::find(name).ok());
    let (Some(entry), Some(images)) = (entry, &judged.statistics) else {
        return Ok(Some(Fallback { preparation: None, classes }));
    };
    let outputs = weights.sizes(&entry.architecture(entry.classes))?.classes.unwrap_or(entry.classes);
    let (network, preparation) = cnn_train::fit(&entry.architecture(outputs).without_heads(), images, None)?;
    let dims = network.input().dims();
    let origin = "of the data set's images to train on, since the weights say nothing".to_string();
    Ok(Some(Fallback { preparation: Some(Prepared { preparation, size: [dims[1], dims[2]], origin }), classes }))
}

/// The images to train on, where all of them are in memory.
fn in_memory(dataset: &Dataset) -> Option<Images> {
    Some(dataset.train()).filter(|images| images.in_memory()).cloned()
}

/// Whether folders are named by ImageNet's synsets (`n01440764`) and the weights know ImageNet's classes.
fn of_synsets(found: &[String], known: &[String]) -> bool {
    known.iter().map(String::as_str).eq(imagenet::names()) && found.iter().all(|name| imagenet::name_of(name).is_some())
}

/// The folder of a run that weights may lie in.
fn folder_of(source: &str) -> Option<PathBuf> {
    let path = Path::new(source);
    if path.is_dir() {
        Some(path.to_path_buf())
    } else {
        path.is_file().then(|| path.parent().map(Path::to_path_buf))?
    }
}
