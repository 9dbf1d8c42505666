//! The arguments of commands that show what a network is and sees.

use super::{InputShape, Trained};
use clap::Args;
use std::path::PathBuf;

pub const EXPLAIN_EXAMPLES: &str = "The page is one file that needs nothing beside itself: the network stage by stage, on every node what it costs and what it
makes of the first picture, the filters, and where in each picture the evidence for its classes lies.

Examples:
  cargo xtask explain digit.png --out digit.html
  cargo xtask explain resnet50 cat.jpg dog.jpg --out page.html
  cargo xtask explain --weights runs/resnet18-flowers rose.jpg --out page.html
  cargo xtask explain densenet121 --random cat.jpg --out page.html
  cargo xtask explain lenet --live --out draw.html

With --live the page computes by itself: one draws on it, or drops a picture or weights, and watches every layer. Its engine
is compiled to WebAssembly, for which Rust's target wasm32-unknown-unknown is needed (rustup target add).";

pub const DIAGRAM_EXAMPLES: &str = "Examples:
  cargo xtask diagram resnet18 > resnet18.svg
  cargo xtask diagram googlenet --wide > slide.svg
  cargo xtask diagram lenet --shape 1,64,48 --classes 26 > lenet.svg";

#[derive(Debug, Args)]
pub struct Explain {
    /// The network, where the weights do not say it; then pictures, folders or patterns
    #[arg(value_name = "[NET] IMAGE|FOLDER|PATTERN", required_unless_present = "live")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub trained: Trained,
    /// Weights as they are before training, drawn from --seed: what the network is, without what it learns
    #[arg(long, conflicts_with_all = ["weights", "other_channels"])]
    pub random: bool,
    /// So many classes of each picture, the most probable first
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub top: u16,
    /// Leave pictures as they lie in their files, whatever their cameras noted (EXIF), as torchvision does
    #[arg(long)]
    pub no_exif: bool,
    /// Turn bright into dark and dark into bright first, for dark strokes where the weights know bright ones
    #[arg(long)]
    pub invert: bool,
    /// A page that computes by itself, to draw on, instead of one of pictures
    #[arg(long, conflicts_with_all = ["random", "top", "no_exif", "invert"])]
    pub live: bool,
    /// HTML file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Diagram {
    /// The network's name, see `cargo xtask list`
    #[arg(value_name = "NET")]
    pub network: String,
    /// Input shape instead of its source's
    #[arg(long, value_name = "C,H,W")]
    pub shape: Option<InputShape>,
    /// Number of classes instead of its source's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub classes: Option<u32>,
    /// In columns from left to right, about as wide as a slide, instead of one from top to bottom
    #[arg(long)]
    pub wide: bool,
}
