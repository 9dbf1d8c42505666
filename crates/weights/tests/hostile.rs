//! Files made to harm whoever reads them: each is one sentence, soon, and in little memory.

#![cfg(feature = "pytorch")]

use cnn_network::definition::*;
use cnn_weights::{Tensor, Weights};
use std::io::{Cursor, Write};
use std::path::Path;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

type Failure = Box<dyn std::error::Error>;

/// The most memory that all these tests together may have held, in bytes.
const MOST_MEMORY: u64 = 900_000_000;

/// What is said of a file.
fn said(bytes: Vec<u8>) -> Result<String, Failure> {
    let message = Weights::from_bytes(bytes, "FILE").err().ok_or("it was read")?.to_string();
    assert!(!message.contains('\n') && message.len() < 400, "{message}");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        assert!(peak.is_none_or(|peak: u64| peak * 1024 < MOST_MEMORY), "{peak:?} kB at the peak");
    }
    Ok(message.strip_prefix("cannot read FILE as a PyTorch file: ").unwrap_or(&message).to_string())
}

fn golden(name: &str) -> Result<Vec<u8>, Failure> {
    Ok(std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name))?)
}

/// A zip archive of these entries, deflated.
fn zipped(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, Failure> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))?;
        archive.write_all(content)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A pickle of a dictionary whose one tensor is so many elements of a storage of as many.
fn pickle_of(elements: u32) -> Vec<u8> {
    let mut pickle = b"\x80\x02}U\x04conv".to_vec();
    pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuJ");
    pickle.extend(elements.to_le_bytes());
    pickle.extend(b"tQK\x00(J");
    pickle.extend(elements.to_le_bytes());
    pickle.extend(b"t(K\x01t\x89}tRs.");
    pickle
}

/// One entry of a tar archive.
fn tar_entry(name: &str, kind: u8, size: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..124 + size.len()].copy_from_slice(size.as_bytes());
    header[156] = kind;
    header[257..262].copy_from_slice(b"ustar");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    let mut entry = [&header[..], content].concat();
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

#[test]
fn pickles_that_grow() -> Result<(), Failure> {
    // Each byte would be an object of a hundred.
    let many = [&b"\x80\x02("[..], &vec![b'N'; 30_000_000], b"l."].concat();
    let expected = "its pickles have more than 1000000 operations";
    assert_eq!(said(many.clone())?, expected);
    assert_eq!(said(zipped(&[("archive/data.pkl", &many)])?)?, expected);
    let legacy = golden("legacy.pth")?;
    // Magic number, version: then system and object are read.
    assert_eq!(said([&legacy[..21], &many].concat())?, expected);
    // A pair of a pair of a pair: 2^40 objects in 160 bytes.
    let bomb = [&b"\x80\x02K\x01"[..], &b"2\x86".repeat(40), b"."].concat();
    assert!(said(bomb)?.starts_with("pickle: invalid data in pickle file: Pickle memo bomb detected"));
    let deep = [&b"\x80\x02"[..], &vec![b']'; 100_000], &vec![b'a'; 99_999], b"."].concat();
    assert!(said(deep)?.ends_with("pickle nesting exceeds 1000 levels"));
    let long = [&b"\x80\x02}B"[..], &4_000_000_000u32.to_le_bytes(), b"few"].concat();
    assert_eq!(said(long)?, "its pickles have more than 100000000 bytes of text");
    Ok(())
}

#[test]
fn pickles_that_hold_themselves() -> Result<(), Failure> {
    assert_eq!(said(b"\x80\x02}q\x00U\x01ah\x00s.".to_vec())?, "it holds no tensors");
    assert!(said(b"\x80\x02]q\x00h\x00a.".to_vec())?.contains("Expected a dictionary at the root"));
    Ok(())
}

#[test]
fn archives_that_unpack_to_more_than_they_are() -> Result<(), Failure> {
    let zeros = vec![0; 200_000_000];
    let bomb = zipped(&[("archive/data.pkl", &pickle_of(50_000_000)), ("archive/data/0", &zeros)])?;
    assert!(bomb.len() < 1_000_000);
    assert!(said(bomb)?.starts_with("it would unpack to 200.0 MB, the file has "));
    Ok(())
}

#[test]
fn archives_with_more_entries_than_tensors() -> Result<(), Failure> {
    let mut archive = golden("zip.pth")?;
    let end = archive.windows(4).rposition(|window| window == b"PK\x06\x06").ok_or("no 64-bit record")?;
    archive[end + 24..end + 40].copy_from_slice(&[1_000_000u64.to_le_bytes(); 2].concat());
    assert_eq!(said(archive)?, "its archive has 1000000 entries, at most 200000 are read");
    Ok(())
}

