//! `eval`: trained weights on a data set's test images.

mod figures;
mod images;

use crate::cli::{self, Common};
use crate::data::RunData;
use crate::judging;
use crate::no_effect;
use crate::progress::predicted;
use crate::reads::Reads;
use crate::settings;
use crate::trained::{self, Fallback, Opened, Prepared, of_weights};
use anyhow::Result;
use cnn_classifier::Trained;
use cnn_core::device::Device;
use cnn_core::{InferenceOptions, InferencePlan, Predictor, Weights};
use cnn_data::{Card, Images, Loader};
use cnn_figures::count;
use cnn_train::{Classify, TestTime, check_evaluation_fits, classifier};
use figures::Figures;
use images::{Judged, judged};

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
    /// The files of the weights, of what is known of them, and of the images.
    pub reads: Reads,
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
        let limit = args.data.limit.map(|limit| limit as usize);
        if let Some(limit) = limit.filter(|limit| *limit > judged.images.len()) {
            judged.notes.push(format!("a limit of {} leaves out none of the images", count(limit)));
        }
        if let Some(limit) = limit.filter(|limit| *limit < judged.images.len()) {
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
        let mut suited = |(images, of): (Images, String)| -> Result<_> {
            let held_out = judging::suited(&of, &images, &judged.classes, card)?;
            judged.notes.extend(judging::of_held_out(&held_out.notes, &matched.notes));
            Ok((held_out.images, of))
        };
        let held_out = judged.held_out.take().map(&mut suited).transpose()?;
        check_evaluation_fits(&opened.trained.network, args.batch_size.min(matched.images.len()))?;
        let own = RunData::of_weights(&weights)?.map_or(TestTime::Plain, |run| run.test_time);
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
            reads: judged.reads.and([weights.source()]).known(&args.trained.known),
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
