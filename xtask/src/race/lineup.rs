//! Who takes part, and how each is started.

use super::case::Case;
use super::contestant::{Absent, run};
use crate::bench::{LEARNING_RATE, MOMENTUM, Workload};
use crate::cli::{EngineName, Limit, Mode};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The other side's program, and the networks that torchvision lacks.
const RIVAL: &str = include_str!("../../race/rival.py");
const BOOK: &str = include_str!("../../../tests/reference/book.py");

/// How this project is called.
pub const OURS: &str = "ours";

/// A contestant's key in `rival.py`, the package it comes from, and how it runs.
const RIVALS: [(&str, &str, &str); 6] = [
    ("torch", "torch", "contiguous"),
    ("torch_channels_last", "torch", "channels_last"),
    ("onnxruntime", "onnxruntime", "CPUExecutionProvider, one intra-op pool, its usual graph optimisations"),
    ("openvino", "openvino", "CPU, latency hint, one stream"),
    ("ncnn", "ncnn", "its usual choices, one image after the other"),
    (RTEN, "rten", "weights packed beforehand"),
];

/// The rival that is no Python's.
const RTEN: &str = "rten";

/// How a contestant computes in a precision, for a reader; nothing where it does not, or not as a runtime of its users
/// would.
fn computes(key: &str, precision: Mode, train: bool) -> Option<&'static str> {
    match (precision, key) {
        (Mode::Bf16, "torch" | "torch_channels_last") if train => Some("torch.autocast bfloat16"),
        (Mode::F32, "openvino") => Some("INFERENCE_PRECISION_HINT f32"),
        (Mode::F32, _) => Some("f32"),
        (Mode::Bf16, "openvino") => Some("INFERENCE_PRECISION_HINT bf16"),
        (Mode::Bf16, "ncnn") => Some("bf16 storage"),
        (Mode::Int8, "onnxruntime" | "openvino") => {
            Some("int8 by onnxruntime.quantization: static, QDQ, u8 maps, a scale for each channel of the s8 weights")
        }
        _ => None,
    }
}

/// What limits a contestant's process to some instructions; nothing where it cannot be limited.
fn limits(key: &str, limit: Limit) -> Option<&'static [(&'static str, &'static str)]> {
    match (limit, key) {
        (Limit::Avx2, OURS) => Some(&[("CNN_INSTRUCTION_SET", "avx2")]),
        (Limit::Avx2, "torch" | "torch_channels_last") => Some(&[
            ("ONEDNN_MAX_CPU_ISA", "AVX2"),
            ("ATEN_CPU_CAPABILITY", "avx2"),
            ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
        ]),
        (Limit::Avx2, _) => None,
    }
}

/// Everybody who takes part in a race.
pub struct Lineup {
    python: PathBuf,
    /// Holds `rival.py`; gone with the race.
    folder: tempfile::TempDir,
    versions: Value,
    /// rten's program.
    rten: Result<PathBuf, Absent>,
    /// Whether training steps are raced.
    pub train: bool,
    /// Threads of each.
    pub threads: usize,
    engine: EngineName,
    /// What everybody computes with.
    pub precision: Mode,
    /// What the instructions are limited to.
    limit: Option<Limit>,
    seed: u64,
}

