//! The arguments of `sweep`.

use super::{Data, EngineName};
use clap::Args;
use std::path::PathBuf;

pub const SWEEP_EXAMPLES: &str =
    "Every combination is a run in a folder of its own. A sweep that was interrupted goes on when it is called again, and with more
--epochs its runs go on.

Examples:
  cargo xtask sweep lenet --lr 0.005,0.02,0.08 --momentum 0.5,0.9 --epochs 3
  cargo xtask sweep resnet-cifar --network resnet20_cifar --lr 0.05,0.1 --dataset cifar10 --limit 10000 --epochs 5
  cargo xtask sweep lenet --seeds 1,2,3
  cargo xtask sweep resnet18 --dataset photos --folds 5 --epochs 10
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
    #[arg(long, value_name = "X,X,…", value_delimiter = ',')]
    pub lr: Vec<f64>,
    /// Momenta to try
    #[arg(long, value_name = "X,X,…", value_delimiter = ',')]
    pub momentum: Vec<f64>,
    /// Weight decays to try
    #[arg(long, value_name = "X,X,…", value_delimiter = ',')]
    pub weight_decay: Vec<f64>,
    /// Batch sizes to try
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub batch_size: Vec<usize>,
    /// Train each with these seeds too, on the same data, and tell mean and deviation
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub seeds: Vec<u64>,
    /// Cross-validate: train each K times, judging another K-th of the images to train on each time
    #[arg(long, value_name = "K", conflicts_with = "fold", value_parser = folds)]
    pub folds: Option<usize>,
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

fn folds(text: &str) -> Result<usize, String> {
    let folds = text.parse().ok().filter(|folds| (2..=1000).contains(folds));
    folds.ok_or_else(|| "expected a number of parts from 2 to 1000".to_string())
}
