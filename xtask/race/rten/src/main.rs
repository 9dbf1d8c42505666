//! rten in a race: `rten-rival FILE.onnx BATCH.safetensors THREADS`.
//!
//! A line in, a line of JSON out, as `rival.py` and `bench --serve` do: `{"base_rss_bytes": …}` unasked, `go` takes a step
//! and answers `{"ms": …, "peak_rss_bytes": …}`, `check FILE` writes the logits to a safetensors file.

use rten::{Model, ModelOptions, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value as Json, json};
use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Instant;

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {}", error.to_string().replace('\n', " "));
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, batch, threads] = arguments.as_slice() else {
        return Err("rten-rival FILE.onnx BATCH.safetensors THREADS".into());
    };
    let images = images(batch)?;
    let pool = Arc::new(ThreadPool::with_num_threads(threads.parse()?));
    let base = memory("VmRSS");
    let mut options = ModelOptions::with_all_ops();
    let model: Model = options.prepack_weights(true).load_file(file)?;
    let step = || -> Result<Vec<f32>, Box<dyn Error>> {
        let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
        let logits: Value = model.run_one(images.view().into(), Some(options))?;
        let logits: NdTensor<f32, 2> = logits.try_into()?;
        Ok(logits.to_vec())
    };
    say(&json!({ "base_rss_bytes": base }))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            None if line == "go" => {
                let started = Instant::now();
                step()?;
                let ms = started.elapsed().as_secs_f64() * 1e3;
                say(&json!({ "ms": ms, "peak_rss_bytes": memory("VmHWM") }))?;
            }
            Some(("check", path)) => {
                let logits = step()?;
                let bytes: Vec<u8> = logits.iter().flat_map(|x| x.to_le_bytes()).collect();
                let shape = vec![images.size(0), logits.len() / images.size(0)];
                let view = TensorView::new(Dtype::F32, shape, &bytes)?;
                std::fs::write(path, safetensors::serialize([("logits", view)], None)?)?;
                say(&json!({}))?;
            }
            _ => return Err(format!("{line} is neither `go` nor `check FILE`").into()),
        }
    }
    Ok(())
}

/// The images of a batch, `(N, C, H, W)`.
fn images(path: &str) -> Result<NdTensor<f32, 4>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let file = SafeTensors::deserialize(&bytes)?;
    let images = file.tensor("input")?;
    let shape: [usize; 4] = images.shape().try_into()?;
    let numbers: Vec<f32> =
        images.data().chunks_exact(4).map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]])).collect();
    Ok(NdTensor::from_data(shape, numbers))
}

/// Bytes that this process holds now (`VmRSS`) or held at most (`VmHWM`); nothing where the system does not say.
fn memory(what: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn say(answer: &Json) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}")?;
    Ok(out.flush()?)
}
