//! Images that are among others: learnt ones among those that are judged.

use crate::{Images, picture_file};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

impl Images {
    /// How many of these images are among others: by the bytes of their files where both are files, by their pixels where
    /// neither are; of other channels both are compared in the fewer. Files are read where one of the others is as long. What
    /// cannot be read is among none.
    pub fn among(&self, others: &Images) -> usize {
        self.found_among(others, length)
    }

    /// The same, but of files only those whose name one of the others has too. Of large sets fewer are read than by
    /// [`Images::among`].
    pub fn among_by_name(&self, others: &Images) -> usize {
        self.found_among(others, |file| Some((file.file_name()?.to_owned(), length(file)?)))
    }

    fn found_among<K: Eq + Hash>(&self, others: &Images, key: impl Fn(&Path) -> Option<K>) -> usize {
        match [self, others].map(|images| images.file(0).is_some()) {
            [true, true] => repeated(self, others, key),
            [false, false] => alike(self, others),
            _ => 0,
        }
    }
}

/// How many images have the pixels of one of the others.
fn alike(images: &Images, others: &Images) -> usize {
    let channels = images.channels().min(others.channels());
    let (Some(images), Some(others)) = (images.in_channels(channels), others.in_channels(channels)) else { return 0 };
    let others: HashSet<_> = pixels(&others).collect();
    pixels(&images).filter(|image| others.contains(image)).count()
}

/// The shape of each image, and what those of the same pixels have in common.
fn pixels(images: &Images) -> impl Iterator<Item = ([usize; 3], u64)> {
    let pictures = (0..images.len()).filter_map(|index| images.picture(index).ok());
    pictures.map(|picture| (picture.shape(), content(picture.pixels())))
}

/// Files of others that agree in what is cheap to tell, and their contents once these are asked for.
#[derive(Default)]
struct Alike {
    files: Vec<PathBuf>,
    contents: Option<HashSet<u64>>,
}

fn repeated<K: Eq + Hash>(images: &Images, others: &Images, key: impl Fn(&Path) -> Option<K>) -> usize {
    let mut alike: HashMap<K, Alike> = HashMap::new();
    for file in files(others) {
        if let Some(key) = key(&file) {
            alike.entry(key).or_default().files.push(file);
        }
    }
    let among = |file: &PathBuf| {
        let Some(Alike { files, contents }) = key(file).and_then(|key| alike.get_mut(&key)) else { return false };
        let contents = contents.get_or_insert_with(|| files.iter().filter_map(|file| of_file(file)).collect());
        of_file(file).is_some_and(|content| contents.contains(&content))
    };
    files(images).filter(among).count()
}

fn files(images: &Images) -> impl Iterator<Item = PathBuf> {
    (0..images.len()).filter_map(|index| images.file(index))
}

fn length(file: &Path) -> Option<u64> {
    file.metadata().map(|known| known.len()).ok()
}

fn of_file(file: &Path) -> Option<u64> {
    picture_file::bytes(file).ok().map(|bytes| content(&bytes))
}

/// What two files of the same bytes have in common.
pub(crate) fn content(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn images_in_memory_are_known_by_their_pixels() -> Result<(), Error> {
        let images = |first: u8, count: u8| {
            let pixels = (first..first + count).flat_map(|value| [value, 7]).collect();
            Images::new([1, 1, 2], pixels, vec![0; usize::from(count)])
        };
        assert_eq!(images(3, 4)?.among(&images(0, 5)?), 2);
        assert_eq!(images(9, 4)?.among(&images(0, 5)?), 0);
        assert_eq!(images(3, 4)?.among_by_name(&images(0, 5)?), 2);
        Ok(())
    }

    #[test]
    fn other_channels_hide_no_image() -> Result<(), Error> {
        let grey = Images::new([1, 1, 2], vec![1, 2, 3, 4, 5, 6], vec![0; 3])?;
        let colours = grey.in_channels(3).ok_or(Error::NoImages)?;
        assert_eq!((grey.among(&colours), colours.among(&grey), colours.among(&colours)), (3, 3, 3));
        let few = Images::new([1, 1, 2], vec![5, 6, 7, 8], vec![0; 2])?;
        assert_eq!((few.among(&colours), colours.among(&few)), (1, 1));
        Ok(())
    }
}
