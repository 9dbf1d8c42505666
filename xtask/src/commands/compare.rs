//! `compare`: what networks cost, side by side.

use crate::cli;
use crate::comparison::Comparison;
use anyhow::Result;

pub fn run(args: &cli::Compare) -> Result<()> {
    let comparison = Comparison::of(args)?;
    if args.json {
        println!("{:#}", comparison.as_json());
    } else {
        println!("{comparison}");
    }
    Ok(())
}
