//! The names of data sets.

use crate::Error;
use cnn_network::error::near_names;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The classes of MNIST.
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// The classes of Fashion-MNIST, in the order of its labels.
const CLOTHES: [&str; 10] =
    ["t-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];
/// The classes of CIFAR-10, in the order of its labels.
const OBJECTS: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
/// The fine classes of CIFAR-100, in the order of its labels.
#[rustfmt::skip]
const THINGS: [&str; 100] = [
    "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle",
    "bicycle", "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel",
    "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud",
    "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant",
    "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn mower", "leopard", "lion", "lizard", "lobster", "man", "maple tree",
    "motorcycle", "mountain", "mouse", "mushroom", "oak tree", "orange", "orchid", "otter",
    "palm tree", "pear", "pickup truck", "pine tree", "plain", "plate", "poppy", "porcupine",
    "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea",
    "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank", "telephone", "television",
    "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
    "willow tree", "wolf", "woman", "worm",
];

/// The data sets there are. Written and parsed as `digits`, `mnist`, `fashion-mnist`, `cifar10`,
/// `cifar100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Name {
    /// Digits drawn on the spot, 1×28×28: see [`digits()`](crate::digits).
    Digits,
    /// Handwritten digits, 1×28×28, 60,000 to train on and 10,000 to test on.
    Mnist,
    /// Pieces of clothing, 1×28×28, 60,000 to train on and 10,000 to test on.
    FashionMnist,
    /// Animals and vehicles, 3×32×32, 50,000 to train on and 10,000 to test on.
    Cifar10,
    /// Animals, plants, people and things, 3×32×32, 50,000 to train on and 10,000 to test on; a hundred classes.
    Cifar100,
}

impl Name {
    /// Every data set.
    pub const ALL: [Self; 5] = [Self::Digits, Self::Mnist, Self::FashionMnist, Self::Cifar10, Self::Cifar100];

    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
        }
    }

    /// Channels, height and width of its images.
    pub fn shape(self) -> [usize; 3] {
        match self {
            Self::Digits | Self::Mnist | Self::FashionMnist => [1, 28, 28],
            Self::Cifar10 | Self::Cifar100 => [3, 32, 32],
        }
    }

    /// The names of its classes, in the order of the labels.
    pub fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Digits | Self::Mnist => &DIGITS,
            Self::FashionMnist => &CLOTHES,
            Self::Cifar10 => &OBJECTS,
            Self::Cifar100 => &THINGS,
        }
    }

    /// The same, each a text of its own.
    pub fn class_names(self) -> Vec<String> {
        self.classes().iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Name {
    type Err = Error;

    /// Upper case, blanks, `_` and `-` make no difference.
    fn from_str(text: &str) -> Result<Self, Error> {
        let plain = |text: &str| -> String {
            text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let wanted = plain(text);
        let known = Self::ALL.into_iter().find(|name| plain(name.as_str()) == wanted);
        known.ok_or_else(|| Error::Name {
            found: text.to_string(),
            expected: Self::ALL.map(Self::as_str).to_vec(),
            near: near_names(text, Self::ALL.map(Self::as_str)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_are_written() {
        for name in Name::ALL {
            assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("{:?}", name.as_str()));
        }
        assert_eq!("Fashion_MNIST".parse::<Name>().unwrap(), Name::FashionMnist);
        assert_eq!("CIFAR-10".parse::<Name>().unwrap(), Name::Cifar10);
        assert_eq!("CIFAR-100".parse::<Name>().unwrap(), Name::Cifar100);
        // The labels of both are in the order of the alphabet.
        for name in [Name::Cifar10, Name::Cifar100] {
            assert!(name.classes().is_sorted(), "{name}");
        }
        assert_eq!([Name::Cifar10, Name::Cifar100].map(|name| name.classes().len()), [10, 100]);
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let error = "minst".parse::<Name>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no data set is named \"minst\", expected one of digits, mnist, fashion-mnist, cifar10, cifar100; did you mean mnist?"
        );
        assert!(!"imagenet".parse::<Name>().unwrap_err().to_string().contains("did you mean"));
        assert!("".parse::<Name>().is_err());
    }
}