impl Lineup {
    /// Asks this Python what it has.
    pub fn new(
        python: &Path,
        train: bool,
        threads: usize,
        (engine, precision, limit): (EngineName, Mode, Option<Limit>),
        seed: u64,
    ) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        std::fs::write(folder.path().join("rival.py"), RIVAL).context("cannot write to the temporary folder")?;
        std::fs::write(folder.path().join("book.py"), BOOK).context("cannot write to the temporary folder")?;
        let mut lineup = Self {
            python: python.to_path_buf(),
            folder,
            versions: Value::Null,
            rten: Err("it was not asked for".to_string()),
            train,
            threads,
            engine,
            precision,
            limit,
            seed,
        };
        let mut command = lineup.rival();
        command.arg("describe");
        let said = run(command, lineup.folder.path())?;
        lineup.versions = serde_json::from_str(&said)
            .with_context(|| format!("{} does not answer as a Python would", python.display()))?;
        for package in ["torch", "torchvision"] {
            if lineup.versions[package].is_null() {
                bail!("{} has no {package}: a race needs a Python that has it", python.display());
            }
        }
        if lineup.can(RTEN) {
            match super::rten::compiled() {
                Ok((program, version)) => {
                    lineup.versions["rten"] = version.into();
                    lineup.rten = Ok(program);
                }
                Err(why) => lineup.rten = Err(why),
            }
        }
        Ok(lineup)
    }

    /// The keys of those who take part, this project first.
    pub fn contestants(&self) -> Vec<&'static str> {
        let rivals = RIVALS.iter().filter(|(key, package, _)| self.can(key) && !self.versions[package].is_null());
        std::iter::once(OURS).chain(rivals.map(|(key, _, _)| *key)).collect()
    }

    /// Whether a contestant takes part in races of this kind.
    fn can(&self, key: &str) -> bool {
        let limited = self.limit.is_none_or(|limit| limits(key, limit).is_some());
        (!self.train || key.starts_with("torch")) && computes(key, self.precision, self.train).is_some() && limited
    }

    /// Those who could take part, and why they do not.
    pub fn missing(&self) -> Vec<(&'static str, Absent)> {
        let present = self.contestants();
        let could = RIVALS.iter().map(|(key, _, _)| *key).filter(|key| self.can(key) && !present.contains(key));
        let why = |key| match &self.rten {
            Err(why) if key == RTEN => why.clone(),
            _ => format!("{} lacks it", self.python.display()),
        };
        could.map(|key| (key, why(key))).collect()
    }

    /// A line for each that takes part: version, threads, settings.
    pub fn settings(&self) -> Vec<(String, String)> {
        let contestants = self.contestants();
        let version = |package: &str| self.versions[package].as_str().unwrap_or_default().to_string();
        let build = if cfg!(debug_assertions) { "the workspace's optimised dev profile" } else { "release" };
        let saved = if self.precision == Mode::Int8 { ", plan saved beforehand" } else { "" };
        let ours = format!("{}, engine {}, {}{saved}, {build}", env!("CARGO_PKG_VERSION"), self.engine, self.precision);
        let rivals = RIVALS.iter().filter(|(key, _, _)| contestants.contains(key)).map(|(key, package, how)| {
            let more = if self.train { ", SGD fused, gradients set to None" } else { "" };
            let numbers = computes(key, self.precision, self.train).unwrap_or_default();
            (key.to_string(), format!("{}, {how}, {numbers}{more}", version(package)))
        });
        std::iter::once((OURS.to_string(), ours))
            .chain(rivals)
            .map(|(key, text)| {
                let limits = self.limits(&key).iter().map(|(variable, value)| format!(", {variable}={value}"));
                let limits: String = limits.collect();
                (key, format!("{text}, threads: {}{limits}", self.threads))
            })
            .collect()
    }

    /// The variables that limit a contestant.
    fn limits(&self, contestant: &str) -> &'static [(&'static str, &'static str)] {
        self.limit.and_then(|limit| limits(contestant, limit)).unwrap_or_default()
    }

    /// Whether it reads the network from an ONNX file.
    pub fn reads_onnx(contestant: &str) -> bool {
        ["onnxruntime", "openvino", "ncnn", RTEN].contains(&contestant)
    }

    /// What `rival.py` has to know of a case whose files lie in `folder`.
    pub fn describe(&self, workload: &Workload, folder: &Path) -> Value {
        let outputs = workload.network.outputs();
        json!({
            "network": workload.network.name(),
            "classes": workload.classes,
            "train": self.train,
            "threads": self.threads,
            "precision": self.precision.to_string(),
            "weights": folder.join("weights.safetensors"),
            "batch": folder.join("batch.safetensors"),
            "onnx": folder.join("network.onnx"),
            "learning_rate": LEARNING_RATE,
            "momentum": MOMENTUM,
            "loss_weights": outputs.iter().map(|output| output.loss_weight).collect::<Vec<f64>>(),
        })
    }

    /// The command that writes the ONNX file of a case.
    pub fn export(&self, folder: &Path) -> Command {
        let mut command = self.rival();
        command.arg("export").arg(folder.join("case.json")).arg(folder.join("network.onnx"));
        command
    }

    /// The command that starts a contestant, without what cargo sets for the tests of this workspace.
    pub fn serve(&self, contestant: &str, case: &Case, folder: &Path) -> Result<Command> {
        let mut command = self.start(contestant, case, folder)?;
        command.env_remove("MALLOC_ARENA_MAX");
        Ok(command)
    }

    fn start(&self, contestant: &str, case: &Case, folder: &Path) -> Result<Command> {
        if contestant == RTEN {
            let program = self.rten.as_ref().map_err(|why| anyhow!("{why}"))?;
            let mut command = Command::new(program);
            command.arg(folder.join("network.onnx")).arg(folder.join("batch.safetensors"));
            command.arg(self.threads.to_string());
            return Ok(command);
        }
        if contestant != OURS {
            let mut command = self.rival();
            command
                .args(["serve", contestant])
                .arg(folder.join("case.json"))
                .envs(self.limits(contestant).iter().copied());
            return Ok(command);
        }
        let mut command = Command::new(std::env::current_exe().context("cannot find this program's own file")?);
        command.args(["bench", &case.network, "--serve", "--device", "cpu"]).envs(self.limits(OURS).iter().copied());
        command.args(["--batch", &case.batch.to_string(), "--engine", &self.engine.to_string()]);
        command.args(["--mode", &self.precision.to_string()]);
        command.args(["--seed", &self.seed.to_string(), "--threads", &self.threads.to_string()]);
        if let Some(shape) = case.shape {
            command.args(["--shape", &shape.to_string()]);
        }
        if let Some(classes) = case.classes {
            command.args(["--classes", &classes.to_string()]);
        }
        match (self.train, self.engine) {
            (true, _) => drop(command.arg("--train")),
            (false, EngineName::Plan) => {
                command.arg("--weights").arg(folder.join("weights.safetensors"));
                if self.precision == Mode::Int8 {
                    command.arg("--saved").arg(folder);
                }
            }
            (false, EngineName::Candle) => {}
        }
        Ok(command)
    }

    fn rival(&self) -> Command {
        let mut command = Command::new(&self.python);
        let threads = self.threads.to_string();
        command.arg("-B").arg(self.folder.path().join("rival.py"));
        for variable in ["OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(variable, &threads);
        }
        command
    }
}
