//! The dense blocks.
