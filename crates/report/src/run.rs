//! A run, read back from its folder.

use crate::error::{Error, Result};
use cnn_train::Epoch;
use serde_json::Value;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.json";
const METRICS: &str = "metrics.jsonl";

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
    /// Reads a run's folder.
    ///
    /// # Errors
    ///
    /// A folder that holds no run, a file of it that is damaged: by file and line.
    pub fn read(path: &Path) -> Result<Self> {
        let config = text(path, CONFIG)?;
        let damaged = |error: serde_json::Error| Error::Damaged {
            path: path.join(CONFIG),
            line: error.line(),
            problem: error.to_string(),
        };
        let config: Value = serde_json::from_str(&config).map_err(damaged)?;
        if !config.is_object() {
            let problem = "not an object of settings".to_string();
            return Err(Error::Damaged { path: path.join(CONFIG), line: 1, problem });
        }
        let metrics = match text(path, METRICS) {
            // Interrupted in its first epoch.
            Err(Error::NoRun { .. }) => String::new(),
            metrics => metrics?,
        };
        let epochs = metrics.lines().enumerate().map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| Error::Damaged {
                path: path.join(METRICS),
                line: index + 1,
                problem: error.to_string(),
            })
        });
        Ok(Self { path: path.to_path_buf(), config, epochs: epochs.collect::<Result<_>>()? })
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
        let higher = |best: &&Epoch, epoch: &&Epoch| epoch.test_accuracy > best.test_accuracy;
        self.epochs.iter().reduce(|best, epoch| if higher(&best, &epoch) { epoch } else { best })
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

fn text(path: &Path, file: &'static str) -> Result<String> {
    let whole = path.join(file);
    match std::fs::read_to_string(&whole) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::NoRun { path: path.to_path_buf(), file })
        }
        read => read.map_err(Error::file(whole, "cannot read")),
    }
}

fn flatten(path: &str, value: &Value, to: &mut Vec<(String, String)>) {
    let Value::Object(fields) = value else {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        return to.push((path.to_string(), text));
    };
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        flatten(&path, value, to);
    }
}
