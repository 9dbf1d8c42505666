//! `forward` as somebody uses it who compares with another framework.

use cnn_core::candle_core::{DType, Device, Tensor, safetensors};
use cnn_core::candle_nn::{Module, VarBuilder};
use cnn_core::{Model, model};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

type Failure = Box<dyn std::error::Error>;

/// A folder with weights `w` of `mnist_conv` for seven classes, and an input `x` of two images.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Result<Self, Failure> {
        let files = Self { folder: tempfile::tempdir()? };
        let network = cnn_zoo::find("mnist_conv")?.architecture(7).at_usual_input()?;
        let map = model::initialise(&network, 3, DType::F32, &Device::Cpu)?;
        map.save(files.path("w"))?;
        files.input("x", "input", &[2, 1, 28, 28])?;
        Ok(files)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn input(&self, file: &str, name: &str, dims: &[usize]) -> Result<(), Failure> {
        let values: Vec<f32> = (0..dims.iter().product()).map(|i: usize| (i % 17) as f32 / 17.0).collect();
        let tensors = HashMap::from([(name.to_string(), Tensor::from_vec(values, dims, &Device::Cpu)?)]);
        Ok(safetensors::save(&tensors, self.path(file))?)
    }

    fn forward(&self, network: &str, input: &str, more: &[&str]) -> Result<Output, Failure> {
        let (weights, input, output) = (self.path("w"), self.path(input), self.path("y"));
        let args = ["forward", network, "--weights", &weights, "--input", &input, "--output", &output];
        Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).args(more).output()?)
    }

    fn refused(&self, network: &str, input: &str, more: &[&str]) -> Result<String, Failure> {
        let output = self.forward(network, input, more)?;
        let text = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!Path::new(&self.path("y")).exists());
        Ok(text.trim_end().strip_prefix("error: ").ok_or("no `error: `")?.to_string())
    }
}

#[test]
fn logits_probabilities_and_nodes_are_those_of_the_model() -> Result<(), Failure> {
    let files = Files::new()?;
    let output = files.forward("mnist_conv", "x", &["--taps", "conv1,relu_1", "--softmax"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = safetensors::load(files.path("y"), &Device::Cpu)?;
    let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["conv1", "logits", "probabilities", "relu_1"]);

    let network = cnn_zoo::find("mnist_conv")?.architecture(7).at_usual_input()?;
    let weights = safetensors::load(files.path("w"), &Device::Cpu)?;
    let model = Model::new(&network, VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu))?;
    let batch = safetensors::load(files.path("x"), &Device::Cpu)?.remove("input").ok_or("no input")?;
    let logits = model.evaluation().forward(&batch)?;
    // The plan folds and sums in another order.
    let difference = (&found["logits"] - &logits)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let largest = logits.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    assert!(difference < 1e-5 * largest, "{difference} of {largest}");
    assert_eq!(found["conv1"].dims(), [2, 10, 24, 24]);
    for sum in found["probabilities"].sum(1)?.to_vec1::<f32>()? {
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_is_one_sentence() -> Result<(), Failure> {
    let files = Files::new()?;
    let weights = files.path("w");
    assert_eq!(
        files.refused("mnist_conv", "x", &["--taps", "cnv1"])?,
        "mnist_conv has no node cnv1; did you mean conv1, conv2? (cargo xtask summary mnist_conv names all)"
    );
    files.input("small", "input", &[1, 1, 9, 9])?;
    assert_eq!(files.refused("mnist_conv", "small", &[])?, "conv2: kernel 5×5 exceeds padded input 2×2 (input 2×2)");
    files.input("channels", "input", &[1, 3, 28, 28])?;
    assert_eq!(
        files.refused("mnist_conv", "channels", &[])?,
        format!("{weights}: mnist_conv: tensor conv1.weight should be 10×3×5×5, but the weights have 10×1×5×5")
    );
    files.input("rank", "input", &[1, 28, 28])?;
    let message = files.refused("mnist_conv", "rank", &[])?;
    assert!(message.contains("1×28×28"), "{message}");
    files.input("name", "images", &[1, 1, 28, 28])?;
    let message = files.refused("mnist_conv", "name", &[])?;
    assert!(message.contains("input"), "{message}");
    assert_eq!(
        files.refused("mnist_conv", "x", &["--classes", "5"])?,
        format!("{weights}: mnist_conv: tensor fc.weight should be 5×320, but the weights have 7×320")
    );
    let args = ["forward", "mnist_conv", "--weights", &weights, "--input", &files.path("x"), "--output", &weights];
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).output()?;
    let message = String::from_utf8(output.stderr)?;
    assert!(output.status.code() == Some(1) && message.contains("is read by this command"), "{message}");
    let message = files.refused("lenet", "x", &[])?;
    let shapes = "lenet: tensor conv1.weight should be 6×1×5×5, but the weights have 10×1×5×5";
    assert_eq!(message, format!("{}: {shapes}", files.path("w")));
    Ok(())
}
