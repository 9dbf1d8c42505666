//! `docs`: writes what is generated from the values, or says what is stale.

use crate::cli;
use crate::docs;
use anyhow::{Context, Result, bail};
use std::fs;

pub fn run(args: &cli::Docs) -> Result<()> {
    let root = args.root.clone().unwrap_or_else(docs::repository);
    let files = docs::generate(&root)?;
    let stale = docs::stale(&files, &root)?;
    if args.check {
        if !stale.is_empty() {
            let names: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
            bail!("stale, made again by `cargo xtask docs`: {}", names.join(", "));
        }
        return Ok(());
    }
    for path in stale {
        let whole = root.join(&path);
        match files.get(&path) {
            Some(text) => {
                if let Some(folder) = whole.parent() {
                    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
                }
                cnn_train::write_whole(&whole, text.as_bytes())?;
            }
            None => fs::remove_file(&whole).with_context(|| format!("{} cannot be removed", whole.display()))?,
        }
        println!("{}", cnn_figures::path(&path));
    }
    Ok(())
}
