//! Damaged files of every format, at random from a seed: an error or images, never a panic, and never without end.
//!
//! `MUTATIONS=100000 cargo test --package cnn-data --test all mutations::` tries more of each.

use cnn_data::{Damage, FolderConfig, Picture, Reading, classic, folder};
use cnn_network::seed::{self, Rng};
use flate2::{Compression, write::GzEncoder};
use rand::Rng as _;
use safetensors::SafeTensors;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Mutations of each file.
fn count() -> u64 {
    std::env::var("MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

/// Bytes changed, put to extremes, moved, doubled, left out or cut off.
fn mutated(whole: &[u8], draws: &mut Rng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..draws.random_range(1..=4) {
        let length = bytes.len().max(1);
        let (place, other) = (draws.random_range(0..length), draws.random_range(0..length));
        let piece = draws.random_range(1..=8).min(length - place);
        match draws.random_range(0..8) {
            0 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << (other % 8)),
            1 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte = other as u8),
            2 => bytes.iter_mut().skip(place).take(piece).for_each(|byte| *byte = 0xff),
            3 => bytes.iter_mut().skip(place).take(piece).for_each(|byte| *byte = 0),
            4 => bytes.truncate(place),
            5 => drop(bytes.drain(place..(place + piece).min(bytes.len()))),
            6 => {
                let copied: Vec<u8> = bytes.iter().skip(place).take(piece).copied().collect();
                bytes.splice(other.min(bytes.len())..other.min(bytes.len()), copied);
            }
            // A length or a size, most of which are four bytes.
            _ => {
                bytes.iter_mut().skip(place).take(4).zip(draws.random::<u32>().to_be_bytes()).for_each(|(a, b)| *a = b)
            }
        }
    }
    bytes
}

/// Files of every format and mode, as the Python Imaging Library writes them.
fn pictures() -> Vec<(String, Vec<u8>)> {
    let goldens = include_bytes!("../../../tests/goldens/pictures.safetensors");
    let tensors = SafeTensors::deserialize(goldens).unwrap();
    let mut pictures: Vec<_> = tensors.iter().map(|(name, file)| (name.to_string(), file.data().to_vec())).collect();
    // Eight notes of a camera are damaged alike.
    pictures.retain(|(name, _)| !name.starts_with("jpeg.turned") || name.ends_with('6'));
    pictures.sort();
    pictures
}

#[test]
fn damaged_pictures_are_errors_or_pictures() {
    let mut outcomes = [0, 0];
    for (name, whole) in pictures() {
        let reading = Reading { max_pixels: 1 << 20, ..Reading::default() };
        assert!(Picture::decode(&name, &whole, reading).is_ok(), "{name}");
        let mut draws = seed::stream(7, &name);
        for _ in 0..count() {
            let read = Picture::decode(&name, &mutated(&whole, &mut draws), reading);
            outcomes[usize::from(read.is_ok())] += 1;
            if let Err(error) = read {
                assert_sentence(&error.to_string(), &name);
            }
        }
    }
    assert!(outcomes.iter().all(|outcome| *outcome > 100), "{outcomes:?}");
}

#[test]
fn damaged_pictures_of_a_folder_are_errors_or_pictures() {
    let root = tempfile::tempdir().unwrap();
    for (name, whole) in pictures() {
        let [file, sound] = ["train", "val"].map(|part| root.path().join(part).join("a").join(&name));
        [&file, &sound].iter().for_each(|file| fs::create_dir_all(file.parent().unwrap()).unwrap());
        fs::write(&sound, &whole).unwrap();
        let mut draws = seed::stream(8, &name);
        for _ in 0..count() / 30 {
            fs::write(&file, mutated(&whole, &mut draws)).unwrap();
            let config = FolderConfig { damage: Damage::Refuse, max_pixels: 1 << 20, ..FolderConfig::new(root.path()) };
            // Damage at its beginning makes of a picture without an ending a stray, and of its class an empty one.
            let read = folder(&config).and_then(|data| data.train().picture(0).map(|picture| picture.shape()));
            if let Err(error) = read {
                assert_sentence(&error.to_string(), "/a");
            }
        }
        [&file, &sound].iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

#[track_caller]
fn assert_sentence(error: &str, name: &str) {
    assert!(error.contains(name) && !error.contains('\n'), "{error:?}");
}

fn idx(magic: u32, sizes: &[u32], bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let header = std::iter::once(magic).chain(sizes.iter().copied()).flat_map(u32::to_be_bytes);
    header.chain(bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn mnist(folder: &Path) {
    let images = idx(0x803, &[2, 28, 28], (0..2 * 784).map(|pixel| (pixel % 7) as u8));
    let labels = idx(0x801, &[2], [5, 9]);
    for split in ["train", "t10k"] {
        fs::write(folder.join(format!("{split}-images-idx3-ubyte")), &images).unwrap();
        fs::write(folder.join(format!("{split}-labels-idx1-ubyte.gz")), gzip(&labels)).unwrap();
    }
}

#[test]
fn damaged_classic_files_are_errors_or_images() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    mnist(folder.path());
    for name in ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"] {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        let packed = name.ends_with(".gz");
        // The same file packed, and the packed one plain, so that both layers are damaged.
        let unpacked = if packed { idx(0x801, &[2], [5, 9]) } else { whole.clone() };
        let mut draws = seed::stream(7, name);
        for _ in 0..count() {
            let inner = mutated(&unpacked, &mut draws);
            for bytes in [mutated(&whole, &mut draws), if packed { gzip(&inner) } else { inner }] {
                fs::write(&path, bytes).unwrap();
                if let Err(error) = classic::mnist(folder.path()) {
                    REFUSED.fetch_add(1, Ordering::Relaxed);
                    assert_sentence(&error.to_string(), name.trim_end_matches(".gz"));
                }
            }
        }
        fs::write(&path, whole).unwrap();
        classic::mnist(folder.path()).unwrap();
    }
    assert!(REFUSED.load(Ordering::Relaxed) > 100);
}
