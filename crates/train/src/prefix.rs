//! Tensors by the beginning of their names.

use cnn_core::Network;
use std::collections::BTreeSet;

/// Whether `name` is `prefix` or continues it behind a dot; `*` stands for any letters.
pub(crate) fn begins(name: &str, prefix: &str) -> bool {
    let stops = |end: usize| end == name.len() || prefix.ends_with('.') || name[end..].starts_with('.');
    let ends = (0..=name.len()).filter(|end| name.is_char_boundary(*end));
    ends.filter(|end| stops(*end)).any(|end| fits(prefix, &name[..end]))
}

/// Whether a name is as a pattern says, in which `*` stands for any letters.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => {
            let Some(left) = name.strip_prefix(start) else { return false };
            (0..=left.len()).filter(|at| left.is_char_boundary(*at)).any(|at| fits(rest, &left[at..]))
        }
    }
}

/// What is said of a prefix that no tensor of a network has.
pub(crate) fn nothing_begins(network: &Network) -> String {
    format!("no tensor of that name and none that goes on so behind a dot; its parts are {}", parts(network))
}

/// What a network's names begin with.
fn parts(network: &Network) -> String {
    let parts: BTreeSet<&str> = network.tensors().filter_map(|spec| spec.name.split('.').next()).collect();
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_with_a_part_of_the_name() {
        assert!(
            begins("conv1.weight", "conv1") && begins("conv1.weight", "conv1.weight") && begins("conv1.bias", "conv1.")
        );
        assert!(!begins("conv10.weight", "conv1") && !begins("conv1", "conv1.weight") && !begins("a.conv1", "conv1"));
        assert!(begins("block1.norm2.bias", "*norm2.bias") && begins("block1.norm2.bias", "block*.norm*.bias"));
        assert!(begins("block1.norm2.bias", "*.norm2") && !begins("block1.norm2.bias", "*.norm"));
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        assert!(fits("resnet*_cifar", "resnet110_preact_cifar") && fits("*", "") && fits("a*", "a"));
        assert!(!fits("resnet*_cifar", "resnet18") && !fits("a*b", "ac") && !fits("a", "ab"));
    }
}
