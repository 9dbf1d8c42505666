//! The arguments of `train`.

use super::{Data, EngineName, RecomputeArgs, Watching};
use clap::{Args, ValueEnum};
use cnn_data::Augmentation;
use std::path::PathBuf;

pub const TRAIN_EXAMPLES: &str =
    "What is not said is as the recipe says, see `cargo xtask recipes`. The folder of a run holds its recipe.toml.

Examples:
  cargo xtask train lenet
  cargo xtask train resnet20_cifar --dataset cifar10 --epochs 20
  cargo xtask train lenet --dataset mnist --data-dir mnist-files --epochs 3
  cargo xtask train lenet_d2l --dataset fashion-mnist --lr 0.5 --out runs/fashion
  cargo xtask train mnist_conv --optimizer adamw --seed 7 --threads 2
  cargo xtask train resnet50 --dataset flowers --init resnet50:imagenet1k_v2 --freeze conv1,bn1,layer1
  cargo xtask train vgg16 --recipe modern --set 'optimizer.sgd.momentum = 0.8'
  cargo xtask train --recipe runs/lenet-digits/recipe.toml
  cargo xtask train --resume runs/lenet-digits
  cargo xtask train --resume runs/lenet-digits --epochs 40 --lr 0.01
  cargo xtask train resnet18 --dataset photos --skip-damaged --class-weights auto
  cargo xtask train lenet --serve 8081
  cargo xtask train lenet --find-lr";

/// What is of no use where nothing is trained.
const FIND_LR_HAS_NO: [&str; 17] = [
    "resume",
    "overwrite",
    "keep",
    "checkpoint_steps",
    "patience",
    "epochs",
    "lr",
    "schedule",
    "warm_up",
    "average",
    "test_time",
    "processes",
    "bucket",
    "tui",
    "tensorboard",
    "serve",
    "no_report",
];

#[derive(Debug, Args)]
pub struct Train {
    /// A network's name, or a family's for the variant that fits the images
    #[arg(value_name = "NET", required_unless_present_any = ["recipe", "resume"])]
    pub network: Option<String>,
    /// Take the name literally, never as a family's
    #[arg(long)]
    pub exact: bool,
    #[command(flatten)]
    pub data: Data,
    /// Train at N×N pixels: images of one size are stretched, others scaled and the middle cut out [default: printed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub resize: Option<u32>,
    #[command(flatten)]
    pub settings: Settings,
    /// Begin with these weights; a last layer for other classes begins anew
    #[arg(long, value_name = "FILE|RUN|NAME")]
    pub init: Option<String>,
    /// Train nothing, but look which learning rate to begin with, and draw the loss over it
    #[arg(long, conflicts_with_all = FIND_LR_HAS_NO)]
    pub find_lr: bool,
    /// What computes a step [default: plan on the CPU, candle elsewhere]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Train on so many processes of this machine, a power of two: to the same bits on 1, 2, 4 or 8
    #[arg(long, value_name = "N", conflicts_with = "serve", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub processes: Option<u16>,
    /// KiB of gradients that ranks send together, while others are computed; 0 sends all at the end [default: 256, on one
    /// machine 0]
    #[arg(long, value_name = "KIB")]
    pub bucket: Option<u32>,
    #[command(flatten)]
    pub folder: Folder,
    #[command(flatten)]
    pub watching: Watching,
}

