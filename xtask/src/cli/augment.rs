//! The arguments of `augment`.

use super::Data;
use clap::{ArgGroup, Args};
use std::path::PathBuf;

pub const EXAMPLES: &str = "Each row is an image: first as it is, then augmented.

Steps, separated by commas, what is in brackets may be left out from the right:
  padded-crop:PIXELS
  reflected-crop:PIXELS
  random-resized-crop[:SCALE:SCALE:RATIO:RATIO]
  flip[:PROBABILITY]
  alternating-flip
  affine:ANGLE[:TRANSLATE:SCALE:SCALE:SHEAR]
  colour-jitter:BRIGHTNESS[:CONTRAST:SATURATION:HUE]
  lighting[:DEVIATION]
  trivial-augment
  erasing[:PROBABILITY:SCALE:SCALE:RATIO:RATIO]
  mixup:ALPHA
  cutmix:ALPHA
or none, where a recipe has some.

Examples:
  cargo xtask augment --dataset digits --augment affine:15:0.1 --out digits.png
  cargo xtask augment --dataset cifar10 --augment padded-crop:4,flip,erasing --images 6 --out cifar.png
  cargo xtask augment --dataset cifar10 --recipe resnet-cifar --out recipe.png
  cargo xtask augment --dataset flowers --augment random-resized-crop,flip,trivial-augment --out flowers.png";

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what is done").required(true).args(["augment", "recipe"])))]
pub struct Augment {
    #[command(flatten)]
    pub data: Data,
    /// What is done to training images
    #[arg(long, value_name = "STEPS")]
    pub augment: Option<cnn_data::Augmentation>,
    /// A recipe, by name or file, whose augmentation is drawn
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<String>,
    /// Index of the first training image
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub image: usize,
    /// Images, a row each, one of each class in turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub images: u16,
    /// Augmented samples of each image, an epoch each
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub count: u16,
    /// Height and width to bring images to [default: their own, of a folder's that differ 224]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub size: Option<u32>,
    /// PNG file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
