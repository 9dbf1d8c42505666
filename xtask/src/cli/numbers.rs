//! What an inference plan computes with.

use clap::{Args, ValueEnum};
use cnn_plan::Numeric;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The numbers of an inference plan on the CPU.
#[derive(Debug, Args)]
pub struct Numbers {
    /// What is computed with
    #[arg(long, visible_alias = "precision", value_enum, default_value_t = Mode::F32)]
    pub mode: Mode,
    /// The scales of --mode int8 [default: beside the weights, where `cargo xtask calibrate` writes them]
    #[arg(long, value_name = "FILE")]
    pub scales: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// 32-bit floating point; `auto` is the same
    #[default]
    #[value(alias = "auto")]
    F32,
    /// Maps and weights of 16 bits, sums of 32; on CPUs with AVX512_BF16
    Bf16,
    /// Maps and weights of 8 bits, sums of 32, by scales that `cargo xtask calibrate` finds; fast on CPUs with AVX512_VNNI
    Int8,
}

impl Mode {
    /// What the inference plan computes with.
    pub fn numeric(self) -> Numeric {
        match self {
            Self::F32 => Numeric::F32,
            Self::Bf16 => Numeric::Bf16,
            Self::Int8 => Numeric::Int8,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.numeric().name())
    }
}
