//! `eval`: trained weights on a data set's test images.

mod figures;

use crate::cli::{self, Common};
use crate::data::{self, RunData};
use crate::data_name::{folder_of, is_same};
use crate::judging;
use crate::learnt;
use crate::no_effect;
use crate::progress::predicted;
use crate::settings;
use crate::start;
use crate::trained::{self, Fallback, Opened, Prepared, of_weights};
use anyhow::{Result, bail};
use cnn_classifier::Trained;
use cnn_core::device::Device;
use cnn_core::{InferenceOptions, InferencePlan, Predictor, Weights};
use cnn_data::{Card, Dataset, FolderImages, Images, Loader, Name};
use cnn_figures::plural;
use cnn_train::{Classify, RunFolder, TestTime, check_evaluation_fits, classifier};
use figures::Figures;
use std::path::Path;

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
    /// Images to train on, where the data set has some.
    learnt: Option<Images>,
    /// Whether the seed says which images they are.
    drawn: bool,
    /// Images that the run held out, and what they are.
    held_out: Option<(Images, String)>,
}

/// Weights with the images to judge them by.
pub struct Ready {
    pub opened: Opened,
    pub device: Device,
    /// Images as the network takes them, with the labels of its classes.
    pub images: Images,
    /// Images to train on, likewise, where there are some at hand.
    pub learnt: Option<Images>,
    /// Images that the run held out, likewise, and what they are.
    held_out: Option<(Images, String)>,
    pub batch_size: usize,
    pub test_time: TestTime,
    /// Whether that is as the run did.
    as_run: bool,
    /// What the judged images are, for a sentence.
    pub of: String,
    notes: Vec<String>,
    /// Whether the seed says which images they are.
    pub drawn: bool,
}

pub fn run(args: &cli::Eval, common: &Common) -> Result<()> {
    let ready = Ready::new(&args.judge, common)?;
    no_effect::of_seed(common, ready.drawn)?;
    let Opened { trained, .. } = &ready.opened;
    let numbers = ready.opened.numbers_on(&args.numbers, &ready.device)?;
    let model = ready.model(numbers.options())?;
    let loader = ready.loader(&ready.images)?;
    ready.announce();
    numbers.announce();
    let model = ready.judging(model);
    let predictions = predicted(&model, &loader)?;
    let held_out = match &ready.held_out {
        Some((images, of)) => Some((predicted(&model, &ready.loader(images)?)?, &**of)),
        None => None,
    };
    let of = ready.of_judged(predictions.len());
    Figures::new(&predictions, &trained.card, &of).with_held_out(held_out).print(args.json)
}

impl Ready {
    /// Opens what a command line names.
    pub fn new(args: &cli::Judge, common: &Common) -> Result<Self> {
        let device = common.device.open()?;
        let (network, source) = trained::named(args.network.as_deref(), args.trained.weights.as_deref())?;
        let weights = trained::read(source.unwrap_or(trained::USUAL))?;
        let mut judged = judged(args, common, &weights)?;
        if let Some(limit) = args.data.limit.map(|limit| limit as usize).filter(|limit| *limit < judged.images.len()) {
            judged.images = judged.images.drawn(limit, common.seed());
            judged.drawn = true;
            judged.of = format!("{limit} of {}, each class its share", judged.of);
            // Whoever judges a part wants a quick answer.
            judged.held_out = None;
        }
        let fallback = fallback(args, &weights, network, &mut judged)?;
        let mut opened = of_weights(&weights, &args.trained, network, fallback)?;
        if !judged.images.are_upright() {
            opened.unturned(if args.data.no_exif { "--no-exif" } else { "as the run" });
        }
        let card = &opened.trained.card;

        let channels = card.preparation.mean.len();
        let matched = judging::suited(&judged.of, &judged.images, &judged.classes, card)?;
        judged.notes.extend(matched.notes.iter().map(ToString::to_string));
        let suited = |(images, of): (Images, String)| -> Result<_> {
            Ok((judging::suited(&of, &images, &judged.classes, card)?.images, of))
        };
        let held_out = judged.held_out.map(suited).transpose()?;
        check_evaluation_fits(&opened.trained.network, args.batch_size.min(matched.images.len()))?;
        let own = run_of(&weights)?.map_or(TestTime::Plain, |run| run.test_time);
        Ok(Self {
            device,
            images: matched.images,
            learnt: judged.learnt.and_then(|images| card.stretched(&images).unwrap_or(images).in_channels(channels)),
            held_out,
            batch_size: args.batch_size,
            test_time: args.test_time.map_or(own, settings::test_time),
            as_run: args.test_time.is_none(),
            of: judged.of,
            notes: judged.notes,
            drawn: judged.drawn,
            opened,
        })
    }

    /// What so many images are that were judged; damaged ones may be found only when they are decoded.
    pub fn of_judged(&self, judged: usize) -> String {
        match self.images.len() - judged {
            0 => self.of.clone(),
            1 => format!("{}, of which 1 is damaged and left out", self.of),
            damaged => format!("{}, of which {damaged} are damaged and left out", self.of),
        }
    }

