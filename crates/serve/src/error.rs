//! What can keep a server from serving.

use cnn_system::Bytes;
use std::net::SocketAddr;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can keep a server from serving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}; another one can be given, and port 0 takes any that is free")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no threads or no handler of signals.
    #[error("cannot begin to serve: {0}")]
    Begin(#[from] std::io::Error),
    /// Weights that cannot answer.
    #[error(transparent)]
    Classifier(#[from] cnn_classifier::Error),
    /// A page that cannot be made.
    #[error(transparent)]
    Page(#[from] cnn_explain::Error),
    /// A body that would never find room.
    #[error("a body may have {body}, but all together only {bodies}: the first cannot be more")]
    Body {
        /// The bound of one body.
        body: Bytes,
        /// The bound of all together.
        bodies: Bytes,
    },
    /// A bound of zero.
    #[error("{name} is 0, with which nothing could be answered; at least 1 is expected")]
    Zero {
        /// The setting.
        name: &'static str,
    },
}
