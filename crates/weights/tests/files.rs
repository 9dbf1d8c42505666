//! Files of weights that are whole, and files that lie.

use cnn_network::Network;
use cnn_network::definition::*;
use cnn_weights::{CARD, Precision, Tensor, Weights};
use std::path::PathBuf;

type Failure = Box<dyn std::error::Error>;

fn network(name: &str, classes: usize) -> Result<Network, Failure> {
    let head = chain().global_avg_pool().then("fc", linear(classes));
    let body = chain()
        .then("conv", conv(3).out(4).no_bias())
        .then("bn", batch_norm())
        .relu()
        .tap("aux", 0.3, head.clone())
        .then("conv2", conv(1).out(classes))
        .and(head);
    Ok(body.named(name, [1, 8, 8]).at_usual_input()?)
}

/// A file with these bytes, and the folder that holds it.
fn file(bytes: &[u8]) -> Result<(tempfile::TempDir, PathBuf), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("some.safetensors");
    std::fs::write(&path, bytes)?;
    Ok((folder, path))
}

/// What is said of a file with these bytes, without its path.
fn said(bytes: &[u8]) -> Result<String, Failure> {
    let (_folder, path) = file(bytes)?;
    let message = Weights::read(&path).err().ok_or("it was read")?.to_string();
    assert!(!message.contains('\n') && message.contains(&path.display().to_string()), "{message}");
    Ok(message.replace(&path.display().to_string(), "FILE"))
}

