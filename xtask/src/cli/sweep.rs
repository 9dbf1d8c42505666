//! The arguments of `sweep`.

use super::{Data, EngineName};
use clap::Args;
use std::path::PathBuf;

pub const SWEEP_EXAMPLES: &str =
    "Every combination is a run in a folder of its own. A sweep that was interrupted goes on when it is called again.

Examples:
  cargo xtask sweep lenet --lr 0.005,0.02,0.08 --momentum 0.5,0.9 --epochs 3
  cargo xtask sweep resnet-cifar --network resnet20_cifar --lr 0.05,0.1 --dataset cifar10 --limit 10000 --epochs 5
  cargo xtask sweep mnist_conv --over 'label-smoothing = 0.0, 0.1' --over 'schedule = \"constant\", \"cosine\"'";

#[derive(Debug, Args)]
pub struct Sweep {
    /// A recipe's name or file, or a network's for its usual recipe
    #[arg(value_name = "RECIPE")]
    pub recipe: String,
    /// The network, if the recipe names none
    #[arg(long, value_name = "NET")]
    pub network: Option<String>,
    #[command(flatten)]
    pub data: Data,
    /// Train at N×N pixels: images of one size are stretched, others scaled and the middle cut out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub resize: Option<u32>,
    /// Passes over the training images, of every run
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// A setting of every run, as a line of a recipe's `[training]`
    #[arg(long, value_name = "KEY = VALUE")]
    pub set: Vec<String>,
    /// Learning rates to try
    #[arg(long, value_name = "X,X,…", value_delimiter = ',', allow_negative_numbers = true)]
    pub lr: Vec<f64>,
    /// Momenta to try
    #[arg(long, value_name = "X,X,…", value_delimiter = ',', allow_negative_numbers = true)]
    pub momentum: Vec<f64>,
    /// Weight decays to try
    #[arg(long, value_name = "X,X,…", value_delimiter = ',', allow_negative_numbers = true)]
    pub weight_decay: Vec<f64>,
    /// Batch sizes to try
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub batch_size: Vec<usize>,
    /// Any setting with the values to try, separated by commas
    #[arg(long, value_name = "KEY = VALUE, VALUE, …")]
    pub over: Vec<String>,
    /// What computes a step [default: plan on the CPU, candle elsewhere]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Folder for the runs, the table and the picture [default: runs/sweep-NET-DATASET]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
