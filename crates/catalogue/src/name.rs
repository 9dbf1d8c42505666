//! Weights by their name.

use crate::timm::Config;
use crate::{Error, Options, Origin, Published, Repository, Result, all};
use cnn_core::error::near_names;

/// The published weights of this name, as [`find_with`] with what the environment says.
///
/// ```
/// let weights = cnn_catalogue::find("resnet50")?;
/// assert_eq!(weights.name, "resnet50:imagenet1k_v2");
/// assert_eq!(weights.top1, Some(80.858));
/// assert_eq!(weights.input, [3, 224, 224]);
/// # Ok::<(), cnn_catalogue::Error>(())
/// ```
///
/// # Errors
///
/// As [`find_with`].
pub fn find(name: &str) -> Result<Published> {
    find_with(name, &Options::new())
}

/// The published weights of this name.
///
/// | written | means |
/// | --- | --- |
/// | `resnet50` | the usual ones: torchvision's newest, or timm's where torchvision has none |
/// | `resnet50:imagenet1k_v1`, `ResNet50_Weights.IMAGENET1K_V1` | torchvision's |
/// | `resnet50:a1_in1k`, `resnet50.a1_in1k`, `timm/resnet50.a1_in1k` | timm's |
/// | `hf:owner/repository`, `hf:owner/repository@revision` | those of a repository of the Hugging Face hub in timm's form; its `config.json` is read, and fetched unless it is in the cache |
///
/// Upper case makes no difference but in a repository's name.
///
/// # Errors
///
/// [`Error::Name`] with near names; [`Error::NoWeights`] for a network here without published weights;
/// [`Error::Repository`] for a repository's name that is none; for a repository the errors of [`Published::fetch`],
/// [`Error::Config`] and [`Error::Architecture`].
pub fn find_with(name: &str, options: &Options) -> Result<Published> {
    if name.starts_with("hf:") {
        return of_repository(&name.parse()?, options);
    }
    let wanted = plain(name);
    let fits = |known: &Published| known.name == wanted || (known.is_default && known.network == wanted);
    all().find(|known| fits(known)).cloned().ok_or_else(|| unknown(name, &wanted))
}

fn of_repository(repository: &Repository, options: &Options) -> Result<Published> {
    match all().find(|known| is_in(known, repository)) {
        Some(known) => Ok(known.clone()),
        None => Config::fetched(repository, options)?.published(repository),
    }
}

fn is_in(weights: &Published, repository: &Repository) -> bool {
    matches!(&weights.origin, Origin::Hub { repository: held, .. } if held == repository)
}

/// The name as the catalogue writes it.
fn plain(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase().replace("_weights.", ":");
    let name = name.strip_prefix("timm/").unwrap_or(&name);
    match name.contains(':') {
        true => name.trim_end_matches(":default").to_string(),
        false => name.replacen('.', ":", 1),
    }
}

fn unknown(found: &str, wanted: &str) -> Error {
    let network = wanted.split(':').next().unwrap_or_default();
    let of_network: Vec<&str> = all().filter(|known| known.network == network).map(|known| &*known.name).collect();
    if !of_network.is_empty() {
        // The network is right: what is like the name comes first, and some of the others where nothing is.
        let near = near_names(
            wanted.get(network.len()..).unwrap_or_default(),
            of_network.iter().filter_map(|name| name.get(network.len()..)),
        );
        let near = near.into_iter().map(|tag| format!("{network}{tag}")).collect::<Vec<_>>();
        let near = if near.is_empty() { of_network.iter().take(3).map(ToString::to_string).collect() } else { near };
        return Error::Name { found: found.to_string(), near };
    }
    match cnn_zoo::find(network) {
        Ok(entry) => Error::NoWeights { network: entry.name.to_string() },
        Err(_) => {
            let defaults = all().filter(|known| known.is_default).map(|known| &*known.network);
            Error::Name { found: found.to_string(), near: near_names(network, defaults) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> String {
        find_with(name, &Options::new().offline()).unwrap().name
    }

    #[test]
    fn names_are_taken_as_their_publishers_write_them() {
        for network in ["alexnet", "vgg16", "googlenet", "inception_v3", "densenet121", "resnet18"] {
            assert_eq!(found(network), format!("{network}:imagenet1k_v1"));
        }
        assert_eq!(found("resnet50"), "resnet50:imagenet1k_v2");
        assert_eq!(found("resnet50:default"), "resnet50:imagenet1k_v2");
        assert_eq!(found("ResNet50_Weights.IMAGENET1K_V1"), "resnet50:imagenet1k_v1");
        assert_eq!(found("Wide_ResNet50_2_Weights.DEFAULT"), "wide_resnet50_2:imagenet1k_v2");
        assert_eq!(found("densenet121.ra_in1k"), "densenet121:ra_in1k");
        assert_eq!(found("densenet121:ra_in1k"), "densenet121:ra_in1k");
        assert_eq!(found("timm/vgg16.tv_in1k"), "vgg16:tv_in1k");
        assert_eq!(found("hf:timm/vgg16.tv_in1k"), "vgg16:tv_in1k");
        assert_eq!(found("inception_v4"), "inception_v4:tf_in1k");
        assert_eq!(found("inception_resnet_v2"), "inception_resnet_v2:tf_in1k");
        assert_eq!(found("resnet20_cifar"), "resnet20_cifar:akamaster");
    }

    #[test]
    fn what_is_not_found_gets_near_names() {
        let error = |name: &str| find_with(name, &Options::new().offline()).unwrap_err().to_string();
        let near = "no published weights are named resnet50:imagenet1k_v3; \
                    did you mean resnet50:imagenet1k_v1, resnet50:imagenet1k_v2, ";
        assert!(error("resnet50:imagenet1k_v3").starts_with(near));
        assert!(error("resnet50:zzz").contains("; did you mean resnet50:imagenet1k_v1, "));
        assert!(error("resnet5o").contains("; did you mean resnet50, "));
        assert!(error("lenet").starts_with("no weights of lenet are published"));
        assert_eq!(error(""), "no published weights are named ");
        // A path of a file that is not there asks no hub.
        assert!(error("runs/best.safetensors").starts_with("no published weights are named runs/best.safetensors"));
        assert!(error("hf:resnet50").starts_with("\"resnet50\" names no repository: it has no owner"));
    }
}
