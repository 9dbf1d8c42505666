//! CIFAR-10's binary version: records of one label byte and 3×32×32 bytes, colour plane after colour plane, row by row.

use super::file::{Expected, Found, find};
use crate::{Dataset, Error, Images, Name};
use std::path::Path;

const SHAPE: [usize; 3] = [3, 32, 32];
const RECORD: usize = 1 + 3 * 32 * 32;
const BELOW: &str = "cifar-10-batches-bin";
/// The most that is read of a file: eight times what the published ones hold.
const MOST: u64 = 80_000 * RECORD as u64;

/// CIFAR-10 (Krizhevsky 2009) from its six binary files in `folder`: 3×32×32, red, green, blue.
///
/// The published files hold 10,000 records each; any whole number of records up to 80,000 is read.
///
/// # Errors
/// One sentence naming the file: missing, not intact, not a whole number of records, too large, or with a label above 9.
pub fn cifar10(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    let folder = folder.as_ref();
    let batches: Vec<String> = (1..=5).map(|number| format!("data_batch_{number}.bin")).collect();
    let train = images(folder, &batches)?;
    let test = images(folder, &["test_batch.bin".to_string()])?;
    Dataset::new(Name::Cifar10.as_str(), Name::Cifar10.classes().map(str::to_string).to_vec(), train, test)
}

/// The records of `names`, one file after the other.
fn images(folder: &Path, names: &[String]) -> Result<Images, Error> {
    let classes = Name::Cifar10.classes().len();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let mut file = find(folder, &[name, &format!("{BELOW}/{name}")])?;
        let bytes = file.all(MOST)?;
        let whole = bytes.len().div_ceil(RECORD).max(1) * RECORD;
        if bytes.len() != whole {
            let what = format!("whole records of {RECORD} bytes");
            let expected = Expected { what: &what, bytes: whole as u64, most: MOST };
            return Err(file.wrong_size(expected, Found::End(bytes.len() as u64)));
        }
        for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
            let label = u32::from(record[0]);
            if label as usize >= classes {
                let origin = file.path().display().to_string();
                return Err(Error::Label { origin, index, label, classes });
            }
            labels.push(label);
            pixels.extend_from_slice(&record[1..]);
        }
    }
    Images::new(SHAPE, pixels, labels)
}
