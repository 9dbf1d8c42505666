//! A short text that another version of the same data does not have.

use crate::{Dataset, Images};
use sha2::{Digest, Sha256};

/// Bytes of the digest that are shown: enough that no two versions of a data set agree by chance.
const SHOWN: usize = 16;

impl Dataset {
    /// A digest of the classes and of all images with their labels: of their bytes where they are in memory, of their names
    /// and sizes where they are in files, of what [`ImageSource::identity`](crate::ImageSource::identity) says of others. 32
    /// digits of base 16. Where the files lie makes no difference.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        self.classes().iter().for_each(|class| add(&mut hasher, class.as_bytes()));
        for images in [Some(self.train()), Some(self.test()), self.held_out()] {
            match images {
                Some(images) => images.add_to(&mut hasher),
                None => add(&mut hasher, b"none"),
            }
        }
        hasher.finalize().iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Images {
    fn add_to(&self, hasher: &mut Sha256) {
        self.labels().iter().for_each(|label| hasher.update(label.to_le_bytes()));
        self.shape().iter().for_each(|size| hasher.update((*size as u64).to_le_bytes()));
        add(hasher, self.pixels());
        if !self.in_memory() {
            (0..self.len()).for_each(|index| add(hasher, self.identity(index).as_bytes()));
        }
    }
}

/// Adds bytes with their length, so that none can pass for those beside them.
fn add(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(pixels: [u8; 3], labels: [u32; 2], classes: [&str; 2]) -> Dataset {
        let train = Images::new([1, 1, 1], pixels[..2].to_vec(), labels.to_vec()).unwrap();
        let test = Images::new([1, 1, 1], pixels[2..].to_vec(), vec![0]).unwrap();
        Dataset::new("here", classes.map(str::to_string).to_vec(), train, test).unwrap()
    }

    #[test]
    fn whatever_changes_changes_the_digest() {
        let same = || dataset([1, 2, 3], [0, 1], ["a", "b"]);
        assert_eq!((same().digest(), same().digest().len()), (same().digest(), 32));
        let held_out = same().with_held_out(Images::new([1, 1, 1], vec![4], vec![0]).unwrap()).unwrap();
        let others = [
            dataset([1, 2, 4], [0, 1], ["a", "b"]),
            dataset([2, 1, 3], [0, 1], ["a", "b"]),
            dataset([1, 2, 3], [1, 0], ["a", "b"]),
            dataset([1, 2, 3], [0, 1], ["ab", ""]),
            held_out,
            same().limited(1, 1),
        ];
        for (number, other) in others.iter().enumerate() {
            assert_ne!(other.digest(), same().digest(), "{number}");
        }
    }
}
