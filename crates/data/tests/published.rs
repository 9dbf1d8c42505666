//! The published files, where they are: `MNIST_DIR`, or `mnist-idx` in the data folder beside the checkout.

use std::path::PathBuf;

use cnn_data::{Preparation, classic};

/// The folder of MNIST's four files, or `None` after a line that says so.
fn mnist_folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/mnist-idx");
    let folder = std::env::var_os("MNIST_DIR").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is not there; MNIST_DIR names another folder", folder.display());
    None
}

#[test]
fn mnist_is_what_everyone_says_it_is() {
    let Some(folder) = mnist_folder() else { return };
    let data = classic::mnist(folder).unwrap();
    assert_eq!((data.train().len(), data.test().len()), (60_000, 10_000));
    assert_eq!(data.train().labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(data.test().labels()[..5], [7, 2, 1, 0, 4]);
    let found = Preparation::of(data.train()).unwrap();
    let known = Preparation::mnist();
    assert!((found.mean[0] - known.mean[0]).abs() < 1e-4 && (found.std[0] - known.std[0]).abs() < 1e-4, "{found:?}");
}

#[test]
fn a_packed_file_reads_like_a_plain_one() {
    let Some(folder) = mnist_folder() else { return };
    let plain = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains("ubyte")) else {
            continue;
        };
        let mut reader: Box<dyn std::io::Read> = Box::new(std::fs::File::open(&path).unwrap());
        if name.ends_with(".gz") {
            reader = Box::new(flate2::read::GzDecoder::new(reader));
        }
        let mut writer = std::fs::File::create(plain.path().join(name.trim_end_matches(".gz"))).unwrap();
        std::io::copy(&mut reader, &mut writer).unwrap();
    }
    assert_eq!(classic::mnist(plain.path()).unwrap(), classic::mnist(folder).unwrap());
}
