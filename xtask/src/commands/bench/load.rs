//! `bench --load`: the loader alone, from files to batches.

use crate::bench::{Times, milliseconds};
use crate::cli::{self, InputShape};
use crate::data::mend;
use crate::preparation::in_words;
use crate::session::grey;
use crate::{data, progress, rerun};
use anyhow::{Context, Result, anyhow, ensure};
use cnn_data::{Images, Loader};
use cnn_figures::{count, plural, rate};
use cnn_train::DataChoice;
use serde_json::json;
use std::time::Instant;

/// Batches that are made ahead, as in training.
const AHEAD: usize = 2;
/// Batches before those that are timed: files come into the system's memory.
const WARM_UP: u32 = 2;

/// The size of a square shape with the channels of the images.
fn size(InputShape([channels, height, width]): InputShape, images: &Images) -> Result<usize> {
    ensure!(
        height == width && channels == images.channels(),
        "--shape {channels},{height},{width} beside --load: images are loaded as squares with their {}, as {},{height},{height}",
        plural(images.channels(), "channel", "channels"),
        images.channels()
    );
    Ok(height)
}

/// Takes the time of the batches of a data set as `train` would make them for the network.
pub fn run(args: &cli::Bench, named: &str, seed: u64) -> Result<()> {
    loaded(args, named, seed).map_err(|error| match error.downcast_ref() {
        Some(cnn_data::Error::AllDrawn { path, .. } | cnn_data::Error::NoneDrawn { path, .. }) => anyhow!(
            "{}: too few images for a share of them to be drawn, as train does; another --seed, more images or a folder val \
             help",
            cnn_figures::path(path)
        ),
        _ => mend(error),
    })
}

fn loaded(args: &cli::Bench, named: &str, seed: u64) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let mut choice = DataChoice { dataset: Some(named.to_string()), ..DataChoice::default() };
    let dataset = data::chosen(&choice, seed)?;
    let architecture = entry.architecture(dataset.classes().len());
    let dataset = grey(&mut choice, &architecture, &dataset)?.unwrap_or(dataset);
    let images = dataset.train();
    let resize = args.shape.map(|shape| size(shape, images)).transpose()?;
    let (network, preparation) = cnn_train::fit(&architecture, images, resize)?;
    let augmentation = args.augment.clone().unwrap_or_default();
    let loader = Loader::new(images, preparation.clone(), args.batch as usize)?.augmented(augmentation)?.ahead(AHEAD);
    let bar = progress::bar(u64::from(WARM_UP + args.runs));
    let mut batches = (1..).flat_map(|epoch| loader.epoch(seed, epoch));
    let (mut times, mut loaded) = (Vec::new(), 0);
    for run in 0..WARM_UP + args.runs {
        let started = Instant::now();
        let batch = batches.next().context("the data set has no image")??;
        if run >= WARM_UP {
            times.push(milliseconds(started.elapsed()));
            loaded += batch.indices.len();
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let seconds = times.iter().sum::<f64>() / 1e3;
    let (times, per_second) = (Times::new(times), loaded as f64 / seconds);
    if args.json {
        let figures = json!({
            "network": network.name(),
            "images": images.len(),
            "input": network.input().dims(),
            "batch": args.batch,
            "threads": rerun::threads(),
            "runs": times.len(),
            "median_ms": times.median(),
            "images_per_second": per_second,
        });
        println!("{figures:#}");
        return Ok(());
    }
    println!("{} of {named}, for {}: {}", count(images.len()), network.name(), in_words(&preparation));
    println!(
        "{} images/s loaded and nothing else, in batches of {} (median {:.1} ms of {}), threads: {}",
        rate(per_second),
        args.batch,
        times.median(),
        times.len(),
        rerun::threads()
    );
    Ok(())
}
