//! The data set of a command.

use crate::cli::Data;
use anyhow::Result;
use cnn_data::{Dataset, DigitsConfig, Name, Source, digits, load};
use cnn_train::DataChoice;

/// Loads the data set that `args` names; digits are drawn from `seed`.
pub fn dataset(args: &Data, seed: u64) -> Result<Dataset> {
    let mut choice = DataChoice::default();
    change(&mut choice, args);
    chosen(&choice, seed)
}

/// Changes a choice as the command line says.
pub fn change(choice: &mut DataChoice, args: &Data) {
    choice.dataset = args.dataset.clone().or(choice.dataset.take());
    choice.data_dir = args.data_dir.clone().or(choice.data_dir.take());
}

/// Loads the data set of a choice; digits are drawn from `seed`.
pub fn chosen(choice: &DataChoice, seed: u64) -> Result<Dataset> {
    let name: Name = choice.dataset.as_deref().unwrap_or(Name::Digits.as_str()).parse()?;
    let source = match (&choice.data_dir, name) {
        (Some(folder), _) => Source::Folder(folder.clone()),
        (None, Name::Digits) => return Ok(digits(DigitsConfig { seed, ..DigitsConfig::default() })?),
        (None, _) => Source::Hub,
    };
    Ok(load(name, &source)?)
}
