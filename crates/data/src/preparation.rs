//! From bytes to what a network reads.

use crate::fitting::Fitting;
use crate::{Error, Fit, Images, Picture};
use cnn_network::shape::times;
use cnn_system::{Bytes, memory};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How the bytes of an image become numbers for a network: fit, then (x / 255 − mean) / std per channel.
///
/// It is part of what a trained network needs to be used, and can be written beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// How the image is brought to the size the network wants.
    #[serde(default)]
    pub fit: Fit,
    /// The mean of each channel, on the scale 0 to 1.
    pub mean: Vec<f32>,
    /// The standard deviation of each channel, on the scale 0 to 1.
    pub std: Vec<f32>,
}

/// Fewer numbers than this are not worth another thread.
const GRAIN: usize = 1 << 15;

impl Preparation {
    /// The mean and the standard deviation of each channel over all of `images`, and no fit.
    ///
    /// A channel of one value throughout has deviation 0 and gets 1, so that it is prepared to 0. Of images in colours that
    /// are not in memory, all of which would have to be decoded, it is [`Preparation::imagenet`].
    ///
    /// # Errors
    /// [`Error::NoImages`] where there is none; as [`Images::picture`] for a source of one's own.
    pub fn of(images: &Images) -> Result<Self, Error> {
        if images.is_empty() {
            return Err(Error::NoImages);
        }
        let [channels, ..] = images.shape();
        if !images.in_memory() && channels == 3 {
            return Ok(Self::imagenet());
        }
        // Counting values is exact: the statistics do not depend on the order of a sum.
        let (mut counts, mut total) = (vec![[0_u64; 256]; channels], 0);
        for index in 0..images.len() {
            let picture = images.picture(index)?;
            total += picture.size().iter().product::<usize>();
            for (counts, plane) in counts.iter_mut().zip(picture.planes()) {
                plane.iter().for_each(|pixel| counts[usize::from(*pixel)] += 1);
            }
        }
        let total = total as f64;
        let moment = |counts: &[u64; 256], of: &dyn Fn(f64) -> f64| -> f64 {
            counts.iter().enumerate().map(|(value, count)| *count as f64 * of(value as f64 / 255.0)).sum::<f64>()
                / total
        };
        let (mut mean, mut std) = (Vec::with_capacity(channels), Vec::with_capacity(channels));
        for counts in &counts {
            let centre = moment(counts, &|value| value);
            let deviation = moment(counts, &|value| (value - centre).powi(2)).sqrt();
            mean.push(centre as f32);
            std.push(if deviation > 0.0 { deviation as f32 } else { 1.0 });
        }
        Ok(Self { fit: Fit::None, mean, std })
    }

    /// The usual statistics of MNIST's training set.
    pub fn mnist() -> Self {
        Self::with([0.1307], [0.3081])
    }

    /// The usual statistics of Fashion-MNIST's training set.
    pub fn fashion_mnist() -> Self {
        Self::with([0.2860], [0.3530])
    }

