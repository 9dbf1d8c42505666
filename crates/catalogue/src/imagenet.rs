//! The 1000 classes of ImageNet (ILSVRC 2012).

use std::sync::LazyLock;

/// A class a line: its WordNet identifier, which names its folder, and torchvision's name. In the order of the outputs.
const CLASSES: &str = include_str!("../data/imagenet.tsv");

static PARTS: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| CLASSES.lines().filter_map(|line| line.split_once('\t')).collect());

/// The names of the classes in the order of the outputs, as torchvision writes them.
///
/// ```
/// assert_eq!(cnn_catalogue::imagenet::names().nth(207), Some("golden retriever"));
/// ```
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    PARTS.iter().map(|(_, name)| *name)
}

/// The WordNet identifiers of the classes in the order of the outputs, `n01440764` first. ImageNet's folders are named so.
pub fn synsets() -> impl ExactSizeIterator<Item = &'static str> {
    PARTS.iter().map(|(synset, _)| *synset)
}

/// The name of the class whose WordNet identifier this is.
///
/// ```
/// use cnn_catalogue::imagenet::name_of;
///
/// assert_eq!(name_of("n01440764"), Some("tench"));
/// assert_eq!(name_of("tench"), None);
/// ```
pub fn name_of(synset: &str) -> Option<&'static str> {
    // The lines are in the order of the identifiers.
    let found = PARTS.binary_search_by(|(known, _)| (*known).cmp(synset)).ok()?;
    PARTS.get(found).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_a_thousand_classes_each_named_once() {
        assert_eq!((names().len(), CLASSES.lines().count()), (1000, 1000));
        assert_eq!(names().collect::<HashSet<_>>().len(), 1000);
        assert!(synsets().is_sorted() && synsets().all(|synset| synset.len() == 9 && synset.starts_with('n')));
        assert!(synsets().zip(names()).all(|(synset, name)| name_of(synset) == Some(name)));
    }
}
