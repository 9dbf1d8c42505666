//! How a run is shown, and what is written about it.

use clap::Args;

#[derive(Debug, Args)]
pub struct Watching {
    /// Show the run over the whole terminal: curves, speed, time left, memory
    #[arg(long)]
    pub tui: bool,
    /// Write event files for TensorBoard into the run's folder
    #[arg(long)]
    pub tensorboard: bool,
    /// Write no report at the end
    #[arg(long)]
    pub no_report: bool,
}
