//! `augment`: a sheet of augmented images.

use super::data;
use crate::cli::{Augment, Common};
use anyhow::{Context, Result};
use cnn_data::{Fit, Images, Loader, Preparation, sheet};
use cnn_train::Recipe;

/// Sheets of smaller images are enlarged until each is this high.
const HEIGHT: usize = 96;

pub fn run(args: &Augment, common: &Common) -> Result<()> {
    let augmentation = match &args.recipe {
        Some(name) => Recipe::find(name)?.training.augmentation,
        None => args.augment.clone().unwrap_or_default(),
    };
    let dataset = data::dataset(&args.data, common.seed())?;
    let train = dataset.train();
    let fit = match args.size {
        Some(side) if train.have_one_size() => Fit::Resize { height: side as usize, width: side as usize },
        None if train.have_one_size() => Fit::None,
        side => Fit::centre([side.map_or(224, |side| side as usize); 2]),
    };
    let preparation = Preparation::of(train)?.fitted(fit);
    let shape = preparation.output(train)?;
    let end = args.image.saturating_add(args.images.into()).min(train.len());
    let indices: Vec<usize> = (args.image..end.max(args.image + 1)).collect();
    let loader = Loader::new(train, preparation.clone(), indices.len())?.augmented(augmentation)?;

    let mut batches = vec![loader.batch(&indices)?];
    for epoch in 1..=usize::from(args.count) {
        batches.push(loader.augmented_batch(&indices, common.seed(), epoch)?);
    }
    let rows = batches[0].indices.len();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for row in 0..rows {
        for batch in &batches {
            let prepared = batch.images.get(row)?.flatten_all()?.to_vec1()?;
            pixels.extend(preparation.bytes(&prepared, shape));
            labels.push(0);
        }
    }
    let cells: Vec<usize> = (0..labels.len()).collect();
    let sheet = sheet(&Images::new(shape, pixels, labels)?, &cells, batches.len())?;
    let sheet = sheet.enlarged(HEIGHT.div_ceil(shape[1]))?;
    std::fs::write(&args.out, sheet.png()?).with_context(|| format!("{}: cannot be written", args.out.display()))?;
    println!("{rows} images, each as it is and {} times augmented: {}", args.count, args.out.display());
    Ok(())
}
