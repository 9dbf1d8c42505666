//! Which images are judged where a folder does not say.

use super::find::{Class, Labelled};
use crate::{Error, FolderConfig};
use cnn_network::seed;
use rand::Rng;
use std::path::Path;

/// A place from 0 to 1 for an image, by its name relative to the folder of the classes and the seed alone: whatever other
/// images come or go, it stays.
fn place(seed: u64, relative: &str) -> f64 {
    seed::stream(seed, &format!("split {relative}")).random()
}

/// A path relative to a folder, with `/` between its parts on every system.
pub(super) fn relative(folder: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Cuts the images of the classes in `folder` into those to train on and those to judge.
///
/// # Errors
/// [`Error::AllDrawn`] and [`Error::NoneDrawn`], which happen to classes of few images.
pub(super) fn drawn(config: &FolderConfig, folder: &Path, classes: Vec<Class>) -> Result<(Labelled, Labelled), Error> {
    let (mut train, mut test): (Labelled, Labelled) = (Vec::new(), Vec::new());
    for (class, label) in classes.into_iter().zip(0..) {
        let (images, before) = (class.files.len(), train.len());
        for file in class.files {
            let place = place(config.seed, &relative(folder, &file));
            let judged = match config.fold {
                Some(fold) => fold.holds(place),
                None => place < config.test_share,
            };
            if judged { &mut test } else { &mut train }.push((file, label));
        }
        if train.len() == before && images > 0 {
            return Err(Error::AllDrawn { path: class.path, images, fold: config.fold });
        }
    }
    match test.is_empty() {
        true => Err(Error::NoneDrawn { path: folder.to_path_buf(), images: train.len(), fold: config.fold }),
        false => Ok((train, test)),
    }
}

/// How the drawn images are told.
pub(super) fn in_words(config: &FolderConfig) -> String {
    match config.fold {
        Some(fold) => format!("fold {fold}, by the files' names and seed {}", config.seed),
        None => format!("a share of {} by the files' names and seed {}", config.test_share, config.seed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fold;
    use std::path::PathBuf;
    use std::time::Instant;

    /// As many files as a large folder has, none of which is there.
    fn classes(count: usize, files: usize) -> Vec<Class> {
        let class = |class: usize| Class {
            name: format!("class {class:06}"),
            path: PathBuf::from(format!("none/{class:06}")),
            files: (0..files).map(|file| PathBuf::from(format!("none/{class:06}/{file}"))).collect(),
        };
        (0..count).map(class).collect()
    }

    fn parts(config: &FolderConfig, classes: Vec<Class>) -> (Labelled, Labelled) {
        drawn(config, Path::new("none"), classes).unwrap()
    }

    #[test]
    fn a_split_of_many_files_is_near_its_share_and_takes_no_longer_a_file() {
        let config = FolderConfig::new("none");
        let timed = |count: usize, files: usize| {
            let classes = classes(count, files);
            let began = Instant::now();
            let (train, test) = parts(&config, classes);
            let time = began.elapsed();
            assert_eq!(train.len() + test.len(), count * files);
            // Four deviations of a binomial of a fifth.
            let all = (count * files) as f64;
            assert!((test.len() as f64 - 0.2 * all).abs() < 4.0 * (0.16 * all).sqrt(), "{}", test.len());
            assert!(train.is_sorted_by_key(|(_, label)| *label));
            time
        };
        // Quadratic, a class of twenty times as many files took four hundred times as long.
        let few = timed(1, 20_000);
        for (count, files) in [(1, 400_000), (4000, 100)] {
            let many = timed(count, files);
            assert!(many < few * 100, "{few:?} {many:?}");
        }
    }

    #[test]
    fn no_image_moves_when_others_come_or_go() {
        let config = FolderConfig { seed: 5, test_share: 0.3, ..FolderConfig::new("none") };
        let (_, test) = parts(&config, classes(3, 40));
        let mut fewer = classes(3, 40);
        fewer.iter_mut().for_each(|class| class.files = class.files.split_off(10));
        fewer[1].files.push(PathBuf::from("none/000001/new"));
        let (_, found) = parts(&config, fewer);
        let is_old = |(file, _): &&(PathBuf, u32)| !file.ends_with("new");
        let number = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().parse::<usize>().unwrap();
        let expected: Vec<_> = test.iter().filter(|(file, _)| number(file) >= 10).collect();
        assert_eq!(found.iter().filter(is_old).collect::<Vec<_>>(), expected);
        assert_ne!(parts(&FolderConfig { seed: 6, ..config }, classes(3, 40)).1, test);
    }

    #[test]
    fn every_image_is_in_one_fold() {
        let mut seen = Vec::new();
        for number in 1..=4 {
            let fold = Some(format!("{number}/4").parse().unwrap());
            let (train, test) = parts(&FolderConfig { fold, ..FolderConfig::new("none") }, classes(2, 50));
            assert!(train.len() + test.len() == 100 && test.len() > 10, "{}", test.len());
            seen.extend(test);
        }
        seen.sort();
        assert!(seen.len() == 100 && seen.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_class_without_images_on_a_side_is_told() {
        let all = FolderConfig { test_share: 0.999_999, ..FolderConfig::new("none") };
        let error = drawn(&all, Path::new("none"), classes(1, 3)).unwrap_err();
        assert!(matches!(&error, Error::AllDrawn { images: 3, .. }), "{error}");
        let none = FolderConfig { test_share: 1e-6, ..FolderConfig::new("none") };
        let error = drawn(&none, Path::new("none"), classes(1, 3)).unwrap_err();
        assert!(matches!(&error, Error::NoneDrawn { images: 3, .. }), "{error}");
        assert!(error.to_string().contains("a larger --test-share"), "{error}");
        // Beside folds a share and a folder val do nothing.
        let errors = (1..=40).filter_map(|number| {
            let fold = Some(Fold::new(number, 40).unwrap());
            drawn(&FolderConfig { fold, ..FolderConfig::new("none") }, Path::new("none"), classes(1, 1)).err()
        });
        let mut ends: Vec<String> = errors.map(|error| error.to_string().split_once("; ").unwrap().1.into()).collect();
        ends.sort();
        ends.dedup();
        let [none, all] = ["fewer folds or more images give some", "more folds or more images leave some to train on"];
        assert_eq!(ends, [none, all].map(|end| format!("another --seed, {end}")));
    }
}
