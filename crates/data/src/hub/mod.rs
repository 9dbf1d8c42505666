//! Data sets from the Hugging Face hub, and from its cache on disk without a network (feature `hub`).
//!
//! Repositories, revisions and files are those of `candle-datasets`, so a cache filled by one serves the other. The
//! records are read here, with the `parquet` and `image` crates that it brings: its own loaders panic on a damaged image
//! and give CIFAR-10 with height and width exchanged (candle issue 2845). Tests hold both to the same pixels.

mod pages;
mod records;

use crate::{Dataset, Error, Images, Name};
use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync, HFResult, RepoTypeDataset, split_id};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where the hub keeps each data set converted to Parquet.
const REVISION: &str = "refs/convert/parquet";

/// The Hugging Face hub: files come from the cache, and from the network where the cache lacks them.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    cache: Option<PathBuf>,
    offline: bool,
    /// Made when it is first wanted: it has threads of its own, and reads the system's certificates.
    client: OnceLock<HFClientSync>,
}

/// A data set's place on the hub.
struct Place {
    repository: &'static str,
    /// The folder of its `train` and `test` below the revision.
    folder: &'static str,
    /// The column of the classes.
    label: &'static str,
}

impl Place {
    fn new(repository: &'static str, folder: &'static str) -> Self {
        Self { repository, folder, label: "label" }
    }
}

impl Hub {
    /// The hub with the cache that its own tools use: `HF_HUB_CACHE`, else `hub` below `HF_HOME`, else
    /// `~/.cache/huggingface/hub`.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the cache in `folder`, which holds folders like `datasets--ylecun--mnist`.
    #[must_use]
    pub fn with_cache(self, folder: impl AsRef<Path>) -> Self {
        Self { cache: Some(folder.as_ref().to_path_buf()), offline: self.offline, client: OnceLock::new() }
    }

    /// From the cache alone: the network is never asked.
    #[must_use]
    pub fn offline(self) -> Self {
        Self { offline: true, ..self }
    }

    /// Loads `name` as (N, channels, height, width) bytes.
    ///
    /// # Errors
    /// [`Error::Source`] for the digits, which the hub does not have; [`Error::Hub`] for a file that is neither cached nor
    /// to be had, [`Error::HubUnreachable`] where that is for want of a network; [`Error::Record`] for a damaged file or image, with the row; [`Error::Label`] for a label that is no class's.
    pub fn load(&self, name: Name) -> Result<Dataset, Error> {
        let place = match name {
            Name::Digits => {
                let (name, origin) = (name.to_string(), "the hub".to_string());
                return Err(Error::Source { name, origin, expected: "the program itself" });
            }
            Name::Mnist => Place::new("ylecun/mnist", "mnist"),
            Name::FashionMnist => Place::new("zalando-datasets/fashion_mnist", "fashion_mnist"),
            Name::Cifar10 => Place::new("cifar10", "plain_text"),
            Name::Cifar100 => Place { label: "fine_label", ..Place::new("uoft-cs/cifar100", "cifar100") },
        };
        // Both files first: a missing one is told before minutes are spent on the other.
        let test = self.file(name, &place, "test")?;
        let train = self.file(name, &place, "train")?;
        let images = |path| -> Result<Images, Error> { records::images(path, name, place.label) };
        Dataset::new(name.as_str(), name.class_names(), images(&train)?, images(&test)?)
    }

    fn file(&self, name: Name, place: &Place, split: &str) -> Result<PathBuf, Error> {
        let file = format!("{}/{split}/0000.parquet", place.folder);
        let found = self.repository(place).and_then(|repository| {
            let download = repository.download_file().filename(file.as_str()).revision(REVISION);
            match download.clone().local_files_only(true).send() {
                Err(HFError::LocalEntryNotFound { .. }) if !self.offline => download.send(),
                cached => cached,
            }
        });
        found.map_err(|reason| {
            let (repository, reason_text) = (place.repository.to_string(), reason.to_string());
            match reason {
                // There was no answer.
                HFError::Request { .. } => Error::HubUnreachable { name: name.to_string(), repository, file },
                _ => Error::Hub { repository, file, reason: reason_text },
            }
        })
    }

    fn repository(&self, place: &Place) -> HFResult<HFRepositorySync<RepoTypeDataset>> {
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let builder = match &self.cache {
                    None => HFClient::builder(),
                    Some(folder) => HFClient::builder().cache_dir(folder),
                };
                let client = HFClientSync::from_inner(builder.build()?)?;
                self.client.get_or_init(|| client)
            }
        };
        let (owner, name) = split_id(place.repository);
        Ok(client.dataset(owner, name))
    }
}
