//! Trained weights with everything needed to use them.

use crate::embedded;
use crate::error::{Error, Result};
use cnn_catalogue::Options;
use cnn_core::network::NodeId;
use cnn_core::shape::times;
use cnn_core::weights::Allowed;
use cnn_core::{Architecture, Network, Weights};
use cnn_data::{Card, Interpolation, Picture, Preparation};
use cnn_figures::plural;
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::Path;

/// The file of a run's folder that holds its best weights.
const BEST: &str = cnn_data::RUN_BEST;

/// Height and width of pictures that others are stretched to: each takes the memory of one so large.
const SIDES: RangeInclusive<usize> = 1..=4096;

/// Weights, the network they are of, and how pictures become inputs and outputs names.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network, at the size its pictures are prepared to, without auxiliary heads.
    pub network: Network,
    /// Its weights.
    pub weights: Weights,
    /// What is said of them, by themselves or by whoever opened them.
    pub card: Card,
    /// Where each part of the card is from, and what was done to the weights: a line each, for people.
    pub notes: Vec<String>,
}

/// What the caller knows of weights. It comes before what they say of themselves.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The network's name in the zoo.
    pub network: Option<String>,
    /// Names of the classes, in the order of the outputs.
    pub classes: Option<Vec<String>>,
    /// How a picture becomes an input.
    pub preparation: Option<Preparation>,
    /// Height and width of an input, where the preparation fits pictures to no size.
    pub size: Option<[usize; 2]>,
    /// Whether weights for three input channels may be made ones for one, or the other way round.
    pub other_channels: bool,
}

impl Trained {
    /// Where the weights are from, and the notes: a line each, for people.
    pub fn provenance(&self) -> Vec<String> {
        let source = format!("weights of {}", self.weights.source());
        [source].into_iter().chain(self.notes.iter().cloned()).collect()
    }

    /// Opens weights by what a person calls them: see [`weights`].
    ///
    /// # Errors
    ///
    /// As [`weights`] and [`Trained::new`].
    pub fn open(source: &str, known: &Known) -> Result<Self> {
        Self::new(&weights(source, &Options::default())?, known)
    }

    /// Weights with what the caller and their card say of them.
    ///
    /// # Errors
    ///
    /// Weights of no network, of another one, or not whole; a preparation that nothing says, or that makes no input the
    /// network can take; a card that contradicts itself, or whose pictures have sides beyond 1 to 4096; names of classes that
    /// are not as many as its outputs.
    pub fn new(weights: &Weights, known: &Known) -> Result<Self> {
        let source = weights.source();
        let mut notes = Vec::new();
        let card = Card::of(weights)?;
        let name = known.network.clone().or_else(|| card.as_ref().map(|card| card.network.clone()));
        let name = name.ok_or_else(|| Error::NoNetwork { weights: source.to_string() })?;
        let unknown = |unknown| Error::Unknown { weights: source.to_string(), unknown };
        let entry = cnn_zoo::find(&name).map_err(unknown)?;
        let of_weights = |problem: Error| named(source, problem);

        let sizes = weights.sizes(&entry.architecture(entry.classes)).map_err(|problem| of_weights(problem.into()))?;
        let named_classes = card.as_ref().map(|card| card.classes.len());
        let outputs = sizes.classes.or(named_classes).unwrap_or(entry.classes);
        notes.extend(weights.choice());
        let architecture = entry.architecture(outputs).without_heads();
        let preparation = match (&known.preparation, &card) {
            (Some(preparation), _) => preparation.clone(),
            (None, Some(card)) => card.preparation.clone(),
            (None, None) => return Err(Error::NoPreparation { weights: source.to_string() }),
        };
        let input = input(&architecture, &preparation, known, card.as_ref()).map_err(|problem| match &card {
            // Of a card whose own preparation refuses its own input.
            Some(card) if card.preparation == preparation && known.size.is_none() => {
                of_card(source, format!("it reads {}, but {problem}", times(&card.input)))
            }
            _ => of_weights(problem),
        })?;
        if let Some(images) = card.as_ref().and_then(|card| card.images)
            && !preparation.fit.equals_sizes()
            && !images.iter().all(|side| SIDES.contains(side))
        {
            let [least, most] = [SIDES.start(), SIDES.end()];
            let found = format!("pictures of {}, but sides from {least} to {most} are expected", times(&images));
            return Err(of_card(source, found));
        }
        let network = architecture.at(input).map_err(|problem| of_weights(problem.into()))?;
        let allowed = Allowed { channels: known.other_channels, ..Allowed::default() };
        let loading = weights.load(&network, allowed).map_err(|problem| of_weights(problem.into()))?;
        if !loading.renamed().is_empty()
            || !loading.left_out_heads().is_empty()
            || sizes.channels.is_some_and(|own| own != input[0])
        {
            notes.extend(loading.to_string().lines().map(str::to_string));
        }
        let weights = loading.weights().map_err(|problem| of_weights(problem.into()))?;

        let classes = match (&known.classes, &card) {
            (Some(classes), _) => classes.clone(),
            (None, Some(card)) => card.classes.clone(),
            (None, None) => {
                let classes =
                    plural(outputs, "class: it is called by its number", "classes: they are called by their numbers");
                notes.push(format!("nothing names the {classes}"));
                (0..outputs).map(|class| class.to_string()).collect()
            }
        };
        if classes.len() != outputs {
            let (weights, names) = (source.to_string(), classes.len());
            return Err(Error::ClassNames { weights, network: name, names, outputs });
        }
        let upright = card.as_ref().is_none_or(|card| card.upright);
        let (dataset, images) = card.map_or((String::new(), None), |card| (card.dataset, card.images));
        let card = Card { network: name, input, classes, dataset, images, upright, preparation };
        Ok(Self { network, weights, card, notes })
    }
}

