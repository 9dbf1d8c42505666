//! A data set: images for training and for judging.

use crate::folder::counts;
use crate::{Error, Fold, Images};
use cnn_network::seed;
use rand::Rng;
use std::path::PathBuf;

/// A data set: images to train on, images to test on, and the names of their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    classes: Vec<String>,
    train: Images,
    test: Images,
    held_out: Option<Images>,
    pub(crate) strays: Vec<PathBuf>,
    pub(crate) origins: Option<Origins>,
}

/// Where the images of a data set were found, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origins {
    /// Those to train on.
    pub train: String,
    /// Those that are judged after each epoch.
    pub test: String,
    /// Whether these were drawn from those to train on.
    pub drawn: bool,
    /// Those that are held out, if there are some.
    pub held_out: Option<String>,
    /// A folder `test` whose pictures lie in no folder of a class, and which is left out for it.
    pub unlabelled: Option<PathBuf>,
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
        Ok(Self { name, classes, train, test, held_out: None, strays: Vec::new(), origins: None })
    }

    /// With images that take part in no choice, and are judged once when all is done.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn with_held_out(self, images: Images) -> Result<Self, Error> {
        if self.train.shape() != images.shape() {
            return Err(Error::Shapes { name: self.name, train: self.train.shape(), test: images.shape() });
        }
        images.check_labels(&format!("{} held out", self.name), self.classes.len())?;
        Ok(Self { held_out: Some(images), ..self })
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

    /// The images that are judged after each epoch, and by which the best one is chosen.
    pub fn test(&self) -> &Images {
        &self.test
    }

    /// Images that take part in no choice: those of `test` in a folder that has `val` too. They are judged once, at the end.
    pub fn held_out(&self) -> Option<&Images> {
        self.held_out.as_ref()
    }

    /// Where the images were found, if they came out of a folder.
    pub fn origins(&self) -> Option<&Origins> {
        self.origins.as_ref()
    }

    /// How many images to train on each class has.
    pub fn counts(&self) -> Vec<usize> {
        counts(self.classes.len(), self.train.labels().iter().copied())
    }

    /// A part of the images to train on as those that are judged, drawn by `seed` and each image's number; what was to be
    /// judged is held out.
    ///
    /// # Errors
    /// [`Error::EmptyFold`] where one side would have no image.
    pub fn folded(self, fold: Fold, seed: u64) -> Result<Self, Error> {
        let place = |index: &usize| seed::stream(seed, &format!("split {index}")).random::<f64>();
        let (judged, trained): (Vec<usize>, Vec<usize>) =
            (0..self.train.len()).partition(|index| fold.holds(place(index)));
        if judged.is_empty() || trained.is_empty() {
            return Err(Error::EmptyFold { fold, images: self.train.len() });
        }
        let (train, test) = (self.train.select(&trained)?, self.train.select(&judged)?);
        let held_out = Some(self.test.clone()).filter(|images| !images.is_empty());
        Ok(self.with_parts(train, test, held_out))
    }

    /// The same with other images.
    pub(crate) fn with_parts(self, train: Images, test: Images, held_out: Option<Images>) -> Self {
        Self { train, test, held_out, ..self }
    }

    /// The same images in one channel or in three: see [`Images::in_channels`].
    pub fn in_channels(&self, channels: usize) -> Option<Self> {
        let held_out = match &self.held_out {
            None => None,
            Some(images) => Some(images.in_channels(channels)?),
        };
        let (train, test) = (self.train.in_channels(channels)?, self.test.in_channels(channels)?);
        Some(Self { train, test, held_out, ..self.clone() })
    }

    /// What lies among the files of a folder and is no picture, so that it was passed over.
    pub fn strays(&self) -> &[PathBuf] {
        &self.strays
    }

    /// The same with `count` of the training images, drawn by `seed`: of each class as large a share as it has of all, in
    /// the order they had. With as many as there are, or more, nothing changes.
    #[must_use]
    pub fn limited(self, count: usize, seed: u64) -> Self {
        Self { train: self.train.drawn(count, seed), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_needs_a_class() {
        let images = |label| Images::new([1, 1, 1], vec![0; 3], vec![0, 1, label]).unwrap();
        let classes = || vec!["a".to_string(), "b".to_string()];
        assert!(Dataset::new("ab", classes(), images(1), images(0)).is_ok());
        let error = Dataset::new("ab", classes(), images(1), images(2)).unwrap_err().to_string();
        assert_eq!(error, "ab test: label 2 at index 2 is out of range, expected less than 2 classes");
    }

    #[test]
    fn a_fold_leaves_images_on_both_sides() {
        let images = |count: u8| Images::new([1, 1, 1], (0..count).collect(), vec![0; usize::from(count)]).unwrap();
        let dataset = |count| Dataset::new("few", vec!["a".to_string()], images(count), images(1)).unwrap();
        let fold = Fold::new(1, 2).unwrap();
        let error = dataset(1).folded(fold, 0).unwrap_err();
        assert!(matches!(error, Error::EmptyFold { images: 1, .. }), "{error}");
        assert!(error.to_string().starts_with("fold 1/2 of the images to train on (1) leaves none"), "{error}");
        assert!(dataset(50).folded(fold, 0).is_ok());
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
