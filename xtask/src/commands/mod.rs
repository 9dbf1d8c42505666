//! The commands, a file each.

mod compare;
mod data;
mod docs;
mod eval;
mod list;
mod summary;
mod train;
mod verify_shapes;

use crate::cli::{Cli, Command};
use crate::rerun;
use anyhow::Result;
use std::process::ExitCode;

/// Runs the command, in a build with the hub if it turns out to need it.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let done = match &cli.command {
        Command::List => list::run(),
        Command::Summary(args) => summary::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Docs(args) => docs::run(args),
        Command::Train(args) => train::run(args, &cli.common),
        Command::Eval(args) => eval::run(args, &cli.common),
        Command::VerifyShapes(args) => verify_shapes::run(args),
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => match error.downcast_ref::<cnn_data::Error>() {
            Some(cnn_data::Error::HubFeature { name }) => {
                rerun::with_feature("hub", &format!("{name} comes from the Hugging Face hub"))
            }
            _ => Err(error),
        },
    }
}