    /// The usual statistics of CIFAR-10's training set; red, green, blue.
    pub fn cifar10() -> Self {
        Self::with([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
    }

    /// The statistics of ImageNet that published weights expect; red, green, blue.
    pub fn imagenet() -> Self {
        Self::with([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    }

    fn with<const C: usize>(mean: [f32; C], std: [f32; C]) -> Self {
        Self { fit: Fit::None, mean: mean.to_vec(), std: std.to_vec() }
    }

    /// The same with another fit.
    #[must_use]
    pub fn fitted(self, fit: Fit) -> Self {
        Self { fit, ..self }
    }

    /// Whether its numbers can be meant, whatever is prepared.
    ///
    /// ```
    /// use cnn_data::Preparation;
    ///
    /// let refusal = Preparation { mean: vec![f32::NAN], ..Preparation::mnist() }.check().unwrap_err();
    /// assert_eq!(refusal.to_string(), "the preparation needs finite means, found NaN");
    /// ```
    ///
    /// # Errors
    /// [`Error::Numbers`] where a mean is not finite, a deviation not finite and above 0, or a number of the fit out of
    /// its bounds; where there are not as many means as deviations, or none.
    pub fn check(&self) -> Result<(), Error> {
        let (means, deviations) = (self.mean.len(), self.std.len());
        if means != deviations || means == 0 {
            let found = format!("{means} means and {deviations} deviations");
            return Err(Error::Numbers { expected: "one mean and one deviation per channel".to_string(), found });
        }
        let refuse = |expected: &str, found: &f32| {
            Err(Error::Numbers { expected: expected.to_string(), found: found.to_string() })
        };
        if let Some(mean) = self.mean.iter().find(|mean| !mean.is_finite()) {
            return refuse("finite means", mean);
        }
        if let Some(std) = self.std.iter().find(|std| !(std.is_finite() && **std > 0.0)) {
            return refuse("finite deviations above 0", std);
        }
        self.fit.check().map_err(|[expected, found]| Error::Numbers { expected, found })
    }

    /// Channels, height and width that images of `shape` (channels, height, width) are prepared to.
    ///
    /// # Errors
    /// [`Error::EmptyShape`] where a number of the shape is 0; [`Error::Preparation`] where the statistics are those of
    /// another number of channels, or where the fit cannot take the size; as [`Preparation::check`].
    pub fn shape(&self, shape: [usize; 3]) -> Result<[usize; 3], Error> {
        let [channels, height, width] = shape;
        if shape.contains(&0) {
            return Err(Error::EmptyShape { shape });
        }
        let unsuited = |[expected, found]: [String; 2]| Error::Preparation { shape, expected, found };
        if self.mean.len() != channels || self.std.len() != channels {
            let found = format!("{} means and {} deviations", self.mean.len(), self.std.len());
            return Err(unsuited([format!("statistics of {channels} channels"), found]));
        }
        self.check()?;
        let [height, width] = self.fit.size([height, width]).map_err(unsuited)?;
        Ok([channels, height, width])
    }

    /// Channels, height and width that all of `images` are prepared to.
    ///
    /// # Errors
    /// As [`Preparation::shape`]; [`Error::Sizes`] where images of different sizes would stay so.
    pub fn output(&self, images: &Images) -> Result<[usize; 3], Error> {
        if !images.have_one_size() && !self.fit.equals_sizes() {
            return Err(Error::Sizes { found: self.fit.to_string() });
        }
        self.shape(images.shape())
    }

    /// Prepares the images at `indices`, in that order, as many rows of what [`Preparation::output`] says, in the order
    /// (image, channel, row, column). Images are prepared in parallel; the numbers do not depend on the threads.
    ///
    /// # Errors
    /// As [`Preparation::output`] and [`Images::picture`]; [`Error::TooMany`] or [`Error::Memory`] where the result does
    /// not fit into memory.
    pub fn apply(&self, images: &Images, indices: &[usize]) -> Result<Vec<f32>, Error> {
        let made =
            self.rows(images, indices, |place, writer, out| writer.write(&images.picture(indices[place])?, out))?;
        made.outcomes.into_iter().collect::<Result<(), Error>>()?;
        Ok(made.numbers)
    }

    /// Prepares one picture, in the order (channel, row, column). A picture in colours becomes grey for statistics of one
    /// channel, and a grey one colours for statistics of three.
    ///
    /// ```
    /// use cnn_data::{DigitsConfig, Fit, Preparation, digits};
    ///
    /// let data = digits(DigitsConfig { train: 1, test: 1, seed: 1 })?;
    /// let preparation = Preparation::mnist().fitted(Fit::Pad { height: 32, width: 32 });
    /// assert_eq!(preparation.prepare(&data.train().picture(0)?)?.len(), 32 * 32);
    /// # Ok::<(), cnn_data::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Preparation::shape`], of other numbers of channels too.
    pub fn prepare(&self, picture: &Picture<'_>) -> Result<Vec<f32>, Error> {
        let suited = picture.in_channels(self.mean.len());
        let picture = suited.as_ref().unwrap_or(picture);
        let to = self.shape(picture.shape())?;
        let mut numbers = vec![0.0; to.iter().product()];
        let (usual, fitting) = (picture.size(), self.fit.fitting(picture.size()));
        Writer { preparation: self, to, usual, fitting }.write(picture, &mut numbers)?;
        Ok(numbers)
    }

    /// A row of numbers for each of `indices`, which `make` writes by its place among them, and how that went.
    pub(crate) fn rows(
        &self,
        images: &Images,
        indices: &[usize],
        make: impl Fn(usize, &Writer<'_>, &mut [f32]) -> Result<(), Error> + Sync,
    ) -> Result<PreparedRows, Error> {
        let to = self.output(images)?;
        let too_many = |size: usize| Error::TooMany { count: indices.len(), bytes: size.saturating_mul(4) };
        let size = to.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        let size = size.ok_or_else(|| too_many(usize::MAX))?;
        let total = size.checked_mul(indices.len()).ok_or_else(|| too_many(size))?;
        let asked = memory::ask(Bytes::of(total.saturating_mul(4)));
        asked.map_err(|shortage| Error::Memory {
            what: format!("{} images of {}×{}×{}", indices.len(), to[0], to[1], to[2]),
            shortage,
            way_out: "a smaller batch or size needs less",
        })?;
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(total).map_err(|_| too_many(size))?;
        numbers.resize(total, 0.0);
        let usual = [images.height(), images.width()];
        let writer = Writer { preparation: self, to, usual, fitting: self.fit.fitting(usual) };
        // Decoding takes long: a file is worth a thread of its own.
        let grain = if !images.in_memory() { 1 } else { GRAIN.div_ceil(size) };
        let rows = numbers.par_chunks_exact_mut(size).enumerate().with_min_len(grain);
        let outcomes = rows.map(|(place, out)| make(place, &writer, out)).collect();
        Ok(PreparedRows { numbers, outcomes })
    }

    /// The numbers of a picture's bytes, (channel, row, column), that are fitted already: what [`Preparation::bytes`]
    /// takes back.
    ///
    /// ```
    /// use cnn_data::{Fit, Preparation};
    ///
    /// let preparation = Preparation::mnist().fitted(Fit::Pad { height: 32, width: 32 });
    /// let bytes: Vec<u8> = (0..=255).collect();
    /// let numbers = preparation.of_bytes(bytes.clone(), [1, 16, 16])?;
    /// assert_eq!(preparation.bytes(&numbers, [1, 16, 16]), bytes);
    /// # Ok::<(), cnn_data::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Picture::new`] and [`Preparation::prepare`].
    pub fn of_bytes(&self, bytes: Vec<u8>, shape: [usize; 3]) -> Result<Vec<f32>, Error> {
        Self { fit: Fit::None, ..self.clone() }.prepare(&Picture::new(shape, bytes)?)
    }

    /// The bytes that prepared images were, as near as they can be: outside of 0 to 255 they are cut off. Images are of
    /// `shape`, (channels, height, width), and lie one behind the other. What a fit or an augmentation did stays.
    pub fn bytes(&self, prepared: &[f32], shape: [usize; 3]) -> Vec<u8> {
        let plane = (shape[1] * shape[2]).max(1);
        let statistics = self.mean.iter().zip(&self.std).cycle();
        let planes = prepared.chunks(plane).zip(statistics);
        planes
            .flat_map(|(plane, (mean, std))| {
                plane.iter().map(move |value| ((value * std + mean) * 255.0).round() as u8)
            })
            .collect()
    }
}

/// What [`Preparation::rows`] made.
pub(crate) struct PreparedRows {
    pub(crate) numbers: Vec<f32>,
    /// Of each row.
    pub(crate) outcomes: Vec<Result<(), Error>>,
}

/// Writes an image's numbers.
pub(crate) struct Writer<'a> {
    preparation: &'a Preparation,
    /// Channels, height and width of what is written.
    to: [usize; 3],
    /// The size that most images have, and the fit worked out for it.
    usual: [usize; 2],
    fitting: Fitting,
}

impl Writer<'_> {
    /// The height and width for a piece of an image of `size` that is stretched instead of being fitted.
    pub(crate) fn target(&self, size: [usize; 2]) -> [usize; 2] {
        if self.preparation.fit.equals_sizes() { [self.to[1], self.to[2]] } else { size }
    }

    /// Fits and normalises.
    pub(crate) fn write(&self, picture: &Picture<'_>, out: &mut [f32]) -> Result<(), Error> {
        if self.preparation.shape(picture.shape())? != self.to {
            // A file that changed since its head was read.
            return Err(self.unsuited(picture));
        }
        if picture.size() == self.usual {
            self.normalise(&self.fitting, picture, out);
        } else {
            self.normalise(&self.preparation.fit.fitting(picture.size()), picture, out);
        }
        Ok(())
    }

    /// Normalises what was stretched to its [`Writer::target`]; a frame is still put around it.
    pub(crate) fn write_fitted(&self, picture: &Picture<'_>, out: &mut [f32]) -> Result<(), Error> {
        if !self.preparation.fit.equals_sizes() {
            return self.write(picture, out);
        }
        if picture.shape() != self.to {
            // A transform of one's own changed what was stretched.
            return Err(self.unsuited(picture));
        }
        self.normalise(&Fitting::None, picture, out);
        Ok(())
    }

    /// A picture that does not become what is written.
    fn unsuited(&self, picture: &Picture<'_>) -> Error {
        let [expected, found] = [self.to, picture.shape()].map(|shape| times(&shape));
        Error::Preparation { shape: picture.shape(), expected, found }
    }

    fn normalise(&self, fitting: &Fitting, picture: &Picture<'_>, out: &mut [f32]) {
        let [_, height, width] = self.to;
        let planes = picture.planes().zip(out.chunks_exact_mut(height * width));
        for ((plane, out), (mean, std)) in planes.zip(self.preparation.mean.iter().zip(&self.preparation.std)) {
            fitting.apply(plane, picture.size(), out, [height, width], *mean);
            for value in out {
                *value = (*value / 255.0 - mean) / std;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_channels() -> Images {
        Images::new([2, 1, 2], vec![0, 255, 51, 51, 255, 0, 51, 51], vec![0, 1]).unwrap()
    }

    #[test]
    fn statistics_are_per_channel() {
        let found = Preparation::of(&two_channels()).unwrap();
        assert_eq!(found, Preparation { fit: Fit::None, mean: vec![0.5, 0.2], std: vec![0.5, 1.0] });
        let none = Images::new([1, 1, 1], vec![], vec![]).unwrap();
        assert!(matches!(Preparation::of(&none), Err(Error::NoImages)));
    }

    #[test]
    fn numbers_are_normalised_and_the_border_is_black() {
        let preparation = Preparation { fit: Fit::None, mean: vec![0.5, 0.2], std: vec![0.5, 0.1] };
        assert_eq!(preparation.apply(&two_channels(), &[1, 0]).unwrap(), [1., -1., 0., 0., -1., 1., 0., 0.]);
        let padded = preparation.fitted(Fit::Pad { height: 1, width: 3 });
        assert_eq!(padded.shape([2, 1, 2]).unwrap(), [2, 1, 3]);
        assert_eq!(padded.apply(&two_channels(), &[0]).unwrap(), [-1., 1., -1., 0., 0., -2.]);
    }

    #[test]
    fn what_does_not_suit_is_an_error() {
        let images = two_channels();
        let error = Preparation::mnist().apply(&images, &[0]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the preparation does not suit images of 2×1×2: expected statistics of 2 channels, found 1 means and 1 deviations"
        );
        for (std, said) in [(0.0, "0"), (-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
            let broken = Preparation { fit: Fit::None, mean: vec![0.0; 2], std: vec![1.0, std] };
            let error = broken.shape([2, 1, 2]).unwrap_err().to_string();
            assert_eq!(error, format!("the preparation needs finite deviations above 0, found {said}"));
        }
        let good = Preparation { fit: Fit::None, mean: vec![0.0; 2], std: vec![1.0; 2] };
        assert!(matches!(good.apply(&images, &[2]), Err(Error::Index { index: 2, count: 2 })));
        let huge = good.clone().fitted(Fit::Pad { height: usize::MAX, width: usize::MAX });
        assert!(matches!(huge.apply(&images, &[0]), Err(Error::Numbers { .. })));
        // 134 MB each: more than any machine has.
        let large = good.fitted(Fit::Pad { height: 4096, width: 4096 });
        let error = large.apply(&images, &[0; 1 << 20]).unwrap_err().to_string();
        assert!(error.starts_with("1048576 images of 2×4096×4096: 140.74 TB of memory are needed, "), "{error}");
        assert!(error.ends_with(" are available; a smaller batch or size needs less"), "{error}");
    }

    #[test]
    fn it_is_written_and_read_back() {
        let preparation = Preparation::imagenet().fitted(Fit::resize([224, 256]));
        let text = serde_json::to_string(&preparation).unwrap();
        assert!(text.starts_with(r#"{"fit":{"resize":{"height":224,"width":256}},"mean":[0.485,"#), "{text}");
        assert_eq!(serde_json::from_str::<Preparation>(&text).unwrap(), preparation);
        assert_eq!(serde_json::to_string(&Preparation::mnist().fit).unwrap(), "\"none\"");
    }
}
