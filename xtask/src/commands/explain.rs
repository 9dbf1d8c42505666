//! `explain`: a page that shows what a network makes of pictures.

mod collection;
mod live;
mod module;

use crate::cli::{self, Common};
use crate::commands::eval::Ready;
use crate::no_effect;
use crate::progress::bar;
use crate::trained;
use crate::way_out::ends_in;
use anyhow::{Context, Result, bail, ensure};
use cnn_classifier::Trained;
use cnn_core::Weights;
use cnn_data::{Card, Fit, Interpolation, Picture, Preparation, Reading};
use cnn_explain::{Explainer, Page, Subject};
use cnn_figures::{bytes, count, path, printable};
use std::path::PathBuf;

/// Every picture beyond these would make the page too long to read.
const MOST_PICTURES: usize = 20;

pub fn run(args: &cli::Explain, common: &Common) -> Result<()> {
    let (network, names) = trained::split(&args.names);
    no_effect::of_seed(common, args.random || args.data.dataset.is_some())?;
    if args.live {
        return live::run(args, network, names);
    }
    no_effect::of_pictures(&args.data)?;
    if names.is_empty() && args.data.dataset.is_none() {
        bail!("say which pictures: files, folders or patterns");
    }
    if names.is_empty() && args.invert {
        bail!("--invert is about pictures that are named, and none is: name one, or leave it out");
    }
    let dataset = match args.data.dataset {
        Some(_) => Some(collection::open(args, common, network)?),
        None => None,
    };
    let (trained, opened) = match (&dataset, args.random) {
        (Some(ready), _) => (ready.opened.trained.clone(), None),
        (None, true) => {
            let network =
                network.context("say which network before the pictures: --random has no weights that name one")?;
            (random(network, args, common)?, None)
        }
        (None, false) => {
            let mut opened = trained::open(&args.trained, network, None)?;
            if args.data.no_exif {
                opened.unturned("--no-exif");
            }
            (opened.trained.clone(), Some(opened))
        }
    };
    let files = if names.is_empty() { Vec::new() } else { trained::found(names)? };
    let reads = dataset.as_ref().map_or_else(|| trained::reads(&trained, &args.trained), |ready| ready.reads.clone());
    reads.and(&files).allow(&args.out)?;
    ends_in(&args.out, &["html"])?;
    if files.len() > MOST_PICTURES {
        bail!("{} pictures are more than a page shows well: name {MOST_PICTURES} at most", count(files.len()));
    }
    let (labels, prepared) = match &dataset {
        Some(ready) if files.is_empty() => first(ready)?,
        _ => pictures(&files, args, &trained)?,
    };
    let subjects: Vec<Subject<'_>> =
        labels.iter().zip(prepared).map(|(name, (image, pixels))| Subject { name, image, pixels }).collect();
    let mut explainer = Explainer::new(&trained.network, &trained.weights)?;
    let notes = match args.random {
        true => {
            let source = format!("weights as they are before training, drawn from the seed {}", common.seed());
            [vec![source], trained.notes.clone()].concat()
        }
        false => trained.provenance(),
    };
    let title = format!("{} looks at {}", trained.card.network, labels.first().map_or("", |name| name));
    let (classes, top) = (&trained.card.classes, usize::from(args.top));
    let collection = match &dataset {
        Some(ready) => Some(collection::look(&explainer, ready, &args.nodes)?),
        None => None,
    };
    let collection = collection.as_ref();
    let page = Page { title: &title, classes, notes: &notes, subjects: &subjects, top, collection };
    let html = with_bar(&page, &mut explainer)?;
    cnn_train::write_whole(&args.out, html.as_bytes())?;
    match (dataset, opened) {
        (Some(ready), _) => {
            ready.announce();
            eprintln!("looked at {}", printable(&ready.of));
        }
        (None, Some(opened)) => opened.announce(),
        (None, None) => {}
    }
    println!("{}: {}, {}", path(&args.out), trained.card.network, bytes(html.len() as u64));
    Ok(())
}

/// Pictures by their names: what the network reads of each, and the same as bytes.
type Prepared = (Vec<String>, Vec<(Vec<f32>, Vec<u8>)>);

/// The pictures that are named, as the command line says they are read.
fn pictures(files: &[PathBuf], args: &cli::Explain, trained: &Trained) -> Result<Prepared> {
    let max_pixels = args.data.max_pixels.unwrap_or(Reading::MAX_PIXELS);
    let reading = trained.card.reading(Reading { upright: !args.data.no_exif, max_pixels });
    let labels = files.iter().map(|file| file.file_name().unwrap_or_default().to_string_lossy().into()).collect();
    let mut prepared = Vec::new();
    for file in files {
        let mut picture = Picture::read(file, reading)?;
        if args.invert {
            picture.invert();
        }
        let image = trained.prepare(&picture)?;
        let pixels = trained.card.preparation.bytes(&image, trained.card.input);
        prepared.push((image, pixels));
    }
    Ok((labels, prepared))
}

/// The first image of a data set, in place of a picture.
fn first(ready: &Ready) -> Result<Prepared> {
    let sample = collection::sample(ready, 0)?;
    let class = ready.opened.trained.card.classes.get(sample.label).map_or("", |class| class);
    Ok((vec![format!("the first of {}: {class}", ready.of)], vec![(sample.image, sample.pixels)]))
}

/// The page, with a bar while it is made: of a large network that takes a minute or two.
fn with_bar(page: &Page<'_>, explainer: &mut Explainer) -> Result<String> {
    let bar = bar(0);
    let html = page.html_told(explainer, &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(html?)
}

/// A network before training, and pictures as they are prepared for networks of its kind.
fn random(name: &str, args: &cli::Explain, common: &Common) -> Result<Trained> {
    ensure!(
        !trained::is_run(name),
        "--random draws the weights of a network by its name, and {} is a run",
        printable(name)
    );
    let entry = cnn_zoo::find(name)?;
    let classes = args.trained.known.class_names.as_deref().map(trained::class_names).transpose()?;
    let outputs = classes.as_ref().map_or(entry.classes, Vec::len);
    let architecture = entry.architecture(outputs).without_heads();
    let input @ [channels, height, width] = architecture.usual_input();
    let usual = match (channels, height) {
        (1, _) => Preparation::mnist(),
        (_, ..=64) => Preparation::cifar10(),
        _ => Preparation::imagenet(),
    };
    let usual =
        usual.fitted(Fit::Crop { short: height.max(width), height, width, interpolation: Interpolation::Bilinear });
    let preparation = crate::preparation::choose(&args.trained.known.preparation, Some(&usual), name)?.preparation;
    let input = preparation.shape(input)?;
    let network = architecture.at(input)?;
    let weights = Weights::initialised(&network, common.seed());
    let named = classes.unwrap_or_else(|| (0..outputs).map(|class| format!("class {class}")).collect());
    let card = Card {
        network: name.to_string(),
        input,
        classes: named,
        dataset: String::new(),
        images: None,
        upright: true,
        preparation,
    };
    Ok(Trained { network, weights, card, notes: vec!["an untrained network: its answers mean nothing".to_string()] })
}
