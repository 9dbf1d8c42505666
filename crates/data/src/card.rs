//! What a file of weights says of itself, so that it can be used alone.

use crate::{Error, Images, Name, Preparation, Reading};
use cnn_weights::CARD;
use cnn_weights::Weights;
use serde::{Deserialize, Serialize};

/// What weights are for: the network, its classes, and how a picture becomes an input. It is kept in the file's metadata
/// as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The network's name.
    pub network: String,
    /// Shape of one input sample, `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of the outputs.
    pub classes: Vec<String>,
    /// The data set it was trained on.
    pub dataset: String,
    /// Height and width of the pictures it was trained on, before they were prepared, where all had the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<[usize; 2]>,
    /// Whether the pictures it was trained on were turned as their cameras noted: see [`Reading::upright`]. Cards that do
    /// not tell are of ones that were.
    #[serde(default = "turned", skip_serializing_if = "Clone::clone")]
    pub upright: bool,
    /// How an image becomes an input.
    pub preparation: Preparation,
}

fn turned() -> bool {
    true
}

impl Card {
    /// The card of weights, if they have one.
    ///
    /// # Errors
    ///
    /// [`Error::Card`], of a card that cannot be read.
    pub fn of(weights: &Weights) -> Result<Option<Self>, Error> {
        let card = weights.metadata().get(CARD).map(|card| serde_json::from_str(card)).transpose();
        card.map_err(|problem| Error::Card { weights: weights.source().to_string(), problem: problem.to_string() })
    }

    /// The height and width that a picture of `size` is stretched to before it is prepared, if it is: that of the pictures
    /// the weights were trained on, where the preparation does not fit sizes by itself.
    pub fn stretches(&self, size: [usize; 2]) -> Option<[usize; 2]> {
        let usual = self.images.unwrap_or([self.input[1], self.input[2]]);
        (!self.preparation.fit.equals_sizes() && size != usual).then_some(usual)
    }

    /// Images stretched as [`Card::stretches`] says of each; `None` where all stay as they are. Where the card does not
    /// tell the size of those it was trained on, images that are prepared to an input as they are stay so.
    pub fn stretched(&self, images: &Images) -> Option<Images> {
        let Preparation { fit, mean, .. } = &self.preparation;
        let size = [images.height(), images.width()];
        if fit.equals_sizes() {
            return None;
        }
        if images.have_one_size() {
            let fits = self.preparation.shape([mean.len(), size[0], size[1]]).is_ok_and(|found| found == self.input);
            return self.stretches(size).filter(|_| self.images.is_some() || !fits).map(|size| images.stretched(size));
        }
        Some(images.stretched(self.images.unwrap_or([self.input[1], self.input[2]])))
    }

    /// How a picture's file is read for these weights: as `reading` says, but not turned where those that were trained on
    /// were not.
    pub fn reading(&self, reading: Reading) -> Reading {
        Reading { upright: reading.upright && self.upright, ..reading }
    }

    /// Whether the weights were trained on bright strokes on a dark ground alone, as those of MNIST are.
    pub fn knows_bright_strokes(&self) -> bool {
        let strokes = |name: &str| matches!(name.parse(), Ok(Name::Digits | Name::Mnist | Name::FashionMnist));
        self.dataset.split('+').all(strokes)
    }

    /// The weights with this card instead of the one they have.
    ///
    /// # Errors
    ///
    /// As [`Card::to_json`].
    pub fn put_on(&self, weights: Weights) -> Result<Weights, Error> {
        Ok(weights.with_metadata(CARD, self.to_json()?))
    }

    /// The card as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Card`], of a mean or deviation that is not finite: JSON has no such number.
    pub fn to_json(&self) -> Result<String, Error> {
        let problem = |problem: String| Error::Card { weights: self.network.clone(), problem };
        let Preparation { mean, std, .. } = &self.preparation;
        if let Some(number) = mean.iter().chain(std).find(|number| !number.is_finite()) {
            return Err(problem(format!("{number} is no mean and no deviation")));
        }
        serde_json::to_string(self).map_err(|error| problem(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fit;

    /// Of pictures with sides of `images`, padded to `input`.
    fn card(images: usize, input: usize) -> Card {
        Card {
            network: "lenet".to_string(),
            input: [1, input, input],
            classes: vec!["zero".to_string(), "one".to_string()],
            dataset: "digits".to_string(),
            images: Some([images; 2]),
            upright: true,
            preparation: Preparation::mnist().fitted(Fit::Pad { height: input, width: input }),
        }
    }

    #[test]
    fn a_card_travels_with_the_weights() {
        let card = card(28, 32);
        assert_eq!([[28, 28], [40, 28]].map(|size| card.stretches(size)), [None, Some([28, 28])]);
        let mut broken = card.clone();
        broken.preparation.std = vec![f32::NAN];
        let problem = broken.put_on(Weights::new()).unwrap_err().to_string();
        assert_eq!(problem, "lenet: the card in its metadata: NaN is no mean and no deviation");
        let bytes = card.put_on(Weights::new()).unwrap().to_bytes().unwrap();
        let read = Weights::from_bytes(bytes, "here").unwrap();
        assert_eq!(Card::of(&read).unwrap(), Some(card));
        assert_eq!(Card::of(&Weights::new()).unwrap(), None);
        let broken = Weights::new().with_metadata(CARD, "{\"network\":7}");
        let problem = Card::of(&broken).unwrap_err().to_string();
        assert!(problem.starts_with("the weights: the card in its metadata: invalid type: integer `7`"), "{problem}");
    }

    #[test]
    fn a_card_tells_that_pictures_were_not_turned() {
        let mut card = card(28, 32);
        assert!(!card.to_json().unwrap().contains("upright") && card.reading(Reading::default()).upright);
        card.upright = false;
        let read: Card = serde_json::from_str(&card.to_json().unwrap()).unwrap();
        assert!(read == card && !read.reading(Reading::default()).upright);
    }

    #[test]
    fn images_of_another_size_are_stretched_as_a_picture_is() {
        let mut card = card(2, 4);
        let images = Images::new([1, 3, 3], (0..9).map(|place| place * 20).collect(), vec![0]).unwrap();
        let stretched = card.stretched(&images).unwrap();
        assert_eq!((stretched.shape(), stretched.labels()), ([1, 2, 2], &[0][..]));
        let picture = images.picture(0).unwrap().stretched([2, 2], crate::Interpolation::Bilinear).unwrap();
        assert_eq!(stretched.picture(0).unwrap(), picture);
        assert!(card.stretched(&stretched).is_none());
        // Of a size that nobody tells, what fits stays.
        card.images = None;
        assert!(card.stretched(&images).is_none());
    }
}
