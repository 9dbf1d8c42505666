//! `export`: a network with its weights as an ONNX file.

use crate::cli::{self, PreparationArgs};
use crate::preparation::choose;
use crate::reads::Reads;
use crate::trained;
use crate::way_out::ends_in;
use crate::weights::{classes_of, of_file, with_size};
use anyhow::{Context, Result, bail, ensure};
use cnn_core::weights::Allowed;
use cnn_core::{Bytes, Weights};
use cnn_data::{Card, Fit, Preparation};
use cnn_onnx::{About, Export, Pixels};
use std::path::Path;

pub fn run(args: &cli::Export) -> Result<()> {
    let (asked, source) = trained::named(args.network.as_deref(), args.weights.as_deref())?;
    let Some(source) = source else {
        bail!("say which weights: a network with weights of its name, a run's folder, or --weights");
    };
    let weights = trained::read(source)?;
    Reads::files([weights.source()]).known(&args.known).allow(&args.onnx)?;
    ends_in(&args.onnx, &["onnx"])?;
    weights.choice().iter().for_each(|note| println!("{note}"));
    let card = card(args, asked, &weights)?;
    let network = asked.filter(|name| !name.contains(':')).map(str::to_string);
    let network = network.or_else(|| card.as_ref().map(|card| card.network.clone()));
    let network =
        network.with_context(|| format!("{} does not say of which network it is: name it", weights.source()))?;
    let entry = cnn_zoo::find(&network)?;
    let classes = match args.classes {
        Some(classes) => classes as usize,
        None => classes_of(&entry, &weights)?,
    };
    let architecture = if args.transform_input {
        entry.transformed(classes).with_context(|| format!("{} has no transform_input", entry.name))?
    } else {
        entry.architecture(classes)
    };
    let usual = card.as_ref().map_or(architecture.usual_input(), |card| card.input);
    let network = architecture.without_heads().at(args.shape.map_or(usual, |shape| shape.0))?;
    let suited = card.as_ref().map(|card| suited(card, args)).transpose()?.flatten();
    let normalise = args.normalise.map(|pixels| match pixels {
        cli::PixelsName::Bytes => Pixels::Bytes,
        cli::PixelsName::Unit => Pixels::Unit,
    });
    if normalise.is_some() && card.is_none() {
        bail!(
            "{} does not say how its pictures were normalised: --normalise needs --mean, --std, --crop",
            weights.source()
        );
    }
    let source = Path::new(weights.source());
    let loading = of_file(source, weights.load(&network, Allowed::default()))?;
    if !loading.renamed().is_empty() {
        eprintln!("{loading}");
    }
    let mut about = suited.as_ref().or(card.as_ref()).map_or_else(About::default, about);
    about.source = source.file_name().map(|name| name.to_string_lossy().into_owned());
    let loaded = of_file(source, loading.weights()).map_err(|error| with_size(&weights, &network, error))?;
    let export = Export { fold: args.fold, probabilities: args.probabilities, normalise, about };
    let file = of_file(source, export.to_bytes(&network, &loaded))?;
    cnn_train::write_whole(&args.onnx, &file)?;
    if let Some(suited) = &suited {
        eprintln!("pictures are prepared for --shape: {}", suited.preparation.fit);
    }
    let input = if normalise.is_some() { "pixels" } else { "input" };
    println!("{}: {}, {input} N×{}, {}", args.onnx.display(), network.name(), network.input(), Bytes::of(file.len()));
    Ok(())
}

