//! Laws of the classic files, on tiny ones written here.

use cnn_data::{Error, classic};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::Path;

const COUNT: usize = 3;

fn idx(magic: u32, sizes: &[u32], bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let header = std::iter::once(magic).chain(sizes.iter().copied()).flat_map(u32::to_be_bytes);
    header.chain(bytes).collect()
}

fn pictures(count: usize) -> Vec<u8> {
    idx(0x803, &[count as u32, 28, 28], (0..count * 784).map(|pixel| (pixel % 251) as u8))
}

fn labels(labels: &[u8]) -> Vec<u8> {
    idx(0x801, &[labels.len() as u32], labels.iter().copied())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A folder with the four files of MNIST, three images to train on and two to test on.
fn mnist_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    write("train-images-idx3-ubyte", pictures(COUNT));
    write("train-labels-idx1-ubyte", labels(&[5, 0, 9]));
    write("t10k-images-idx3-ubyte", pictures(2));
    write("t10k-labels-idx1-ubyte", labels(&[7, 2]));
    folder
}

#[track_caller]
fn fails(folder: &Path, words: &[&str]) {
    let error = classic::mnist(folder).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "expected {word:?} in {error:?}");
    }
    assert!(!error.contains('\n'));
}

#[test]
fn whole_files_are_read_under_every_spelling() {
    let folder = mnist_folder();
    let plain = classic::mnist(folder.path()).unwrap();
    assert_eq!((plain.train().labels(), plain.test().labels()), (&[5, 0, 9][..], &[7, 2][..]));
    assert_eq!((plain.train().shape(), plain.train().pixels()), ([1, 28, 28], &pictures(COUNT)[16..]));
    assert_eq!((plain.name(), plain.classes()[9].as_str()), ("mnist", "9"));
    let clothes = classic::fashion_mnist(folder.path()).unwrap();
    assert_eq!(
        (clothes.name(), clothes.classes()[9].as_str(), clothes.train()),
        ("fashion-mnist", "ankle boot", plain.train())
    );

    let dotted = tempfile::tempdir().unwrap();
    let packed = tempfile::tempdir().unwrap();
    let dotted_packed = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        let with_dot = name.replace("-idx", ".idx");
        fs::write(dotted.path().join(&with_dot), &bytes).unwrap();
        fs::write(packed.path().join(format!("{name}.gz")), gzip(&bytes)).unwrap();
        fs::write(dotted_packed.path().join(format!("{with_dot}.gz")), gzip(&bytes)).unwrap();
    }
    for folder in [dotted, packed, dotted_packed] {
        assert_eq!(classic::mnist(folder.path()).unwrap(), plain);
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error_that_names_file_and_byte() {
    let folder = mnist_folder();
    for (name, whole, cuts) in [
        (
            "train-images-idx3-ubyte",
            pictures(COUNT),
            vec![0, 1, 3, 4, 7, 8, 12, 15, 16, 17, 16 + 784, 16 + COUNT * 784 - 1],
        ),
        ("train-labels-idx1-ubyte", labels(&[5, 0, 9]), (0..11).collect()),
    ] {
        for cut in cuts {
            fs::write(folder.path().join(name), &whole[..cut]).unwrap();
            fails(folder.path(), &[name, &format!("ends at byte {cut}")]);
        }
        let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
        fs::write(folder.path().join(name), &longer).unwrap();
        fails(folder.path(), &[name, &format!("{} bytes in all", whole.len()), &format!("byte {}", longer.len())]);
        fs::write(folder.path().join(name), whole).unwrap();
    }
    classic::mnist(folder.path()).unwrap();
}

#[test]
fn headers_that_lie_are_errors() {
    let folder = mnist_folder();
    let images = folder.path().join("train-images-idx3-ubyte");
    fs::write(&images, labels(&[1, 2, 3])).unwrap();
    fails(folder.path(), &["train-images-idx3-ubyte", "0x00000803", "0x00000801"]);
    fs::write(&images, gzip(&pictures(COUNT))).unwrap();
    fails(folder.path(), &["train-images-idx3-ubyte", "0x00000803", "0x1f8b08"]);
    fs::write(&images, idx(0x803, &[u32::MAX; 3], [])).unwrap();
    fails(folder.path(), &["train-images-idx3-ubyte", "4294967295×4294967295×4294967295", "byte 16"]);
    fs::write(&images, idx(0x803, &[3, 2, 2], [0; 12])).unwrap();
    fails(folder.path(), &["train-images-idx3-ubyte", "[1, 28, 28]", "[1, 2, 2]"]);
    fs::write(&images, pictures(COUNT + 1)).unwrap();
    fails(folder.path(), &["train-labels-idx1-ubyte", "train-images-idx3-ubyte", "expected 4 labels", "found 3"]);
}

#[test]
fn a_label_of_ten_is_an_error() {
    let folder = mnist_folder();
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), labels(&[7, 10])).unwrap();
    fails(folder.path(), &["t10k-labels-idx1-ubyte", "label 10", "index 1", "10 classes"]);
}

