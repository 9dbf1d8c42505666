//! A run, read back from its folder.

use crate::error::{Error, Result};
use crate::output::CONFUSION;
use cnn_core::file;
use cnn_figures::{printable, shortened};
use cnn_train::{Epoch, RunFolder, best_epoch};
use serde_json::Value;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

const CONFIG: &str = RunFolder::CONFIG;
const METRICS: &str = RunFolder::METRICS;

/// Bytes of a file of settings, and of a line of figures, at most.
const LARGEST_CONFIG: u64 = 4 << 20;
const LONGEST_LINE: u64 = 1 << 16;
/// Epochs of a run, at most.
const MOST_EPOCHS: usize = 1_000_000;
/// Characters of what is said about a damaged line, and of the path of a setting, at most.
const LONGEST_PROBLEM: usize = 200;
const LONGEST_NAME: usize = 200;

/// What a run's folder tells: with what it was started, and the figures of its epochs.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub path: PathBuf,
    /// What it was started with: the whole of `config.json`.
    pub config: Value,
    /// The epochs so far; there may be none yet.
    pub epochs: Vec<Epoch>,
}

impl Run {
    /// Whether the report in its folder shows how it judges images.
    pub fn shows_judgement(&self) -> bool {
        self.path.join(RunFolder::REPORT).join(CONFUSION).exists()
    }

    /// Reads a run's folder.
    ///
    /// # Errors
    ///
    /// A folder that holds no run, a file of it that is damaged: by file and line.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_path_buf(), config: config(path)?, epochs: epochs(path)? })
    }

    /// What the run in a folder was started with, without the figures of its epochs.
    ///
    /// # Errors
    ///
    /// A folder that holds no run, a file of settings that is damaged.
    pub fn config_of(path: &Path) -> Result<Value> {
        config(path)
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().or_else(|| self.path.as_os_str().into());
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The network's name; empty where the folder does not tell.
    pub fn network(&self) -> &str {
        self.config["network"].as_str().unwrap_or_default()
    }

    /// The data set's name; empty where the folder does not tell.
    pub fn dataset(&self) -> &str {
        self.config["dataset"].as_str().unwrap_or_default()
    }

    /// Number of classes, where the folder tells.
    pub fn classes(&self) -> Option<usize> {
        self.config["classes"].as_u64().and_then(|classes| usize::try_from(classes).ok())
    }

    /// Shape of one input sample, where the folder tells.
    pub fn input(&self) -> Option<[usize; 3]> {
        let dims = self.config["input"].as_array()?.iter().map(|n| usize::try_from(n.as_u64()?).ok());
        dims.collect::<Option<Vec<usize>>>()?.try_into().ok()
    }

    /// The epoch with the highest test accuracy, the first of equals.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.get(best_epoch(&self.epochs))
    }

    /// Seconds of all epochs.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// Mean training speed, evaluation not counted.
    pub fn images_per_second(&self) -> f64 {
        // Every epoch trains on as many images: the harmonic mean is the speed over all.
        self.epochs.len() as f64 / self.epochs.iter().map(|epoch| epoch.images_per_second.recip()).sum::<f64>()
    }

    /// The most bytes the process held, where the system said so.
    pub fn peak_memory(&self) -> Option<u64> {
        self.epochs.iter().filter_map(|epoch| epoch.peak_memory).max()
    }

    /// Every setting by its path: `settings.rule.momentum`, `0.9`.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        flatten("", &self.config, &mut settings);
        settings
    }
}

/// The settings of the run in this folder.
fn config(folder: &Path) -> Result<Value> {
    let path = folder.join(CONFIG);
    let Some(bytes) = there(&path, file::read(&path, LARGEST_CONFIG))? else {
        if !folder.exists() {
            return Err(Error::NoFolder { path: folder.to_path_buf() });
        }
        return Err(Error::NoRun { path: folder.to_path_buf(), file: CONFIG });
    };
    let config: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error.line(), error))?;
    if !config.is_object() {
        return Err(damaged(&path, 1, "not an object of settings"));
    }
    Ok(config)
}

/// The epochs of the run in this folder; none where it was interrupted in its first.
fn epochs(folder: &Path) -> Result<Vec<Epoch>> {
    let path = folder.join(METRICS);
    let Some(file) = there(&path, file::open(&path))? else { return Ok(Vec::new()) };
    let mut file = BufReader::new(file);
    let (mut epochs, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let number = epochs.len() + 1;
        let read = file.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
        if read.map_err(Error::file(&path, "cannot read"))? == 0 {
            return Ok(epochs);
        }
        if line.len() as u64 > LONGEST_LINE {
            return Err(damaged(&path, number, format_args!("longer than {LONGEST_LINE} bytes")));
        }
        if number > MOST_EPOCHS {
            return Err(damaged(&path, number, format_args!("more than {MOST_EPOCHS} epochs")));
        }
        // An error says where it is within the line that it was given, which is the first of itself.
        epochs.push(serde_json::from_slice(&line).map_err(|error| damaged(&path, number, error))?);
    }
}

/// What reading a file came to; `None` where there is no file.
fn there<T>(path: &Path, read: std::io::Result<T>) -> Result<Option<T>> {
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(Error::file(path, "cannot read")),
    }
}

/// What is wrong with a line, which may quote the line itself.
fn damaged(path: &Path, line: usize, problem: impl Display) -> Error {
    let problem = shortened(&printable(&problem.to_string()), LONGEST_PROBLEM).into_owned();
    Error::Damaged { path: path.to_path_buf(), line, problem }
}

fn flatten(path: &str, value: &Value, to: &mut Vec<(String, String)>) {
    let Value::Object(fields) = value else {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        return to.push((path.to_string(), text));
    };
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        flatten(&shortened(&path, LONGEST_NAME), value, to);
    }
}