/// What the weights say of themselves, with what the command line says instead; none where neither says how pictures are
/// prepared.
fn card(args: &cli::Export, asked: Option<&str>, weights: &Weights) -> Result<Option<Card>> {
    let own = Card::of(weights)?;
    if own.is_none() && args.known.preparation == PreparationArgs::default() {
        if let Some(file) = &args.known.class_names {
            bail!("{}: names of classes need --mean, --std and --crop beside them", file.display());
        }
        return Ok(None);
    }
    let chosen = choose(&args.known.preparation, own.as_ref().map(|card| &card.preparation), weights.source())?;
    let classes = args.known.class_names.as_deref().map(trained::class_names).transpose()?;
    let [channels, height, width] = own.as_ref().map_or([chosen.preparation.mean.len(), 224, 224], |card| card.input);
    let input = of_file(Path::new(weights.source()), chosen.preparation.shape([channels, height, width]))?;
    Ok(Some(match own {
        Some(own) => {
            Card { classes: classes.unwrap_or(own.classes.clone()), preparation: chosen.preparation, input, ..own }
        }
        None => Card {
            network: asked.unwrap_or_default().to_string(),
            input,
            classes: classes.unwrap_or_default(),
            dataset: String::new(),
            images: None,
            upright: true,
            preparation: chosen.preparation,
        },
    }))
}

/// The card where the command line asks for an input of another size than its pictures are brought to: they are brought to
/// that size, and by as much larger or smaller before they are cut.
fn suited(card: &Card, args: &cli::Export) -> Result<Option<Card>> {
    let (Some(cli::InputShape([_, height, width])), fit) = (args.shape, card.preparation.fit) else { return Ok(None) };
    let shape = [card.preparation.mean.len(), height, width];
    if card.preparation.shape(shape).is_ok_and(|prepared| prepared == shape) {
        return Ok(None);
    }
    let (own, asked) = (fit.to_string(), format!("--shape asks for {height}×{width}"));
    ensure!(args.known.preparation.crop.is_none(), "--crop means {own}, but {asked}: leave out one of the two");
    let in_step = |side: usize, from: usize, to: usize| (side as f64 * to as f64 / from as f64).round() as usize;
    let both = |[a, b]: [usize; 2], h: usize, w: usize| [in_step(a, h, height), in_step(b, w, width)];
    let fit = match fit {
        Fit::Pad { .. } => Fit::Pad { height, width },
        Fit::Resize { interpolation, .. } => Fit::Resize { height, width, interpolation },
        Fit::Crop { short, height: h, width: w, interpolation } => {
            let short = in_step(short, h, height).max(in_step(short, w, width));
            Fit::Crop { short, height, width, interpolation }
        }
        Fit::Cover { stretched, height: h, width: w, interpolation } => {
            Fit::Cover { stretched: both(stretched, h, w), height, width, interpolation }
        }
        Fit::Squash { stretched, height: h, width: w, interpolation } => {
            Fit::Squash { stretched: both(stretched, h, w), height, width, interpolation }
        }
        Fit::Border { stretched, height: h, width: w, interpolation } => {
            Fit::Border { stretched: both(stretched, h, w), height, width, interpolation }
        }
        _ => bail!("pictures are prepared by {own}, but {asked}: leave it out"),
    };
    Ok(Some(Card { preparation: card.preparation.clone().fitted(fit), ..card.clone() }))
}

/// What a card says, for the file.
fn about(card: &Card) -> About {
    let Preparation { fit, mean, std } = &card.preparation;
    let (resize, crop) = match *fit {
        Fit::Crop { short, height, width, .. } => (Some(short), Some([height, width])),
        _ => (None, None),
    };
    let preparation = serde_json::to_string(&card.preparation).unwrap_or_default();
    // Where the preparation fits sizes by itself, none is stretched before.
    let images = card.images.filter(|_| !fit.equals_sizes());
    let images = images.map(|[height, width]| ("images", format!("[{height},{width}]")));
    let more = [("dataset", card.dataset.clone()), ("preparation", preparation)].into_iter().chain(images);
    About {
        classes: card.classes.clone(),
        mean: mean.clone(),
        std: std.clone(),
        resize,
        crop,
        interpolation: fit.interpolation().map(|filter| filter.to_string()),
        source: None,
        more: more.map(|(key, value)| (key.to_string(), value)).collect(),
    }
}
