//! A folder looked through before training.

use cnn_data::{Error, FolderCheck, Reading, check};
use image::{Rgb, RgbImage};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn picture(path: &Path, shade: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_fn(12, 10, |x, y| Rgb([shade, (x * 20) as u8, (y * 20) as u8])).save(path).unwrap();
}

fn checked(path: &Path) -> Result<FolderCheck, Error> {
    check(path, Reading::default(), |_, _| {})
}

#[test]
fn a_sound_folder_is_counted() {
    let root = tempfile::tempdir().unwrap();
    for (class, count) in [("1", 4), ("10", 2), ("2", 2)] {
        for number in 0..count {
            picture(&root.path().join(class).join(format!("{number}.png")), class.len() as u8 * 100 + number + count);
        }
    }
    picture(&root.path().join("2/dark.jpg"), 0);
    fs::write(root.path().join("labels.txt"), "1,2,3").unwrap();
    let calls = AtomicUsize::new(0);
    let found = check(root.path(), Reading::default(), |done, all| {
        assert!(done <= all && all == 9, "{done} of {all}");
        calls.fetch_add(1, Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(calls.into_inner(), 9);
    assert_eq!((found.files, found.unsound.len(), found.strays.len()), (9, 0, 1));
    let counts: Vec<_> = found.classes.iter().map(|class| (class.class.as_str(), class.images)).collect();
    assert_eq!(counts, [("1", 4), ("10", 2), ("2", 3)]);
    assert_eq!(found.sizes.iter().collect::<Vec<_>>(), [(&[10, 12], &9)]);
    let kinds: Vec<_> = found.kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(kinds, [("JPEG RGB", 1), ("PNG RGB", 8)]);
    assert_eq!(found.imbalance(), Some(2.0));
    assert!(found.notes.iter().any(|note| matches!(note, cnn_data::ClassNote::NumberOrder { .. })));
}

#[test]
fn a_class_that_is_never_judged_and_doubtful_names_are_told() {
    let root = tempfile::tempdir().unwrap();
    for (number, path) in ["train/a/1.png", "train/b/1.png", "val/a/1.png"].into_iter().enumerate() {
        picture(&root.path().join(path), number as u8);
    }
    let said = |path: &Path| checked(path).unwrap().notes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(said(root.path()), ["val has no image of b"]);
    assert!(said(&root.path().join("val"))[0].starts_with("a is the only class"));
    let root = tempfile::tempdir().unwrap();
    picture(&root.path().join("Training/a/1.png"), 1);
    picture(&root.path().join("Testing/a/1.png"), 2);
    assert!(said(root.path())[0].starts_with("classes are called Testing, Training"));
    // A picture whose head says that it has more pixels than memory holds.
    let mut bomb = fs::read(root.path().join("Testing/a/1.png")).unwrap();
    bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let sum = crc32fast::hash(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&sum);
    let problem = cnn_data::Picture::decode("bomb", &bomb, Reading::default()).unwrap_err().to_string();
    assert!(problem.contains("max-pixels"), "{problem}");
}

#[test]
fn whatever_is_wrong_is_named() {
    let root = tempfile::tempdir().unwrap();
    for (number, path) in ["train/a/1.png", "train/a/2.png", "train/b/1.png", "val/c/1.png"].into_iter().enumerate() {
        picture(&root.path().join(path), number as u8);
    }
    fs::copy(root.path().join("train/a/1.png"), root.path().join("train/b/copy.png")).unwrap();
    fs::copy(root.path().join("train/a/2.png"), root.path().join("val/c/copy.png")).unwrap();
    fs::write(root.path().join("train/a/broken.jpg"), b"\xff\xd8\xff\xe0 and no more").unwrap();
    fs::create_dir_all(root.path().join("train/empty")).unwrap();
    let found = checked(root.path()).unwrap();
    assert!(!found.is_sound());
    let problems: Vec<_> = found
        .unsound
        .iter()
        .map(|unsound| (unsound.path.strip_prefix(root.path()).unwrap().to_str().unwrap(), unsound.problem.as_str()))
        .collect();
    assert_eq!(
        problems,
        [
            ("train/a/broken.jpg", "it is damaged: the JPEG has no frame within its first 16 bytes"),
            ("train/empty", "expected images of the class, found none"),
            ("val/c", "expected a class of train, found \"c\""),
        ]
    );
    let across: Vec<_> =
        found.duplicates.iter().map(|same| (same.paths.len(), same.across_classes, same.across_splits)).collect();
    assert_eq!(across, [(2, true, false), (2, true, true)]);
    assert!(matches!(checked(&root.path().join("nothing")), Err(Error::Read { .. })));
    assert!(matches!(checked(&root.path().join("train/empty")), Err(Error::NoClass { .. })));
}
