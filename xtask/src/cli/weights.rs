//! The arguments of `weights`.

use clap::{Args, Subcommand};

pub const EXAMPLES: &str =
    "Weights are named as their publishers write them: resnet50 (torchvision's newest), resnet50:imagenet1k_v1,
resnet50:a1_in1k (timm's), hf:owner/repository[@revision] (any of timm's form). Files are kept where the tools of their
publishers keep them: below HF_HOME and TORCH_HOME.

Examples:
  cargo xtask weights list resnet50
  cargo xtask weights show densenet121:ra_in1k
  cargo xtask weights fetch resnet18
  HF_ENDPOINT=https://mirror.example cargo xtask weights fetch vgg16:tv_in1k";

#[derive(Debug, Args)]
pub struct Weights {
    #[command(subcommand)]
    pub command: WeightsCommand,
}

#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// Published weights with their accuracy
    List {
        /// Only those of this network, or the ones of this name
        #[arg(value_name = "NET|NAME")]
        name: Option<String>,
    },
    /// Everything that is known of published weights
    Show {
        /// The weights' name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Fetch published weights unless they are in the cache, and print the file's path
    Fetch {
        /// The weights' name
        #[arg(value_name = "NAME")]
        name: String,
        /// Only look into the cache
        #[arg(long)]
        offline: bool,
    },
}
