//! A folder of images, a folder in it for each class.

mod files;
pub(crate) mod find;
mod judged;

pub use judged::{FolderImages, folder_images};

use crate::{Dataset, Error, Images, Reading, picture_file};
use cnn_core::seed;
use files::Files;
use find::{Class, Found};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A folder of images (JPEG, PNG, GIF, BMP, TIFF, WebP), and what to do where it leaves a choice.
///
/// `PATH/train/CLASS/*` and `PATH/test/CLASS/*` (or `PATH/val/CLASS/*`) are training and test images. Without a folder
/// `train` the classes lie in `PATH` itself, and without one to test on, images of each class are drawn for it.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderConfig {
    /// The folder.
    pub path: PathBuf,
    /// Share of each class that is drawn to test on where the folder does not say, above 0 and below 1.
    pub test_share: f64,
    /// Decides which images are drawn.
    pub seed: u64,
    /// What to do about a file that is no intact image.
    pub damage: Damage,
    /// The most pixels of an image, looked up before any is decoded: one that has more counts as damaged.
    pub max_pixels: u64,
    /// Whether images are turned as their cameras noted: see [`Reading::upright`].
    pub upright: bool,
}

/// What to do about a file that is no intact image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It is an error.
    #[default]
    Refuse,
    /// It is left out, named in a warning and counted: see [`Images::damaged`].
    Skip,
}

impl Damage {
    /// The error of a file, with the way out where it is refused.
    fn refusing(self, error: Error) -> Error {
        match error {
            Error::Image { path, problem } if self == Self::Refuse => {
                Error::Image { path, problem: format!("{problem}; skip-damaged leaves such files out") }
            }
            error => error,
        }
    }
}

impl FolderConfig {
    /// The usual share of each class to test on.
    pub const TEST_SHARE: f64 = 0.2;

    /// The usual bound on the pixels of an image, that of the Python Imaging Library: 268 MB in red, green and blue.
    pub const MAX_PIXELS: u64 = Reading::MAX_PIXELS;

    /// A fifth of each class to test on, seed 0, damaged files refused, at most [`FolderConfig::MAX_PIXELS`].
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            test_share: Self::TEST_SHARE,
            seed: 0,
            damage: Damage::Refuse,
            max_pixels: Self::MAX_PIXELS,
            upright: true,
        }
    }
}

/// Finds the images of a folder and reads the head of each; pixels are decoded when they are asked for.
///
/// Classes are named by their folders and sorted by name, as torchvision sorts them: `10` before `2`. Hidden files are passed
/// over, and what is neither named like a picture nor begins like one is too: [`Dataset::strays`] counts it. Images come
/// out in red, green and blue, as [`Picture::open`](crate::Picture::open) gives them.
///
/// # Errors
/// [`Error::TestShare`]; [`Error::Read`] for what cannot be read; [`Error::NoClass`], [`Error::EmptyClass`],
/// [`Error::UnknownClass`] for folders that are not as above; [`Error::Image`] for a file that is no intact picture, unless
/// damaged files are skipped.
pub fn folder(config: &FolderConfig) -> Result<Dataset, Error> {
    if !(config.test_share > 0.0 && config.test_share < 1.0) {
        return Err(Error::TestShare { found: config.test_share });
    }
    let split = config.path.join("train");
    let test = ["test", "val"].map(|name| config.path.join(name)).into_iter().find(|path| path.is_dir());
    let (mut found, test) = match (split.is_dir(), test) {
        (true, test) => (intact(find::classes(&split)?)?, test),
        (false, _) => (intact(find::classes(&config.path)?)?, None),
    };
    let train = found.classes;
    let names: Vec<String> = train.iter().map(|class| class.name.clone()).collect();
    let (train, test) = match test {
        Some(path) => {
            let labels: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
            let Found { classes: test, strays } = intact(find::classes(&path)?)?;
            found.strays.extend(strays);
            if let Some(class) = test.iter().find(|class| !labels.contains_key(class.name.as_str())) {
                return Err(Error::UnknownClass { path: path.join(&class.name), classes: names });
            }
            (labelled(&labels, train), labelled(&labels, test))
        }
        None => drawn(config, train),
    };
    let reading = Reading { max_pixels: config.max_pixels, upright: config.upright };
    let heads = |files| heads(files, reading, config.damage);
    let (train, test) = (heads(train)?, heads(test)?);
    let mut counts = vec![0_usize; names.len()];
    train.iter().for_each(|file| counts[file.label as usize] += 1);
    if let Some(name) = counts.iter().position(|count| *count == 0).map(|label| &names[label]) {
        return Err(Error::EmptyClass { path: config.path.join(name) });
    }
    // One size for both, or a least one: which images came to which side makes no difference.
    let sizes = || train.iter().chain(&test).map(|file| file.size);
    let least = sizes().reduce(|[a, b], [c, d]| [a.min(c), b.min(d)]).unwrap_or([1, 1]);
    let one_size = sizes().all(|size| size == least);
    let images = |found: Vec<Head>| images_of(found, least, one_size, reading, config.damage);
    let name = config.path.canonicalize().unwrap_or_else(|_| config.path.clone());
    let name = name.file_name().map_or_else(|| "folder".to_string(), |name| name.to_string_lossy().into_owned());
    if let Some(first) = found.strays.first() {
        let (count, first) = (found.strays.len(), first.display());
        tracing::warn!(
            "{}: {count} of its members are no pictures and passed over, {first} first",
            config.path.display()
        );
    }
    let mut dataset = Dataset::new(name, names, images(train)?, images(test)?)?;
    dataset.strays = found.strays;
    Ok(dataset)
}

