//! `export`: a network with its weights as an ONNX file.

use crate::cli;
use crate::weights::{classes_of, of_file};
use anyhow::{Context, Result, bail};
use cnn_core::{Bytes, Weights};
use cnn_data::Card;
use cnn_onnx::{About, Export};
use std::collections::BTreeMap;

pub fn run(args: &cli::Export) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let weights = Weights::read(&args.weights)?;
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
    let usual = card.as_ref().map_or(architecture.usual_input(), |card| card.input);
    let network = architecture.without_heads().at(args.shape.map_or(usual, |shape| shape.0))?;
    let normalise = args.normalise.map(Into::into);
    if normalise.is_some() && card.is_none() {
        bail!("{} does not say how its pictures were normalised: --normalise needs that", args.weights.display());
    }
    let mut about = card.as_ref().map_or_else(About::default, about);
    about.source = args.weights.file_name().map(|name| name.to_string_lossy().into_owned());
    let export = Export { fold: args.fold, probabilities: args.probabilities, normalise, about };
    let file = of_file(&args.weights, export.to_bytes(&network, &weights))?;
    cnn_train::write_whole(&args.onnx, &file)?;
    let input = if normalise.is_some() { "pixels" } else { "input" };
    println!("{}: {}, {input} N×{}, {}", args.onnx.display(), network.name(), network.input(), Bytes::of(file.len()));
    Ok(())
}

/// What a card says, for the file.
fn about(card: &Card) -> About {
    let preparation = serde_json::to_value(&card.preparation).unwrap_or_default();
    // `{"crop":{"short":256,"height":224,"width":224}}`, or a name alone.
    let fit = preparation["fit"].as_object().and_then(|fit| fit.values().next()).cloned().unwrap_or_default();
    let side = |name: &str| fit[name].as_u64().and_then(|side| usize::try_from(side).ok());
    let more = [("dataset", card.dataset.clone()), ("preparation", preparation.to_string())];
    About {
        classes: card.classes.clone(),
        mean: card.preparation.mean.clone(),
        std: card.preparation.std.clone(),
        resize: side("short"),
        crop: side("short").and_then(|_| Some([side("height")?, side("width")?])),
        interpolation: fit["interpolation"].as_str().map(str::to_string),
        source: None,
        more: more.into_iter().map(|(key, value)| (key.to_string(), value)).collect::<BTreeMap<_, _>>(),
    }
}
