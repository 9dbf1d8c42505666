//! `cargo xtask`: train, judge and inspect the classic convolutional networks.

// Before all others: its macros are for them too.
#[macro_use]
mod output;

mod bench;
mod changed;
mod cli;
mod commands;
mod comparison;
mod compiled;
mod data;
mod data_name;
mod docs;
mod interrupt;
mod judging;
mod keeping;
mod learnt;
mod lists;
#[cfg(feature = "serve")]
mod live_run;
mod no_effect;
mod numbers;
mod own_data;
mod preparation;
mod processes;
mod progress;
mod race;
mod reads;
mod rerun;
mod session;
mod settings;
mod start;
mod trained;
mod watching;
mod way_out;
mod weights;

use anyhow::{Error, Result};
use cnn_figures::printable;
use cnn_kernels::InstructionSet;
use cnn_kernels::threads::set_threads;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    cnn_dashboard::file_limits_are_errors();
    let cli = cli::Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let level = cli.common.log;
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| cnn_dashboard::Log)
        .without_time()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        // Where standard error takes nothing, there is nowhere to say so.
        .log_internal_errors(false)
        .finish()
        // The hub's client reports each failure beside the error that it returns, and that is said here.
        .with(filter_fn(move |event| level > Level::WARN || !event.target().starts_with("hf_hub")))
        .init();
    match settled(&cli.common).and_then(|()| commands::run(&cli)) {
        Ok(code) => {
            output::finish();
            code
        }
        Err(error) => {
            // The terminal may be gone, which is no reason to panic.
            let _ = writeln!(std::io::stderr(), "error: {}", printable(&sentence(&error)));
            ExitCode::FAILURE
        }
    }
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

/// A text up to the line behind which an indented one follows, as of a backtrace or a picture of a file; the names of files may
/// have other ends of lines in them.
fn first_paragraph(text: &str) -> String {
    let ends = |at: &usize| text[at + 1..].chars().next().is_none_or(char::is_whitespace);
    let end = text.match_indices('\n').map(|(at, _)| at).find(ends).unwrap_or(text.len());
    cnn_figures::printable(&text[..end]).into_owned()
}

/// The whole chain of causes in one line; candle's errors can carry a backtrace behind their first.
fn sentence(error: &Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let part = first_paragraph(&cause.to_string());
        if !parts.iter().any(|earlier| earlier.contains(&part)) {
            parts.push(part);
        }
    }
    let sentence = parts.join(": ");
    match way_out::of(error) {
        Some(way_out) => format!("{sentence} ({way_out})"),
        None => sentence,
    }
}
