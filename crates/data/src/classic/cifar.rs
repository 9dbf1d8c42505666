//! CIFAR-10's binary version: records of one label byte and 3×32×32 bytes, colour plane after colour plane, row by row.

use std::path::Path;

use super::file::{Contents, read};
use crate::{Dataset, Error, Images};

const SHAPE: [usize; 3] = [3, 32, 32];
const RECORD: usize = 1 + 3 * 32 * 32;
const CLASSES: usize = 10;
const BELOW: &str = "cifar-10-batches-bin";

/// CIFAR-10 (Krizhevsky 2009) from its six binary files in `folder`: 3×32×32, red, green, blue.
///
/// The published files hold 10,000 records each; any whole number of records is read.
///
/// # Errors
/// One sentence naming the file: missing, not intact, not a whole number of records, or with a label above 9.
pub fn cifar10(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    let folder = folder.as_ref();
    let batches: Vec<String> = (1..=5).map(|number| format!("data_batch_{number}.bin")).collect();
    let train = images(folder, &batches)?;
    let test = images(folder, &["test_batch.bin".to_string()])?;
    Dataset::new("cifar10", crate::name::OBJECTS.map(str::to_string).to_vec(), train, test)
}

/// The records of `names`, one file after the other.
fn images(folder: &Path, names: &[String]) -> Result<Images, Error> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let file = read(folder, &[name, &format!("{BELOW}/{name}")])?;
        for (index, record) in records(&file)?.enumerate() {
            let label = u32::from(record[0]);
            if label as usize >= CLASSES {
                let origin = file.path.display().to_string();
                return Err(Error::Label { origin, index, label, classes: CLASSES });
            }
            labels.push(label);
            pixels.extend_from_slice(&record[1..]);
        }
    }
    Images::new(SHAPE, pixels, labels)
}

fn records(file: &Contents) -> Result<std::slice::ChunksExact<'_, u8>, Error> {
    let whole = file.bytes.len().div_ceil(RECORD).max(1);
    file.expect_length(whole * RECORD, || format!("whole records of {RECORD} bytes"))?;
    Ok(file.bytes.chunks_exact(RECORD))
}