impl Trained {
    /// The numbers of a picture that the network reads, in the order (channel, row, column).
    ///
    /// # Errors
    ///
    /// A picture that cannot be prepared to what the network reads.
    pub fn prepare(&self, picture: &Picture<'_>) -> Result<Vec<f32>> {
        prepare(&self.card, picture)
    }

    /// Whether the card's pictures are what the network reads.
    pub(crate) fn check_input(&self) -> Result<()> {
        let (reads, card) = (self.network.input().dims(), &self.card);
        if card.input[..] == reads[..] {
            return Ok(());
        }
        let [expected, found] = [times(&reads), times(&card.input)];
        Err(Error::Size { network: self.network.name().to_string(), expected, found })
    }

    /// Whether the card suits the network, whoever put them together: its pictures are what the network reads, and each
    /// number of an output has a name.
    pub(crate) fn check(&self, output: NodeId) -> Result<()> {
        self.check_input()?;
        let Self { network, card, .. } = self;
        let outputs = network.node(output).shape.elements();
        if card.classes.len() != outputs {
            let (weights, names) = (self.weights.source().to_string(), card.classes.len());
            return Err(Error::ClassNames { weights, network: network.name().to_string(), names, outputs });
        }
        Ok(())
    }
}

/// Opens weights by what a person calls them: a name of weights that come with this crate ([`embedded::NAMES`]; a file or
/// folder of that name is `./lenet`); a file; the folder of a run; a name of published weights ([`cnn_catalogue::find`]),
/// from the cache or, with the feature `hub`, from the network. Published weights come with their card.
///
/// # Errors
///
/// What is none of these; a file that holds no weights; what keeps published ones from being had.
pub fn weights(source: &str, options: &Options) -> Result<Weights> {
    if let Some(weights) = embedded::weights(source)? {
        return Ok(weights);
    }
    let path = Path::new(source);
    if path.is_dir() {
        let best = path.join(BEST);
        return if best.exists() { Ok(Weights::read(best)?) } else { Err(Error::NoRun { path: path.to_path_buf() }) };
    }
    if path.exists() {
        return Ok(Weights::read(path)?);
    }
    if is_path(path) && !source.starts_with("hf:") {
        return Ok(Weights::read(path)?);
    }
    match cnn_catalogue::find_with(source, options) {
        Ok(published) => Ok(published.weights(options)?),
        Err(cnn_catalogue::Error::Name { near, .. }) => {
            let embedded = cnn_core::error::near_names(source, embedded::NAMES.iter().copied());
            let near = cnn_core::error::did_you_mean(&[embedded, near].concat());
            Err(Error::NoWeights { name: source.to_string(), near })
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Whether a name that is not there can only be meant as a path: it leads through folders, or ends as files of weights do.
fn is_path(path: &Path) -> bool {
    path.components().count() > 1 || ends_as_weights(path)
}

/// Whether a path ends as files of weights do, such as `.safetensors` and `.pth`.
pub fn ends_as_weights(path: &Path) -> bool {
    const ENDINGS: [&str; 8] = ["safetensors", "pth", "pt", "th", "bin", "ckpt", "pkl", "tar"];
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// A problem of a card in weights.
fn of_card(weights: &str, problem: String) -> Error {
    Error::Data(cnn_data::Error::Card { weights: weights.to_string(), problem })
}

/// A problem that names where the weights are from, once.
fn named(weights: &str, problem: Error) -> Error {
    match problem.to_string().contains(weights) {
        true => problem,
        false => Error::OfWeights { weights: weights.to_string(), source: Box::new(problem) },
    }
}

/// Channels, height and width that pictures are prepared to.
fn input(
    architecture: &Architecture,
    preparation: &Preparation,
    known: &Known,
    card: Option<&Card>,
) -> Result<[usize; 3]> {
    let [_, height, width] = card.map_or(architecture.usual_input(), |card| card.input);
    let [height, width] = known.size.unwrap_or([height, width]);
    Ok(preparation.shape([preparation.mean.len(), height, width])?)
}

/// The numbers of a picture for weights with this card. A picture of another size than those the weights were trained on
/// is first stretched to theirs, where the preparation itself does not fit sizes.
pub(crate) fn prepare(card: &Card, picture: &Picture<'_>) -> Result<Vec<f32>> {
    let picture = match card.stretches(picture.size()) {
        Some(size) => Cow::Owned(picture.stretched(size, Interpolation::Bilinear)?),
        None => Cow::Borrowed(picture),
    };
    let numbers = card.preparation.prepare(&picture)?;
    let [_, height, width] = picture.shape();
    let found = card.preparation.shape([card.preparation.mean.len(), height, width])?;
    if found == card.input {
        return Ok(numbers);
    }
    let (network, expected, found) = (card.network.clone(), times(&card.input), times(&found));
    Err(Error::Size { network, expected, found })
}
