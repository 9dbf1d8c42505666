//! Trained weights that a command line names.

use crate::cli;
use crate::commands::weights::fetching;
use crate::lists;
use crate::numbers::{Chosen, scales_of};
use crate::preparation::{Part, choose};
use crate::reads::Reads;
use crate::way_out;
use anyhow::{Error, Result, bail, ensure};
use cnn_catalogue::imagenet;
use cnn_classifier::{Known, Trained, embedded, pictures};
use cnn_core::Weights;
use cnn_core::device::Device;
use cnn_data::{Card, Name, Preparation, RUN_MARK, Reading};
use cnn_figures::{path, plural, printable};
use cnn_train::RunFolder;
use cnn_zoo::Family;
use std::path::{Path, PathBuf};

/// The weights where nobody names any: the first of those that come with the program.
pub const USUAL: &str = embedded::NAMES[0];
/// Of pictures that stay as they lie in their files, whatever their cameras noted.
const UNTURNED: &str = "not turned as their cameras noted";

/// Weights that are ready, and what is to be said of them.
pub struct Opened {
    pub trained: Trained,
    parts: Vec<Part>,
}

/// What stands in for what weights do not say.
pub struct Fallback {
    pub preparation: Option<Prepared>,
    pub classes: Vec<String>,
}

/// A preparation that stands in.
pub struct Prepared {
    pub preparation: Preparation,
    /// Height and width of an input.
    pub size: [usize; 2],
    /// Where the preparation is from, for a sentence.
    pub origin: String,
}

/// The network's name or the folder of a run, if the first of these is one, and the rest.
pub fn split(names: &[String]) -> (Option<&str>, &[String]) {
    match names {
        // A folder or file of such a name is meant by `./lenet`.
        [first, rest @ ..] if is_network(first) || is_run(first) => (Some(first), rest),
        _ => (None, names),
    }
}

/// As [`split`], where the rest are pictures: the first may be a file of weights.
pub fn split_pictures(names: &[String]) -> (Option<&str>, &[String]) {
    match names {
        [first, rest @ ..] if is_weights(first) => (Some(first), rest),
        _ => split(names),
    }
}

/// Whether a name is that of a file that no picture has the ending of.
fn is_weights(name: &str) -> bool {
    let file = Path::new(name);
    file.is_file() && cnn_classifier::ends_as_weights(file)
}

/// Whether a name is that of a run's folder.
pub fn is_run(name: &str) -> bool {
    let folder = Path::new(name);
    folder.join(RUN_MARK).is_file() || RunFolder::has_recipe(folder)
}

/// Whether a name is a network's, a family's, or that of published weights: `resnet50:imagenet1k_v2`, `hf:owner/repository`.
fn is_network(name: &str) -> bool {
    let network = name.split(':').next().unwrap_or(name);
    cnn_zoo::find(network).is_ok() || Family::find(name).is_some() || name.starts_with("hf:")
}

/// The network that a command line names, and what names its weights: the flag, else the network's name. The folder of a run
/// or a file of weights may stand in the network's place.
///
/// # Errors
/// Where both places name weights.
pub fn named<'a>(network: Option<&'a str>, flag: Option<&'a str>) -> Result<(Option<&'a str>, Option<&'a str>)> {
    let weights = network.filter(|name| !is_network(name) && Path::new(name).exists());
    match (weights, flag) {
        (Some(weights), Some(flag)) => {
            bail!("{} and --weights {} both name weights: leave one out", printable(weights), printable(flag))
        }
        (Some(weights), None) => Ok((None, Some(weights))),
        (None, flag) => Ok((network, flag.or(network))),
    }
}

/// Reads weights by what a person calls them, with a bar while they are fetched.
pub fn read(source: &str) -> Result<Weights> {
    let folder = Path::new(source);
    if folder.is_dir() && !folder.join(RunFolder::BEST).exists() {
        settled(folder)?;
    }
    Ok(cnn_classifier::weights(source, &fetching(false))?)
}

