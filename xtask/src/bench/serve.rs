//! Steps on demand, over standard input and output: how a race runs this program.
//!
//! A line in, a line of JSON out. First, unasked, `{"base_rss_bytes": …}`, when the network stands. Then `go` takes one
//! step and answers `{"ms": …, "peak_rss_bytes": …}`; `check FILE` takes one step and writes to a safetensors file what
//! came of it: `logits`, or in training `loss` and every tensor of the network. `race/rival.py` speaks the same.

use super::engine::Engine;
use super::times::milliseconds;
use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use cnn_core::candle_core;
use cnn_train::Memory;
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

/// Answers until the input ends. `base` is the memory before the network was made.
pub fn serve(engine: &mut dyn Engine, base: Memory, train: bool) -> Result<()> {
    say(&json!({ "base_rss_bytes": base.resident }))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            None if line == "go" => {
                let started = Instant::now();
                engine.step()?;
                let ms = milliseconds(started.elapsed());
                say(&json!({ "ms": ms, "peak_rss_bytes": Memory::now().peak }))?;
            }
            Some(("check", path)) => {
                engine.step()?;
                write(Path::new(path), engine, train)?;
                say(&json!({}))?;
            }
            _ => bail!("{line} is neither `go` nor `check FILE`"),
        }
    }
    Ok(())
}

fn say(answer: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}")?;
    Ok(out.flush()?)
}

fn write(path: &Path, engine: &dyn Engine, train: bool) -> Result<()> {
    let name = if train { "loss" } else { "logits" };
    let mut tensors = vec![(name.to_string(), engine.output()?)];
    if train {
        tensors.extend(engine.tensors()?);
    }
    let tensors: Vec<(String, Tensor)> = tensors
        .into_iter()
        .map(|(name, tensor)| Ok((name, tensor.to_device(&Device::Cpu)?.contiguous()?)))
        .collect::<Result<_>>()?;
    let named = tensors.iter().map(|(name, tensor)| (name, tensor));
    std::fs::write(path, safetensors::serialize(named, None)?)
        .with_context(|| format!("{} cannot be written", path.display()))
}
