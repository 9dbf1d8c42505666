//! Images and data sets as they are: bytes and labels.

use crate::Error;

/// Labelled images of one shape: pixels are bytes 0 to 255 in the order (image, channel, row, column).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    shape: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

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
        Ok(Self { shape, pixels, labels })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Channels, height and width of one image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Channels of one image.
    pub fn channels(&self) -> usize {
        self.shape[0]
    }

    /// Height of one image in pixels.
    pub fn height(&self) -> usize {
        self.shape[1]
    }

    /// Width of one image in pixels.
    pub fn width(&self) -> usize {
        self.shape[2]
    }

    /// All pixels, in the order (image, channel, row, column).
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The label of each image.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The pixels of image `index`, in the order (channel, row, column); `None` beyond the last.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        let size: usize = self.shape.iter().product();
        self.pixels.chunks_exact(size).nth(index)
    }

    /// The images at `indices`, in that order; an index may come more than once.
    ///
    /// # Errors
    /// [`Error::Index`] for an index beyond the last image.
    pub fn select(&self, indices: &[usize]) -> Result<Self, Error> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::with_capacity(indices.len()));
        for index in indices {
            let image = self.image(*index).ok_or(Error::Index { index: *index, count: self.len() })?;
            pixels.extend_from_slice(image);
            labels.push(self.labels[*index]);
        }
        Ok(Self { shape: self.shape, pixels, labels })
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
        Ok(Self { name, classes, train, test })
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
}