#[test]
fn a_missing_file_is_named_with_every_name_it_could_have() {
    let folder = mnist_folder();
    fs::remove_file(folder.path().join("t10k-images-idx3-ubyte")).unwrap();
    fails(
        folder.path(),
        &[
            folder.path().to_str().unwrap(),
            "t10k-images-idx3-ubyte, t10k-images-idx3-ubyte.gz, t10k-images.idx3-ubyte, t10k-images.idx3-ubyte.gz",
        ],
    );
}

#[test]
fn a_damaged_gzip_file_is_an_error_that_names_it() {
    let folder = mnist_folder();
    let name = "train-images-idx3-ubyte";
    fs::remove_file(folder.path().join(name)).unwrap();
    let packed = gzip(&pictures(COUNT));
    let mut damaged = packed.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    for bytes in
        [damaged, packed[..packed.len() / 2].to_vec(), packed[..packed.len() - 4].to_vec(), b"no gzip".to_vec()]
    {
        fs::write(folder.path().join(format!("{name}.gz")), bytes).unwrap();
        assert!(matches!(classic::mnist(folder.path()), Err(Error::Gzip { .. })));
        fails(folder.path(), &["train-images-idx3-ubyte.gz", "intact gzip"]);
    }
}

/// A gzip file of `head` and so many zeros after it, made a piece at a time.
fn bomb(head: &[u8], zeros: usize) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(head).unwrap();
    for _ in 0..zeros >> 20 {
        packer.write_all(&[0; 1 << 20]).unwrap();
    }
    packer.finish().unwrap()
}