/// What differs from the recipe.
#[derive(Debug, Default, Args)]
pub struct Settings {
    /// Recipe by name, or a file of one [default: the network's usual one]
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<String>,
    /// Any setting, as a line of a recipe's `[training]`; may be given several times
    #[arg(long, value_name = "KEY = VALUE")]
    pub set: Vec<String>,
    /// Passes over the training images
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// Images in a batch
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Batches in a step
    #[arg(long, value_name = "N")]
    pub accumulate: Option<usize>,
    /// Learning rate
    #[arg(long, value_name = "X")]
    pub lr: Option<f64>,
    /// Learning rate over time, with usual numbers; --set has all of them
    #[arg(long, value_enum)]
    pub schedule: Option<ScheduleName>,
    /// Epochs over which the learning rate rises
    #[arg(long, value_name = "EPOCHS")]
    pub warm_up: Option<f64>,
    /// The optimiser
    #[arg(long, value_enum)]
    pub optimizer: Option<OptimizerName>,
    /// Momentum of SGD or RMSprop
    #[arg(long, value_name = "X")]
    pub momentum: Option<f64>,
    /// Nesterov's momentum
    #[arg(long)]
    pub nesterov: bool,
    /// Weight decay
    #[arg(long, value_name = "X")]
    pub weight_decay: Option<f64>,
    /// What weight decay pulls at: everything, or weights without biases and batch norms
    #[arg(long, value_enum)]
    pub decay: Option<DecayName>,
    /// Share of the target that is spread over all classes
    #[arg(long, value_name = "X")]
    pub label_smoothing: Option<f64>,
    /// What an image counts in the loss by its class: auto, as much less as its class has more images; none, all alike; or
    /// a file with a class and its weight on each line
    #[arg(long, value_name = "auto|none|FILE")]
    pub class_weights: Option<String>,
    /// Show every class as often as any other
    #[arg(long)]
    pub balance: bool,
    /// Take batch normalisation's statistics over all shards of a batch, as if it were whole
    #[arg(long)]
    pub sync_batch_norm: bool,
    /// Scale all gradients together down to this norm
    #[arg(long, value_name = "X", conflicts_with = "clip_value")]
    pub clip_norm: Option<f64>,
    /// Cut gradients off at this value
    #[arg(long, value_name = "X")]
    pub clip_value: Option<f64>,
    /// Keep and judge a moving average of the weights, of which this share stays at each step
    #[arg(long, value_name = "X")]
    pub average: Option<f64>,
    /// Stop after so many epochs without a new best
    #[arg(long, value_name = "EPOCHS", value_parser = patience)]
    pub patience: Option<usize>,
    /// Tensors stay as they are whose names are so or go on so behind a dot: conv1, layer1.0; `*` stands for any letters
    #[arg(long, value_name = "PREFIX", value_delimiter = ',')]
    pub freeze: Vec<String>,
    /// What is done to training images, in short: padded-crop:4,flip,mixup:0.2, or none; see `cargo xtask augment`
    #[arg(long, value_name = "STEPS")]
    pub augment: Option<Augmentation>,
    /// Judge every image by these views of it
    #[arg(long, value_enum)]
    pub test_time: Option<TestTimeName>,
    #[command(flatten)]
    pub recompute: RecomputeArgs,
    /// What the convolutions of a step multiply on the CPU; on other devices, what maps are of
    #[arg(long, visible_alias = "mode", value_enum)]
    pub precision: Option<PrecisionName>,
}

/// Where a run is kept.
#[derive(Debug, Args)]
pub struct Folder {
    /// Folder for weights and figures [default: runs/NET-DATASET, or the next free name]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace a run that the folder holds
    #[arg(long)]
    pub overwrite: bool,
    /// Go on with a run: to the same bits, or with other settings, as more --epochs. Network, data and seed are the run's
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "overwrite", "recipe", "network", "init", "exact"])]
    pub resume: Option<PathBuf>,
    /// Steps between two checkpoints [default: one every ten minutes, or as the run had it that goes on]; there is one after
    /// every epoch too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub checkpoint_steps: Option<u32>,
    /// Checkpoints that are kept [default: 1, or as many as the run was to keep that goes on]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub keep: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OptimizerName {
    Sgd,
    Adamw,
    Rmsprop,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScheduleName {
    /// The same throughout
    Constant,
    /// A tenth after every third of the run
    Step,
    /// A tenth after half and three quarters of the run
    MultiStep,
    /// A hundredth over the run
    Exponential,
    /// Half a cosine down to zero
    Cosine,
    /// Up and down by half cosines
    OneCycle,
    /// Up and down along straight lines
    Triangle,
    /// A tenth whenever the test loss stays
    Plateau,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TestTimeName {
    /// The image as it is
    Plain,
    /// The image and its mirror image, scores averaged
    Flip,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PrecisionName {
    F32,
    /// On CPUs with AVX512_BF16 the products of convolutions, elsewhere maps on devices that compute with it
    Bf16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DecayName {
    All,
    Weights,
}

fn patience(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("expected 1 or more; a run without it is not stopped early".to_string()),
        epochs => epochs.map_err(|error| error.to_string()),
    }
}
