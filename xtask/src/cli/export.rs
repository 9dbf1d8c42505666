//! The arguments of `export`.

use super::{InputShape, Known};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const EXPORT_EXAMPLES: &str =
    "The file takes any number of images of one size, `input`, and gives `logits`. What the weights say of classes and of how
a picture becomes an input goes into its metadata. With --normalise its input is `pixels`.

Examples:
  cargo xtask export runs/lenet-digits --onnx lenet.onnx
  cargo xtask export resnet50:imagenet1k_v2 --onnx resnet50.onnx --fold --probabilities
  cargo xtask export lenet --onnx lenet.onnx --normalise bytes";

#[derive(Debug, Args)]
pub struct Export {
    /// The network's name, where the weights do not say it; or a run's folder or a file of weights
    #[arg(value_name = "NET|RUN")]
    pub network: Option<String>,
    /// A file of weights, the folder of a run, or the name of weights [default: those of the network's name]
    #[arg(long, value_name = "FILE|RUN|NAME")]
    pub weights: Option<String>,
    #[command(flatten)]
    pub known: Known,
    /// ONNX file to write; one that is there is replaced
    #[arg(long, value_name = "OUT")]
    pub onnx: PathBuf,
    /// Make batch normalisations part of the convolutions and linear layers before them
    #[arg(long)]
    pub fold: bool,
    /// Subtract the mean and divide by the deviation inside the file, whose input then is the pixels of a picture
    #[arg(long, value_enum, value_name = "PIXELS")]
    pub normalise: Option<PixelsName>,
    /// Give probabilities too
    #[arg(long)]
    pub probabilities: bool,
    /// Input shape [default: what the weights were trained on, else its source's]
    #[arg(long, value_name = "C,H,W")]
    pub shape: Option<InputShape>,
    /// Number of classes [default: what the weights have]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub classes: Option<u32>,
    /// Put torchvision's `transform_input` in front (googlenet and inception_v3 with published weights)
    #[arg(long)]
    pub transform_input: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PixelsName {
    /// From 0 to 255
    Bytes,
    /// From 0 to 1
    Unit,
}
