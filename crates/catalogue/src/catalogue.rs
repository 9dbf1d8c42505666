//! The published weights that are known here, read from `data/published.json`, which `data/make.py` writes.

use crate::digest::Digest;
use crate::published::{Classes, Origin, Published};
use crate::{Repository, Result};
use cnn_data::{Fit, Interpolation, Preparation};
use serde::Deserialize;
use std::sync::LazyLock;

static PUBLISHED: LazyLock<Vec<Published>> = LazyLock::new(|| {
    let entries: Vec<Entry> = serde_json::from_str(include_str!("../data/published.json")).unwrap_or_default();
    entries.into_iter().filter_map(|entry| entry.published().ok()).collect()
});

/// All published weights that are known here, network by network, torchvision's before timm's.
///
/// ```
/// let of = |network| cnn_catalogue::all().filter(move |weights| weights.network == network).map(|weights| &weights.name);
/// assert_eq!(of("resnet101").next().unwrap(), "resnet101:imagenet1k_v1");
/// assert!(of("resnet101").any(|name| name == "resnet101:a1h_in1k"));
/// ```
pub fn all() -> impl ExactSizeIterator<Item = &'static Published> {
    PUBLISHED.iter()
}

/// An entry of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    network: String,
    publisher: String,
    #[serde(default)]
    default: bool,
    address: Option<String>,
    repository: Option<String>,
    file: Option<String>,
    digest: Option<String>,
    /// The file's size in units of 2²⁰ bytes, rounded to a thousandth.
    mebibytes: Option<f64>,
    dataset: String,
    input: [usize; 3],
    /// The shorter side that a picture is resized to before its middle is cut out; none where it is taken as it is.
    short: Option<usize>,
    #[serde(default)]
    interpolation: Interpolation,
    mean: Vec<f32>,
    std: Vec<f32>,
    #[serde(default)]
    transform_input: bool,
    parameters: usize,
    top1: Option<f64>,
    top5: Option<f64>,
    licence: Option<String>,
    source: String,
}

impl Entry {
    fn published(self) -> Result<Published> {
        let origin = match (self.repository, self.address) {
            (Some(repository), _) => {
                Origin::Hub { repository: Repository::new(&repository)?, file: self.file.unwrap_or_default() }
            }
            (None, address) => Origin::Address(address.unwrap_or_default()),
        };
        let [_, height, width] = self.input;
        let fit = match self.short {
            Some(short) => Fit::Crop { short, height, width, interpolation: self.interpolation },
            None => Fit::None,
        };
        let preparation = Preparation { fit, mean: self.mean, std: self.std };
        Ok(Published {
            origin,
            preparation,
            name: self.name,
            network: self.network,
            publisher: self.publisher,
            is_default: self.default,
            digest: self.digest.and_then(|digest| Digest::new(&digest)),
            bytes: self.mebibytes.map(|size| (size * f64::from(1 << 20)).round() as u64),
            classes: if self.dataset == "cifar10" { Classes::Cifar10 } else { Classes::ImageNet },
            dataset: self.dataset,
            input: self.input,
            transforms_input: self.transform_input,
            parameters: Some(self.parameters),
            top1: self.top1,
            top5: self.top5,
            licence: self.licence,
            source: self.source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_line_of_the_file_is_an_entry() {
        let entries: Vec<Entry> = serde_json::from_str(include_str!("../data/published.json")).unwrap();
        assert_eq!(entries.len(), all().len());
        for entry in entries {
            let name = entry.name.clone();
            assert_eq!(entry.repository.is_some(), entry.address.is_none(), "{name}");
            assert_eq!(entry.repository.is_some(), entry.file.is_some(), "{name}");
            assert_eq!(entry.digest.is_some(), entry.digest.as_deref().and_then(Digest::new).is_some(), "{name}");
            let published = entry.published().unwrap();
            assert!(published.preparation.shape([3, 500, 333]).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_are_told_apart_and_a_network_has_one_default() {
        assert_eq!(all().map(|weights| &weights.name).collect::<HashSet<_>>().len(), all().len());
        assert_eq!(all().map(|weights| weights.origin.file()).filter(|file| file.ends_with(".th")).count(), 6);
        let networks: HashSet<_> = all().map(|weights| &weights.network).collect();
        for network in networks {
            let defaults = all().filter(|weights| weights.network == *network && weights.is_default);
            assert_eq!(defaults.count(), 1, "{network}");
        }
    }

    #[test]
    fn a_digest_is_the_one_in_the_name_of_the_file() {
        for weights in all().filter(|weights| weights.publisher == "torchvision") {
            let digest = weights.digest.as_ref().unwrap();
            assert!(weights.origin.file().contains(&format!("-{digest}.")), "{}", weights.name);
            assert!(weights.bytes.is_some_and(|bytes| bytes > 20_000_000), "{}", weights.name);
        }
        assert!(all().filter(|weights| weights.publisher != "torchvision").all(|weights| weights.digest.is_none()));
    }
}
