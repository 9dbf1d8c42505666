//! `convert` as somebody uses it whose weights have other names.

use cnn_core::Weights;
use cnn_core::weights::Tensor;
use std::path::Path;
use std::process::{Command, Output};

type Failure = Box<dyn std::error::Error>;

fn convert(input: &Path, output: &Path, more: &[&str]) -> Result<Output, Failure> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    Ok(command.arg("convert").arg(input).arg("--out").arg(output).args(more).output()?)
}

/// Weights of `mnist_conv` for seven classes under names with `module.`.
fn prefixed() -> Result<Weights, Failure> {
    let network = cnn_zoo::find("mnist_conv")?.architecture(7).at_usual_input()?;
    let mut weights = Weights::new();
    for (name, tensor) in Weights::initialised(&network, 3).iter() {
        weights.insert(format!("module.{name}"), tensor.clone());
    }
    Ok(weights)
}

#[test]
fn names_become_the_networks_own() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let [input, output] = ["in.pth", "out.safetensors"].map(|name| folder.path().join(name));
    let weights = prefixed()?;
    std::fs::write(&input, weights.to_bytes()?)?;
    for (dtype, error) in [("f32", 0.0), ("bf16", 1e-2)] {
        let done = convert(&input, &output, &["--net", "mnist_conv", "--dtype", dtype])?;
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8(done.stdout)?;
        assert!(said.contains(": 6 of mnist_conv's 6 tensors taken\n  renamed 6: without module. ("), "{said}");
        let read = Weights::read(&output)?;
        for (name, tensor) in read.iter() {
            let before = weights.get(&format!("module.{name}")).ok_or("another name")?.numbers::<f32>(name)?;
            let after = tensor.numbers::<f32>(name)?;
            assert!(before.iter().zip(&*after).all(|(a, b)| (a - b).abs() <= error), "{name} in {dtype}");
        }
        assert_eq!(read.len(), 6);
    }
    Ok(())
}

#[test]
fn what_cannot_be_converted_is_one_sentence_and_no_file() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let [input, output] = ["in", "out"].map(|name| folder.path().join(name));
    let refused = |bytes: &[u8], more: &[&str], expected: &str| -> Result<(), Failure> {
        std::fs::write(&input, bytes)?;
        let done = convert(&input, &output, more)?;
        let said = String::from_utf8(done.stderr)?.replace(&input.display().to_string(), "FILE");
        assert_eq!((done.status.code(), said.as_str()), (Some(1), format!("error: {expected}\n").as_str()));
        assert!(!output.exists());
        Ok(())
    };
    let of = ["--net", "mnist_conv"];
    let whole = prefixed()?.to_bytes()?;
    refused(&whole, &[], "FILE does not say of which network it is: --net")?;
    refused(
        &whole,
        &["--net", "mnist_con"],
        "there is no network mnist_con; did you mean mnist_conv, mnist_inception, mnist_mlp?",
    )?;
    refused(b"\x89PNG\r\n\x1a\n and a picture", &of, "FILE is no file of weights; it looks like a picture")?;
    refused(b"\x80\x02}.", &of, "cannot read FILE as a PyTorch file: it holds no tensors")?;
    let mut bad = prefixed()?;
    bad.insert("module.fc.bias", Tensor::new("fc.bias", &[7], vec![f32::NAN; 7])?);
    refused(&bad.to_bytes()?, &of, "FILE: tensor fc.bias holds NaN at position 0, which is no weight")?;
    let mut fewer = prefixed()?;
    fewer.remove("module.fc.bias").ok_or("no fc")?;
    refused(&fewer.to_bytes()?, &of, "FILE: mnist_conv: the weights have no tensor fc.bias (expected 7)")
}
