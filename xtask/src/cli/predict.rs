//! The arguments of commands that look at pictures.

use super::{Numbers, PreparationArgs};
use clap::Args;
use cnn_data::Reading;
use std::path::PathBuf;

pub const PREDICT_EXAMPLES: &str =
    "Without --weights the weights are those of that name; without a name they are LeNet's, for digits, which come with
the program.

Examples:
  cargo xtask predict digit.png
  cargo xtask predict resnet20_cifar 'photos/*.jpg' --top 3
  cargo xtask predict runs/resnet18-flowers photos --csv > answers.csv
  cat picture.png | cargo xtask predict - --weights resnet50.pth";

pub const FEATURES_EXAMPLES: &str = "Examples:
  cargo xtask features runs/resnet18-flowers photos --out features.npy
  cargo xtask features resnet20_cifar cat.jpg --node layer3 --maps --out maps.safetensors";

/// What is known of weights, where they do not say it or something else is wanted.
#[derive(Clone, Debug, Args)]
pub struct Known {
    /// imagenet, cifar10, cifar100, mnist, fashion-mnist, or a file with the name of a class on each line, in the order of the outputs
    #[arg(long, value_name = "NAME|FILE")]
    pub class_names: Option<PathBuf>,
    #[command(flatten)]
    pub preparation: PreparationArgs,
}

/// Trained weights, and what they do not say of themselves.
#[derive(Clone, Debug, Args)]
pub struct Trained {
    /// A file of weights, the folder of a run, or the name of weights
    #[arg(long, value_name = "FILE|RUN|NAME")]
    pub weights: Option<String>,
    #[command(flatten)]
    pub known: Known,
    /// Take weights for three colours for grey pictures, or the other way round: the first layer is summed, or repeated
    #[arg(long)]
    pub other_channels: bool,
}

/// How pictures are read from their files.
#[derive(Debug, Args)]
pub struct ReadingArgs {
    /// Leave pictures as they lie in their files, whatever their cameras noted (EXIF), as torchvision does
    #[arg(long)]
    pub no_exif: bool,
    /// Refuse pictures with more pixels than this, before any is decoded [default: 89478485]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_pixels: Option<u64>,
}

impl ReadingArgs {
    /// What they say.
    pub fn reading(&self) -> Reading {
        let max_pixels = self.max_pixels.unwrap_or(Reading::MAX_PIXELS);
        Reading { max_pixels, upright: !self.no_exif }
    }
}

#[derive(Debug, Args)]
pub struct Predict {
    /// The network, where the weights do not say it, or the folder of a run, whose weights answer; then pictures, folders,
    /// patterns, or - for standard input
    #[arg(value_name = "[NET|RUN] IMAGE|FOLDER|PATTERN|-", required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    pub trained: Trained,
    #[command(flatten)]
    pub numbers: Numbers,
    /// So many classes of each picture, the most probable first
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Turn bright into dark and dark into bright first, for dark strokes where the weights know bright ones
    #[arg(long)]
    pub invert: bool,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print JSON: a list with an object for each picture
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Features {
    /// The network, where the weights do not say it, or the folder of a run; then pictures, folders or patterns
    #[arg(value_name = "[NET|RUN] IMAGE|FOLDER|PATTERN", required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    pub trained: Trained,
    #[command(flatten)]
    pub numbers: Numbers,
    /// The node whose value is written [default: what the last layer reads]
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Write maps as they are, instead of the mean of each channel
    #[arg(long)]
    pub maps: bool,
    /// The file to write, .safetensors or .npy; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
