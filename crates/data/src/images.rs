//! Images and data sets as they are: bytes and labels.

use crate::{Error, ImageSource, Picture};
use cnn_core::seed;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};
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

/// A data set: images to train on, images to test on, and the names of their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    classes: Vec<String>,
    train: Images,
    test: Images,
    pub(crate) strays: Vec<PathBuf>,
}

impl Dataset {
    /// A data set whose labels are indices into `classes`.
    ///
    /// # Errors
    /// [`Error::Shapes`] where training and test images differ in shape, [`Error::Label`] for a label that has no class.
    pub fn new(name: impl Into<String>, classes: Vec<String>, train: Images, test: Images) -> Result<Self, Error> {
        let name = name.into();
        if train.shape() != test.shape() {
            return Err(Error::Shapes { name, train: train.shape(), test: test.shape() });
        }
        train.check_labels(&format!("{name} train"), classes.len())?;
        test.check_labels(&format!("{name} test"), classes.len())?;
        Ok(Self { name, classes, train, test, strays: Vec::new() })
    }

    /// The name it is asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the classes; a label is an index into them.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The images to train on.
    pub fn train(&self) -> &Images {
        &self.train
    }

    /// The images to test on.
    pub fn test(&self) -> &Images {
        &self.test
    }

    /// What lies among the files of a folder and is no picture, so that it was passed over.
    pub fn strays(&self) -> &[PathBuf] {
        &self.strays
    }

    /// The same with `count` of the training images, drawn by `seed`: of each class as large a share as it has of all, in
    /// the order they had. With as many as there are, or more, nothing changes.
    #[must_use]
    pub fn limited(self, count: usize, seed: u64) -> Self {
        let indices = stratified(self.train.labels(), count, seed);
        match self.train.select(&indices) {
            Ok(train) if count < self.train.len() => Self { train, ..self },
            _ => self,
        }
    }
}

/// Which `count` of these labels are drawn: of each class its share, rounded down, and what is then left from the classes
/// whose shares lost most.
fn stratified(labels: &[u32], count: usize, seed: u64) -> Vec<usize> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        classes.entry(*label).or_default().push(index);
    }
    let count = count.min(labels.len());
    let share = |class: &Vec<usize>| class.len() as u128 * count as u128;
    let total = labels.len().max(1) as u128;
    let mut lost: Vec<(u32, u128)> = classes.iter().map(|(label, class)| (*label, share(class) % total)).collect();
    lost.sort_by_key(|(label, lost)| (std::cmp::Reverse(*lost), *label));
    let whole: u128 = classes.values().map(|class| share(class) / total).sum();
    let more: BTreeSet<u32> = lost.iter().take(count - whole as usize).map(|(label, _)| *label).collect();
    let mut chosen = Vec::with_capacity(count);
    for (label, class) in &mut classes {
        let quota = (share(class) / total) as usize + usize::from(more.contains(label));
        class.shuffle(&mut seed::stream(seed, &format!("limit class {label}")));
        chosen.extend_from_slice(&class[..quota]);
    }
    chosen.sort_unstable();
    chosen
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
    fn a_label_needs_a_class() {
        let images = |label| Images::new([1, 1, 1], vec![0; 3], vec![0, 1, label]).unwrap();
        let classes = || vec!["a".to_string(), "b".to_string()];
        assert!(Dataset::new("ab", classes(), images(1), images(0)).is_ok());
        let error = Dataset::new("ab", classes(), images(1), images(2)).unwrap_err().to_string();
        assert_eq!(error, "ab test: label 2 at index 2 is out of range, expected less than 2 classes");
    }

    #[test]
    fn selecting_keeps_the_order() {
        let images = Images::new([1, 1, 2], vec![0, 1, 2, 3, 4, 5], vec![7, 8, 9]).unwrap();
        let chosen = images.select(&[2, 0]).unwrap();
        assert_eq!((chosen.pixels(), chosen.labels()), (&[4, 5, 0, 1][..], &[9, 7][..]));
        assert!(matches!(images.select(&[3]), Err(Error::Index { index: 3, count: 3 })));
    }

    #[test]
    fn a_limit_keeps_the_shares_of_the_classes() {
        let labels: Vec<u32> = (0..100).map(|index| u32::from(index % 10 >= 7) + u32::from(index % 10 == 9)).collect();
        let images = Images::new([1, 1, 1], (0..100).collect(), labels).unwrap();
        let test = Images::new([1, 1, 1], vec![0], vec![0]).unwrap();
        let classes = ["a", "b", "c"].map(str::to_string).to_vec();
        let dataset = Dataset::new("abc", classes, images, test).unwrap();
        let counts = |images: &Images| [0, 1, 2].map(|label| images.labels().iter().filter(|l| **l == label).count());
        assert_eq!(counts(dataset.train()), [70, 20, 10]);
        for (count, expected) in [(10, [7, 2, 1]), (15, [11, 3, 1]), (1, [1, 0, 0]), (0, [0; 3]), (99, [69, 20, 10])] {
            let few = dataset.clone().limited(count, 4);
            assert_eq!(counts(few.train()), expected, "{count}");
            assert!(few.train().pixels().is_sorted());
            assert_eq!(few, dataset.clone().limited(count, 4));
        }
        assert_ne!(dataset.clone().limited(10, 4), dataset.clone().limited(10, 5));
        assert_eq!(dataset.clone().limited(100, 4), dataset);
    }
}
