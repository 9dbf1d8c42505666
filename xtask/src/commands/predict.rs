//! `predict`: what is on pictures.

mod answers;

use crate::cli;
use crate::data::RunData;
use crate::progress::{bar, interrupted};
use crate::trained;
use answers::{Answers, Form};
use anyhow::{Result, bail};
use cnn_classifier::Classifier;
use cnn_data::{Picture, Reading};
use cnn_train::TestTime;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Once;
use std::sync::atomic::Ordering;

/// No picture on standard input is longer.
const MOST: u64 = 1_000_000_000;

/// Of a picture whose strokes are the other way round than those that were learnt.
const DARK: &str = "dark on bright, but these weights have learnt bright strokes on dark: --invert turns it round";

pub fn run(args: &cli::Predict) -> Result<ExitCode> {
    let (network, names) = trained::split_pictures(&args.names);
    let mut opened = trained::open(&args.trained, network, None)?;
    if names.is_empty() {
        bail!("say which pictures: files, folders, patterns, or - for standard input");
    }
    let reading = opened.reading(args.reading.reading());
    let numbers = opened.numbers(&args.numbers)?;
    let classifier = Classifier::by(&opened.trained, numbers.options())?;
    opened.announce();
    let run = RunData::of_weights(&opened.trained.weights)?;
    if run.is_some_and(|run| run.test_time != TestTime::Plain) {
        eprintln!("the run was judged by more views of an image than the one that is answered by here");
    }
    numbers.announce();
    let form = match (args.csv, args.json) {
        (true, _) => Form::Csv,
        (_, true) => Form::Json,
        _ => Form::Text,
    };
    let top = usize::from(args.top);
    let warn = !args.invert && opened.trained.card.knows_bright_strokes();
    if names == ["-"] {
        let picture = from_standard_input(reading)?;
        let picture = if args.invert { inverted(picture) } else { picture };
        let mut answers = Answers::begin(form)?;
        answers.add(Path::new("-"), &classifier.classify(&picture, top))?;
        return answers.end();
    }
    let files = trained::found(names)?;
    let (bar, stop) = (bar(files.len() as u64), interrupted());
    let warned = Once::new();
    let open = |path: &Path| {
        let picture = Picture::read(path, reading)?;
        if warn && is_dark_on_bright(&picture) {
            warned.call_once(|| eprintln!("{}: {DARK}", cnn_figures::path(path)));
        }
        Ok(if args.invert { inverted(picture) } else { picture })
    };
    let mut answers = Answers::begin(form)?;
    let mut printed = Ok(());
    let judged = classifier.classify_files(&files, top, open, |(path, answer)| {
        bar.inc(1);
        bar.suspend(|| printed = answers.add(&path, &answer));
        printed.is_ok() && !stop.load(Ordering::SeqCst)
    });
    bar.finish_and_clear();
    // What is printed is whole, whatever came in between.
    let code = answers.end()?;
    judged?;
    printed?;
    if stop.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(code)
}

fn from_standard_input(reading: Reading) -> Result<Picture<'static>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MOST).read_to_end(&mut bytes)?;
    Ok(Picture::decode("standard input", &bytes, reading)?)
}

fn inverted(mut picture: Picture<'static>) -> Picture<'static> {
    picture.invert();
    picture
}

/// Whether most of a picture's edge is bright, as that of a digit on paper.
fn is_dark_on_bright(picture: &Picture<'_>) -> bool {
    let [_, height, width] = picture.shape();
    let plane = &picture.pixels()[..height * width];
    let edge = plane.chunks_exact(width).enumerate().flat_map(|(row, pixels)| {
        let whole = row == 0 || row + 1 == height;
        pixels.iter().step_by(if whole { 1 } else { width.max(2) - 1 })
    });
    let (sum, count) = edge.fold((0_u64, 0_u64), |(sum, count), pixel| (sum + u64::from(*pixel), count + 1));
    sum > 127 * count
}
