//! `verify-shapes`: every network against the reference tables.

use crate::cli;
use anyhow::Result;
use cnn_verify::Mismatch;
use cnn_verify::papers;
use cnn_verify::reference::Reference;
use cnn_verify::shapes::{Comparison, compare};
use cnn_zoo::Entry;
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &cli::VerifyShapes) -> Result<ExitCode> {
    let default = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference"));
    let reference = Reference::at(args.reference.as_deref().unwrap_or(default));
    let entries: Vec<Entry> = match args.networks.as_slice() {
        [] => cnn_zoo::all().collect(),
        names => names.iter().map(|name| cnn_zoo::find(name)).collect::<Result<_, _>>()?,
    };
    let mut mismatches: Vec<Mismatch> = Vec::new();
    let mut total = Comparison::default();
    let mut networks = 0;
    for entry in &entries {
        let Some(table) = reference.table(entry.name)? else {
            mismatches.push(Mismatch {
                network: entry.name.to_string(),
                place: "reference".to_string(),
                expected: "a table".to_string(),
                found: "none".to_string(),
            });
            println!("{:<24} no table", entry.name);
            continue;
        };
        let comparison = compare(entry, &table)?;
        println!("{:<24} {comparison}, {}", entry.name, verdict(&comparison.mismatches));
        networks += 1;
        total = total.and(comparison);
    }
    println!("{networks} of {} networks: {total}", entries.len());
    mismatches.append(&mut total.mismatches);
    if args.networks.is_empty() {
        for table in reference.tables()? {
            cnn_zoo::find(&table)?;
        }
    }
    let papers = papers::compare(&reference, |name| entries.iter().any(|entry| entry.name == name))?;
    println!(
        "papers: {} numbers in {} entries, {} ({} printed facts are not in a network's value)",
        papers.numbers,
        papers.entries,
        verdict(&papers.mismatches),
        papers.beyond
    );
    mismatches.extend(papers.mismatches);
    for mismatch in &mismatches {
        eprintln!("{mismatch}");
    }
    Ok(if mismatches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verdict(mismatches: &[Mismatch]) -> String {
    match mismatches.len() {
        0 => "all equal".to_string(),
        n => format!("{n} differ"),
    }
}
