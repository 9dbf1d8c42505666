//! The arguments of `data check`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

pub const EXAMPLES: &str =
    "Ends with 1 if something is wrong: a file that is no intact picture, a class without one, the same picture in two
classes or in two splits.

Examples:
  cargo xtask data check flowers
  cargo xtask data check flowers --csv > problems.csv";

/// What is done with data.
#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    pub command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Decode every picture of a folder once and say what is wrong
    #[command(after_help = EXAMPLES)]
    Check(DataCheck),
}

#[derive(Debug, Args)]
pub struct DataCheck {
    /// Folder with a folder of pictures for each class, or with train, val and test of such
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print what is wrong, a line each: path and problem
    #[arg(long)]
    pub csv: bool,
    /// Refuse pictures with more pixels than this, before any is decoded [default: 89478485]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_pixels: Option<u64>,
}
