//! `augment`: a sheet of augmented images.

use crate::cli::{Augment, Common};
use crate::data;
use crate::way_out::ends_in;
use anyhow::Result;
use cnn_data::{Batch, Fit, Grid, Images, Loader, Preparation, sheet};
use cnn_figures::{path, plural};
use cnn_train::{DataChoice, Recipe};
use std::collections::{BTreeMap, VecDeque};

/// Between images lies this part of an image's height.
const GAPS: usize = 24;
/// Sheets of smaller images are enlarged until each is this high.
const HEIGHT: usize = 96;

pub fn run(args: &Augment, common: &Common) -> Result<()> {
    ends_in(&args.out, &["png"])?;
    let augmentation = match &args.recipe {
        Some(name) => Recipe::find(name)?.training.augmentation,
        None => args.augment.clone().unwrap_or_default(),
    };
    let mut choice = DataChoice::default();
    data::change(&mut choice, &args.data);
    data::apart(&args.out, &choice)?;
    let dataset = data::dataset(&args.data, common.seed())?;
    let train = dataset.train();
    let fit = match args.size {
        Some(side) if train.have_one_size() => Fit::resize([side as usize; 2]),
        None if train.have_one_size() => Fit::None,
        side => Fit::centre([side.map_or(224, |side| side as usize); 2]),
    };
    let preparation = Preparation::of(train)?.fitted(fit);
    let shape = preparation.output(train)?;
    let indices = of_all_classes(train, args.image, args.images.into());
    let (columns, factor) = (1 + usize::from(args.count), HEIGHT.div_ceil(shape[1]));
    // Whether the sheet can be is known before anything is made.
    let cell = [shape[1], shape[2]].map(|side| side.saturating_mul(factor));
    let gap = shape[1].div_ceil(GAPS);
    Grid { rows: indices.len(), columns, cell, gap: gap.saturating_mul(factor) }.size()?;

    let loader = Loader::new(train, preparation.clone(), indices.len())?.augmented(augmentation)?;
    let bytes = |batch: Batch| preparation.bytes(&batch.images, shape);
    let plain = loader.batch(&indices)?;
    let rows = plain.indices.len();
    let mut samples = vec![bytes(plain)];
    for epoch in 1..columns {
        samples.push(bytes(loader.augmented_batch(&indices, common.seed(), epoch)?));
    }
    let size: usize = shape.iter().product();
    let cells = (0..rows).flat_map(|row| samples.iter().map(move |sample| &sample[row * size..(row + 1) * size]));
    let pixels = cells.flatten().copied().collect();
    let cells: Vec<usize> = (0..rows * columns).collect();
    let sheet = sheet(&Images::new(shape, pixels, vec![0; cells.len()])?, &cells, columns, gap)?.enlarged(factor)?;
    cnn_train::write_whole(&args.out, &sheet.png()?)?;
    let (images, times) = (plural(rows, "image", "images"), plural(args.count.into(), "time", "times"));
    println!("{images}, each as it is and {times} augmented: {}", path(&args.out));
    Ok(())
}

/// `count` images from number `first` on, one of each class in turn. Where there is none, `first`, which an error names.
fn of_all_classes(images: &Images, first: usize, count: usize) -> Vec<usize> {
    let mut classes: BTreeMap<u32, VecDeque<usize>> = BTreeMap::new();
    for (index, label) in images.labels().iter().enumerate().skip(first) {
        classes.entry(*label).or_default().push_back(index);
    }
    let mut chosen = Vec::new();
    while chosen.len() < count && classes.values().any(|class| !class.is_empty()) {
        chosen.extend(classes.values_mut().filter_map(VecDeque::pop_front));
    }
    chosen.truncate(count);
    if chosen.is_empty() { vec![first] } else { chosen }
}
