//! What came of training, for a reader.
//!
//! ```text
//! Run::read(folder)?  →  Report { run, cost, judged }.write()?   a page with pictures in RUN/report
//!                     →  Comparison::of(runs).write(folder)?     runs side by side, also as a table for a terminal
//! TensorBoard::new()  →  an observer of the run itself           event files in RUN/tensorboard
//! ```
//!
//! Pages need nothing beside themselves: no script, no link. Every file is written whole or not at all. A
//! [`Judgement`] is what a report counts from predictions, for those who want the numbers.

mod chart;
mod comparison;
mod confusion;
mod error;
mod figures;
mod grid;
mod html;
mod judgement;
mod picture;
mod report;
mod run;
mod style;
pub mod tensorboard;

pub use comparison::Comparison;
pub use error::{Error, Result};
pub use grid::Grid;
pub use judgement::{Bin, ClassFigures, Judgement, Mistake};
pub use report::{Cost, Judged, Report};
pub use run::Run;
pub use tensorboard::TensorBoard;
