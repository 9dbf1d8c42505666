//! The arguments of `convert`.

use clap::{Args, ValueEnum};
use cnn_core::weights::{Naming, Precision};
use std::path::PathBuf;

pub const EXAMPLES: &str =
    "Reads safetensors and whatever torch.save writes or wrote, and writes safetensors. Every tensor of the network must be
there, but auxiliary heads; what was renamed, reshaped and passed over is told.

Examples:
  cargo xtask convert resnet20-12fca82f.th --net resnet20_cifar --out resnet20.safetensors
  cargo xtask convert vgg16.pth --net vgg16 --names timm --dtype f16 --out vgg16-timm.safetensors
  cargo xtask convert checkpoint.pth --net resnet18 --entry model_ema --out resnet18.safetensors";

#[derive(Debug, Args)]
pub struct Convert {
    /// A file of weights
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The network [default: the one that the file names, if it was trained here]
    #[arg(long, value_name = "NET")]
    pub net: Option<String>,
    /// The key that the weights are under, in a PyTorch file that has several
    #[arg(long, value_name = "KEY")]
    pub entry: Option<String>,
    /// Whose names the tensors get
    #[arg(long, value_enum, default_value_t = NamesName::Ours)]
    pub names: NamesName,
    /// How numbers are written
    #[arg(long, value_enum, default_value_t = DtypeName::F32)]
    pub dtype: DtypeName,
    /// Safetensors file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NamesName {
    Ours,
    Torchvision,
    Timm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DtypeName {
    F32,
    F16,
    Bf16,
}

impl From<NamesName> for Naming {
    fn from(name: NamesName) -> Self {
        match name {
            NamesName::Ours => Self::Ours,
            NamesName::Torchvision => Self::Torchvision,
            NamesName::Timm => Self::Timm,
        }
    }
}

impl From<DtypeName> for Precision {
    fn from(name: DtypeName) -> Self {
        match name {
            DtypeName::F32 => Self::F32,
            DtypeName::F16 => Self::F16,
            DtypeName::Bf16 => Self::BF16,
        }
    }
}
