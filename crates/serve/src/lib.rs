//! A classifier behind HTTP.
//!
//! ```text
//! POST /predict[?top=K]   a picture as its file is → {"answers": [{"class", "index", "probability"}, …]}
//! GET  /                  a page with a pen
//! GET  /healthz           ok
//! GET  /metrics           counters in Prometheus' text format
//! ```
//!
//! A refusal is `{"error": "…"}` with a status: 400 and 422 for what is no picture, 408 and 413 for bodies that are too slow
//! or too long, 503 where too many pictures wait.

mod batches;
mod error;
mod limits;
mod metrics;
mod routes;
mod server;

pub use error::{Error, Result};
pub use limits::Limits;
pub use server::{Server, Stop};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
