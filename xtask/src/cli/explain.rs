//! The arguments of commands that show what a network is and sees.

use super::{Data, InputShape, Trained};
use clap::Args;
use std::path::PathBuf;

pub const EXPLAIN_EXAMPLES: &str = "The page is one file that needs nothing beside itself: the network stage by stage, on every node what it costs and what it
makes of the first picture, the filters, and where in each picture the evidence for its classes lies.

Examples:
  cargo xtask explain digit.png --out digit.html
  cargo xtask explain resnet50 cat.jpg dog.jpg --out page.html
  cargo xtask explain runs/resnet18-flowers rose.jpg --out page.html
  cargo xtask explain densenet121 --random cat.jpg --out page.html
  cargo xtask explain lenet --dataset mnist --limit 1000 --out mnist.html
  cargo xtask explain lenet --live --out draw.html

With --dataset the page also shows images of it, of its test part where it has one: as points where the network's features put
them, and those that excite channels most. It shows 1000 of more, drawn by the seed, or as many as --limit says, up to 2000.
Without a picture beside it the first of them is looked at.

With --live the page computes by itself: one draws on it, or drops a picture or weights, and watches every layer. Its engine
is compiled to WebAssembly, for which Rust's target wasm32-unknown-unknown is needed (rustup target add).";

pub const DIAGRAM_EXAMPLES: &str = "Examples:
  cargo xtask diagram resnet18 > resnet18.svg
  cargo xtask diagram googlenet --wide > slide.svg
  cargo xtask diagram lenet --shape 1,64,48 --classes 26 > lenet.svg";

/// What is about pictures that are named, or a data set: nothing of a page that computes by itself.
const BESIDE_LIVE: [&str; 13] = [
    "random",
    "top",
    "invert",
    "nodes",
    "dataset",
    "data_dir",
    "limit",
    "test_share",
    "fold",
    "channels",
    "skip_damaged",
    "no_exif",
    "max_pixels",
];

#[derive(Debug, Args)]
pub struct Explain {
    /// The network, where the weights do not say it, or the folder of a run; then pictures, folders or patterns
    #[arg(value_name = "[NET|RUN] IMAGE|FOLDER|PATTERN", required_unless_present_any = ["live", "dataset"])]
    pub names: Vec<String>,
    #[command(flatten)]
    pub trained: Trained,
    /// Weights as they are before training, drawn from --seed: what the network is, without what it learns
    #[arg(long, conflicts_with_all = ["weights", "other_channels", "dataset"])]
    pub random: bool,
    /// So many classes of each picture, the most probable first
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub top: u16,
    #[command(flatten)]
    pub data: Data,
    /// With --dataset: a node whose channels' most exciting images are shown; may be said more than once [default: the
    /// first layer, and the maps that Grad-CAM looks at]
    #[arg(long = "node", value_name = "PATH", requires = "dataset")]
    pub nodes: Vec<String>,
    /// Turn bright into dark and dark into bright first in the pictures that are named, for dark strokes where the weights
    /// know bright ones
    #[arg(long)]
    pub invert: bool,
    /// A page that computes by itself, to draw on, instead of one of pictures
    #[arg(long, conflicts_with_all = BESIDE_LIVE)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    /// A flag of a data set that is added needs a place there, and in `no_effect`.
    #[test]
    fn a_page_that_computes_by_itself_takes_no_flag_of_a_data_set() {
        let live = ["xtask", "explain", "lenet", "--live", "--out", "page.html"];
        assert!(Cli::read(live).is_ok());
        let data = Data::augment_args(clap::Command::new("data"));
        for flag in data.get_arguments() {
            assert!(BESIDE_LIVE.contains(&flag.get_id().as_str()), "{flag}");
        }
        for words in [["--fold", "1/5"], ["--max-pixels", "1000"], ["--test-share", "0.5"], ["--channels", "3"]] {
            let refused = Cli::read([&live[..], &words].concat()).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|said| said.contains(words[0])), "{words:?}");
        }
    }
}
