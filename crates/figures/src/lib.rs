//! What a reader sees: numbers, tables, axes and pictures.
//!
//! Summaries, reports, the dashboard and the command line all print sizes, times and charts. Each of these is written in
//! one way, here. The crate knows no network and has almost no dependencies, so that every other crate can use it.
//!
//! Every function takes every value: NaN, infinite, negative or huge gives a short text or a position
//! within the picture. Numbers come from files, and a damaged file must not break the page that shows it.
//!
//! ```
//! use cnn_figures::{Table, bytes, count, duration};
//!
//! let mut table = Table::new(["network", "parameters", "file", "an epoch"]);
//! table.row(["lenet".to_string(), count(61_706), bytes(246_824), duration(4.52)]);
//! table.row(["resnet50".to_string(), count(25_557_032), bytes(102_441_000), duration(3720.0)]);
//! assert_eq!(
//!     table.to_string(),
//!     "network   parameters      file    an epoch\n\
//!      lenet         61,706  246.8 kB       4.5 s\n\
//!      resnet50  25,557,032  102.4 MB  1 h 02 min\n"
//! );
//! ```

pub mod axis;
mod number;
mod plot;
mod printable;
pub mod svg;
mod table;
mod thinned;

pub use axis::Axis;
pub use number::{bytes, count, duration, fixed, number, percent, plural, rate};
pub use plot::Plot;
pub use printable::{path, printable, shortened};
pub use table::Table;
pub use thinned::Thinned;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
