//! IDX: a magic number, the sizes as big-endian u32, then bytes.

use std::path::Path;

use super::file::{Contents, read};
use crate::{Dataset, Error, Images};

/// Bytes (08) in one dimension: labels.
const LABELS: u32 = 0x0000_0801;
/// Bytes (08) in three dimensions: image, row, column.
const IMAGES: u32 = 0x0000_0803;
const SHAPE: [usize; 3] = [1, 28, 28];
const CLASSES: usize = 10;

/// MNIST (LeCun, Cortes, Burges 1998) from its four IDX files in `folder`: 1×28×28, white digits on black.
///
/// # Errors
/// One sentence naming the file: missing, not intact, of the wrong kind or size, or with a label above 9.
pub fn mnist(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    load(folder.as_ref(), "mnist", crate::name::DIGITS)
}

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), in files of the same names and format as [`mnist`].
///
/// # Errors
/// As [`mnist`].
pub fn fashion_mnist(folder: impl AsRef<Path>) -> Result<Dataset, Error> {
    load(folder.as_ref(), "fashion-mnist", crate::name::CLOTHES)
}

fn load(folder: &Path, name: &str, classes: [&str; CLASSES]) -> Result<Dataset, Error> {
    let classes = classes.map(str::to_string).to_vec();
    Dataset::new(name, classes, split(folder, "train")?, split(folder, "t10k")?)
}

/// The images and labels of the files that begin with `prefix`.
fn split(folder: &Path, prefix: &str) -> Result<Images, Error> {
    let find = |kind: &str| {
        let names = ["-idx", ".idx"].map(|joint| format!("{prefix}-{}", kind.replace("-idx", joint)));
        read(folder, &[&names[0], &names[1]])
    };
    let images = find("images-idx3-ubyte")?;
    let labels = find("labels-idx1-ubyte")?;
    let pixels = body::<3>(&images, IMAGES, "images")?;
    let found = [1, pixels.sizes[1], pixels.sizes[2]];
    if found != SHAPE {
        return Err(Error::ImageShape { path: images.path, expected: SHAPE, found });
    }
    let classes = body::<1>(&labels, LABELS, "labels")?;
    let (expected, found) = (pixels.sizes[0], classes.sizes[0]);
    if expected != found {
        return Err(Error::Counts { path: labels.path, images: images.path, expected, found });
    }
    let loaded =
        Images::new(SHAPE, pixels.bytes.to_vec(), classes.bytes.iter().map(|label| u32::from(*label)).collect())?;
    loaded.check_labels(&labels.path.display().to_string(), CLASSES)?;
    Ok(loaded)
}

struct Body<'a, const N: usize> {
    sizes: [usize; N],
    bytes: &'a [u8],
}

/// The sizes and bytes of an IDX file of `N` dimensions.
fn body<'a, const N: usize>(file: &'a Contents, magic: u32, what: &str) -> Result<Body<'a, N>, Error> {
    let header = 4 + 4 * N;
    let number = |index: usize| {
        let bytes = file.bytes.get(4 * index..4 * index + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    // A wrong magic number says more than a short header, so it is looked at first.
    match number(0) {
        Some(found) if found != magic => return Err(Error::Magic { path: file.path.clone(), expected: magic, found }),
        _ if file.bytes.len() < header => file.expect_length(header, || format!("the header of {what}"))?,
        _ => {}
    }
    let sizes: [usize; N] = std::array::from_fn(|index| number(index + 1).unwrap_or_default() as usize);
    let bytes = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    let total = bytes.and_then(|bytes| bytes.checked_add(header)).unwrap_or(usize::MAX);
    let shape = || sizes.map(|size| size.to_string()).join("×");
    file.expect_length(total, || format!("{header} bytes of header and {what} of {}", shape()))?;
    Ok(Body { sizes, bytes: &file.bytes[header..] })
}
