//! A folder of images looked through before it is trained on.

use crate::class_names::class_notes;
use crate::decode::Encoded;
use crate::folder::find::{self, Class};
use crate::folder::layout::{self, Layout};
use crate::repeated::content;
use crate::{ClassNote, Error, Reading, picture_file};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What [`check`] found in a folder.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FolderCheck {
    /// Number of files that were decoded, or should have been.
    pub files: usize,
    /// What is wrong, in the order of the paths.
    pub unsound: Vec<Unsound>,
    /// What is no picture and would be passed over.
    pub strays: Vec<PathBuf>,
    /// How many intact images each class of each split has.
    pub classes: Vec<ClassCount>,
    /// How many images have each height and width, upright.
    pub sizes: BTreeMap<[usize; 2], usize>,
    /// How many images are of each format and colours, as `JPEG RGB`.
    pub kinds: BTreeMap<String, usize>,
    /// Files that are the same byte for byte.
    pub duplicates: Vec<Duplicates>,
    /// What whoever made the folders may not have meant.
    pub notes: Vec<ClassNote>,
}

/// A file or a folder with which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsound {
    /// The file, or the class's folder.
    pub path: PathBuf,
    /// What is wrong, in a sentence.
    pub problem: String,
}

/// The images of a class in one split.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassCount {
    /// `train`, `val`, … where the folder is split.
    pub split: Option<String>,
    /// The class.
    pub class: String,
    /// Number of intact images.
    pub images: usize,
}

/// Files that are the same byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Duplicates {
    /// The files, two or more.
    pub paths: Vec<PathBuf>,
    /// Whether they lie in more than one class, so that a label is wrong.
    pub across_classes: bool,
    /// Whether they lie in more than one split, so that what is trained on is judged.
    pub across_splits: bool,
}

impl FolderCheck {
    /// Whether nothing is wrong: every picture intact, every class with images, and no picture in two classes or splits.
    pub fn is_sound(&self) -> bool {
        self.unsound.is_empty() && !self.duplicates.iter().any(|same| same.across_classes || same.across_splits)
    }

    /// How many times as many images the largest class of a split has as its smallest: of the split where it is most.
    pub fn imbalance(&self) -> Option<f64> {
        let mut splits: BTreeMap<&Option<String>, (usize, usize)> = BTreeMap::new();
        for class in self.classes.iter().filter(|class| class.images > 0) {
            let (least, most) = splits.entry(&class.split).or_insert((class.images, class.images));
            (*least, *most) = ((*least).min(class.images), (*most).max(class.images));
        }
        splits.values().map(|(least, most)| *most as f64 / *least as f64).max_by(f64::total_cmp)
    }
}

/// One file of a folder.
struct Member<'a> {
    split: usize,
    class: &'a str,
    path: &'a Path,
}

/// What became of it.
struct Seen {
    hash: u64,
    decoded: Result<([usize; 2], String), Error>,
}

