//! The arguments of the commands that take the time.

use super::{InputShape, Mode, RecomputeArgs};
use crate::race::Case;
use clap::{Args, ValueEnum};
use std::fmt;
use std::path::PathBuf;

pub const BENCH_EXAMPLES: &str = "Dropout is off: without it, every step does the same work.

Examples:
  cargo xtask bench lenet --batch 64 --shape 1,28,28 --train
  cargo xtask bench resnet50 --batch 8 --threads 2 --runs 20 --json
  cargo xtask bench resnet18 --load photos --batch 32 --augment random-resized-crop,flip";

pub const RACE_EXAMPLES: &str = "The other side is a Python with torch and torchvision; in inference ONNX Runtime and OpenVINO (with onnx and onnxscript)
and ncnn (with pnnx) run too, where it has them, and rten, which cargo compiles. Exit code 1 if outputs differ, a case fails, or other programs disturbed a race
that was to be recorded.

Examples:
  cargo xtask race --train --threads 2
  cargo xtask race --train --precision bf16 --case resnet50:8
  cargo xtask race --python venv/bin/python --case resnet18:16 --case lenet:64:1,28,28
  cargo xtask race --train --case resnet18:64:3,32,32:10 --rounds 20 --json race.json
  cargo xtask race --instructions avx2 --case resnet50:1";

/// What is of no use where nothing is computed.
const LOAD_HAS_NO: [&str; 10] =
    ["train", "serve", "steps", "scaling", "classes", "engine", "mode", "recompute", "explain", "callers"];

#[derive(Debug, Args)]
pub struct Bench {
    /// The network's name, see `cargo xtask list`
    #[arg(value_name = "NET")]
    pub network: String,
    /// Time a whole training step instead of a forward pass: forward, loss, backward, SGD with momentum
    #[arg(long)]
    pub train: bool,
    #[command(flatten)]
    pub recompute: RecomputeArgs,
    /// Time the loader alone on this data set, from files to batches as `train` makes them for the network
    #[arg(long, value_name = "NAME|FOLDER", conflicts_with_all = LOAD_HAS_NO)]
    pub load: Option<String>,
    /// What is done to the images that are loaded, in short; see `cargo xtask augment`
    #[arg(long, value_name = "STEPS", requires = "load")]
    pub augment: Option<cnn_data::Augmentation>,
    /// Images in a batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: u32,
    /// Input shape instead of its source's
    #[arg(long, value_name = "C,H,W")]
    pub shape: Option<InputShape>,
    /// Number of classes instead of its source's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub classes: Option<u32>,
    /// What computes
    #[arg(long, value_enum, default_value_t = EngineName::Plan)]
    pub engine: EngineName,
    /// What is computed with by engine plan; int8 in forward passes alone, by scales that are found on the batch itself
    #[arg(long, visible_alias = "precision", value_enum, default_value_t = Mode::F32)]
    pub mode: Mode,
    /// Steps that are timed
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub runs: u32,
    /// Print where the time goes, step by step, slowest first; engine plan only
    #[arg(long, conflicts_with_all = ["serve", "json"])]
    pub steps: bool,
    /// Print for each step of the inference plan how it is computed, its bytes and operations, and its time as predicted
    /// and as measured; engine plan only
    #[arg(long, conflicts_with_all = ["serve", "json", "steps", "train"])]
    pub explain: bool,
    /// Compare one thread with all of them, beside a loop of multiply-adds that touches registers only; engine plan only
    #[arg(long, conflicts_with_all = ["serve", "json", "steps", "explain"])]
    pub scaling: bool,
    /// Compare one caller of the inference plan with this many at once, in images a second; engine plan only
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["serve", "json", "steps", "explain", "scaling", "train"],
        value_parser = clap::value_parser!(u16).range(2..=1024)
    )]
    pub callers: Option<u16>,
    /// Print JSON
    #[arg(long, conflicts_with = "serve")]
    pub json: bool,
    /// Take a step for every line that says so: how `race` runs this program
    #[arg(long, hide = true)]
    pub serve: bool,
    /// With --serve, the file that a forward pass has its weights from, as everybody else in a race has them
    #[arg(long, hide = true, requires = "serve", conflicts_with = "train")]
    pub weights: Option<PathBuf>,
    /// With --serve and --mode int8, the folder that the plan lies in, or is written to by whoever is first, with its weights:
    /// others read a file that was quantised before, too
    #[arg(long, hide = true, requires = "serve", conflicts_with = "train")]
    pub saved: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Race {
    /// A Python that has torch and torchvision
    #[arg(long, value_name = "FILE", default_value = "python3")]
    pub python: PathBuf,
    /// Race whole training steps instead of forward passes
    #[arg(long)]
    pub train: bool,
    /// What to race: a network, a batch, and what its source does not say [default: the cases of the documentation]
    #[arg(long = "case", value_name = "NET:BATCH[:C,H,W[:CLASSES]]")]
    pub cases: Vec<Case>,
    /// What computes on this project's side
    #[arg(long, value_enum, default_value_t = EngineName::Plan)]
    pub engine: EngineName,
    /// What everybody computes with; who cannot, stays out of it. Steps of training are raced in f32 and in bf16, torch's by
    /// autocast
    #[arg(long, visible_alias = "mode", value_enum, default_value_t = Mode::F32)]
    pub precision: Mode,
    /// Limit both sides to narrower instructions than the CPU has; of the others torch alone can be
    #[arg(long, value_enum, conflicts_with = "docs")]
    pub instructions: Option<Limit>,
    /// Turns that count, after one that does not
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: u32,
    /// Seconds that a case waits for others to leave the processor alone, as beside a virtual machine: turns in which they slow
    /// it down are taken again
    #[arg(long, default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub patience: u64,
    /// Write what came of it to a file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Record it in docs/performance.json, unless other programs disturbed it, and make the page and the picture of it
    #[arg(long)]
    pub docs: bool,
}

/// Instructions that everybody in a race can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Limit {
    /// AVX2 and FMA: 256 bits
    Avx2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The model in candle, with its automatic differentiation
    Candle,
    /// The planned step on this project's own kernels
    Plan,
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Candle => "candle",
            Self::Plan => "plan",
        })
    }
}
