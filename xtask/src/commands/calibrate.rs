//! `calibrate`: the scales of 8-bit numbers for trained weights, and what the accuracy loses by them.

use super::eval::Ready;
use crate::cli::{self, Common};
use crate::no_effect;
use crate::numbers::{beside, prepared};
use crate::progress::{bar, interrupted, predicted};
use crate::way_out::ends_in;
use anyhow::{Result, bail};
use cnn_core::{Calibrator, InferenceOptions};
use cnn_figures::plural;
use std::sync::atomic::Ordering;

pub fn run(args: &cli::Calibrate, common: &Common) -> Result<()> {
    let ready = Ready::new(&args.judge, common)?;
    if !ready.device.is_cpu() {
        bail!("8-bit numbers are computed on the CPU only: leave --device out");
    }
    let trained = &ready.opened.trained;
    let (network, weights) = (&trained.network, &trained.weights);
    let file = args.scales.clone().unwrap_or_else(|| beside(&trained.card.network, weights.source()));
    ready.reads.allow(&file)?;
    args.scales.iter().try_for_each(|file| ends_in(file, &["json"]))?;
    let (images, of) = match &ready.learnt {
        Some(images) => (images, "of those to train on"),
        None => (&ready.images, "of those that are judged: there are no others"),
    };
    let wanted = args.images as usize;
    no_effect::of_seed(common, ready.drawn || wanted < images.len())?;
    let images = if wanted < images.len() { images.drawn(wanted, common.seed()) } else { images.clone() };
    let mut calibrator = Calibrator::new(network, weights)?;
    let (bar, stop) = (bar(images.len() as u64), interrupted());
    bar.set_prefix("ranges");
    for batch in ready.loader(&images)?.in_order() {
        calibrator.observe(&batch?.images)?;
        bar.set_position(calibrator.images());
        if stop.load(Ordering::SeqCst) {
            bail!("interrupted; nothing is written");
        }
    }
    bar.finish_and_clear();
    let calibration = calibrator.calibration()?.of_pictures(prepared(&trained.card.preparation));
    drop(calibrator);
    let judged = ready.loader(&ready.images)?;
    let predictions = |options| predicted(&ready.judging(ready.model(options)?), &judged);
    let exact = predictions(InferenceOptions::default())?;
    let of_judged = ready.of_judged(exact.len());
    let exact = exact.top(1);
    let narrow = predictions(InferenceOptions::default().int8(&calibration))?.top(1);
    ready.announce();
    let taken = plural(calibration.images() as usize, "image", "images");
    eprintln!("ranges of least squared error, taken on {taken} {of}");
    println!("accuracy in f32  {:.2} %", 100.0 * exact);
    println!("accuracy in int8 {:.2} %, {:+.2} points, on {}", 100.0 * narrow, 100.0 * (narrow - exact), of_judged);
    calibration.write(&file)?;
    println!("{}", cnn_figures::path(&file));
    Ok(())
}
