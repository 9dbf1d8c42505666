//! Whether images that are judged are among those that a run was trained on.

use crate::data::{self, RunData};
use crate::sentence;
use cnn_data::{Dataset, Images};
use cnn_figures::{path, plural};
use std::collections::{HashMap, HashSet, hash_map::DefaultHasher};
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// What is to be said of images that the run did not set aside itself; nothing where it was trained on none of them.
pub fn note(run: &RunData, judged: &Images) -> Option<String> {
    let own = match data::chosen(&run.choice, run.seed) {
        Ok(own) => own,
        Err(error) => {
            let why = sentence(&error);
            return Some(format!(
                "whether the run was trained on some of these images cannot be told: its own cannot be read: {why}"
            ));
        }
    };
    match count(own.train(), judged) {
        0 => None,
        all if all == judged.len() => Some("the run was trained on all of these images".to_string()),
        some => Some(format!("the run was trained on {some} of these {} images", judged.len())),
    }
}

/// What is to be said of images to judge that are to train on too: files of the same name and the same bytes. Copies under other
/// names are found by `cargo xtask data check`, which reads every file.
pub fn twice(dataset: &Dataset) -> Option<String> {
    let files = |images: &Images| (0..images.len()).filter_map(|index| images.file(index)).collect::<Vec<_>>();
    let key = |file: &PathBuf| Some((file.file_name()?.to_owned(), length(file)?));
    let mut train: HashMap<(OsString, u64), Vec<PathBuf>> = HashMap::new();
    for file in files(dataset.train()) {
        if let Some(key) = key(&file) {
            train.entry(key).or_default().push(file);
        }
    }
    let same = |file: &&PathBuf| {
        let alike = key(file).and_then(|key| train.get(&key));
        alike.is_some_and(|alike| sum(file).is_some_and(|own| alike.iter().any(|other| sum(other) == Some(own))))
    };
    let judged = [Some(dataset.test()), dataset.held_out()].into_iter().flatten();
    let found = judged.map(|images| files(images).iter().filter(same).count()).sum();
    let images = plural(found, "image to judge is", "images to judge are");
    (found > 0)
        .then(|| format!("{images} among those to train on, of the same name and bytes: their accuracy says little"))
}

/// How many of some images are among others: by their pixels where both are in memory, by the bytes of their files else.
fn count(learnt: &Images, judged: &Images) -> usize {
    match (learnt.in_memory(), judged.in_memory()) {
        (true, true) if learnt.shape() == judged.shape() => {
            let all: HashSet<_> = (0..learnt.len()).filter_map(|index| learnt.image(index)).collect();
            (0..judged.len()).filter_map(|index| judged.image(index)).filter(|image| all.contains(image)).count()
        }
        (false, false) => of_files(learnt, judged),
        _ => 0,
    }
}

/// Files are read only where one of the other side is as long.
fn of_files(learnt: &Images, judged: &Images) -> usize {
    let files = |images: &Images| (0..images.len()).filter_map(|index| images.file(index)).collect::<Vec<_>>();
    let mut of_length: HashMap<u64, (Vec<PathBuf>, Option<HashSet<u64>>)> = HashMap::new();
    for file in files(learnt) {
        if let Some(length) = length(&file) {
            of_length.entry(length).or_default().0.push(file);
        }
    }
    let mut found = 0;
    for file in files(judged) {
        let Some((files, sums)) = length(&file).and_then(|length| of_length.get_mut(&length)) else { continue };
        let sums = sums.get_or_insert_with(|| files.iter().filter_map(|file| sum(file)).collect());
        found += usize::from(sum(&file).is_some_and(|sum| sums.contains(&sum)));
    }
    found
}

fn length(file: &Path) -> Option<u64> {
    file.metadata().map(|known| known.len()).ok()
}

fn sum(file: &Path) -> Option<u64> {
    let bytes = std::fs::read(file).inspect_err(|error| tracing::debug!("{}: {error}", path(file))).ok()?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_in_memory_are_known_by_their_pixels() -> Result<(), cnn_data::Error> {
        let images = |first: u8, count: u8| {
            let pixels = (first..first + count).flat_map(|value| [value, 7]).collect();
            Images::new([1, 1, 2], pixels, vec![0; usize::from(count)])
        };
        assert_eq!(count(&images(0, 5)?, &images(3, 4)?), 2);
        assert_eq!(count(&images(0, 5)?, &images(9, 4)?), 0);
        Ok(())
    }
}
