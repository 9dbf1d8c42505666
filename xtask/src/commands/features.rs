//! `features`: what a node makes of pictures, in a file.

use crate::cli;
use crate::progress::{bar, interrupted};
use crate::trained;
use crate::way_out;
use anyhow::{Result, bail};
use cnn_classifier::{Features, Form};
use cnn_core::weights::BorrowedWeights;
use cnn_data::Picture;
use cnn_figures::path;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// What the name of the file that is written ends in.
pub fn ending(args: &cli::Features) -> String {
    args.out.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default()
}

pub fn run(args: &cli::Features) -> Result<()> {
    let ending = ending(args);
    if !["npy", "safetensors"].contains(&&*ending) {
        bail!("{}: a file that ends in .safetensors or .npy can be written", path(&args.out));
    }
    let (network, names) = trained::split(&args.names);
    let mut opened = trained::open(&args.trained, network, None)?;
    if names.is_empty() {
        bail!("say which pictures: files, folders or patterns");
    }
    let files = trained::found(names)?;
    opened.reads(&args.trained, &args.numbers).and(&files).allow(&args.out)?;
    if let Some(node) = &args.node {
        way_out::node(&opened.trained.network, node)?;
    }
    let reading = opened.reading(args.reading.reading());
    let form = if args.maps { Form::Maps } else { Form::Pooled };
    let chosen = opened.numbers(&args.numbers)?;
    let features = Features::by(&opened.trained, args.node.as_deref(), form, chosen.options())?;
    opened.announce();
    chosen.announce();
    let (bar, stop) = (bar(files.len() as u64), interrupted());
    let mut numbers = Vec::new();
    let open = |path: &Path| Picture::read(path, reading);
    let mut first_problem = None;
    features.of_files(&files, open, |(_, values)| {
        bar.inc(1);
        match values {
            Ok(values) => numbers.extend(values),
            Err(problem) => first_problem = Some(problem),
        }
        first_problem.is_none() && !stop.load(Ordering::SeqCst)
    })?;
    bar.finish_and_clear();
    if let Some(problem) = first_problem {
        return Err(problem.into());
    }
    if stop.load(Ordering::SeqCst) {
        bail!("interrupted; nothing is written");
    }
    let dims: Vec<usize> = [&[files.len()], features.dims()].concat();
    let bytes = match &*ending {
        #[cfg(feature = "formats")]
        "npy" => npy(&dims, &numbers)?,
        "safetensors" => safetensors(&dims, &numbers, features.node(), &files)?,
        other => bail!("{}: this program was built without what writes .{other}", path(&args.out)),
    };
    cnn_train::write_whole(&args.out, &bytes)?;
    println!("{}: features {} at {}", path(&args.out), cnn_core::shape::times(&dims), features.node());
    Ok(())
}

#[cfg(feature = "formats")]
fn npy(dims: &[usize], numbers: &[f32]) -> Result<Vec<u8>> {
    use npyz::WriterBuilder;
    let mut bytes = Vec::new();
    let shape: Vec<u64> = dims.iter().map(|size| *size as u64).collect();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(numbers.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

/// The features, and in the metadata under `images` the files in their order, as JSON.
fn safetensors(dims: &[usize], numbers: &[f32], node: &str, files: &[PathBuf]) -> Result<Vec<u8>> {
    let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
    let said = serde_json::json!({ "node": node, "images": files }).to_string();
    let mut tensors = BorrowedWeights::new();
    tensors.insert("features", dims, numbers)?;
    Ok(tensors.with_metadata("features", said).to_bytes("the features")?)
}