/// Refuses the folder of a run that a killed training was to replace.
pub fn settled(folder: &Path) -> Result<()> {
    ensure!(
        !RunFolder::replaces(folder),
        "{} holds the beginning of a run, and the finished one that it was to replace in .replaced: a training that is \
         started with --out or --resume of this folder settles it",
        path(folder)
    );
    Ok(())
}

/// Opens the weights of a command.
pub fn open(args: &cli::Trained, network: Option<&str>, fallback: Option<Fallback>) -> Result<Opened> {
    let (network, source) = named(network, args.weights.as_deref())?;
    let weights = read(source.unwrap_or(USUAL))?;
    of_weights(&weights, args, network, fallback)
}

/// Brings weights together with what the command line says of them.
pub fn of_weights(
    weights: &Weights,
    args: &cli::Trained,
    network: Option<&str>,
    fallback: Option<Fallback>,
) -> Result<Opened> {
    let card = Card::of(weights)?;
    let family = network.filter(|name| cnn_zoo::find(name).is_err()).and_then(Family::find);
    let classes = args.known.class_names.as_deref().map(class_names).transpose()?;
    let classes = classes.or_else(|| fallback.as_ref().filter(|_| card.is_none()).map(|known| known.classes.clone()));
    let prepared = fallback.as_ref().and_then(|known| known.preparation.as_ref());
    let (brought, origin) = match (&card, prepared) {
        (Some(card), _) => (Some(&card.preparation), weights.source()),
        (None, Some(known)) => (Some(&known.preparation), &*known.origin),
        (None, None) => (None, weights.source()),
    };
    let chosen = choose(&args.known.preparation, brought, origin)?;
    let known = Known {
        // Behind a colon stands which of its published weights.
        network: network.filter(|name| family.is_none() && !name.contains(':')).map(str::to_string),
        classes,
        preparation: Some(chosen.preparation),
        size: prepared.map(|known| known.size),
        other_channels: args.other_channels,
    };
    let mut parts = chosen.parts;
    if card.as_ref().is_some_and(|card| !card.upright) {
        parts.push(Part { what: UNTURNED.to_string(), origin: weights.source().to_string() });
    }
    let mut trained =
        Trained::new(weights, &known).map_err(|error| of_crop(error.into(), args, &known, card.as_ref()))?;
    if let Some(card) = card.filter(|card| args.known.class_names.is_some() && card.classes != trained.card.classes) {
        let first = card.classes.iter().zip(&trained.card.classes).position(|(own, given)| own != given);
        let place = first.unwrap_or(card.classes.len());
        trained.notes.push(format!(
            "--class-names takes the place of the names in the weights, which call class {place} {:?}",
            card.classes.get(place).map_or("nothing", |name| name)
        ));
    }
    if let Some(family) = family
        && cnn_zoo::find(&trained.card.network)?.family != family
    {
        bail!("{} are weights of {}, which is no {family}", weights.source(), trained.card.network);
    }
    Ok(Opened { trained, parts })
}

/// An error of weights whose pictures --crop may make too small.
fn of_crop(error: Error, args: &cli::Trained, known: &Known, card: Option<&Card>) -> Error {
    let name = known.network.as_deref().or(card.map(|card| &*card.network));
    let entry = name.and_then(|name| cnn_zoo::find(name).ok());
    match (args.known.preparation.crop, entry, &known.preparation) {
        (Some(crop), Some(entry), Some(preparation)) => {
            let architecture = entry.architecture(entry.classes).without_heads();
            way_out::at_size(error, "--crop", &architecture, [preparation.mean.len(), crop.side])
        }
        _ => error,
    }
}

impl Opened {
    /// How pictures are read: as the command line says, but not turned where those that were trained on were not.
    pub fn reading(&mut self, asked: Reading) -> Reading {
        if !asked.upright {
            self.unturned("--no-exif");
        }
        self.trained.card.reading(asked)
    }

