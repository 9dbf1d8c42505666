//! The residual blocks.
