//! Watching a run in the terminal: curves, figures, what is left.
//!
//! ```text
//! let mut dashboard = Dashboard::open()?;
//! train(&task, Some(&mut folder), &mut dashboard)?;
//! ```
//!
//! [`Dashboard`] is an [`Observer`](cnn_train::Observer) like any other. It takes the whole terminal and gives it back
//! when it is dropped, when the program panics, and when it is ended by SIGINT, SIGTERM or SIGHUP. What cannot be
//! caught is SIGKILL (`kill -9`): after it, `reset` mends the terminal. While it is open, [`Log`] keeps what would be
//! written to standard error, shows the last lines, and writes all of them once the terminal is given back.

mod dashboard;
mod draw;
mod log;
mod signals;
mod terminal;
mod view;

pub use dashboard::Dashboard;
pub use log::Log;

/// Why there can be no dashboard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Standard output or standard input is no terminal.
    #[error("{0} is no terminal, which a dashboard needs")]
    NoTerminal(&'static str),
    /// The terminal refuses, or no thread or signal handler can be had.
    #[error("the terminal cannot be taken: {0}")]
    Terminal(#[from] std::io::Error),
}
