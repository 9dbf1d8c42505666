//! `recipes`: named settings, to choose from or to begin a file of one's own with.

use crate::cli;
use anyhow::Result;
use cnn_figures::Table;
use cnn_train::Recipe;

pub fn run(args: &cli::Recipes) -> Result<()> {
    if let Some(name) = &args.name {
        match Recipe::text(name) {
            Some(text) => print!("{text}"),
            None => print!("{}", Recipe::find(name)?.to_toml()?),
        }
        return Ok(());
    }
    let mut table = Table::without_header().text_columns(2);
    for name in Recipe::names() {
        table.row([name, &Recipe::find(name)?.about]);
    }
    print!("{table}");
    Ok(())
}
