//! IDX: a magic number, the sizes as big-endian u32, then bytes.

use super::file::{Expected, Found, Unread, find};
use crate::{Dataset, Error, Images, Name};
use std::path::Path;

/// Bytes (08) in one dimension: labels.
const LABELS: u32 = 0x0000_0801;
/// Bytes (08) in three dimensions: image, row, column.
const IMAGES: u32 = 0x0000_0803;
const SHAPE: [usize; 3] = [1, 28, 28];
/// The most that is read of a file: twenty times the published images, and more than any set in this format has.
const MOST: u64 = 1_000_000_000;

/// MNIST (LeCun, Cortes, Burges 1998) from its four IDX files in `folder`: 1×28×28, white digits on black.
///
/// # Errors
/// One sentence naming the file: missing, not intact, of the wrong kind or size, too large, without an image, or with a
/// label above 9.
pub fn mnist(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    load(folder.as_ref(), Name::Mnist)
}

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), in files of the same names and format as [`mnist`].
///
/// # Errors
/// As [`mnist`].
pub fn fashion_mnist(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    load(folder.as_ref(), Name::FashionMnist)
}

fn load(folder: &Path, name: Name) -> Result<Dataset, Error> {
    let classes = name.classes();
    let split = |prefix| split(folder, prefix, classes.len());
    Dataset::new(name.as_str(), name.class_names(), split("train")?, split("t10k")?)
}

/// The images and labels of the files that begin with `prefix`.
fn split(folder: &Path, prefix: &str, classes: usize) -> Result<Images, Error> {
    let open = |kind: &str| {
        let names = ["-idx", ".idx"].map(|joint| format!("{prefix}-{}", kind.replace("-idx", joint)));
        find(folder, &[&names[0], &names[1]])
    };
    let mut images = open("images-idx3-ubyte")?;
    let mut labels = open("labels-idx1-ubyte")?;
    // All that the headers tell is looked at before anything else is read.
    let sizes = header::<3>(&mut images, IMAGES, "images")?;
    let pixels = Body::of(&sizes, "images");
    images.check(pixels.expected())?;
    let found = [1, sizes[1], sizes[2]];
    if found != SHAPE {
        return Err(Error::ImageShape { path: images.path().to_path_buf(), expected: SHAPE, found });
    }
    let [expected, ..] = sizes;
    if expected == 0 {
        return Err(Error::NoImage { path: images.path().to_path_buf() });
    }
    let [found] = header::<1>(&mut labels, LABELS, "labels")?;
    let numbers = Body::of(&[found], "labels");
    labels.check(numbers.expected())?;
    if expected != found {
        let [path, images] = [labels.path(), images.path()].map(Path::to_path_buf);
        return Err(Error::Counts { path, images, expected, found });
    }
    let (pixels, numbers) = (images.rest(pixels.expected())?, labels.rest(numbers.expected())?);
    let loaded = Images::new(SHAPE, pixels, numbers.into_iter().map(u32::from).collect())?;
    loaded.check_labels(&labels.path().display().to_string(), classes)?;
    Ok(loaded)
}

/// The sizes of an IDX file of `N` dimensions.
fn header<const N: usize>(file: &mut Unread, magic: u32, what: &str) -> Result<[usize; N], Error> {
    let expected = 4 + 4 * N;
    let bytes = file.take(expected as u64)?;
    let mut numbers = bytes.chunks_exact(4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    // A wrong magic number says more than a short header, so it is looked at first.
    if let Some(found) = numbers.next().filter(|found| *found != magic) {
        return Err(Error::Magic { path: file.path().to_path_buf(), expected: magic, found });
    }
    if bytes.len() < expected {
        let what = format!("the header of {what}");
        let expected = Expected { what: &what, bytes: expected as u64, most: MOST };
        return Err(file.wrong_size(expected, Found::End(bytes.len() as u64)));
    }
    Ok(std::array::from_fn(|_| numbers.next().unwrap_or_default() as usize))
}

/// A file as its header tells it.
struct Body {
    what: String,
    bytes: u64,
}

impl Body {
    fn of(sizes: &[usize], what: &str) -> Self {
        let header = 4 + 4 * sizes.len() as u64;
        let bytes = sizes.iter().try_fold(1_u64, |product, size| product.checked_mul(*size as u64));
        let shape = sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        Self {
            what: format!("{header} bytes of header and {what} of {shape}"),
            bytes: bytes.and_then(|bytes| bytes.checked_add(header)).unwrap_or(u64::MAX),
        }
    }

    fn expected(&self) -> Expected<'_> {
        Expected { what: &self.what, bytes: self.bytes, most: MOST }
    }
}
