//! What came of races, as `docs/performance.json` and `--json` hold it.

use crate::cli::Mode;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What other programs may do before it is worth a word.
const QUIET: f64 = 0.05;

/// The last recorded race of each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    pub train: Option<Race>,
    pub inference: Option<Race>,
    pub train_bf16: Option<Race>,
    pub inference_bf16: Option<Race>,
    pub inference_int8: Option<Race>,
}

/// A race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Race {
    /// Whether a step was one of training.
    pub train: bool,
    /// What everybody computed with.
    #[serde(default)]
    pub precision: Mode,
    pub machine: Machine,
    /// Threads of each contestant.
    pub threads: usize,
    /// Turns that counted.
    pub rounds: u32,
    /// Each contestant with its version and settings, this project first.
    pub settings: Vec<(String, String)>,
    pub outcomes: Vec<Outcome>,
}

/// Where it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub network: String,
    pub batch: usize,
    pub shape: [usize; 3],
    pub classes: usize,
    pub lanes: Vec<Lane>,
    /// The part of the cores that other programs kept busy, before the first turn or after the last.
    pub others: Option<f64>,
    /// Turns that were taken again, since the processor was slower, by what others compute on it.
    #[serde(default)]
    pub slow_turns: u32,
    /// Whether it was slower in turns that count.
    #[serde(default)]
    pub is_slow: bool,
    /// What went wrong, by contestant.
    pub problems: Vec<(String, String)>,
}

/// What came of a contestant's steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    pub contestant: String,
    pub median_ms: f64,
    pub min_ms: f64,
    /// The most bytes above what was held before the network was made.
    pub peak_bytes: Option<u64>,
    /// How far its output was from this project's, by the measure of `agreement`.
    pub distance: f64,
}

impl Outcome {
    /// The name for a reader: the network, the batch, the size.
    pub fn title(&self) -> String {
        let [_, h, w] = self.shape;
        let size = if h == w { h.to_string() } else { format!("{h}×{w}") };
        format!("{} b{} {size}", self.network, self.batch)
    }

    /// Whether something went wrong with this contestant. One with neither lane nor problem had nobody to race with.
    pub fn failed(&self, contestant: &str) -> bool {
        self.problems.iter().any(|(who, _)| who == contestant)
    }

    /// What other programs did to the times, if that is much.
    pub fn disturbance(&self) -> Option<String> {
        if let Some(others) = self.others.filter(|others| *others > QUIET) {
            return Some(format!("other programs kept {:.0} % of the cores busy", 100.0 * others));
        }
        self.is_slow.then(|| "others kept the processor slower than it can be".to_string())
    }

    /// The lane of this contestant.
    pub fn lane(&self, contestant: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.contestant == contestant)
    }
}

impl Records {
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds no records of races", path.display()))
    }

    /// Keeps a race in place of the last one of its kind.
    pub fn keep(&mut self, race: Race) {
        let kind = match (race.train, race.precision) {
            (true, Mode::F32) => &mut self.train,
            (false, Mode::F32) => &mut self.inference,
            // Nothing trains in 8 bits.
            (true, _) => &mut self.train_bf16,
            (false, Mode::Bf16) => &mut self.inference_bf16,
            (false, Mode::Int8) => &mut self.inference_int8,
        };
        *kind = Some(race);
    }

    /// The last race of the kind that a page calls by this name.
    pub fn named(&self, kind: &str) -> Option<&Option<Race>> {
        Some(match kind {
            "train" => &self.train,
            "inference" => &self.inference,
            "train bf16" => &self.train_bf16,
            "inference bf16" => &self.inference_bf16,
            "inference int8" => &self.inference_int8,
            _ => return None,
        })
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(cnn_train::write_whole(path, text.as_bytes())?)
    }
}

impl Machine {
    /// This one. The processor's name is Linux's.
    pub fn here() -> Self {
        let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let processor = name.map_or("an unknown processor", |(_, name)| name.trim()).to_string();
        Self { processor, cores: std::thread::available_parallelism().map_or(1, usize::from) }
    }
}

#[cfg(test)]
/// A race of two cases, in the second of which torch's second layout failed.
pub fn example() -> Race {
    let lane = |contestant: &str, median_ms| Lane {
        contestant: contestant.to_string(),
        median_ms,
        min_ms: median_ms,
        peak_bytes: Some(1_000_000),
        distance: 0.0,
    };
    let outcome = |network: &str, lanes: Vec<Lane>, problems: Vec<(String, String)>| Outcome {
        network: network.to_string(),
        batch: 8,
        shape: [3, 32, 32],
        classes: 10,
        lanes,
        others: Some(0.0),
        slow_turns: 0,
        is_slow: false,
        problems,
    };
    let problem = ("torch_channels_last".to_string(), "it ended".to_string());
    Race {
        train: true,
        precision: Mode::F32,
        machine: Machine { processor: "P".to_string(), cores: 2 },
        threads: 2,
        rounds: 3,
        settings: ["ours", "torch", "torch_channels_last"].map(|key| (key.to_string(), "s".to_string())).to_vec(),
        outcomes: vec![
            outcome("a", vec![lane("ours", 1.0), lane("torch", 3.0), lane("torch_channels_last", 2.0)], Vec::new()),
            outcome("b", vec![lane("ours", 1.0), lane("torch", 8.0)], vec![problem]),
        ],
    }
}
