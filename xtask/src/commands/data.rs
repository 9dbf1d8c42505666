//! The data set of a command.

use crate::cli::Data;
use anyhow::{Result, bail};
use cnn_data::{Damage, Dataset, DigitsConfig, FolderConfig, Name, Source, digits, folder, load};
use std::path::PathBuf;

/// Loads the data set that `args` names; `seed` draws digits, and what a limit or a folder's split leaves to chance.
pub fn dataset(args: &Data, seed: u64) -> Result<Dataset> {
    let dataset = whole(args, seed)?;
    Ok(match args.limit {
        Some(limit) => dataset.limited(limit as usize, seed),
        None => dataset,
    })
}

fn whole(args: &Data, seed: u64) -> Result<Dataset> {
    if let Some(path) = args.dataset.strip_prefix("folder:") {
        if args.data_dir.is_some() {
            bail!("--data-dir is where the classic files lie, expected only folder:PATH for a folder of images");
        }
        let damage = if args.skip_damaged { Damage::Skip } else { Damage::Refuse };
        let config = FolderConfig { path: PathBuf::from(path), test_share: args.test_share, seed, damage };
        return Ok(folder(&config)?);
    }
    let name: Name = args.dataset.parse()?;
    let source = match (&args.data_dir, name) {
        (Some(folder), _) => Source::Folder(folder.clone()),
        (None, Name::Digits) => return Ok(digits(DigitsConfig { seed, ..DigitsConfig::default() })?),
        (None, _) => Source::Hub,
    };
    Ok(load(name, &source)?)
}
