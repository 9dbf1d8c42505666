//! `list`: every network by name.

use anyhow::Result;
use cnn_core::shape::times;
use cnn_figures::Table;

pub fn run() -> Result<()> {
    let mut table = Table::new(["network", "family", "year", "input", "parameters", "MACs"]).text_columns(2);
    for entry in cnn_zoo::all() {
        let architecture = entry.architecture(entry.classes);
        let summary = architecture.at_usual_input()?.summary();
        table.row([
            entry.name.to_string(),
            entry.family.name().to_string(),
            entry.paper().year_text(),
            times(&architecture.usual_input()),
            summary.parameters.to_string(),
            summary.macs.to_string(),
        ]);
    }
    print!("{table}");
    Ok(())
}
