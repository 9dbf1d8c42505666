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
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    // What lies between two stars may as well be where it comes first.
    for part in middle.split('*') {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(end)
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
        assert!(fits("a*b*c", "abcbc") && fits("*é*", "aéb") && fits("a**b", "ab") && fits("**", ""));
        assert!(!fits("ab*ba", "aba") && !fits("a*bc*c", "abc") && !fits("*a*", "b") && !fits("a*b*a", "aba*"));
        // Every way to divide the name among the stars would take years.
        assert!(!fits(&("*".repeat(60) + "a"), "layer4.0.downsample.1.running_mean.weight.b"));
    }
}
