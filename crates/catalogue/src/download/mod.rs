//! The download: a server's file on the disk, whole and with the right checksum, or not at all.
//!
//! ```text
//! hub      what the hub says of a file: commit, checksum, size; and where the cache keeps it
//! plain    a file at an address of its own
//! file     from the first byte to the file's name: lock, partial file, checksum, renaming
//! transfer the attempts: a connection broke, and the next goes on where it ended
//! client   one request: redirects, what a status means, how long to wait
//! ```

mod address;
mod client;
mod file;
mod hub;
mod lock;
mod plain;
mod transfer;

pub(crate) use hub::{HubFile, from_hub};
pub(crate) use plain::{PlainFile, from_address};

/// The most bytes of a file of weights: eight times what the largest here has.
pub(crate) const MOST: u64 = 5_000_000_000;
