//! Watching a run in the terminal: curves, figures, what is left.
//!
//! ```no_run
//! # #[cfg(feature = "terminal")]
//! # fn watched(task: &cnn_train::Task<'_>, folder: &mut cnn_train::RunFolder) -> Result<(), Box<dyn std::error::Error>> {
//! let mut dashboard = cnn_dashboard::Dashboard::open()?;
//! cnn_train::train(task, Some(folder), &mut dashboard)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Dashboard`] is an [`Observer`](cnn_train::Observer) like any other. It takes the whole terminal and gives it back
//! when it is dropped, when the program panics, and when a second SIGINT or SIGTERM ends it ([`Interrupts`]). What cannot
//! be caught is SIGKILL (`kill -9`): after it, `reset` mends the terminal. Where the terminal itself goes away, the
//! dashboard ends and asks the run to stop. While it is open, [`Log`] keeps what would be written to standard error, shows
//! the last lines, and writes all of them once the terminal is given back.
//!
//! Without the feature `terminal`, which is on by default, there are [`Interrupts`] and [`Log`] alone, and nothing that draws
//! is built.

#[cfg(feature = "terminal")]
mod dashboard;
#[cfg(feature = "terminal")]
mod draw;
mod interrupts;
mod log;
mod taken;
#[cfg(feature = "terminal")]
mod terminal;
#[cfg(feature = "terminal")]
mod view;

#[cfg(feature = "terminal")]
pub use dashboard::Dashboard;
pub use interrupts::{Interrupts, file_limits_are_errors};
pub use log::Log;

/// Why there can be no dashboard.
#[cfg(feature = "terminal")]
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