#[test]
fn a_gzip_file_is_read_to_the_end_that_its_header_names_and_no_further() {
    let folder = mnist_folder();
    let name = "train-images-idx3-ubyte";
    fs::remove_file(folder.path().join(name)).unwrap();
    let header = |count: u32, side: u32| idx(0x803, &[count, side, side], []);
    for (head, words) in [
        (
            header(3, 28),
            ["expected 16 bytes of header and images of 3×28×28, 2368 bytes in all", "that the file goes on"],
        ),
        (header(3, 4096), ["expected images of [1, 28, 28]", "found [1, 4096, 4096]"]),
        (header(u32::MAX, 28), ["expected at most 1.00 GB", "images of 4294967295×28×28, 3.37 TB in all"]),
        // Known from the headers alone: no image is unpacked.
        (header(1_000_000, 28), ["train-labels-idx1-ubyte: expected 1000000 labels", "found 3"]),
        (vec![0; 16], ["expected the magic number 0x00000803", "found 0x00000000"]),
    ] {
        fs::write(folder.path().join(format!("{name}.gz")), bomb(&head, 100 << 20)).unwrap();
        fails(folder.path(), &["train-images-idx3-ubyte.gz", words[0], words[1]]);
    }
    fs::write(folder.path().join(format!("{name}.gz")), gzip(&[header(3, 28), vec![7; 100]].concat())).unwrap();
    fails(folder.path(), &["train-images-idx3-ubyte.gz", "2368 bytes in all", "that the file ends at byte 116"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = mnist_folder();
    let name = "train-images-idx3-ubyte";
    fs::remove_file(folder.path().join(name)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join(name)).unwrap();
    fails(folder.path(), &[name, "expected a regular file, found a device"]);
    fs::remove_file(folder.path().join(name)).unwrap();
    for name in [name.to_string(), format!("{name}.gz")] {
        let path = folder.path().join(&name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        fails(folder.path(), &[&name, "expected a regular file, found a named pipe"]);
        fs::remove_file(&path).unwrap();
    }
    // Without a byte on the disk.
    let sparse = fs::File::create(folder.path().join(name)).unwrap();
    sparse.set_len(1 << 40).unwrap();
    fails(folder.path(), &[name, "0x00000803"]);
    (&sparse).write_all(&pictures(0)[..16]).unwrap();
    fails(folder.path(), &[name, "16 bytes in all", "ends at byte 1099511627776"]);
}

#[test]
fn cifar_has_a_bound() {
    let folder = cifar_folder("", false);
    fs::remove_file(folder.path().join("data_batch_2.bin")).unwrap();
    fs::write(folder.path().join("data_batch_2.bin.gz"), bomb(&[], 300 << 20)).unwrap();
    let error = classic::cifar10(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("data_batch_2.bin.gz: expected at most 245.8 MB, found more"), "{error}");
}

const RECORD: usize = 3073;

fn records(labels: &[u8]) -> Vec<u8> {
    labels
        .iter()
        .flat_map(|label| std::iter::once(*label).chain((0..3072).map(move |pixel| (pixel / 1024) as u8 + 10 * label)))
        .collect()
}

/// A folder with the six files of CIFAR-10, two records each, packed where `pack` says so.
fn cifar_folder(below: &str, pack: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join(below)).unwrap();
    for (index, name) in
        (1..=5).map(|batch| format!("data_batch_{batch}.bin")).chain(["test_batch.bin".into()]).enumerate()
    {
        let bytes = records(&[index as u8, 9]);
        let (name, bytes) = if pack { (format!("{name}.gz"), gzip(&bytes)) } else { (name, bytes) };
        fs::write(folder.path().join(below).join(name), bytes).unwrap();
    }
    folder
}

#[test]
fn cifar_is_read_from_the_folder_or_the_one_below() {
    let plain = classic::cifar10(cifar_folder("", false).path()).unwrap();
    assert_eq!(plain.train().labels(), [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]);
    assert_eq!((plain.test().labels(), plain.test().shape()), (&[5, 9][..], [3, 32, 32]));
    let image = plain.train().image(4).unwrap();
    assert_eq!((image[0], image[1024], image[2048]), (20, 21, 22));
    assert_eq!(classic::cifar10(cifar_folder("cifar-10-batches-bin", false).path()).unwrap(), plain);
    assert_eq!(classic::cifar10(cifar_folder("", true).path()).unwrap(), plain);
}

#[test]
fn cifar_100_has_two_labels_of_which_the_second_is_the_class() {
    let folder = tempfile::tempdir().unwrap();
    let record = |coarse: u8, fine: u8| [&[coarse, fine][..], &[fine; 1024], &[1; 1024], &[2; 1024]].concat();
    let below = folder.path().join("cifar-100-binary");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("train.bin"), [record(11, 19), record(15, 99)].concat()).unwrap();
    fs::write(below.join("test.bin"), record(10, 0)).unwrap();
    let data = classic::cifar100(folder.path()).unwrap();
    assert_eq!((data.train().labels(), data.test().labels()), (&[19, 99][..], &[0][..]));
    let image = data.train().image(1).unwrap();
    assert_eq!((image.len(), image[0], image[1024], image[3071]), (3072, 99, 1, 2));
    assert_eq!((data.classes().len(), &*data.classes()[19], &*data.classes()[99]), (100, "cattle", "worm"));
    fs::write(below.join("test.bin"), record(0, 100)).unwrap();
    let error = classic::cifar100(folder.path()).unwrap_err().to_string();
    assert!(error.contains("test.bin: label 100 at index 0"), "{error}");
    fs::write(below.join("test.bin"), &record(0, 1)[..3073]).unwrap();
    let error = classic::cifar100(folder.path()).unwrap_err().to_string();
    assert!(error.contains("whole records of 3074 bytes"), "{error}");
}

#[test]
fn damaged_cifar_files_are_errors() {
    let folder = cifar_folder("", false);
    let path = folder.path().join("data_batch_3.bin");
    for cut in [0, 1, RECORD - 1, RECORD + 1, 2 * RECORD - 1] {
        fs::write(&path, &records(&[1, 2])[..cut]).unwrap();
        let error = classic::cifar10(folder.path()).unwrap_err().to_string();
        assert!(error.contains("data_batch_3.bin") && error.contains(&format!("byte {cut}")), "{error}");
    }
    fs::write(&path, records(&[1, 10])).unwrap();
    let error = classic::cifar10(folder.path()).unwrap_err().to_string();
    assert!(error.contains("data_batch_3.bin: label 10 at index 1"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = classic::cifar10(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cifar-10-batches-bin/data_batch_3.bin.gz"), "{error}");
}

#[test]
fn files_without_an_image_are_named() {
    for prefix in ["train", "t10k"] {
        let folder = mnist_folder();
        fs::write(folder.path().join(format!("{prefix}-images-idx3-ubyte")), pictures(0)).unwrap();
        fs::write(folder.path().join(format!("{prefix}-labels-idx1-ubyte")), labels(&[])).unwrap();
        fails(folder.path(), &[prefix, "-images-idx3-ubyte: expected at least 1 image, found 0"]);
    }
}
