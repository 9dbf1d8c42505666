//! Laws over networks and readings, each with many witnesses.

mod arrows;
mod documents;
mod freezing;
mod going_on;
mod inference;
mod memory;
mod model;
mod ops;
mod parity;
mod plan;
mod programs;
mod recompute;
mod shapes;
mod step;
mod training;
mod zoo;

type Failure = Box<dyn std::error::Error>;
