//! The published files of MNIST.

use cnn_data::{Preparation, classic};
use cnn_testing::{Data, Tests};
use std::fs::File;
use std::io::Read;
use std::path::Path;

fn main() {
    let mnist = Data::MNIST.find();
    Tests::new()
        .needing(&mnist, "mnist_is_what_everyone_says_it_is", mnist_is_what_everyone_says_it_is)
        .needing(&mnist, "a_packed_file_reads_like_a_plain_one", a_packed_file_reads_like_a_plain_one)
        .run()
}

fn mnist_is_what_everyone_says_it_is(folder: &Path) {
    let data = classic::mnist(folder).unwrap();
    assert_eq!((data.train().len(), data.test().len()), (60_000, 10_000));
    assert_eq!(data.train().labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(data.test().labels()[..5], [7, 2, 1, 0, 4]);
    let found = Preparation::of(data.train()).unwrap();
    let known = Preparation::mnist();
    assert!((found.mean[0] - known.mean[0]).abs() < 1e-4 && (found.std[0] - known.std[0]).abs() < 1e-4, "{found:?}");
}

fn a_packed_file_reads_like_a_plain_one(folder: &Path) {
    let plain = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains("ubyte")) else {
            continue;
        };
        let mut reader: Box<dyn Read> = Box::new(File::open(&path).unwrap());
        if name.ends_with(".gz") {
            reader = Box::new(flate2::read::GzDecoder::new(reader));
        }
        let mut writer = File::create(plain.path().join(name.trim_end_matches(".gz"))).unwrap();
        std::io::copy(&mut reader, &mut writer).unwrap();
    }
    assert_eq!(classic::mnist(plain.path()).unwrap(), classic::mnist(folder).unwrap());
}
