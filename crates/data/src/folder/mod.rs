//! A folder of images, a folder in it for each class.

mod config;
mod draw;
mod files;
pub(crate) mod find;
mod head;
mod judged;
pub(crate) mod layout;

pub use config::{Damage, FolderConfig};
pub use find::{RUN_BEST, RUN_MARK};
pub use judged::{FolderImages, folder_images};

use crate::{Dataset, Error, Origins};
use files::{Sizes, images_of};
use find::{Class, Found, Labelled, intact};
use head::heads;
use layout::Layout;
use std::collections::HashMap;
use std::path::Path;

/// Finds the images of a folder and reads the head of each; pixels are decoded when they are asked for.
///
/// Classes are named by their folders and sorted by name, as torchvision sorts them: `10` before `2`. Hidden files are passed
/// over, and what is neither named like a picture nor begins like one is too: [`Dataset::strays`] counts it. Images come
/// out in red, green and blue, as [`Picture::open`](crate::Picture::open) gives them.
///
/// # Errors
/// [`Error::TestShare`]; [`Error::Read`] for what cannot be read; [`Error::NoClass`], [`Error::EmptyClass`],
/// [`Error::UnknownClass`], [`Error::OnlyJudged`] for folders that are not as [`FolderConfig`] says; [`Error::AllDrawn`] and
/// [`Error::NoneDrawn`] where too few images are there to draw some; [`Error::Image`] for a file that is no intact picture,
/// unless damaged files are skipped; then [`Error::DamagedClass`] for a class without another to train on.
pub fn folder(config: &FolderConfig) -> Result<Dataset, Error> {
    if !(config.test_share > 0.0 && config.test_share < 1.0) {
        return Err(Error::TestShare { found: config.test_share });
    }
    let mut layout = Layout::of(&config.path)?;
    if let (None, Some(split)) = (&layout.train, layout.splits().next()) {
        return Err(Error::OnlyJudged { path: config.path.clone(), split: layout::name(split) });
    }
    // With folds, what is judged comes from the images to train on.
    let left_out = layout.val.take_if(|_| config.fold.is_some());
    let place = layout.train.clone().unwrap_or_else(|| config.path.clone());
    let Found { classes, mut strays } = intact(find::classes(&place)?)?;
    strays.extend(std::mem::take(&mut layout.beside));
    let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    let mut named = |split: &Path| -> Result<Labelled, Error> {
        let found = intact(find::classes(split)?)?;
        strays.extend(found.strays);
        labelled(&names, split, found.classes)
    };
    let (judged, held_out) = match (config.fold, layout.val, layout.test) {
        (None, Some(val), test) => (Some(val), test),
        (None, None, test) => (test, None),
        (Some(_), _, test) => (None, test),
    };
    let origins = Origins {
        train: place.display().to_string(),
        test: match &judged {
            Some(split) => split.display().to_string(),
            None => {
                let left_out = left_out.map_or_else(String::new, |val| format!("; {} is left out", val.display()));
                format!("{}, {}{left_out}", place.display(), draw::in_words(config))
            }
        },
        drawn: judged.is_none(),
        held_out: held_out.as_ref().map(|split| split.display().to_string()),
        unlabelled: layout.unlabelled,
    };
    let held_out = held_out.map(|split| named(&split)).transpose()?;
    let (train, test) = match judged {
        Some(split) => {
            let test = named(&split)?;
            (labelled(&names, &place, classes)?, test)
        }
        None => draw::drawn(config, &place, classes)?,
    };
    let before = counts(names.len(), train.iter().map(|(_, label)| *label));
    let heads = |files| heads(&config.path, files, config.reading(), config.damage);
    let (train, test, held_out) = (heads(train)?, heads(test)?, held_out.map(heads).transpose()?);
    none_damaged_whole(&names, &before, &counts(names.len(), train.iter().map(|head| head.label)))?;
    // Sizes are those of all: which images came to which side makes no difference.
    let sizes = Sizes::of(train.iter().chain(&test).chain(held_out.iter().flatten()));
    let images = |found| images_of(config, found, sizes);
    let name = config.path.canonicalize().unwrap_or_else(|_| config.path.clone());
    let name = name.file_name().map_or_else(|| "folder".to_string(), |name| name.to_string_lossy().into_owned());
    let mut dataset = Dataset::new(name, names, images(train)?, images(test)?)?;
    if let Some(held_out) = held_out {
        dataset = dataset.with_held_out(images(held_out)?)?;
    }
    (dataset.strays, dataset.origins) = (strays, Some(origins));
    Ok(dataset)
}

/// How many images each of so many classes has, by their labels.
pub(crate) fn counts(classes: usize, labels: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels.for_each(|label| counts[label as usize] += 1);
    counts
}

/// Refuses a class that had images to train on before the damaged ones were left out, and has none now.
pub(crate) fn none_damaged_whole(names: &[String], before: &[usize], now: &[usize]) -> Result<(), Error> {
    match (0..names.len()).find(|class| before[*class] > 0 && now[*class] == 0) {
        Some(class) => Err(Error::DamagedClass { class: names[class].clone(), images: before[class] }),
        None => Ok(()),
    }
}

/// The files of each class with the class's place among `names`.
fn labelled(names: &[String], split: &Path, classes: Vec<Class>) -> Result<Labelled, Error> {
    let labels: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    let mut files = Vec::new();
    for class in classes {
        let label = labels.get(class.name.as_str()).copied();
        let label = label.ok_or_else(|| Error::UnknownClass {
            path: split.join(&class.name),
            class: class.name.clone(),
            classes: names.to_vec(),
        })?;
        files.extend(class.files.into_iter().map(|file| (file, label)));
    }
    Ok(files)
}
