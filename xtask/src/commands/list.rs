//! `list`: every network by name.

use anyhow::Result;
use cnn_core::shape::times;

pub fn run() -> Result<()> {
    println!("{:<28} {:<10} {:>5} {:>11} {:>12} {:>15}", "network", "family", "year", "input", "parameters", "MACs");
    for entry in cnn_zoo::all() {
        let architecture = entry.architecture(entry.classes);
        let summary = architecture.at_usual_input()?.summary();
        println!(
            "{:<28} {:<10} {:>5} {:>11} {:>12} {:>15}",
            entry.name,
            entry.family.name(),
            entry.paper().year_text(),
            times(&architecture.usual_input()),
            summary.parameters,
            summary.macs
        );
    }
    Ok(())
}
