//! CIFAR's binary versions: records of one or two label bytes and 3×32×32 bytes, colour plane after colour plane, row by
//! row.

use super::file::{Expected, Found, find};
use crate::{Dataset, Error, Images, Name};
use std::path::Path;

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;

/// A published version of CIFAR.
struct Version {
    name: Name,
    /// The folder that its archive unpacks to.
    below: &'static str,
    train: &'static [&'static str],
    test: &'static str,
    /// Bytes of labels before the pixels; the last is the class.
    labels: usize,
    /// The most records that are read of a file: eight times what the published ones hold, or more.
    most: u64,
}

const CIFAR10: Version = Version {
    name: Name::Cifar10,
    below: "cifar-10-batches-bin",
    train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: "test_batch.bin",
    labels: 1,
    most: 80_000,
};

/// The first byte of a record is the one of twenty coarse classes, the second the one of a hundred fine ones.
const CIFAR100: Version = Version {
    name: Name::Cifar100,
    below: "cifar-100-binary",
    train: &["train.bin"],
    test: "test.bin",
    labels: 2,
    most: 400_000,
};

/// CIFAR-10 (Krizhevsky 2009) from its six binary files in `folder`: 3×32×32, red, green, blue.
///
/// The published files hold 10,000 records each; any whole number of records up to 80,000 is read.
///
/// # Errors
/// One sentence naming the file: missing, not intact, not a whole number of records, too large, or with a label above 9.
pub fn cifar10(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    CIFAR10.read(folder.as_ref())
}

/// CIFAR-100 (Krizhevsky 2009) from its two binary files in `folder`: 3×32×32, red, green, blue, with its hundred fine
/// classes.
///
/// The published files hold 50,000 and 10,000 records; any whole number of records up to 400,000 is read.
///
/// # Errors
/// As [`cifar10`], for a label above 99.
pub fn cifar100(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    CIFAR100.read(folder.as_ref())
}

impl Version {
    fn read(&self, folder: &Path) -> Result<Dataset, Error> {
        let train = self.images(folder, self.train)?;
        let test = self.images(folder, &[self.test])?;
        Dataset::new(self.name.as_str(), self.name.class_names(), train, test)
    }

    /// The records of `names`, one file after the other.
    fn images(&self, folder: &Path, names: &[&str]) -> Result<Images, Error> {
        let (classes, record) = (self.name.classes().len(), self.labels + PIXELS);
        let most = self.most * record as u64;
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for name in names {
            let mut file = find(folder, &[name, &format!("{}/{name}", self.below)])?;
            let bytes = file.all(most)?;
            let whole = bytes.len().div_ceil(record).max(1) * record;
            if bytes.len() != whole {
                let what = format!("whole records of {record} bytes");
                let expected = Expected { what: &what, bytes: whole as u64, most };
                return Err(file.wrong_size(expected, Found::End(bytes.len() as u64)));
            }
            for (index, bytes) in bytes.chunks_exact(record).enumerate() {
                let label = u32::from(bytes[self.labels - 1]);
                if label as usize >= classes {
                    let origin = file.path().display().to_string();
                    return Err(Error::Label { origin, index, label, classes });
                }
                labels.push(label);
                pixels.extend_from_slice(&bytes[self.labels..]);
            }
        }
        Images::new(SHAPE, pixels, labels)
    }
}
