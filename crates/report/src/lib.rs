//! What came of training, for a reader.
//!
//! ```text
//! Run::read(folder)?  →  Report { run, cost, judged, held_out }.write()?   a page with pictures in RUN/report
//!                     →  Comparison::of(runs).write(folder)?     runs side by side, also as a table for a terminal
//! live_page(title), so_far(&epochs, &judged)                 the page of a run that is not over, for a server
//! TensorBoard::new()  →  an observer of the run itself           event files in RUN/tensorboard
//! ```
//!
//! ```
//! use cnn_report::{Comparison, Report, Run};
//!
//! let folder = std::env::temp_dir().join("cnn-report-example");
//! std::fs::create_dir_all(&folder)?;
//! std::fs::write(folder.join("config.json"), r#"{"network": "lenet", "dataset": "digits"}"#)?;
//! let epoch = r#"{"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.8, "test_loss": 0.3, "test_accuracy": 0.9,
//!     "learning_rate": 0.1, "images_per_second": 4000.0, "seconds": 3.5}"#;
//! std::fs::write(folder.join("metrics.jsonl"), epoch.replace('\n', " "))?;
//!
//! let run = Run::read(&folder)?;
//! let page = Report { run: &run, cost: None, judged: None, held_out: None }.write()?;
//! assert!(std::fs::read_to_string(page)?.contains("90.00 % after epoch 1"));
//! assert!(Comparison::of(vec![(run, None)]).to_string().contains("3.5 s"));
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Pages need nothing beside themselves: no script, no link; that of a run that is not over
//! listens to its server. Every file is written whole or not at all, but for TensorBoard's, to which events are added. A
//! [`Judgement`] is what a report counts from predictions, for those who want the numbers.

mod chart;
mod comparison;
mod confusion;
mod error;
mod grid;
mod html;
mod judged;
mod judgement;
mod output;
mod picture;
mod rates;
mod report;
mod run;
mod style;
mod tables;
pub mod tensorboard;

pub use comparison::Comparison;
pub use error::{Error, Result};
pub use grid::Grid;
pub use judged::{Judged, Whose};
pub use judgement::{Bin, ClassFigures, Confused, Judgement, Mistake};
pub use rates::write_rates;
pub use report::{Cost, Report, live_page, so_far};
pub use run::Run;
pub use tensorboard::TensorBoard;
