//! PyTorch's files, made by torch (`goldens/containers.py`): every container holds the same numbers, by one rule.

#![cfg(feature = "pytorch")]

use cnn_network::Network;
use cnn_network::definition::*;
use cnn_weights::{Allowed, Weights};
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

fn network() -> Result<Network, Failure> {
    let body = chain().then("conv1", conv(3).out(4).no_bias()).then("bn1", batch_norm()).relu().global_avg_pool();
    Ok(body.then("fc", linear(3)).named("small", [3, 8, 8]).at_usual_input()?)
}

/// Element `index` of the tensor of this name, as the script has it.
fn number(name: &str, index: usize) -> f64 {
    ((7 * index + name.len()) % 31) as f64 / 8.0 - 2.0
}

/// Holds every number to the rule times a factor.
fn compare(weights: &Weights, factor: f64) -> Result<(), Failure> {
    let network = network()?;
    let weights = weights.for_network(&network)?;
    for spec in network.tensors() {
        let found = weights.get(&spec.name).ok_or("no such tensor")?.numbers::<f64>(&spec.name)?;
        let expected: Vec<f64> = (0..spec.elements()).map(|index| factor * number(&spec.name, index)).collect();
        assert_eq!(found, expected, "{} of {}", spec.name, weights.source());
    }
    Ok(())
}

#[test]
fn every_container_holds_the_same_numbers() -> Result<(), Failure> {
    let names = [
        ("zip.pth", "PyTorch, zip"),
        ("zip_protocol_4.pt", "PyTorch, zip"),
        ("zip_packed.bin", "PyTorch, zip"),
        ("zip_no_checksums.pt", "PyTorch, zip"),
        ("legacy.pth", "PyTorch before 1.6"),
        ("tar.pth", "PyTorch, tar"),
        ("pickled.pkl", "pickle"),
        ("pickled_run.pkl", "pickle, under state_dict"),
        ("f16.pt", "PyTorch, zip"),
        ("bf16.pt", "PyTorch, zip"),
        ("f64.pt", "PyTorch, zip"),
        ("strided.pt", "PyTorch, zip"),
        ("strided_legacy.pt", "PyTorch before 1.6"),
        ("whole_module.pt", "PyTorch, zip"),
        ("whole_module_legacy.pt", "PyTorch before 1.6"),
        ("compiled.pt", "PyTorch, zip"),
        ("data_parallel.th", "PyTorch before 1.6, under state_dict"),
        ("run.pt", "PyTorch, zip, under model; model_ema not taken"),
    ];
    for (name, form) in names {
        let weights = Weights::read(golden(name))?;
        assert_eq!(weights.form(), form, "{name}");
        compare(&weights, 1.0).map_err(|error| format!("{name}: {error}"))?;
        let inside = Weights::from_bytes(std::fs::read(golden(name))?, "inside")?;
        compare(&inside, 1.0).map_err(|error| format!("{name} in memory: {error}"))?;
    }
    Ok(())
}

#[test]
fn another_entry_is_taken_when_asked() -> Result<(), Failure> {
    let average = Weights::read_entry(golden("run.pt"), "model_ema")?;
    assert_eq!(average.form(), "PyTorch, zip, under model_ema");
    compare(&average, 2.0)?;
    let message = Weights::read_entry(golden("run.pt"), "net").unwrap_err().to_string();
    assert!(message.contains("'net' not found") && message.contains("model_ema"), "{message}");
    Ok(())
}

#[test]
fn what_was_done_to_names_is_told() -> Result<(), Failure> {
    let network = network()?;
    let report = |name: &str| -> Result<String, Failure> {
        let loading = Weights::read(golden(name))?.load(&network, Allowed::default())?;
        Ok(loading.to_string().replace(&golden(name).display().to_string(), "FILE"))
    };
    assert_eq!(
        report("data_parallel.th")?,
        "FILE (PyTorch before 1.6, under state_dict): 7 of small's 7 tensors taken
  renamed 7: without module. (module.bn1.bias is bn1.bias)
  counters passed over: 1"
    );
    assert!(report("compiled.pt")?.contains("renamed 7: without module., without _orig_mod., without model. ("));
    assert_eq!(report("zip.pth")?, "FILE (PyTorch, zip): 7 of small's 7 tensors taken\n  counters passed over: 1");
    Ok(())
}

#[test]
fn what_cannot_be_read_is_one_sentence() -> Result<(), Failure> {
    let refusals = [
        ("quantised.pt", "it holds quantised tensors (torch.QInt8Storage)"),
        ("sparse.pt", "it holds sparse tensors (torch._utils._rebuild_sparse_tensor)"),
        ("complex.pt", "it holds tensors of complex numbers (torch.ComplexFloatStorage)"),
        ("no_tensors.pt", "it holds no tensors"),
        ("settings.pkl", "it holds no tensors"),
    ];
    for (name, expected) in refusals {
        let message = Weights::read(golden(name)).err().ok_or("it was read")?.to_string();
        let path = golden(name).display().to_string();
        assert_eq!(message, format!("cannot read {path} as a PyTorch file: {expected}"));
    }
    Ok(())
}
