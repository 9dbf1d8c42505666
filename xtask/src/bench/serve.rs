//! Steps on demand, over standard input and output: how a race runs this program.
//!
//! A line in, a line of JSON out. First, unasked, `{"base_rss_bytes": …}`, when the network stands. Then `go` takes one
//! step and answers `{"ms": …, "peak_rss_bytes": …}`; `check FILE` takes one step and writes to a safetensors file what
//! came of it: `logits`, or in training `loss` and every tensor of the network. `race/rival.py` speaks the same.

use super::engine::Engine;
use super::times::milliseconds;
use anyhow::{Context, Result, bail};
use cnn_core::weights::Tensor;
use cnn_train::{Memory, Weights};
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
    let mut tensors = if train { engine.tensors()? } else { Weights::new() };
    let (dims, values) = engine.output()?;
    tensors.insert(name, Tensor::new(name, &dims, values)?);
    std::fs::write(path, tensors.to_bytes()?).with_context(|| format!("{} cannot be written", path.display()))
}