    /// Takes pictures as they lie in their files, as `origin` says; nothing changes where the weights say it.
    pub fn unturned(&mut self, origin: &str) {
        if std::mem::take(&mut self.trained.card.upright) {
            self.parts.push(Part { what: UNTURNED.to_string(), origin: origin.to_string() });
        }
    }

    /// What a plan of these weights is to compute with, on the CPU.
    pub fn numbers(&self, args: &cli::Numbers) -> Result<Chosen> {
        self.numbers_on(args, &Device::Cpu)
    }

    /// The same on a device.
    pub fn numbers_on(&self, args: &cli::Numbers, device: &Device) -> Result<Chosen> {
        let Trained { card, weights, .. } = &self.trained;
        Chosen::new(args, (&card.network, weights.source()), Some(&card.preparation), device)
    }

    /// The files that they, what is known of them and their scales were read from.
    pub fn reads(&self, args: &cli::Trained, numbers: &cli::Numbers) -> Reads {
        let Trained { card, weights, .. } = &self.trained;
        reads(&self.trained, args).and(scales_of(numbers, &card.network, weights.source()))
    }

    /// Says on standard error what is used, and how pictures become inputs.
    pub fn announce(&self) {
        let card = &self.trained.card;
        let dataset = if card.dataset.is_empty() { String::new() } else { format!(", trained on {}", card.dataset) };
        let stretched = card.images.filter(|size| card.stretches([size[0] + 1, size[1]]).is_some());
        let stretched = stretched.map_or_else(String::new, |[h, w]| format!("stretched to {h}×{w} first; "));
        eprintln!(
            "{} with the weights of {}: {}{}",
            card.network,
            printable(self.trained.weights.source()),
            plural(card.classes.len(), "class", "classes"),
            printable(&dataset)
        );
        eprintln!("pictures: {stretched}{}", printable(&self.preparation()));
        for note in &self.trained.notes {
            eprintln!("{}", printable(note));
        }
    }

    /// How pictures are prepared; where each part is from, or once where all is from one place.
    fn preparation(&self) -> String {
        match self.parts.split_first() {
            Some((first, rest)) if rest.iter().all(|part| part.origin == first.origin) => {
                let what: Vec<&str> = self.parts.iter().map(|part| &*part.what).collect();
                format!("{} ({})", what.join(", "), first.origin)
            }
            _ => self.parts.iter().map(Part::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

/// The files that a command line means, some at least; files that were passed over are counted.
pub fn found(names: &[String]) -> Result<Vec<PathBuf>> {
    if let Some(run) = names.iter().find(|name| is_run(name)) {
        bail!("{} is the folder of a run, not of pictures: it goes first or behind --weights", printable(run));
    }
    if names.iter().any(|name| name == "-") {
        bail!("- is standard input, which `predict` reads, and then no other picture: name files, folders or patterns");
    }
    let found = pictures(names)?;
    if found.passed_over > 0 {
        let files = plural(found.passed_over, "file of another kind is", "files of other kinds are");
        eprintln!("{files} passed over");
    }
    Ok(found.files)
}

/// The files that weights and what is known of them were read from.
pub fn reads(trained: &Trained, args: &cli::Trained) -> Reads {
    Reads::files([trained.weights.source()]).known(&args.known)
}

/// The names of classes in a file, or of a data set that is known.
pub fn class_names(file: &Path) -> Result<Vec<String>> {
    let known = file.to_str().filter(|_| !file.exists());
    if known == Some("imagenet") {
        return Ok(imagenet::names().map(str::to_string).collect());
    }
    if let Some(name) = known.and_then(|name| name.parse::<Name>().ok()) {
        return Ok(name.class_names());
    }
    if !file.exists() {
        let known: Vec<&str> = Name::ALL.iter().map(|name| name.as_str()).collect();
        bail!("{} is no file, and the classes known by name are imagenet, {}", path(file), known.join(", "));
    }
    let names: Vec<String> = lists::lines(file)?.into_iter().map(|(_, name)| name).collect();
    if names.is_empty() {
        bail!("{} has no name in it: a class on each line is needed", path(file));
    }
    Ok(names)
}
