//! The arguments.

mod augment;
mod check;
mod convert;
mod data;
mod explain;
mod export;
mod numbers;
mod predict;
mod preparation;
mod recompute;
mod report;
mod serve;
mod shared;
mod speed;
mod sweep;
mod train;
mod watching;
mod weights;

pub use augment::Augment;
pub use check::{DataArgs, DataCheck, DataCommand};
pub use convert::Convert;
pub use data::Data;
pub use explain::{Diagram, Explain};
pub use export::Export;
#[cfg(feature = "formats")]
pub use export::PixelsName;
pub use numbers::{Mode, Numbers};
pub use predict::{Features, Known, Predict, Trained};
#[cfg(test)]
pub use preparation::Crop;
pub use preparation::PreparationArgs;
pub use recompute::RecomputeArgs;
pub use report::Report;
pub use serve::Serve;
pub use shared::{Computes, computes, draws};
pub use speed::{Bench, EngineName, Limit, Race};
pub use sweep::Sweep;
pub use train::{DecayName, Folder, OptimizerName, PrecisionName, ScheduleName, Settings, TestTimeName, Train};
pub use watching::Watching;
pub use weights::{Weights, WeightsCommand};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use cnn_core::device::DeviceChoice;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The classic convolutional networks: train, judge and inspect them.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
    /// What the command is called.
    #[arg(skip)]
    pub name: String,
}

impl Cli {
    /// Reads a command line, the program's name first.
    pub fn read(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let command = shared::as_taken(with_negative_numbers(Self::command()));
        let matches = command.try_get_matches_from(words).map_err(in_plain_words)?;
        let name = matches.subcommand_name().unwrap_or_default().to_string();
        Ok(Self { name, ..Self::from_arg_matches(&matches)? })
    }
}

/// What is wrong with a number, as the standard library and this program say it.
const NUMBERS: [(&str, &str); 6] = [
    ("invalid digit found in string", "expected a whole number from 0 up"),
    ("cannot parse integer from empty string", "expected a whole number from 0 up"),
    ("number too large to fit in target type", "expected a smaller number"),
    ("number too small to fit in target type", "expected a larger number"),
    ("invalid float literal", "expected a number, such as 0.1"),
    ("cannot parse float from empty string", "expected a number, such as 0.1"),
];

/// What `train` misses, and all that would do.
const MISSING: (&str, &str) = (
    "  <NET>\n\nUsage: cargo xtask train <NET>",
    "  <NET>, --recipe <NAME|FILE> or --resume <RUN>\n\nUsage: cargo xtask train <NET>",
);

/// Says of a number what is expected, and of what is missing all that would do.
fn in_plain_words(error: clap::Error) -> clap::Error {
    let text = error.to_string();
    let known = NUMBERS.into_iter().chain([MISSING]);
    let Some((theirs, ours)) = known.into_iter().find(|(theirs, _)| text.contains(theirs)) else { return error };
    let text = text.strip_prefix("error: ").unwrap_or(&text).replace(theirs, ours);
    clap::Error::raw(error.kind(), text)
}

/// Takes a number with a minus for the value of a flag, so that what the flag expects is said of it.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let with = |arg: clap::Arg| {
        let flag = !arg.is_positional() && arg.get_action().takes_values();
        if flag { arg.allow_negative_numbers(true) } else { arg }
    };
    command.mut_args(with).mut_subcommands(with_negative_numbers)
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Where every random number begins: initialisation, dropout, shuffling, drawn digits [default: 1, or a recipe's]
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// auto, cpu, cuda, cuda:N, metal or metal:N
    #[arg(long, global = true, default_value_t, value_name = "DEVICE")]
    pub device: DeviceChoice,
    /// Threads to compute with [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// What is reported on standard error: error, warn, info, debug or trace
    #[arg(long, global = true, default_value_t = tracing::Level::WARN, value_name = "LEVEL")]
    pub log: tracing::Level,
}

