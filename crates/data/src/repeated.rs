//! Images that are among others: learnt ones among those that are judged.

use crate::{Images, picture_file};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

impl Images {
    /// How many of these images are among others: by their pixels where both are in memory, by the bytes of their files
    /// where both are files. Files are read where one of the others is as long. A file that cannot be read is among none.
    pub fn among(&self, others: &Images) -> usize {
        match (self.in_memory(), others.in_memory()) {
            (true, true) if self.shape() == others.shape() => {
                let others: HashSet<_> = (0..others.len()).filter_map(|index| others.image(index)).collect();
                (0..self.len()).filter_map(|index| self.image(index)).filter(|image| others.contains(image)).count()
            }
            (false, false) => repeated(self, others, length),
            _ => 0,
        }
    }

    /// How many of these images are files whose name and bytes one of the others has too. Of large sets fewer are read than
    /// by [`Images::among`].
    pub fn among_by_name(&self, others: &Images) -> usize {
        repeated(self, others, |file| Some((file.file_name()?.to_owned(), length(file)?)))
    }
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
        Ok(())
    }
}