/// A safetensors file of a header and data.
fn raw(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn what_is_written_is_read_back() -> Result<(), Failure> {
    let network = network("net", 3)?;
    let mut weights = Weights::initialised(&network, 7).with_metadata(CARD, r#"{"network":"net"}"#);
    weights.insert("conv2.bias", Tensor::new("conv2.bias", &[3], vec![0.1f64, 1e300, -2.0])?);
    let bytes = weights.to_bytes()?;
    assert_eq!(bytes, weights.to_bytes()?, "the same weights are the same bytes");
    let (_folder, path) = file(&bytes)?;
    for read in [Weights::read(&path)?, Weights::from_bytes(bytes.clone(), "inside")?] {
        read.check(&network)?;
        assert_eq!(read.network().as_deref(), Some("net"));
        for (name, tensor) in weights.iter() {
            let found = read.get(name).ok_or("it is missing")?;
            assert_eq!((found.dims(), found.numbers::<f64>(name)?), (tensor.dims(), tensor.numbers::<f64>(name)?));
        }
        assert!(read.to_bytes()? == bytes, "what is read is written as it was");
    }
    Ok(())
}

#[test]
fn half_precision_is_read_as_numbers() -> Result<(), Failure> {
    let header = r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}"#;
    let halves = [half::f16::from_f32(1.5), half::f16::from_f32(-0.25)].map(half::f16::to_le_bytes).concat();
    let brains = [half::bf16::from_f32(3.0), half::bf16::from_f32(-8.0)].map(half::bf16::to_le_bytes).concat();
    let weights = Weights::from_bytes(raw(header, &[halves, brains].concat()), "here")?;
    assert_eq!(*weights.get("a").ok_or("no a")?.numbers::<f32>("a")?, [1.5, -0.25]);
    assert_eq!(*weights.get("b").ok_or("no b")?.numbers::<f64>("b")?, [3.0, -8.0]);
    Ok(())
}

#[test]
fn files_that_lie_are_one_sentence() -> Result<(), Failure> {
    let whole = Weights::initialised(&network("net", 3)?, 7).to_bytes()?;
    let length = whole.len();
    assert_eq!(said(&[])?, "FILE is not a whole safetensors file: it has 0 bytes");
    let message = said(&whole[..length - 1])?;
    assert!(message.ends_with(&format!("it has {} bytes, its header says {length}", length - 1)), "{message}");
    assert!(said(&[&whole[..], &[0]].concat())?.contains("its header says"));
    let huge = [&(1u64 << 60).to_le_bytes()[..], b"{}"].concat();
    assert!(said(&huge)?.contains("its header would be 1152921504606846976 bytes, the file is 10"));
    assert_eq!(said(b"\x89PNG\r\n\x1a\n and a picture")?, "FILE is no file of weights; it looks like a picture");
    let offsets = raw(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, &[0; 12]);
    assert!(said(&offsets)?.contains("its header: "));
    let product =
        raw(&format!(r#"{{"a":{{"dtype":"F32","shape":[{0},{0}],"data_offsets":[0,8]}}}}"#, usize::MAX), &[0; 8]);
    assert!(said(&product)?.contains("its header: "));
    Ok(())
}

#[test]
#[cfg(not(feature = "pytorch"))]
fn a_program_without_the_reader_says_so() -> Result<(), Failure> {
    for first in [&b"PK\x03\x04 and so on"[..], b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x04\x95"] {
        let (_folder, path) = file(first)?;
        for read in [Weights::read(&path), Weights::from_bytes(first, &path.display().to_string())] {
            let message = read.err().ok_or("it was read")?.to_string().replace(&path.display().to_string(), "FILE");
            assert_eq!(
                message,
                "FILE is a PyTorch file, which this program was built without a reader for (cnn-weights' feature \
                 `pytorch`); save the weights as safetensors"
            );
        }
    }
    Ok(())
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_not_waited_for() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status()?.success());
    for path in [folder.path().to_path_buf(), pipe, "/dev/zero".into(), folder.path().join("none")] {
        let message = Weights::read(&path).unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot read {}: ", path.display())), "{message}");
    }
    Ok(())
}

#[test]
fn no_change_of_a_file_panics() -> Result<(), Failure> {
    let network = network("net", 3)?;
    let whole = Weights::initialised(&network, 7).to_bytes()?;
    let mut state = 9u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + next(3) {
            let at = if next(2) == 0 { next(bytes.len()) } else { next(600.min(bytes.len())) };
            bytes[at] = next(256) as u8;
        }
        bytes.truncate(if next(4) == 0 { next(bytes.len()) } else { bytes.len() });
        if let Ok(weights) = Weights::from_bytes(bytes, "here")
            && weights.check(&network).is_ok()
        {
            for spec in network.tensors() {
                let _ = weights
                    .numbers_of::<f32>(&network, &spec.name)
                    .map(|values| assert_eq!(values.len(), spec.elements()));
            }
        }
    }
    Ok(())
}

#[test]
fn the_wrong_weights_are_never_taken() -> Result<(), Failure> {
    let (three, other) = (network("net", 3)?, network("other", 3)?);
    let weights = Weights::initialised(&three, 7);
    weights.check(&three)?;
    let named = weights.clone().with_metadata(CARD, r#"{"network":"net"}"#);
    assert_eq!(named.check(&other).unwrap_err().to_string(), "the weights has weights of net, not of other");
    named.of_any_network().check(&other)?;

    let mut fewer = weights.clone();
    let tensor = fewer.remove("conv.weight").ok_or("no conv")?;
    fewer.insert("conv_new.weight", tensor.clone());
    let message = fewer.check(&three).unwrap_err().to_string();
    assert_eq!(message, "net: the weights have no tensor conv.weight (expected 4×1×3×3); they have conv_new.weight");
    let mut more = weights.clone();
    more.insert("conv3.weight", tensor);
    let message = more.check(&three).unwrap_err().to_string();
    assert_eq!(message, "net: the weights have 1 tensor that it lacks, conv3.weight; are they another network's?");
    let mut counted = weights.clone();
    counted.insert("bn.num_batches_tracked", Tensor::new("bn.num_batches_tracked", &[], vec![3.0f32])?);
    counted.check(&three)?;

    let integers = raw(r#"{"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}"#, &[0; 8]);
    let message = Weights::from_bytes(integers, "a file")?.get("a").ok_or("no a")?.numbers::<f32>("a").unwrap_err();
    assert_eq!(message.to_string(), "a file: tensor a is of I32, not of floating-point numbers");
    Ok(())
}

#[test]
fn a_variance_by_which_nothing_can_be_normalised_is_refused() -> Result<(), Failure> {
    let body = |eps| chain().then("bn", batch_norm().eps(eps)).named("normalised", [3, 2, 2]).at_usual_input();
    let (usual, none) = (body(1e-5)?, body(0.0)?);
    for (network, found, taken) in
        [(&usual, -1.0, false), (&usual, -2e-5, false), (&usual, 0.0, true), (&none, 0.0, false), (&none, 1e-30, true)]
    {
        let mut weights = Weights::initialised(network, 7);
        let variances = vec![1.0, found, 1.0];
        weights.insert("bn.running_var", Tensor::new("bn.running_var", &[3], variances)?);
        let said = weights.numbers_of::<f64>(network, "bn.running_var").err().map(|error| error.to_string());
        let expected = format!("the weights: tensor bn.running_var holds {found} at position 1; a variance and its ε");
        assert_eq!(said.is_none(), taken, "{said:?}");
        assert!(said.is_none_or(|said| said.starts_with(&expected)));
        assert_eq!(weights.check_finite(network).is_ok(), taken);
    }
    Ok(())
}

#[test]
fn heads_may_be_left_out() -> Result<(), Failure> {
    let head = chain().global_avg_pool().then("fc", linear(3));
    let body = chain().then("conv", conv(3).out(4)).tap("aux", 0.3, head.clone()).and(head);
    let architecture = body.named("net", [1, 8, 8]);
    let (with, without) = (architecture.at_usual_input()?, architecture.without_heads().at_usual_input()?);
    let all = Weights::initialised(&with, 7);
    all.check(&without)?;
    let few = Weights::initialised(&without, 7);
    assert!(few.check(&with).is_err());
    few.check_for(&with, &[with.outputs()[0].node])?;
    assert_eq!(few.start(&with)?.anew, ["aux.fc.weight", "aux.fc.bias"]);
    Ok(())
}

#[test]
fn only_what_makes_the_scores_begins_anew() -> Result<(), Failure> {
    // A layer in the middle whose size is the new number of classes, which is no reason to begin it anew.
    let of = |classes: usize, middle: usize| {
        let body = chain().then("conv", conv(3).out(middle)).relu().global_avg_pool().then("fc", linear(classes));
        body.named("net", [1, 8, 8]).at_usual_input()
    };
    let weights = Weights::initialised(&of(10, 4)?, 7);
    let start = weights.start(&of(4, 4)?)?;
    assert_eq!(start.anew, ["fc.weight", "fc.bias"]);
    assert_eq!(start.weights.len(), 2);
    let message = weights.start(&of(10, 6)?).unwrap_err().to_string();
    assert_eq!(message, "net: tensor conv.weight should be 6×1×3×3, but the weights have 4×1×3×3");
    Ok(())
}

#[test]
fn numbers_are_written_with_fewer_bits() -> Result<(), Failure> {
    let mut weights = Weights::new();
    weights.insert("a", Tensor::new("a", &[3], vec![1.5f32, -0.1, 60_000.0])?);
    let read = |precision| Weights::from_bytes(weights.to_bytes_of(precision)?, "written");
    for (precision, tenth) in
        [(Precision::F32, 0.1f32), (Precision::F16, 0.099_975_586), (Precision::BF16, 0.100_097_656)]
    {
        let found = read(precision)?.get("a").ok_or("no a")?.numbers::<f32>("a")?.into_owned();
        assert_eq!(found[..2], [1.5, -tenth], "{precision:?}");
    }
    weights.insert("b", Tensor::new("b", &[1], vec![70_000.0f32])?);
    let message = weights.to_bytes_of(Precision::F16).unwrap_err().to_string();
    assert_eq!(message, "the weights: tensor b holds 70000, which F16 cannot hold");
    assert!(weights.to_bytes_of(Precision::BF16).is_ok());
    Ok(())
}

/// Parts of a tensor are its numbers in order, whatever holds them and however many are asked for.
#[test]
fn parts_are_the_whole() -> Result<(), Failure> {
    let network = network("net", 3)?;
    let weights = Weights::initialised(&network, 7);
    let folder = tempfile::tempdir()?;
    let paths = [Precision::Kept, Precision::BF16, Precision::F16].map(|precision| {
        let path = folder.path().join(format!("{precision:?}.safetensors"));
        std::fs::write(&path, weights.to_bytes_of(precision)?)?;
        Ok::<_, Failure>(path)
    });
    let mut holders = vec![weights.clone(), Weights::from_bytes(weights.to_bytes()?, "inside")?];
    for path in paths {
        holders.push(Weights::read(path?)?);
    }
    for weights in holders {
        for spec in network.tensors() {
            let whole = weights.numbers_of::<f32>(&network, &spec.name)?;
            for count in [0, 1, 5, whole.len(), whole.len() + 1] {
                let mut parts = Vec::new();
                weights.parts_of::<f32, Failure>(&network, &spec.name, count, |part| {
                    assert!(part.len() <= count.max(1));
                    parts.extend_from_slice(part);
                    Ok(())
                })?;
                assert_eq!(parts, *whole, "{} by {count}", spec.name);
            }
        }
    }
    let mut broken = weights.clone();
    let values = (0..12).map(|i| if i == 7 { f32::NAN } else { 0.5 }).collect();
    broken.insert("conv2.weight", Tensor::new("conv2.weight", &[3, 4, 1, 1], values)?);
    let path = folder.path().join("broken.safetensors");
    std::fs::write(&path, broken.to_bytes()?)?;
    for weights in [broken, Weights::read(&path)?] {
        let by_five = weights.parts_of::<f32, Failure>(&network, "conv2.weight", 5, |_| Ok(())).unwrap_err();
        let at_once = weights.numbers_of::<f32>(&network, "conv2.weight").unwrap_err();
        assert_eq!(by_five.to_string(), at_once.to_string());
        assert!(at_once.to_string().contains('7'), "{at_once}");
    }
    Ok(())
}