impl Common {
    /// The seed of a command that knows no recipe.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Every network by name
    List,
    /// Shapes, parameters, multiply-accumulates, receptive field and memory of a network
    #[command(after_help = SUMMARY_EXAMPLES)]
    Summary(Summary),
    /// What networks cost, side by side, each without its auxiliary heads
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(Compare),
    /// Write the documentation that is generated from the networks
    Docs(Docs),
    /// Train a network
    #[command(after_help = train::TRAIN_EXAMPLES)]
    Train(Box<Train>),
    /// The recipes, or one of them as a file
    Recipes(Recipes),
    /// Draw how training images are augmented, to look at
    #[command(after_help = augment::EXAMPLES)]
    Augment(Augment),
    /// Write a run's report anew, or put runs side by side
    #[command(after_help = report::REPORT_EXAMPLES)]
    Report(Report),
    /// Train with every combination of some settings
    #[command(after_help = sweep::SWEEP_EXAMPLES)]
    Sweep(Sweep),
    /// Say what is on pictures
    #[command(after_help = predict::PREDICT_EXAMPLES)]
    Predict(Predict),
    /// Answer over HTTP what is on pictures
    #[command(after_help = serve::EXAMPLES)]
    Serve(Serve),
    /// Write what a node makes of pictures
    #[command(after_help = predict::FEATURES_EXAMPLES)]
    Features(Features),
    /// Write a page that shows what a network makes of pictures
    #[command(after_help = explain::EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// A network as a picture, SVG on standard output
    #[command(after_help = explain::DIAGRAM_EXAMPLES)]
    Diagram(Diagram),
    /// Published weights: what there is, what is known of it, and its files
    #[command(after_help = weights::EXAMPLES)]
    Weights(Weights),
    /// Look through data before it is trained on
    Data(DataArgs),
    /// Judge trained weights on a data set's test images
    #[command(after_help = EVAL_EXAMPLES)]
    Eval(Eval),
    /// Find the scales of 8-bit numbers for trained weights, and say what the accuracy loses by them
    #[command(after_help = CALIBRATE_EXAMPLES)]
    Calibrate(Calibrate),
    /// Write weights of any format and names that are read as safetensors
    #[command(after_help = convert::EXAMPLES)]
    Convert(Convert),
    /// Hold every network to the reference tables of other implementations and the papers
    VerifyShapes(VerifyShapes),
    /// Hold networks to torch's logits, inner nodes and gradients
    VerifyParity(VerifyParity),
    /// Run a network on tensors from a file
    #[command(after_help = FORWARD_EXAMPLES)]
    Forward(Forward),
    /// Write a network with its weights as an ONNX file
    #[command(after_help = export::EXPORT_EXAMPLES)]
    Export(Export),
    /// Take the time of a network's forward pass or training step
    #[command(after_help = speed::BENCH_EXAMPLES)]
    Bench(Bench),
    /// Take the time of this project and of torch, ONNX Runtime, OpenVINO, ncnn and rten, in turns
    #[command(after_help = speed::RACE_EXAMPLES)]
    Race(Race),
}

const FORWARD_EXAMPLES: &str =
    "The input file holds a tensor `input`, images × channels × height × width. The output file gets `logits`, with
--softmax `probabilities` too, and every tapped node under its path.

Examples:
  cargo xtask forward resnet50 --weights resnet50.safetensors --input in.safetensors --output out.safetensors
  cargo xtask forward vgg16 --weights w.safetensors --input in.safetensors --output out.safetensors \\
      --taps features.30,classifier.3";

const SUMMARY_EXAMPLES: &str = "Examples:
  cargo xtask summary lenet
  cargo xtask summary lenet_paper --shape 1,64,48
  cargo xtask summary lenet --classes 26 --json";

const COMPARE_EXAMPLES: &str = "Examples:
  cargo xtask compare alexnet vgg16 nin googlenet
  cargo xtask compare resnet50 densenet121 --batch 32
  cargo xtask compare lenet mnist_mlp --classes 26 --json";

const EVAL_EXAMPLES: &str =
    "Weights of a run are judged on the images that the run set aside, unless --dataset names others. Of a folder that is
named, the images of test in it are judged, else those of val, else all; classes are matched by name.

Examples:
  cargo xtask eval runs/lenet-digits
  cargo xtask eval --weights runs/lenet-digits --dataset mnist --data-dir mnist-files
  cargo xtask eval resnet18 --weights resnet18.pth --dataset flowers --mean 0.485,0.456,0.406 \\
      --std 0.229,0.224,0.225 --crop 224/256";

