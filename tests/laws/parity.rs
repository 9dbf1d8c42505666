//! Small networks of each kind in candle, planned and in the oracle are torch's. `cargo xtask verify-parity` holds all of them.

use crate::Failure;
use cnn_verify::golden::Golden;
use cnn_verify::parity::compare;
use std::path::Path;

const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/parity");

#[test]
fn small_networks_are_torchs() -> Result<(), Failure> {
    let goldens = Path::new(GOLDENS);
    let mut asked_the_oracle = 0;
    for name in
        ["lenet", "lenet_paper", "lenet_d2l", "mnist_inception", "mnist_residual", "resnet20_cifar", "googlenet"]
    {
        let golden = Golden::read(goldens, name)?.ok_or(format!("{name} has no golden"))?;
        let comparison = compare(&cnn_zoo::find(name)?, &golden)?;
        assert!(comparison.mismatches.is_empty(), "{:#?}", comparison.mismatches);
        assert!(comparison.gradients > 0 && comparison.nodes > 0);
        // Rounding in f32 leaves no comparison without a difference.
        assert!(comparison.planned.logits > 0.0 && comparison.planned.gradients > 0.0);
        asked_the_oracle += usize::from(comparison.oracle.is_some());
    }
    assert!(asked_the_oracle >= 5);
    Ok(())
}

/// A gradient that is off by a hundredth is found in f64, in f32 and in the planned step.
#[test]
fn a_gradient_that_differs_is_found_by_every_engine() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut bytes = std::fs::read(Path::new(GOLDENS).join("mnist_conv.safetensors"))?;
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().ok_or("no length")?) as usize;
    let tensors: serde_json::Value = serde_json::from_slice(&bytes[8..header])?;
    let begin = tensors["train.gradients"]["data_offsets"][0].as_u64().ok_or("no offset")? as usize;
    // The first row: norm, largest entry, samples.
    let at = |number: usize| header + begin + 8 * number..header + begin + 8 * (number + 1);
    let number = |bytes: &[u8], place| -> Result<f64, Failure> { Ok(f64::from_le_bytes(bytes[at(place)].try_into()?)) };
    let moved = number(&bytes, 2)? + number(&bytes, 1)? / 100.0;
    bytes[at(2)].copy_from_slice(&moved.to_le_bytes());
    std::fs::write(folder.path().join("mnist_conv.safetensors"), bytes)?;
    let golden = Golden::read(folder.path(), "mnist_conv")?.ok_or("the file is there")?;
    let comparison = compare(&cnn_zoo::find("mnist_conv")?, &golden)?;
    let places: Vec<&str> = comparison.mismatches.iter().map(|mismatch| mismatch.place.as_str()).collect();
    let tensor = &golden.about.gradients[0];
    let expected = ["in f64", "in f32", "as planned in f32"].map(|way| format!("gradient of {tensor} {way}"));
    assert_eq!(places, expected);
    Ok(())
}

/// What is said of the golden of `mnist_mlp` with these bytes; nothing if it is compared, whatever comes out.
fn complaint(folder: &Path, bytes: &[u8]) -> Result<Option<String>, Failure> {
    std::fs::write(folder.join("mnist_mlp.safetensors"), bytes)?;
    let golden = match Golden::read(folder, "mnist_mlp") {
        Ok(golden) => golden.ok_or("the file is there")?,
        Err(error) => return Ok(Some(error.to_string())),
    };
    Ok(compare(&cnn_zoo::find("mnist_mlp")?, &golden).err().map(|error| error.to_string()))
}

#[test]
fn a_damaged_golden_is_refused_in_one_sentence() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let bytes = std::fs::read(Path::new(GOLDENS).join("mnist_mlp.safetensors"))?;
    assert_eq!(complaint(folder.path(), &bytes)?, None);

    // The same length, so that the file stays well-formed.
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().ok_or("no length")?) as usize;
    let text = String::from_utf8(bytes[8..header].to_vec())?;
    for (from, to, said) in [
        (r#"\"name\":\"mnist_mlp\""#, r#"\"name\":\"mnist_map\""#, "it is about mnist_map"),
        (r#"\"classes\":10"#, r#"\"classes\":12"#, "eval1.logits is 2×10, but 2×12 is needed"),
        (r#"\"classes\":10"#, r#"\"classes\": 0"#, "it has no classes"),
        (r#"\"input\":[2,1,28,28]"#, r#"\"input\":[3,1,28,28]"#, "eval1.logits is 2×10, but 3×10 is needed"),
        (r#"\"input\":[2,1,28,28]"#, r#"\"input\":[2,0,28,28]"#, "input is 2×0×28×28, which is no batch of images"),
        (r#"\"input\":[2,1,28,28]"#, r#"\"input\":[2,1,9e9,2]"#, "invalid type: floating point `9000000000.0`"),
        (r#"\"zero_gradients\":[]"#, r#"\"zero_gradients\":{}"#, "invalid type: map, expected a sequence"),
        ("eval1.logits", "eval1.logots", "it has no tensor eval1.logits"),
        ("train.loss", "train.lass", "it has no tensor train.loss"),
        ("train.gradients", "train.gradlents", "it has no tensor train.gradients"),
        ("train.f32_distance", "train.f32_distants", "it has no tensor train.f32_distance"),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        let other = [&bytes[..8], text.replacen(from, to, 1).as_bytes(), &bytes[header..]].concat();
        assert_eq!(other.len(), bytes.len(), "{to}");
        let found = complaint(folder.path(), &other)?.ok_or(format!("{to} is taken"))?;
        assert!(found.starts_with("cannot read ") && found.contains(said), "{to}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }

    // A number that is none, in each tensor's last place; and an end that is missing.
    let mut other = bytes.clone();
    other.splice(bytes.len() - 8.., f64::NAN.to_le_bytes());
    assert!(complaint(folder.path(), &other)?.is_some_and(|said| said.contains("holds infinity or NaN")));
    for length in (0..header).chain((header..bytes.len()).step_by(100)) {
        assert!(complaint(folder.path(), &bytes[..length])?.is_some(), "{length} bytes are taken");
    }
    Ok(())
}

/// Wherever a file is damaged, reading and comparing end without a panic.
#[test]
fn no_damaged_byte_is_a_panic() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let bytes = std::fs::read(Path::new(GOLDENS).join("mnist_mlp.safetensors"))?;
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().ok_or("no length")?) as usize;
    let mut refused = 0;
    for at in 0..bytes.len() {
        // A number is compared, whichever of its bits is another, which takes longer than to refuse a header.
        let bits: &[u8] = if at < header { &[1, 16] } else { &[16] };
        for bit in bits {
            let mut other = bytes.clone();
            other[at] ^= bit;
            refused += usize::from(complaint(folder.path(), &other)?.is_some());
        }
    }
    assert!(refused > 1000, "only {refused} are refused");
    Ok(())
}
