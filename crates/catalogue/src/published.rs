//! Published weights and what is said of them.

use crate::digest::Digest;
use crate::{Repository, imagenet};
use cnn_data::{Card, Name, Preparation};

/// Weights that somebody has published, of a network that is here.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Published {
    /// Network and weights as their publisher writes them: `resnet50:imagenet1k_v2`, or `hf:owner/repository`.
    pub name: String,
    /// The network's name in the zoo.
    pub network: String,
    /// Who publishes them: `torchvision`, `timm`, or the owner of a repository.
    pub publisher: String,
    /// Whether the network's name alone means these.
    pub is_default: bool,
    /// Where the file is.
    pub origin: Origin,
    /// The file's SHA-256, or how it begins. None where none is published: then the server's is taken, if it has one.
    pub digest: Option<Digest>,
    /// About how many bytes the file has, to within 600, where that is published.
    pub bytes: Option<u64>,
    /// The data set they were trained on, or judged on.
    pub dataset: String,
    /// Channels, height and width of an input: those that the accuracy was measured with.
    pub input: [usize; 3],
    /// How a picture becomes an input.
    pub preparation: Preparation,
    /// Whether the publisher's own network first maps ImageNet's statistics to a mean and a deviation of 0.5
    /// (`transform_input`). The preparation has these statistics already.
    pub transforms_input: bool,
    /// The classes.
    pub classes: Classes,
    /// Number of parameters as the publisher counts them.
    pub parameters: Option<usize>,
    /// Share of images whose class comes first, in percent, as published.
    pub top1: Option<f64>,
    /// Share of images whose class is among the first five, in percent, as published.
    pub top5: Option<f64>,
    /// The licence, as far as it is published.
    pub licence: Option<String>,
    /// Where they are described: a recipe, a repository or a page.
    pub source: String,
}

/// Where a file of weights is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// In a repository of the Hugging Face hub.
    Hub {
        /// The repository.
        repository: Repository,
        /// The file in it.
        file: String,
    },
    /// At an address of its own.
    Address(String),
}

/// The classes that weights tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classes {
    /// The 1000 of [`imagenet`].
    ImageNet,
    /// The ten of CIFAR-10.
    Cifar10,
    /// Others, in the order of the outputs.
    Named(Vec<String>),
}

impl Classes {
    /// Their names in the order of the outputs.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::ImageNet => imagenet::names().map(str::to_string).collect(),
            Self::Cifar10 => Name::Cifar10.class_names(),
            Self::Named(names) => names.clone(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::ImageNet => imagenet::names().len(),
            Self::Cifar10 => Name::Cifar10.classes().len(),
            Self::Named(names) => names.len(),
        }
    }
}

impl Published {
    /// What a file of these weights would say of itself: with it they can be used as ones that were trained here.
    ///
    /// ```
    /// let card = cnn_catalogue::find("googlenet")?.card();
    /// assert_eq!((card.network.as_str(), card.classes.len(), card.dataset.as_str()), ("googlenet", 1000, "imagenet"));
    /// assert_eq!(card.preparation.mean, [0.5, 0.5, 0.5]);
    /// # Ok::<(), cnn_catalogue::Error>(())
    /// ```
    pub fn card(&self) -> Card {
        Card {
            network: self.network.clone(),
            input: self.input,
            classes: self.classes.names(),
            dataset: self.dataset.clone(),
            images: matches!(self.classes, Classes::Cifar10).then_some([32, 32]),
            upright: true,
            preparation: self.preparation.clone(),
        }
    }
}

impl Origin {
    /// The file's name.
    pub fn file(&self) -> &str {
        match self {
            Self::Hub { file, .. } => file,
            Self::Address(address) => address.rsplit('/').next().unwrap_or(address),
        }
    }
}
