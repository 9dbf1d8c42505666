//! Parts of a cross-validation.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One of the equal parts that images are cut into: it is judged, all others are trained on. Written `2/5`, the second of
/// five.
///
/// ```
/// use cnn_data::Fold;
///
/// let fold: Fold = "2/5".parse()?;
/// assert_eq!((fold.number(), fold.of()), (2, 5));
/// assert!("6/5".parse::<Fold>().is_err());
/// # Ok::<(), cnn_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fold {
    number: usize,
    of: usize,
}

impl Fold {
    /// The most parts.
    pub const MOST: usize = 1000;

    /// Part `number`, counted from 1, `of` so many.
    ///
    /// # Errors
    /// [`Error::Fold`] where there are fewer than two parts or more than [`Fold::MOST`], or none of that number.
    pub fn new(number: usize, of: usize) -> Result<Self, Error> {
        match (2..=Self::MOST).contains(&of) && (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(Error::Fold { found: format!("{number}/{of}") }),
        }
    }

    /// Which part, counted from 1.
    pub fn number(self) -> usize {
        self.number
    }

    /// Whether an image with this place from 0 to 1 is in it.
    pub(crate) fn holds(self, place: f64) -> bool {
        (place * self.of as f64) as usize + 1 == self.number
    }

    /// How many parts there are.
    pub fn of(self) -> usize {
        self.of
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Fold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let numbers =
            text.split_once('/').and_then(|(number, of)| Some((number.trim().parse().ok()?, of.trim().parse().ok()?)));
        let (number, of) = numbers.ok_or_else(|| Error::Fold { found: text.to_string() })?;
        Self::new(number, of)
    }
}

impl TryFrom<String> for Fold {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Fold> for String {
    fn from(fold: Fold) -> Self {
        fold.to_string()
    }
}
