//! `recipes`: named settings, to choose from or to begin a file of one's own with.

use crate::cli;
use anyhow::Result;
use cnn_train::Recipe;

pub fn run(args: &cli::Recipes) -> Result<()> {
    if let Some(name) = &args.name {
        match Recipe::text(name) {
            Some(text) => print!("{text}"),
            None => print!("{}", Recipe::find(name)?.to_toml()?),
        }
        return Ok(());
    }
    for name in Recipe::names() {
        println!("{name:<20} {}", Recipe::find(name)?.about);
    }
    Ok(())
}
