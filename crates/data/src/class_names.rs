//! The classes of images and those that weights know, brought together by name.

use crate::{Error, Images};
use cnn_network::error::near_names;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

/// Images whose labels are those of the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Matched {
    /// The images; a label is an index into the classes of the weights.
    pub images: Images,
    /// What whoever reads a figure of these images should know.
    pub notes: Vec<ClassNote>,
}

/// Something about the classes that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassNote {
    /// Classes that the weights know and of which there is no image: an answer may name them, and is wrong then.
    Absent {
        /// Their names, in the order of the weights.
        classes: Vec<String>,
        /// How many classes the weights know.
        of: usize,
    },
    /// The classes are in another order than those of the weights, so that labels by place would have been wrong.
    Reordered,
    /// The names are numbers, and in their order by text, which is torchvision's, `10` comes before `2`.
    NumberOrder {
        /// The first two names that stand in another order than their numbers.
        first: [String; 2],
    },
    /// There is one class: whatever is answered is right.
    Single {
        /// Its name.
        class: String,
    },
    /// Classes that are trained on and of which a split has no image.
    NotIn {
        /// The split.
        split: String,
        /// Their names.
        classes: Vec<String>,
    },
    /// Pictures of a split lie in no folder of a class, so that nothing of them can be judged: they are left out.
    Unlabelled {
        /// The split's folder.
        split: PathBuf,
    },
    /// Classes have names that usually stand for parts of a data set.
    LikeSplits {
        /// Their names.
        classes: Vec<String>,
    },
}

impl fmt::Display for ClassNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { classes, of } => {
                let shown: Vec<&str> = classes.iter().take(5).map(String::as_str).collect();
                let more = if classes.len() > shown.len() { ", …" } else { "" };
                write!(
                    f,
                    "{} of the {of} classes of the weights {} no image: {}{more}",
                    classes.len(),
                    if classes.len() == 1 { "has" } else { "have" },
                    shown.join(", ")
                )
            }
            Self::Reordered => write!(f, "the classes are in another order than in the weights: matched by name"),
            Self::NumberOrder { first: [a, b] } => {
                write!(f, "the classes are numbers and sorted by text, as torchvision sorts them: {a} comes before {b}")
            }
            Self::Single { class } => write!(
                f,
                "{class} is the only class, so that every answer is right: folders in a class belong to it; \
                 are the classes one folder further down?"
            ),
            Self::NotIn { split, classes } => {
                write!(f, "{split} has no image of {}", classes.join(", "))
            }
            Self::Unlabelled { split } => write!(
                f,
                "{}: its pictures lie in no folder of a class and are left out: predict tells what is on them",
                split.display()
            ),
            Self::LikeSplits { classes } => write!(
                f,
                "classes are called {}: parts of a data set lie in folders train, val and test, with the classes in each",
                classes.join(", ")
            ),
        }
    }
}

/// Gives `images`, whose labels are indices into `found`, the labels of the same names in `known`, the classes of weights.
///
/// A class that has no image in `images` need not be known.
///
/// ```
/// use cnn_data::{ClassNote, Images, match_classes};
///
/// let images = Images::new([1, 1, 1], vec![0; 3], vec![0, 1, 1])?;
/// let names = |names: [&str; 2]| names.map(str::to_string);
/// let matched = match_classes(&images, &names(["ant", "bee"]), &names(["bee", "ant"]))?;
/// assert_eq!(matched.images.labels(), [1, 0, 0]);
/// assert_eq!(matched.notes, [ClassNote::Reordered]);
/// # Ok::<(), cnn_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::ForeignClass`] for a class of an image that the weights do not know, [`Error::AmbiguousClass`] for one whose
/// name several of theirs have, [`Error::Label`] for a label beyond `found`.
pub fn match_classes(images: &Images, found: &[String], known: &[String]) -> Result<Matched, Error> {
    images.check_labels("the images", found.len())?;
    let mut places: HashMap<&str, (u32, usize)> = HashMap::new();
    for (name, place) in known.iter().zip(0..) {
        places.entry(name).or_insert((place, 0)).1 += 1;
    }
    let mut used = vec![false; found.len()];
    images.labels().iter().for_each(|label| used[*label as usize] = true);
    let mut map = vec![0; found.len()];
    for ((class, place), _) in found.iter().zip(&mut map).zip(&used).filter(|(_, used)| **used) {
        *place = match places.get(class.as_str()) {
            Some((place, 1)) => *place,
            Some((_, count)) => return Err(Error::AmbiguousClass { class: class.clone(), count: *count }),
            None => return Err(foreign(class, known, !images.in_memory())),
        };
    }
    let labels: Vec<u32> = images.labels().iter().map(|label| map[*label as usize]).collect();
    let mut notes = Vec::new();
    let mut seen = vec![false; known.len()];
    labels.iter().for_each(|label| seen[*label as usize] = true);
    let absent: Vec<String> = known.iter().zip(seen).filter(|(_, seen)| !seen).map(|(name, _)| name.clone()).collect();
    if !absent.is_empty() {
        notes.push(ClassNote::Absent { classes: absent, of: known.len() });
    }
    let order: Vec<u32> = map.iter().zip(&used).filter(|(_, used)| **used).map(|(place, _)| *place).collect();
    if !order.is_sorted() {
        notes.push(ClassNote::Reordered);
    }
    notes.extend(number_order(found));
    Ok(Matched { images: images.relabelled(labels), notes })
}

