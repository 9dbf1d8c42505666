//! `diagram`: a network as a picture.

use crate::cli;
use anyhow::Result;

pub fn run(args: &cli::Diagram) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let architecture = entry.architecture(args.classes.map_or(entry.classes, |classes| classes as usize));
    let network = architecture.at(args.shape.map_or(architecture.usual_input(), |shape| shape.0))?;
    print!("{}", if args.wide { network.wide_diagram() } else { network.diagram() });
    Ok(())
}