    /// Images as batches.
    pub fn loader<'a>(&self, images: &'a Images) -> Result<Loader<'a>> {
        Ok(Loader::new(images, self.opened.trained.card.preparation.clone(), self.batch_size)?)
    }

    /// The network on its device, on the CPU by a plan with these options.
    pub fn model(&self, options: InferenceOptions<'_>) -> Result<Box<dyn Classify>> {
        let Trained { network, weights, .. } = &self.opened.trained;
        if !self.device.is_cpu() {
            return Ok(classifier(network, weights, &self.device)?);
        }
        let options = options.usual_batch(self.batch_size.min(self.images.len()));
        Ok(Box::new(Predictor::of(InferencePlan::new(network, weights, options)?)))
    }

    /// The model, asked once for each view of an image.
    pub fn judging(&self, model: Box<dyn Classify>) -> impl Classify + use<> {
        self.test_time.judging(model, self.opened.trained.card.input[2])
    }

    /// Says on standard error what is judged, and how.
    pub fn announce(&self) {
        self.opened.announce();
        if self.test_time == TestTime::Flip {
            let whose = if self.as_run { " (as the run)" } else { "" };
            eprintln!("judged by the mean score of each image and its mirror image{whose}");
        }
        for note in &self.notes {
            eprintln!("{}", cnn_figures::printable(note));
        }
    }
}

/// The images that a command line means: those of the run whose weights they are, unless it names others.
fn judged(args: &cli::Judge, common: &Common, weights: &Weights) -> Result<Judged> {
    let run = run_of(weights)?;
    let asked = args.data.dataset.as_deref();
    let (mut notes, card) = (Vec::new(), Card::of(weights)?);
    let seed = common.seed();
    let of_run = |own: &RunData| match asked {
        None => true,
        Some(asked) => own.choice.dataset.as_deref().is_some_and(|dataset| is_same(dataset, asked)),
    };
    let own = match &run {
        Some(run) if of_run(run) => Some(run.clone()),
        Some(run) => {
            run.moved(&args.data).inspect(|_| notes.push("these are the run's own images, in another place".into()))
        }
        None => None,
    };
    if let Some(own) = own {
        if let Some(asked) = common.seed.filter(|seed| *seed != own.seed) {
            bail!("the run set its images aside by seed {}, not by {asked}: leave --seed out", own.seed);
        }
        let own = own.located(&args.data)?;
        let gone = own.choice.dataset.as_deref().and_then(folder_of).filter(|folder| !folder.exists());
        let dataset = match gone {
            Some(folder) => bail!(
                "{} is gone, whose images the run set aside: --dataset says where they are now",
                cnn_figures::path(&folder)
            ),
            None => own.load()?,
        };
        notes.extend(own.note(&dataset));
        notes.extend(learnt::twice(&dataset));
        let of = test_images(&dataset, own.choice.fold.is_some());
        return Ok(Judged {
            held_out: dataset.held_out().map(|images| (images.clone(), held_out_images(&dataset, images))),
            images: dataset.test().clone(),
            classes: dataset.classes().to_vec(),
            of,
            notes,
            statistics: in_memory(&dataset),
            learnt: Some(dataset.train().clone()),
            drawn: true,
        });
    }
    // Of images that no run set aside; a doubt where it is not known what the weights have learnt.
    let learnt = |images: &Images, doubt: Option<&str>| match &run {
        Some(run) => learnt::note(run, images),
        None => doubt.map(str::to_string),
    };
    if let Some(folder) = asked.and_then(folder_of) {
        let upright =
            card.as_ref().is_none_or(|card| card.upright) && !run.as_ref().is_some_and(|run| run.choice.no_exif);
        let found = data::folder_to_judge(&args.data, &folder, upright)?;
        if found.path != folder {
            notes.push(format!("judged are the images of {}", found.path.display()));
        }
        let name = found.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let of_that_name = found.path == folder && card.is_some_and(|card| card.dataset == name);
        let doubt = "the weights were trained on a data set of this name: if it is this folder, most of these images were learnt";
        notes.extend(learnt(&found.images, of_that_name.then_some(doubt)));
        notes.extend(start::strays(&found.strays));
        let of = format!("{} of {}", plural(found.images.len(), "image", "images"), found.path.display());
        let FolderImages { images, classes, .. } = found;
        return Ok(Judged { statistics: None, learnt: None, drawn: false, held_out: None, images, classes, of, notes });
    }
    let known = card.map(|card| card.dataset).filter(|name| !name.is_empty());
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
    Ok(Judged { images, classes, of, notes, statistics: in_memory(&dataset), learnt, drawn, held_out: None })
}

/// What stands in for what weights without a card do not say: the names of the classes in the order of the data set's, and
/// of images in memory the mean and the deviation of those to train on. Both are said.
fn fallback(
    args: &cli::Judge,
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

/// The run that weights of a file belong to: the file lies in its folder, or in one of its checkpoints.
fn run_of(weights: &Weights) -> Result<Option<RunData>> {
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
        if inside && let Some(run) = RunData::of(folder)? {
            return Ok(Some(run));
        }
    }
    Ok(None)
}
