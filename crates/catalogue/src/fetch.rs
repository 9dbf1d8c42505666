//! A file from the cache, else from the network.

use crate::cache::{self, Cached, Layout};
use crate::published::{Origin, Published};
use crate::{Error, Options, Repository, Result, Weights};
use std::path::PathBuf;

#[cfg(feature = "hub")]
use crate::download::{HubFile, MOST, PlainFile, from_address, from_hub};

impl Published {
    /// The file of these weights: from the cache, else from the network, after which it is in the cache.
    ///
    /// A file is taken only when it is whole and its checksum is right: the one published, else the one that the hub names.
    /// What came of it before a connection broke is kept, and the next attempt goes on from there. Several processes and
    /// threads may ask at once; one fetches and the others wait. A file in the cache that is cut short is fetched again.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`] and [`Error::HubFeature`] where the file is not in the cache and the network must not or cannot be
    /// asked; what can go wrong with a download, and with the cache's folder. Each names the file's address and where it
    /// can be put by hand.
    pub fn fetch(&self, options: &Options) -> Result<PathBuf> {
        match cache::look(self, options)? {
            Cached::Whole(path) => Ok(path),
            Cached::Damaged { path, problem } if cannot_download(options) => {
                Err(Error::Damaged { path, problem, address: self.address(options) })
            }
            Cached::Damaged { path, problem } => {
                tracing::warn!("{} is damaged ({problem}) and fetched again", path.display());
                self.download(true, options)
            }
            Cached::Absent => self.download(false, options),
        }
    }

    /// These weights, fetched as [`Published::fetch`] does, with their card. Files of torchvision's need the feature
    /// `pytorch`.
    ///
    /// # Errors
    ///
    /// As [`Published::fetch`]; [`Error::Weights`] for a file that cannot be read.
    pub fn weights(&self, options: &Options) -> Result<Weights> {
        let weights = Weights::read(self.fetch(options)?)?;
        Ok(self.card().put_on(weights)?)
    }

    /// The file of these weights if it is in the cache and whole.
    ///
    /// # Errors
    ///
    /// [`Error::NoFolder`], and [`Error::Read`] for what cannot be read.
    pub fn cached(&self, options: &Options) -> Result<Option<PathBuf>> {
        Ok(match cache::look(self, options)? {
            Cached::Whole(path) => Some(path),
            Cached::Damaged { .. } | Cached::Absent => None,
        })
    }

    /// Where the file is.
    pub fn address(&self, options: &Options) -> String {
        match &self.origin {
            Origin::Hub { repository, file } => hub_address(repository, file, options),
            Origin::Address(address) => mirrored(address, options),
        }
    }

    /// Where the file is looked for in the cache, and can be put by hand.
    ///
    /// # Errors
    ///
    /// [`Error::NoFolder`] where nothing names the cache.
    pub fn place(&self, options: &Options) -> Result<PathBuf> {
        cache::place(self, options)
    }

    #[cfg_attr(not(feature = "hub"), expect(unused_variables, reason = "nothing is fetched"))]
    fn download(&self, is_damaged: bool, options: &Options) -> Result<PathBuf> {
        let (address, place) = (self.address(options), self.place(options)?);
        #[cfg(feature = "hub")]
        if !options.is_offline() {
            let digest = self.digest.as_ref();
            return match &self.origin {
                Origin::Hub { repository, file } => {
                    from_hub(&HubFile { repository, file, address, digest, most: MOST, is_damaged }, options)
                }
                Origin::Address(_) => {
                    from_address(&PlainFile { address: &address, digest, place: &place, is_damaged }, options)
                }
            };
        }
        Err(absent(self.name.clone(), address, place, options))
    }
}

/// The path of a repository's `file`, of which at most so many bytes are fetched.
#[cfg_attr(not(feature = "hub"), expect(unused_variables, reason = "nothing is fetched"))]
pub(crate) fn of_repository(repository: &Repository, file: &str, most: u64, options: &Options) -> Result<PathBuf> {
    let place = Layout::of(repository, options)?.place(file);
    if cache::present(&place)? {
        return Ok(place);
    }
    let address = hub_address(repository, file, options);
    #[cfg(feature = "hub")]
    if !options.is_offline() {
        return from_hub(&HubFile { repository, file, address, digest: None, most, is_damaged: false }, options);
    }
    Err(absent(format!("hf:{repository}"), address, place, options))
}

/// Whether a file that is not in the cache cannot be had.
fn cannot_download(options: &Options) -> bool {
    !cfg!(feature = "hub") || options.is_offline()
}

fn absent(name: String, address: String, place: PathBuf, options: &Options) -> Error {
    match options.is_offline() {
        true => Error::Offline { name, address, place },
        false => Error::HubFeature { name, address, place },
    }
}

fn hub_address(repository: &Repository, file: &str, options: &Options) -> String {
    // A revision like refs/pr/1 is one part of the path.
    let revision = repository.revision().replace('/', "%2F");
    format!("{}/{}/resolve/{revision}/{file}", options.endpoint(), repository.path())
}

/// The address with another server in front, where one is named.
fn mirrored(address: &str, options: &Options) -> String {
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    match (&options.mirror, path) {
        (Some(mirror), Some((_, path))) => format!("{}/{path}", mirror.trim_end_matches('/')),
        _ => address.to_string(),
    }
}

#[cfg(all(test, not(feature = "hub")))]
mod tests {
    use super::*;
    use crate::{find_with, imagenet};
    use std::fs;

    #[test]
    fn what_cannot_be_fetched_is_found_where_it_is_put() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new().with_hub_cache(folder.path()).with_checkpoints(folder.path());
        let weights = find_with("resnet18:imagenet1k_v1", &options).unwrap();
        let error = weights.fetch(&options).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("built without the feature `hub`, which fetches it"), "{text}");
        let Error::HubFeature { address, place, .. } = error else { panic!("{error}") };
        assert_eq!(address, "https://download.pytorch.org/models/resnet18-f37072fd.pth");
        let file = fs::File::create(&place).unwrap();
        file.set_len(46_830_571).unwrap();
        assert_eq!(weights.fetch(&options).unwrap(), place);
        file.set_len(46_000_000).unwrap();
        assert!(matches!(weights.fetch(&options), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_repository_is_found_where_it_is_put() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new().with_hub_cache(folder.path());
        let Err(Error::HubFeature { place, address, .. }) = find_with("hf:somebody/birds@v2", &options) else {
            panic!("it is not there")
        };
        assert!(address.ends_with("/somebody/birds/resolve/v2/config.json"), "{address}");
        assert_eq!(place, folder.path().join("models--somebody--birds/snapshots/v2/config.json"));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let config = r#"{"architecture": "vgg11", "num_classes": 1000, "tag": "tv_in1k", "input_size": [3, 224, 224],
            "interpolation": "bilinear", "crop_pct": 0.875, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}"#;
        fs::write(&place, config).unwrap();
        let weights = find_with("hf:somebody/birds@v2", &options).unwrap();
        assert_eq!((weights.network.as_str(), weights.classes.count()), ("vgg11", imagenet::names().len()));
    }
}
