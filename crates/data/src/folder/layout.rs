//! Which folders in a folder hold images to train on and to judge.

use super::find::{self, entries, is_run};
use crate::Error;
use std::path::{Path, PathBuf};

/// The names of folders with images that choose the best epoch, in the order in which they are looked for.
const CHOOSING: [&str; 3] = ["val", "valid", "validation"];

/// A folder of images: its classes lie in folders with the names of splits, or in the folder itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// `train`, in any case.
    pub(crate) train: Option<PathBuf>,
    /// `val`, `valid` or `validation`, in any case.
    pub(crate) val: Option<PathBuf>,
    /// `test`, in any case.
    pub(crate) test: Option<PathBuf>,
    /// `test` beside `train` where its pictures lie in no folder of a class: nothing of it can be judged.
    pub(crate) unlabelled: Option<PathBuf>,
    /// What lies beside them and is passed over.
    pub(crate) beside: Vec<PathBuf>,
}

impl Layout {
    /// Looks what lies in a folder; a split that is there in two cases or under two names is an error. Without `train` beside them,
    /// folders named `val` and `test` are splits only where no other folder is there: else they are classes of those names.
    pub(crate) fn of(folder: &Path) -> Result<Self, Error> {
        let (mut layout, mut plain) = (Self::default(), false);
        let entries = entries(folder)?;
        let mut places: Vec<(usize, PathBuf)> = Vec::new();
        for path in &entries {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            let names = ["train", "test"].into_iter().chain(CHOOSING);
            match names.into_iter().position(|known| known == name).filter(|_| path.is_dir()) {
                Some(place) => places.push((place, path.clone())),
                None => {
                    plain |= path.is_dir() && !is_run(path);
                    layout.beside.push(path.clone());
                }
            }
        }
        places.sort();
        let mut twice = None;
        for (place, path) in places {
            let split = match place {
                0 => &mut layout.train,
                1 => &mut layout.test,
                _ => &mut layout.val,
            };
            match split {
                Some(first) => twice = twice.or_else(|| Some((first.clone(), path))),
                None => *split = Some(path),
            }
        }
        layout.beside.sort();
        if layout.train.is_none() && (plain || layout.splits().next().is_none()) {
            return Ok(Self::default());
        }
        if let Some((path, other)) = twice {
            return Err(Error::SplitTwice { path, other });
        }
        if let (Some(_), Some(test)) = (&layout.train, &layout.test)
            && find::is_without_classes(test)?
        {
            layout.unlabelled = layout.test.take();
        }
        Ok(layout)
    }

    /// The splits there are: train, val, test.
    pub(crate) fn splits(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.train, &self.val, &self.test].into_iter().flatten()
    }
}

/// The name of a split's folder as it is written there.
pub(crate) fn name(split: &Path) -> String {
    split.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(folders: &[&str]) -> (tempfile::TempDir, Layout) {
        let place = tempfile::tempdir().unwrap();
        folders.iter().for_each(|name| std::fs::create_dir(place.path().join(name)).unwrap());
        let layout = Layout::of(place.path()).unwrap();
        (place, layout)
    }

    #[test]
    fn splits_are_found_in_any_case_and_under_any_usual_name() {
        for choosing in ["val", "Valid", "VALIDATION"] {
            let (place, found) = layout(&["Train", choosing, "TEST", "labels"]);
            let at = |name: &str| Some(place.path().join(name));
            assert_eq!((found.train, found.val, found.test), (at("Train"), at(choosing), at("TEST")));
            assert_eq!(found.beside, [place.path().join("labels")]);
        }
    }

    #[test]
    fn a_split_in_two_cases_or_under_two_names_is_refused() {
        for pair in [["Val", "val"], ["val", "valid"], ["validation", "VAL"], ["Test", "TEST"]] {
            let place = tempfile::tempdir().unwrap();
            std::fs::create_dir(place.path().join("TRAIN")).unwrap();
            let [one, other] = pair.map(|name| place.path().join(name));
            std::fs::create_dir(&one).unwrap();
            // A file system may hold both names for one.
            if std::fs::create_dir(&other).is_ok() {
                let message = Layout::of(place.path()).unwrap_err().to_string();
                assert!(pair.iter().all(|name| message.contains(name)), "{message}");
            }
        }
    }

    #[test]
    fn classes_may_have_the_names_of_splits() {
        assert_eq!(layout(&["good", "test", "val"]).1, Layout::default());
        assert_eq!(layout(&["good", "val", "valid"]).1, Layout::default());
        let (place, found) = layout(&["test"]);
        assert_eq!((found.train, found.test), (None, Some(place.path().join("test"))));
        assert_eq!(layout(&[]).1, Layout::default());
    }
}
