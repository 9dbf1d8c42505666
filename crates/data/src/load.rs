//! Data sets by name, from where they are.

use crate::{Dataset, DigitsConfig, Error, Name, classic, digits};
use std::path::PathBuf;

/// Where a data set comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Inside this program: `digits` only.
    #[default]
    Embedded,
    /// The classic files in a folder: see [`classic`].
    Folder(PathBuf),
    /// The Hugging Face hub or its cache on disk; needs the feature `hub`.
    Hub,
}

/// Loads the data set `name` from `source`; the digits are drawn with [`DigitsConfig::default`].
///
/// # Errors
/// [`Error::Source`] where the source does not have it, [`Error::HubFeature`] where the hub is asked and this program was
/// built without it, and whatever the source says.
pub fn load(name: Name, source: &Source) -> Result<Dataset, Error> {
    match (name, source) {
        (Name::Digits, Source::Embedded) => digits(DigitsConfig::default()),
        (Name::Digits, _) => Err(refuse(name, source, "the program itself")),
        (_, Source::Embedded) => Err(refuse(name, source, "a folder or the hub")),
        (Name::Mnist, Source::Folder(folder)) => classic::mnist(folder),
        (Name::FashionMnist, Source::Folder(folder)) => classic::fashion_mnist(folder),
        (Name::Cifar10, Source::Folder(folder)) => classic::cifar10(folder),
        (Name::Cifar100, Source::Folder(folder)) => classic::cifar100(folder),
        #[cfg(feature = "hub")]
        (_, Source::Hub) => crate::hub::Hub::new().load(name),
        #[cfg(not(feature = "hub"))]
        (_, Source::Hub) => Err(Error::HubFeature { name: name.to_string() }),
    }
}

fn refuse(name: Name, source: &Source, expected: &'static str) -> Error {
    let origin = match source {
        Source::Embedded => "the program itself".to_string(),
        Source::Folder(folder) => format!("the folder {}", folder.display()),
        Source::Hub => "the hub".to_string(),
    };
    Error::Source { name: name.to_string(), origin, expected }
}
