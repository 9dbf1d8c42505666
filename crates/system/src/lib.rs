//! What stands between a program and its system: files, memory, other crates' panics. Nothing of networks is here.
//!
//! What a path names may be a device without an end; a program may be killed while it writes; a failed allocation ends the
//! process; a decoder may panic on a picture. Each has one helper here, which turns it into an error.

mod bytes;
pub mod file;
pub mod guard;
pub mod memory;
pub mod whole;

pub use bytes::Bytes;
