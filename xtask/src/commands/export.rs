//! `export`: a network with its weights as an ONNX file.

use crate::cli::{self, PreparationArgs};
use crate::preparation::choose;
use crate::weights::classes_of;
use anyhow::{Context, Result, bail};
use cnn_core::Bytes;
use cnn_data::{Card, Fit, Preparation};
use cnn_onnx::{About, Export};
use std::path::Path;

pub fn run(args: &cli::Export) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let source = args.weights.as_deref().unwrap_or(entry.name);
    let weights = cnn_classifier::weights(source)?;
    let card = Card::of(&weights)?;
    let classes = match args.classes {
        Some(classes) => classes as usize,
        None => classes_of(&entry, &weights)?,
    };
    let architecture = if args.transform_input {
        entry.transformed(classes).with_context(|| format!("{} has no transform_input", entry.name))?
    } else {
        entry.architecture(classes)
    };
    let preparation = preparation(args, card.as_ref(), weights.source())?;
    let usual = card.as_ref().map_or(architecture.usual_input(), |card| card.input);
    let shape = match (args.shape, &preparation) {
        (Some(shape), _) => shape.0,
        (None, Some(preparation)) => preparation.shape(usual)?,
        (None, None) => usual,
    };
    let network = architecture.without_heads().at(shape)?;
    let normalise = args.normalise.map(Into::into);
    let about = about(card, preparation, source);
    let export = Export { fold: args.fold, probabilities: args.probabilities, normalise, about };
    let file = export.to_bytes(&network, &weights)?;
    cnn_train::write_whole(&args.onnx, &file)?;
    let input = if normalise.is_some() { "pixels" } else { "input" };
    println!("{}: {}, {input} N×{}, {}", args.onnx.display(), network.name(), network.input(), Bytes::of(file.len()));
    Ok(())
}

/// How pictures are prepared, where weights or flags say so; normalising inside the file needs it.
fn preparation(args: &cli::Export, card: Option<&Card>, weights: &str) -> Result<Option<Preparation>> {
    if card.is_none() && args.preparation == PreparationArgs::default() {
        if args.normalise.is_some() {
            bail!("{weights} does not say how pictures are normalised: --mean, --std and --crop do");
        }
        return Ok(None);
    }
    Ok(Some(choose(&args.preparation, card.map(|card| &card.preparation), weights)?.preparation))
}

/// What the file says of itself.
fn about(card: Option<Card>, preparation: Option<Preparation>, source: &str) -> About {
    // No folder of this machine: the file is for others.
    let name = Path::new(source).file_name().map(|name| name.to_string_lossy().into_owned());
    let mut about = About { source: name, ..About::default() };
    if let Some(card) = card {
        about.classes = card.classes;
        about.more.insert("dataset".to_string(), card.dataset);
    }
    if let Some(preparation) = preparation {
        if let Fit::Crop { short, height, width, .. } = preparation.fit {
            (about.resize, about.crop) = (Some(short), Some([height, width]));
        }
        about.interpolation = preparation.fit.interpolation().map(|filter| filter.to_string());
        let fit = serde_json::to_string(&preparation.fit).unwrap_or_default();
        about.more.insert("fit".to_string(), fit);
        (about.mean, about.std) = (preparation.mean, preparation.std);
    }
    about
}