#[derive(Debug, Args)]
pub struct Summary {
    /// The network's name, see `cargo xtask list`
    #[arg(value_name = "NET")]
    pub network: String,
    /// Input shape instead of its source's
    #[arg(long, value_name = "C,H,W")]
    pub shape: Option<InputShape>,
    /// Number of classes instead of its source's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub classes: Option<u32>,
    /// Whether auxiliary heads are part of it
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub heads: Switch,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Compare {
    /// The networks' names, see `cargo xtask list`
    #[arg(value_name = "NET", required = true)]
    pub networks: Vec<String>,
    /// Input shape instead of their sources'
    #[arg(long, value_name = "C,H,W")]
    pub shape: Option<InputShape>,
    /// Images in a batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: u32,
    /// Number of classes instead of their sources'
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub classes: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Docs {
    /// Only say which files are stale; exit 1 if any is
    #[arg(long)]
    pub check: bool,
    /// The repository [default: the one this program was built from]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Recipes {
    /// The recipe to print
    #[arg(value_name = "NAME|FILE")]
    pub name: Option<String>,
}

const CALIBRATE_EXAMPLES: &str =
    "The ranges of all maps are taken on images to train on, where the data set has some, and the accuracy on those that eval
judges. The scales lie beside the weights, where --mode int8 of other commands looks for them. They are these weights' alone.

Examples:
  cargo xtask calibrate runs/vgg-cifar10
  cargo xtask calibrate resnet20_cifar --dataset cifar10 --data-dir cifar --images 512
  cargo xtask calibrate resnet50 --weights resnet50.safetensors --dataset flowers";

#[derive(Debug, Args)]
pub struct Eval {
    #[command(flatten)]
    pub judge: Judge,
    #[command(flatten)]
    pub numbers: Numbers,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Calibrate {
    #[command(flatten)]
    pub judge: Judge,
    /// Images on which ranges are taken, of each class its share
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub images: u32,
    /// JSON file to write; one that is there is replaced [default: beside the weights, FILE.int8.json; of weights without a
    /// file, as those that come with the program, NET.int8.json in the current folder]
    #[arg(long, value_name = "FILE")]
    pub scales: Option<PathBuf>,
}

/// Trained weights, and images to judge them by.
#[derive(Debug, Args)]
pub struct Judge {
    /// The network's name, or its family's, where the weights do not say it; or a run's folder or a file of weights
    #[arg(value_name = "NET|RUN")]
    pub network: Option<String>,
    #[command(flatten)]
    pub trained: Trained,
    #[command(flatten)]
    pub data: Data,
    /// Judge every image by these views of it [default: as the run did, else plain]
    #[arg(long, value_enum)]
    pub test_time: Option<TestTimeName>,
    /// Images at a time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = batch_size)]
    pub batch_size: usize,
}

fn batch_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|size| *size > 0).ok_or_else(|| "a number of images from 1 on is needed".to_string())
}

#[derive(Debug, Args)]
pub struct VerifyShapes {
    /// Networks to verify [default: all]
    #[arg(value_name = "NET")]
    pub networks: Vec<String>,
    /// Folder of reference tables [default: the repository's]
    #[arg(long, value_name = "DIR")]
    pub reference: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct VerifyParity {
    /// Networks to verify [default: all that have a golden]
    #[arg(value_name = "NET")]
    pub networks: Vec<String>,
    /// Folder of goldens [default: the repository's]
    #[arg(long, value_name = "DIR")]
    pub goldens: Option<PathBuf>,
    /// Only small networks, one or more of each family
    #[arg(long, conflicts_with = "networks")]
    pub quick: bool,
    /// Only the K-th of N shares, which cost about the same: every share once is every network
    #[arg(long, value_name = "K/N", conflicts_with_all = ["networks", "quick"])]
    pub share: Option<cnn_verify::Share>,
}

#[derive(Debug, Args)]
pub struct Forward {
    /// The network's name
    #[arg(value_name = "NET")]
    pub network: String,
    /// Weights: safetensors, or what torch.save writes
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// Safetensors file with the tensor `input`
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// Safetensors file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Number of classes [default: what the weights have]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub classes: Option<u32>,
    /// Nodes to write too, separated by commas
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub taps: Vec<String>,
    /// Write probabilities too
    #[arg(long)]
    pub softmax: bool,
    /// Put torchvision's `transform_input` in front (googlenet and inception_v3 with published weights)
    #[arg(long)]
    pub transform_input: bool,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// `C,H,W`.
#[derive(Clone, Copy, Debug)]
pub struct InputShape(pub [usize; 3]);

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [c, h, w] = self.0;
        write!(f, "{c},{h},{w}")
    }
}

impl FromStr for InputShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        match numbers.as_deref() {
            Ok([c, h, w]) => Ok(Self([*c, *h, *w])),
            _ => Err("three numbers are needed: channels,height,width".to_string()),
        }
    }
}