/// Decodes every picture of a folder once, in parallel, and says what is wrong and what is there. The folder is one of
/// classes, or of `train`, `val` (`valid`, `validation`) and `test`, in any case, with classes in each. `progress` is told how many files
/// of how many are done, from any thread.
///
/// # Errors
/// [`Error::Read`] for a folder that cannot be read, [`Error::NoClass`] for one without classes. What is wrong with a file
/// is no error here: see [`FolderCheck::unsound`].
pub fn check(
    folder: impl AsRef<Path>,
    reading: Reading,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<FolderCheck, Error> {
    let folder = folder.as_ref();
    let layout = Layout::of(folder)?;
    let splits: Vec<String> = layout.splits().map(|split| layout::name(split)).collect();
    let mut check = FolderCheck { strays: layout.beside.clone(), ..FolderCheck::default() };
    let mut classes: Vec<(usize, Class)> = Vec::new();
    if splits.is_empty() {
        let found = find::classes(folder)?;
        check.strays.extend(found.strays);
        classes.extend(found.classes.into_iter().map(|class| (0, class)));
    }
    for (split, path) in layout.splits().enumerate() {
        let found = find::classes(path)?;
        check.strays.extend(found.strays);
        classes.extend(found.classes.into_iter().map(|class| (split, class)));
    }
    let members: Vec<Member<'_>> = classes
        .iter()
        .flat_map(|(split, class)| class.files.iter().map(|path| Member { split: *split, class: &class.name, path }))
        .collect();
    let done = AtomicUsize::new(0);
    let seen: Vec<Seen> = members
        .par_iter()
        .with_max_len(1)
        .map(|member| {
            let seen = look(member.path, reading);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, members.len());
            seen
        })
        .collect();
    check.files = members.len();
    check.duplicates = duplicates(&members, &seen);
    let mut intact: HashMap<(usize, &str), usize> = HashMap::new();
    for (member, Seen { decoded, .. }) in members.iter().zip(seen) {
        match decoded {
            Ok((size, kind)) => {
                *check.sizes.entry(size).or_default() += 1;
                *check.kinds.entry(kind).or_default() += 1;
                *intact.entry((member.split, member.class)).or_default() += 1;
            }
            Err(Error::Image { path, problem }) => check.unsound.push(Unsound { path, problem }),
            Err(Error::Read { path, source }) => {
                check.unsound.push(Unsound { path, problem: format!("cannot be read: {source}") });
            }
            Err(other) => check.unsound.push(Unsound { path: member.path.to_path_buf(), problem: other.to_string() }),
        }
    }
    check.classes = classes
        .iter()
        .map(|(split, class)| ClassCount {
            split: splits.get(*split).cloned(),
            class: class.name.clone(),
            images: intact.get(&(*split, class.name.as_str())).copied().unwrap_or(0),
        })
        .collect();
    check.unsound.extend(unsound_classes(&splits, &classes, &check.classes));
    check.unsound.sort_by(|a, b| a.path.cmp(&b.path));
    let first: Vec<String> =
        classes.iter().filter(|(split, _)| *split == 0).map(|(_, class)| class.name.clone()).collect();
    check.notes = class_notes(&first);
    check.notes.extend(layout.unlabelled.map(|split| ClassNote::Unlabelled { split }));
    for (number, split) in splits.iter().enumerate().skip(1) {
        let lacks = |class: &&String| !classes.iter().any(|(of, found)| *of == number && found.name == **class);
        let missing: Vec<String> = first.iter().filter(lacks).cloned().collect();
        if !missing.is_empty() {
            check.notes.push(ClassNote::NotIn { split: split.clone(), classes: missing });
        }
    }
    Ok(check)
}

fn look(path: &Path, reading: Reading) -> Seen {
    let mut hash = 0;
    let decoded = picture_file::bytes(path).and_then(|bytes| {
        hash = content(&bytes);
        let opened = Encoded { bytes: &bytes, reading }.open().map_err(picture_file::problem(path))?;
        Ok((opened.picture.size(), opened.kind))
    });
    Seen { hash, decoded }
}

/// Intact files of one content, by the first of each.
fn duplicates(members: &[Member<'_>], seen: &[Seen]) -> Vec<Duplicates> {
    let mut same: HashMap<u64, Vec<&Member<'_>>> = HashMap::new();
    for (member, seen) in members.iter().zip(seen).filter(|(_, seen)| seen.decoded.is_ok()) {
        same.entry(seen.hash).or_default().push(member);
    }
    let mut found: Vec<Duplicates> = same
        .into_values()
        .filter(|members| members.len() > 1)
        .map(|members| Duplicates {
            across_classes: members.iter().map(|member| member.class).collect::<BTreeSet<_>>().len() > 1,
            across_splits: members.iter().map(|member| member.split).collect::<BTreeSet<_>>().len() > 1,
            paths: members.into_iter().map(|member| member.path.to_path_buf()).collect(),
        })
        .collect();
    found.sort_by(|a, b| a.paths.cmp(&b.paths));
    found
}

/// Classes without an intact image, and those that the first split, which is trained on, does not have.
fn unsound_classes(splits: &[String], classes: &[(usize, Class)], counts: &[ClassCount]) -> Vec<Unsound> {
    let trained: BTreeSet<&str> =
        classes.iter().filter(|(split, _)| *split == 0).map(|(_, class)| class.name.as_str()).collect();
    let mut found = Vec::new();
    for ((split, class), count) in classes.iter().zip(counts) {
        if count.images == 0 {
            let problem = "expected images of the class, found none".to_string();
            found.push(Unsound { path: class.path.clone(), problem });
        }
        if *split > 0 && !trained.contains(class.name.as_str()) {
            let problem = format!("expected a class of {}, found {:?}", splits[0], class.name);
            found.push(Unsound { path: class.path.clone(), problem });
        }
    }
    found
}
