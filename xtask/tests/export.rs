//! `export` as somebody uses it who runs networks elsewhere.

use crate::common::{Failure, error_of, path, xtask};

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
    for text in ["conv1.weight", "pixels", "logits", "probabilities", "classes", "NominalRange_0_255", "dataset"] {
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
    let error = refused(&["lenet", "--shape", "1,4,4"])?;
    assert!(error.starts_with("conv1: "), "{error}");
    let error = refused(&["lenet", "--transform-input"])?;
    assert_eq!(error, "lenet has no transform_input");
    let error = refused(&["lenet", "--weights", path(&folder.path().join("none.safetensors"))])?;
    assert!(error.contains("none.safetensors"), "{error}");
    assert!(!file.exists());
    Ok(())
}
