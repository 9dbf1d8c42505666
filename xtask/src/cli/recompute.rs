//! The argument of the commands that train: memory against time.

use clap::Args;

#[derive(Clone, Copy, Debug, Default, Args)]
pub struct RecomputeArgs {
    /// Keep less of the forward pass and compute it again in the backward pass: less memory, more time, the same result;
    /// engine plan only
    #[arg(long)]
    pub recompute: bool,
}

impl RecomputeArgs {
    /// What is computed again.
    pub fn policy(self) -> cnn_plan::Recompute {
        if self.recompute { cnn_plan::Recompute::Segments } else { cnn_plan::Recompute::Nothing }
    }
}
