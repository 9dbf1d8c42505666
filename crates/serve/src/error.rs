//! What can go wrong when a classifier is served.

use std::io;
use std::net::SocketAddr;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when a classifier is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no threads or no sockets.
    #[error("cannot serve: {0}")]
    System(#[from] io::Error),
    /// A limit that lets nothing through.
    #[error("{what} must be 1 or more, not 0")]
    Limit {
        /// Which.
        what: &'static str,
    },
}