/// What whoever made the folders of these classes may not have meant.
pub fn class_notes(classes: &[String]) -> Vec<ClassNote> {
    const SPLITS: [&str; 10] =
        ["train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval", "evaluation"];
    let mut notes = Vec::new();
    if let [class] = classes {
        notes.push(ClassNote::Single { class: class.clone() });
    }
    let like: Vec<String> =
        classes.iter().filter(|class| SPLITS.contains(&&*class.trim().to_lowercase())).cloned().collect();
    if like.len() > 1 {
        notes.push(ClassNote::LikeSplits { classes: like });
    }
    notes.extend(number_order(classes));
    notes
}

/// Whether the names are all numbers and their order is not that of the numbers: whoever numbered the folders may be
/// surprised by it.
fn number_order(classes: &[String]) -> Option<ClassNote> {
    let numbers: Option<Vec<u64>> = classes.iter().map(|name| name.parse().ok()).collect();
    let place = numbers?.windows(2).position(|pair| pair[0] > pair[1])?;
    Some(ClassNote::NumberOrder { first: [classes[place].clone(), classes[place + 1].clone()] })
}

fn foreign(class: &str, known: &[String], of_folder: bool) -> Error {
    let nearest = near_names(class, known.iter().map(String::as_str)).into_iter().next();
    Error::ForeignClass { class: class.to_string(), count: known.len(), nearest, of_folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn images(labels: &[u32]) -> Images {
        Images::new([1, 1, 1], vec![7; labels.len()], labels.to_vec()).unwrap()
    }

    #[test]
    fn labels_follow_the_names() {
        let known = names(&["cat", "dog", "ant", "bee"]);
        let matched = match_classes(&images(&[0, 1, 2, 1]), &names(&["ant", "cat", "dog"]), &known).unwrap();
        assert_eq!(matched.images.labels(), [2, 0, 1, 0]);
        assert_eq!(matched.images.pixels(), [7; 4]);
        let absent = ClassNote::Absent { classes: names(&["bee"]), of: 4 };
        assert_eq!(matched.notes, [absent, ClassNote::Reordered]);
        assert_eq!(matched.notes[0].to_string(), "1 of the 4 classes of the weights has no image: bee");
        let same = match_classes(&images(&[0, 3, 1, 2]), &known, &known).unwrap();
        assert_eq!((same.images.labels(), same.notes), (&[0, 3, 1, 2][..], vec![]));
    }

    #[test]
    fn a_class_that_the_weights_do_not_know_is_named() {
        let known = names(&["cat", "golden_retriever"]);
        let found = names(&["cat", "Golden retriever"]);
        let error = match_classes(&images(&[0, 1]), &found, &known).unwrap_err().to_string();
        assert_eq!(
            error,
            "\"Golden retriever\" is no class of the weights, which know 2 (the closest is \"golden_retriever\"): \
             these weights are of other classes; judge them on a data set of theirs, or train on this one"
        );
        let error = foreign("bee", &known, true).to_string();
        assert!(error.ends_with("which know 2: rename its folder, move it away, or train on it"), "{error}");
        // Without an image of it nobody asks.
        assert_eq!(match_classes(&images(&[0, 0]), &found, &known).unwrap().images.labels(), [0, 0]);
        let twice = names(&["crane", "crane", "cat"]);
        let error = match_classes(&images(&[0]), &names(&["crane"]), &twice).unwrap_err();
        assert!(matches!(error, Error::AmbiguousClass { count: 2, .. }), "{error}");
        assert!(matches!(match_classes(&images(&[1]), &names(&["cat"]), &known), Err(Error::Label { .. })));
    }

    #[test]
    fn numbers_by_text_are_said() {
        let found = names(&["1", "10", "2"]);
        let matched = match_classes(&images(&[0, 1, 2]), &found, &names(&["1", "2", "10"])).unwrap();
        assert_eq!(matched.images.labels(), [0, 2, 1]);
        let said: Vec<String> = matched.notes.iter().map(ClassNote::to_string).collect();
        assert_eq!(said[1], "the classes are numbers and sorted by text, as torchvision sorts them: 10 comes before 2");
        assert_eq!(number_order(&names(&["0", "1", "2"])), None);
        assert_eq!(number_order(&names(&["10", "2", "x"])), None);
        let said = |classes: &[&str]| class_notes(&names(classes)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(said(&["flowers"])[0].starts_with("flowers is the only class"));
        assert!(said(&["Testing", "Training"])[0].starts_with("classes are called Testing, Training"));
        assert!(said(&["test", "car", "bus"]).is_empty() && said(&["2", "10"]).is_empty());
        assert!(said(&["10", "2"])[0].contains("10 comes before 2"));
    }
}