#[test]
fn tensors_that_claim_more_than_the_file_has() -> Result<(), Failure> {
    assert_eq!(said(golden("expanded.pt")?)?, "tensor conv1.weight would have 1.07 GB, the file has 1.6 kB");
    // A storage that is smaller than the pickle says is found when it is read.
    let weights =
        Weights::from_bytes(zipped(&[("archive/data.pkl", &pickle_of(9)), ("archive/data/0", &[0; 8])])?, "FILE")?;
    let message = weights.get("conv").ok_or("no conv")?.numbers::<f32>("conv").unwrap_err().to_string();
    assert!(message.contains("requires 9 elements from storage '0', but only 2 are available"), "{message}");
    let missing = Weights::from_bytes(zipped(&[("archive/data.pkl", &pickle_of(9))])?, "FILE")?;
    let message = missing.get("conv").ok_or("no conv")?.numbers::<f32>("conv").unwrap_err().to_string();
    assert!(message.contains("not found in archive"), "{message}");
    Ok(())
}

#[test]
fn names_that_lead_out_of_an_archive_are_names() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let root = format!("../../../../../../..{}/", folder.path().display());
    let (pickle, storage) = (format!("{root}data.pkl"), format!("{root}data/0"));
    let weights = Weights::from_bytes(zipped(&[(&pickle, &pickle_of(2)), (&storage, &[0; 8])])?, "FILE")?;
    assert_eq!(*weights.get("conv").ok_or("no conv")?.numbers::<f32>("conv")?, [0.0, 0.0]);
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn tar_archives_with_holes_and_false_sizes() -> Result<(), Failure> {
    let info = tar_entry("sys_info", b'0', "00000000000", b"");
    let sparse = [info.clone(), tar_entry("storages", b'S', "77777777777", b"")].concat();
    assert!(said(sparse)?.starts_with("an entry of its archive would have 8.59 GB, the file has "));
    let sparse = [info.clone(), tar_entry("storages", b'S', "00000000000", b"")].concat();
    assert_eq!(said(sparse)?, "its archive has an entry of kind 'S'");
    let elsewhere = [info.clone(), tar_entry("pax", b'x', "00000000016", b"14 size=10000\n")].concat();
    assert_eq!(said(elsewhere)?, "its archive has an entry of kind 'x'");
    let large = [info, tar_entry("storages", b'0', "\u{80}", &[])].concat();
    assert_eq!(said(large)?, "an entry of its archive has no size");
    Ok(())
}

#[test]
fn what_is_cut_short_at_any_place_is_refused() -> Result<(), Failure> {
    let body = chain().then("conv1", conv(3).out(4).no_bias()).then("bn1", batch_norm()).relu().global_avg_pool();
    let network = body.then("fc", linear(3)).named("small", [3, 8, 8]).at_usual_input()?;
    for name in ["zip.pth", "legacy.pth", "pickled.pkl", "run.pt", "data_parallel.th"] {
        let whole = golden(name)?;
        for length in 0..whole.len() {
            said(whole[..length].to_vec()).map_err(|error| format!("{name}, {length} bytes: {error}"))?;
        }
    }
    // Behind a tar archive there are blocks of zeros that nobody needs.
    let whole = golden("tar.pth")?;
    for length in (0..whole.len()).step_by(7) {
        let read = Weights::from_bytes(whole[..length].to_vec(), "FILE");
        assert!(read.is_err() || read?.for_network(&network).is_ok(), "{length} bytes");
    }
    Ok(())
}

#[test]
fn numbers_that_are_none_are_refused_with_their_place() -> Result<(), Failure> {
    let network = chain().then("conv", conv(1).out(2)).global_avg_pool().named("net", [1, 2, 2]).at_usual_input()?;
    for bad in [f32::NAN, f32::INFINITY] {
        let mut weights = Weights::initialised(&network, 7);
        weights.insert("conv.bias", Tensor::new("conv.bias", &[2], vec![0.0, bad])?);
        let message = weights.start(&network).unwrap_err().to_string();
        assert_eq!(message, format!("the weights: tensor conv.bias holds {bad} at position 1, which is no weight"));
    }
    // What the file says, not what 32 bits make of it.
    let mut weights = Weights::initialised(&network, 7);
    weights.insert("conv.bias", Tensor::new("conv.bias", &[2], vec![0.0, -1e300])?);
    let message = weights.numbers_of::<f32>(&network, "conv.bias").unwrap_err().to_string();
    assert_eq!(message, "the weights: tensor conv.bias holds -1e300 at position 1, which f32 cannot hold");
    assert!(weights.numbers_of::<f64>(&network, "conv.bias").is_ok());
    Ok(())
}
