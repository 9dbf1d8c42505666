//! `export` as somebody uses it who runs networks elsewhere.

use crate::common::{Failure, error_of, path, xtask};
use cnn_data::{Card, Fit, Interpolation};

fn holds(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn what_weights_say_of_themselves_is_in_the_file() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("lenet.onnx");
    let output = xtask(&["export", "lenet", "--onnx", path(&file), "--normalise", "bytes", "--probabilities"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    assert_eq!(said, format!("{}: lenet, pixels N×1×32×32, 249.2 kB\n", file.display()));
    let bytes = std::fs::read(&file)?;
    for text in [
        "conv1.weight",
        "pixels",
        "logits",
        "probabilities",
        "classes",
        "NominalRange_0_255",
        "dataset",
        "images",
        "[28,28]",
    ] {
        assert!(holds(&bytes, text), "{text}");
    }
    // No folder of the machine it was written on.
    assert!(!holds(&bytes, path(folder.path())));

    let flags = ["--mean", "0.5", "--std", "0.25", "--crop", "32/36", "--interpolation", "bicubic"];
    let args = [["export", "lenet", "--onnx", path(&file)].as_slice(), &flags].concat();
    assert!(xtask(&args)?.status.success());
    let bytes = std::fs::read(&file)?;
    for text in ["input", "[0.5]", "[0.25]", "[32,32]", "36", "bicubic"] {
        assert!(holds(&bytes, text), "{text}");
    }
    assert!(!holds(&bytes, "pixels"));
    // What is brought to a size anyway is not stretched before.
    assert!(!holds(&bytes, "[28,28]"));
    Ok(())
}

/// Pictures are cut to the size that the file's input has, and are as much larger before.
#[test]
fn a_shape_of_its_own_has_pictures_that_suit_it() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (file, weights) = (folder.path().join("x.onnx"), folder.path().join("cut.safetensors"));
    let embedded = cnn_classifier::embedded::weights("resnet20_cifar")?.ok_or("no such weights")?;
    let mut card = Card::of(&embedded)?.ok_or("no card")?;
    card.preparation.fit = Fit::Crop { short: 36, height: 32, width: 32, interpolation: Interpolation::Bicubic };
    std::fs::write(&weights, card.put_on(embedded)?.to_bytes()?)?;
    let args = ["export", "--weights", path(&weights), "--onnx", path(&file), "--shape", "3,48,64"];
    let output = xtask(&args)?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "pictures are prepared for --shape: shorter side 72, of it the middle 48×64\n");
    let bytes = std::fs::read(&file)?;
    for text in ["[48,64]", "72", "bicubic", r#"{"crop":{"short":72,"height":48,"width":64,"#] {
        assert!(holds(&bytes, text), "{text}");
    }
    assert!(!holds(&bytes, "[32,32]"));
    let error = error_of(&[&args[..], &["--crop", "32/36"]].concat())?;
    let expected =
        "--crop means shorter side 36, of it the middle 32×32, but --shape asks for 48×64: leave out one of the two";
    assert_eq!(error, expected);
    Ok(())
}

#[test]
fn what_cannot_be_exported_leaves_no_file() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("x.onnx");
    let refused = |args: &[&str]| error_of(&[&["export", "--onnx", path(&file)], args].concat());
    let error = refused(&["lenett"])?;
    assert!(error.starts_with("lenett: no file, no run's folder and no weights of that name; did you mean lenet"));
    let error = refused(&["lenet", "--classes", "7"])?;
    assert!(error.contains("should be 7×84, but the weights have 10×84"), "{error}");
    let error = refused(&["lenet", "--shape", "1,40,40"])?;
    assert!(
        error.contains("fc1.weight should be ") && error.ends_with("; these weights take 1×32×32, not 1×40×40"),
        "{error}"
    );
    let error = refused(&["lenet", "--shape", "1,4,4"])?;
    assert!(error.starts_with("conv1: "), "{error}");
    let error = refused(&["lenet", "--transform-input"])?;
    assert_eq!(error, "lenet has no transform_input");
    let error = refused(&["lenet", "--weights", path(&folder.path().join("none.safetensors"))])?;
    assert!(error.contains("none.safetensors"), "{error}");
    assert!(!file.exists());
    Ok(())
}
