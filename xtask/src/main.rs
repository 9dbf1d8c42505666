//! `cargo xtask`: train, judge and inspect the classic convolutional networks.

mod bench;
mod cli;
mod commands;
mod comparison;
mod docs;
mod progress;
mod race;
mod rerun;
mod session;
mod watching;

use anyhow::{Error, Result};
use clap::Parser;
use cnn_figures::printable;
use cnn_kernels::InstructionSet;
use cnn_kernels::threads::set_threads;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    end_with_the_reader();
    let cli = cli::Cli::parse();
    tracing_subscriber::fmt()
        .with_max_level(cli.common.log)
        .with_writer(|| cnn_dashboard::Log)
        .without_time()
        .with_target(false)
        .init();
    match settled(&cli.common).and_then(|()| commands::run(&cli)) {
        Ok(code) => code,
        Err(error) => {
            // The terminal may be gone, which is no reason to panic.
            let _ = writeln!(std::io::stderr(), "error: {}", printable(&sentence(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Ends the process without a word when whoever reads its output has gone, as `head` does: printing to a closed pipe is a
/// panic of the standard library's.
fn end_with_the_reader() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if text.starts_with("failed printing to stdout") && text.contains("os error 32") {
            // What a shell reports of a process that a closed pipe ended.
            std::process::exit(141);
        }
        others(panic);
    }));
}

/// Settles what the process computes with: the kernels' instructions, and one number of threads for their pool, candle
/// and rayon.
fn settled(common: &cli::Common) -> Result<()> {
    InstructionSet::forced().map_err(Error::msg)?;
    rerun::with_threads(common)?;
    rerun::make_pool()?;
    set_threads(rerun::threads());
    Ok(())
}

/// The whole chain of causes in one line; candle's errors can carry a backtrace behind their first.
fn sentence(error: &Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let part = cause.to_string().lines().next().unwrap_or_default().to_string();
        if !parts.iter().any(|earlier| earlier.contains(&part)) {
            parts.push(part);
        }
    }
    parts.join(": ")
}
