//! Images as they are: bytes and labels.

use crate::{Error, ImageSource, Picture};
use std::path::PathBuf;
use std::sync::Arc;

/// Labelled images: bytes 0 to 255 in the order (image, channel, row, column) in memory, all of one shape; or those of a
/// folder or another [`ImageSource`], each made when it is asked for. A copy shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    shape: [usize; 3],
    store: Store,
    labels: Arc<[u32]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Store {
    Memory(Arc<Vec<u8>>),
    Source(Selection),
}

/// Some of the images of a source.
#[derive(Clone, Debug)]
struct Selection {
    source: Arc<dyn ImageSource>,
    /// For each image its number in the source.
    indices: Arc<[usize]>,
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        self.indices == other.indices && self.source.is_same(&*other.source)
    }
}

impl Eq for Selection {}

impl Images {
    /// Images of `shape` (channels, height, width), one for each label.
    ///
    /// # Errors
    /// [`Error::EmptyShape`] where a number of the shape is 0, [`Error::Lengths`] where the pixels are not exactly those
    /// of as many images as there are labels.
    pub fn new(shape: [usize; 3], pixels: Vec<u8>, labels: Vec<u32>) -> Result<Self, Error> {
        if shape.contains(&0) {
            return Err(Error::EmptyShape { shape });
        }
        let bytes = shape.iter().try_fold(labels.len(), |product, size| product.checked_mul(*size));
        if bytes != Some(pixels.len()) {
            let expected = bytes.unwrap_or(usize::MAX);
            return Err(Error::Lengths { shape, labels: labels.len(), expected, found: pixels.len() });
        }
        Ok(Self { shape, store: Store::Memory(Arc::new(pixels)), labels: labels.into() })
    }

    /// All images of a source, each of which is asked for when it is needed.
    ///
    /// # Errors
    /// [`Error::EmptyShape`] where a number of the source's shape is 0.
    pub fn from_source(source: impl ImageSource) -> Result<Self, Error> {
        let (shape, labels) = (source.shape(), source.labels());
        if shape.contains(&0) {
            return Err(Error::EmptyShape { shape });
        }
        let selection = Selection { source: Arc::new(source), indices: (0..labels.len()).collect() };
        Ok(Self { shape, store: Store::Source(selection), labels: labels.into() })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Channels, height and width of one image; of files that differ in size, the least height and the least width.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Whether all images have the same size. Where not, only a fit of one size can prepare them.
    pub fn have_one_size(&self) -> bool {
        match &self.store {
            Store::Memory(_) => true,
            Store::Source(selection) => selection.source.has_one_size(),
        }
    }

    /// The height and the width in the middle, each by itself: the size of most images, where more than half have one.
    pub fn usual_size(&self) -> [usize; 2] {
        match &self.store {
            Store::Memory(_) => [self.height(), self.width()],
            Store::Source(selection) => selection.source.usual_size(),
        }
    }

    /// Whether the images are all grey, in one channel or in more.
    pub fn are_grey(&self) -> bool {
        match &self.store {
            Store::Memory(_) => self.channels() == 1,
            Store::Source(selection) => self.channels() == 1 || selection.source.is_grey(),
        }
    }

    /// Whether the pictures are turned as their cameras noted, where these noted anything.
    pub fn are_upright(&self) -> bool {
        match &self.store {
            Store::Memory(_) => true,
            Store::Source(selection) => selection.source.is_upright(),
        }
    }

    /// The file of image `index`; `None` for one that is in memory.
    pub fn file(&self, index: usize) -> Option<PathBuf> {
        match &self.store {
            Store::Memory(_) => None,
            Store::Source(selection) => selection.source.file(*selection.indices.get(index)?),
        }
    }

    /// What a source says of image `index`: see [`ImageSource::identity`].
    pub(crate) fn identity(&self, index: usize) -> String {
        match &self.store {
            Store::Memory(_) => String::new(),
            Store::Source(selection) => selection.source.identity(selection.indices[index]),
        }
    }

    /// Whether the pixels are in memory; else they come from files, or another source, when they are asked for.
    pub fn in_memory(&self) -> bool {
        matches!(self.store, Store::Memory(_))
    }

    /// Channels of one image.
    pub fn channels(&self) -> usize {
        self.shape[0]
    }

    /// Height of one image in pixels, as [`Images::shape`] tells it.
    pub fn height(&self) -> usize {
        self.shape[1]
    }

    /// Width of one image in pixels, as [`Images::shape`] tells it.
    pub fn width(&self) -> usize {
        self.shape[2]
    }

    /// All pixels that are in memory, in the order (image, channel, row, column); none where the images are a source's.
    pub fn pixels(&self) -> &[u8] {
        match &self.store {
            Store::Memory(pixels) => pixels,
            Store::Source(_) => &[],
        }
    }

    /// The label of each image.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The pixels of image `index` in memory, in the order (channel, row, column); `None` beyond the last, and where the
    /// images are a source's.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        let size: usize = self.shape.iter().product();
        let start = index.checked_mul(size)?;
        self.pixels().get(start..start.checked_add(size)?)
    }

