//! The data set of a command.

use crate::cli::Data;
use anyhow::Result;
use cnn_data::{Dataset, DigitsConfig, Name, Source, digits, load};

/// Loads the data set that `args` names; digits are drawn from `seed`.
pub fn dataset(args: &Data, seed: u64) -> Result<Dataset> {
    let name: Name = args.dataset.parse()?;
    let source = match (&args.data_dir, name) {
        (Some(folder), _) => Source::Folder(folder.clone()),
        (None, Name::Digits) => return Ok(digits(DigitsConfig { seed, ..DigitsConfig::default() })?),
        (None, _) => Source::Hub,
    };
    Ok(load(name, &source)?)
}
