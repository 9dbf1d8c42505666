//! The Inception blocks.
