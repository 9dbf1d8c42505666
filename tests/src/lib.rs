//! Laws over networks and readings; see the files beside this one.

/// The README, whose example is compiled and run.
#[doc = include_str!("../../README.md")]
pub struct Readme;