    /// Image `index`, decoded if it is a file.
    ///
    /// # Errors
    /// [`Error::Index`] for an index beyond the last image; [`Error::Read`] and [`Error::Image`] for a file that cannot be
    /// read or is no intact image; as [`ImageSource::picture`] for another source.
    pub fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
        if index >= self.len() {
            return Err(Error::Index { index, count: self.len() });
        }
        match (&self.store, self.image(index)) {
            (Store::Source(selection), _) => {
                let index = selection.indices[index];
                match selection.source.picture(index)? {
                    picture if picture.shape[0] == self.shape[0] => Ok(picture),
                    picture => Err(Error::Channels { index, channels: self.shape[0], found: picture.shape }),
                }
            }
            (Store::Memory(_), pixels) => Ok(Picture { shape: self.shape, pixels: pixels.unwrap_or_default().into() }),
        }
    }

    /// Files that were found damaged and left out so far, where [`Damage::Skip`](crate::Damage::Skip) was asked for.
    pub fn damaged(&self) -> Vec<PathBuf> {
        match &self.store {
            Store::Memory(_) => Vec::new(),
            Store::Source(selection) => selection.source.left_out(),
        }
    }

    /// Whether the image that failed with `error` is to be left out.
    pub(crate) fn leave_out(&self, error: &Error) -> bool {
        match &self.store {
            Store::Memory(_) => false,
            Store::Source(selection) => selection.source.leaves_out(error),
        }
    }

    /// The images at `indices`, in that order; an index may come more than once.
    ///
    /// # Errors
    /// [`Error::Index`] for an index beyond the last image.
    pub fn select(&self, indices: &[usize]) -> Result<Self, Error> {
        if let Some(index) = indices.iter().find(|index| **index >= self.len()) {
            return Err(Error::Index { index: *index, count: self.len() });
        }
        let store = match &self.store {
            Store::Memory(_) => {
                let pixels: Vec<u8> =
                    indices.iter().filter_map(|index| self.image(*index)).flatten().copied().collect();
                Store::Memory(Arc::new(pixels))
            }
            Store::Source(all) => Store::Source(Selection {
                source: Arc::clone(&all.source),
                indices: indices.iter().map(|index| all.indices[*index]).collect(),
            }),
        };
        let labels = indices.iter().map(|index| self.labels[*index]).collect();
        Ok(Self { shape: self.shape, store, labels })
    }

    /// The same images with other labels, one for each.
    pub(crate) fn relabelled(&self, labels: Vec<u32>) -> Self {
        Self { labels: labels.into(), ..self.clone() }
    }

    /// Refuses the first label that is not below `classes`; `origin` is what the error names.
    pub(crate) fn check_labels(&self, origin: &str, classes: usize) -> Result<(), Error> {
        match self.labels.iter().position(|label| *label as usize >= classes) {
            None => Ok(()),
            Some(index) => Err(Error::Label { origin: origin.to_string(), index, label: self.labels[index], classes }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_must_match() {
        assert!(Images::new([1, 2, 2], vec![0; 8], vec![0, 1]).is_ok());
        let error = Images::new([1, 2, 2], vec![0; 7], vec![0, 1]).unwrap_err().to_string();
        assert_eq!(error, "2 labels of 1×2×2 images need 8 bytes of pixels, found 7");
        assert!(matches!(Images::new([1, 0, 2], vec![], vec![]), Err(Error::EmptyShape { .. })));
        assert!(Images::new([usize::MAX, 2, 2], vec![0; 8], vec![0, 1]).is_err());
    }

    #[test]
    fn selecting_keeps_the_order() {
        let images = Images::new([1, 1, 2], vec![0, 1, 2, 3, 4, 5], vec![7, 8, 9]).unwrap();
        let chosen = images.select(&[2, 0]).unwrap();
        assert_eq!((chosen.pixels(), chosen.labels()), (&[4, 5, 0, 1][..], &[9, 7][..]));
        assert!(matches!(images.select(&[3]), Err(Error::Index { index: 3, count: 3 })));
    }
}
