//! How fast the kernels are: each on shapes of real networks, beside what the machine could do at best.
//!
//! `cargo bench -p cnn-kernels` takes minutes, `cargo bench -p cnn-kernels -- --quick` one or two; a name as argument
//! takes only the cases that contain it. Before a kernel's time is taken, what it computes is held against plain loops
//! over `f64` at some hundred positions.

mod convolution;
mod layers;
mod machine;
mod maps;
mod narrow;
mod report;

use criterion::Criterion;
use report::Report;
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut report = Report::new(&mut criterion);
    convolution::all(&mut report);
    narrow::all(&mut report);
    layers::all(&mut report);
    criterion.final_summary();
}
