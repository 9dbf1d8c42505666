//! The arguments of `report`.

use super::Data;
use clap::Args;
use std::path::PathBuf;

pub const REPORT_EXAMPLES: &str =
    "Of one run, its own report is written anew, in its folder: its best weights are judged again on the images it was
judged on, or on those that --dataset and --data-dir name. Several runs are put side by side.

Examples:
  cargo xtask report runs/lenet-digits
  cargo xtask report runs/lenet-mnist --dataset mnist --data-dir mnist-files
  cargo xtask report runs/lenet-digits runs/lenet-digits-2 --out runs/two-seeds";

#[derive(Debug, Args)]
pub struct Report {
    /// Folders of runs
    #[arg(value_name = "DIR", required = true)]
    pub runs: Vec<PathBuf>,
    /// The data set to judge the weights of a single run on
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Folder of its files
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folder for the page of several runs [default: runs/report]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Report {
    /// Where the images are said to lie; the rest is the run's to say.
    pub fn data(&self) -> Data {
        Data { dataset: self.dataset.clone(), data_dir: self.data_dir.clone(), ..Data::default() }
    }
}