/// Images that are decoded when they are asked for; their least height and width is `size`.
fn images_of(
    found: Vec<Head>,
    size: [usize; 2],
    one_size: bool,
    reading: Reading,
    damage: Damage,
) -> Result<Images, Error> {
    let files = found.into_iter().map(|file| (file.path, file.label)).collect();
    Images::from_source(Files { files, size, one_size, reading, damage, damaged: Mutex::default() })
}

/// Refuses a class without pictures.
fn intact(found: Found) -> Result<Found, Error> {
    match found.classes.iter().find(|class| class.files.is_empty()) {
        Some(class) => Err(Error::EmptyClass { path: class.path.clone() }),
        None => Ok(found),
    }
}

/// The files of each class with the class's label.
fn labelled(labels: &HashMap<&str, u32>, classes: Vec<Class>) -> Labelled {
    let label = |class: &Class| labels.get(class.name.as_str()).copied().unwrap_or_default();
    let files = classes.into_iter().map(|class| (label(&class), class.files));
    files.flat_map(|(label, files)| files.into_iter().map(move |file| (file, label))).collect()
}

type Labelled = Vec<(PathBuf, u32)>;

/// Of each class, as large a share to test on as asked for, but one image at least on either side where there are two.
fn drawn(config: &FolderConfig, classes: Vec<Class>) -> (Labelled, Labelled) {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (label, class) in classes.into_iter().enumerate() {
        let mut order: Vec<usize> = (0..class.files.len()).collect();
        order.shuffle(&mut seed::stream(config.seed, &format!("split {}", class.name)));
        let count = (config.test_share * order.len() as f64).round() as usize;
        let count = count.clamp(1.min(order.len() - 1), order.len() - 1);
        let mut tests = vec![false; order.len()];
        order[..count].iter().for_each(|index| tests[*index] = true);
        for (file, tests) in class.files.into_iter().zip(tests) {
            let side = if tests { &mut test } else { &mut train };
            side.push((file, label as u32));
        }
    }
    (train, test)
}

/// A file that begins like an image.
struct Head {
    path: PathBuf,
    label: u32,
    /// Height and width.
    size: [usize; 2],
}

fn heads(files: Labelled, reading: Reading, damage: Damage) -> Result<Vec<Head>, Error> {
    let read: Vec<Result<[usize; 2], Error>> =
        files.par_iter().map(|(path, _)| picture_file::size(path, reading)).collect();
    let mut heads = Vec::with_capacity(files.len());
    for ((path, label), size) in files.into_iter().zip(read) {
        match size {
            Ok(size) => heads.push(Head { path, label, size }),
            Err(error @ Error::Image { .. }) if damage == Damage::Skip => {
                tracing::warn!("{error}; it is left out");
            }
            Err(error) => return Err(damage.refusing(error)),
        }
    }
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// As many files as a large folder has, none of which is there.
    fn classes(count: usize, files: usize) -> Vec<Class> {
        let class = |class: usize| Class {
            name: format!("class {class:06}"),
            path: PathBuf::from(class.to_string()),
            files: (0..files).map(|file| PathBuf::from(format!("{class}/{file}"))).collect(),
        };
        (0..count).map(class).collect()
    }

    #[test]
    fn a_split_of_many_files_takes_no_longer_a_file() {
        let config = FolderConfig::new("none");
        for (count, files) in [(1, 400_000), (200_000, 2)] {
            let began = Instant::now();
            let (train, test) = drawn(&config, classes(count, files));
            assert_eq!(train.len() + test.len(), 400_000);
            assert_eq!(test.len(), if count == 1 { 80_000 } else { 200_000 });
            assert!(train.is_sorted_by_key(|(_, label)| *label));
            // Quadratic, it took half a minute.
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
    }

    #[test]
    fn the_first_of_the_shuffled_files_are_drawn() {
        let config = FolderConfig { seed: 5, test_share: 0.3, ..FolderConfig::new("none") };
        let (train, test) = drawn(&config, classes(3, 10));
        let mut expected = Vec::new();
        for class in 0..3 {
            let mut order: Vec<usize> = (0..10).collect();
            order.shuffle(&mut seed::stream(5, &format!("split class {class:06}")));
            order.truncate(3);
            order.sort_unstable();
            expected.extend(order.into_iter().map(|file| (PathBuf::from(format!("{class}/{file}")), class)));
        }
        assert_eq!(test, expected);
        assert!(train.len() == 21 && train.iter().all(|file| !test.contains(file)));
    }
}
