//! How a run is shown, and what is written about it.

use clap::Args;

#[derive(Clone, Debug, Args)]
pub struct Watching {
    /// Show the run over the whole terminal: curves, speed, time left, memory
    #[arg(long)]
    pub tui: bool,
    /// Write event files for TensorBoard into the run's folder
    #[arg(long)]
    pub tensorboard: bool,
    /// Add nothing to the event files of a run that goes on
    #[arg(long, requires = "resume", conflicts_with = "tensorboard")]
    pub no_tensorboard: bool,
    /// Show the run on a page at http://127.0.0.1:PORT while it goes on: curves, confusion, mistakes, filters as they form
    #[arg(long, value_name = "PORT")]
    pub serve: Option<u16>,
    /// Write no report at the end
    #[arg(long)]
    pub no_report: bool,
}
