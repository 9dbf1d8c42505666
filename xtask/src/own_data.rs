//! The images of a run, which a command line may say lie in another place.

use crate::cli::Data;
use crate::data::RunData;
use crate::data_name::{folder_of, is_same};
use anyhow::{Result, bail};
use cnn_data::{Dataset, Name};
use cnn_train::DataChoice;
use std::path::Path;

/// The images of a run as they are now.
pub struct OwnData {
    /// What they are, and where they lie.
    pub run: RunData,
    pub dataset: Dataset,
    /// How they changed since the run was trained, where they did.
    pub changed: Option<String>,
    /// Whether they are known again in another folder than the run's.
    pub moved: bool,
}

impl OwnData {
    /// The images that a command line means, where they are the run's own; `None` where they are others: those of another
    /// name, and those of another place that are not known again.
    ///
    /// # Errors
    /// Flags that would make the run's images others, and images that are gone or cannot be read.
    pub fn of(run: &RunData, args: &Data) -> Result<Option<Self>> {
        let own = run.choice.dataset.as_deref().unwrap_or(Name::Digits.as_str());
        let same = args.dataset.as_deref().is_none_or(|asked| is_same(own, asked));
        let Some(there) = (if same { Some(run.clone()) } else { run.moved(args) }) else { return Ok(None) };
        let there = there.located(args)?;
        gone(&there.choice)?;
        let found = Self { moved: !same, ..Self::read(there)? };
        Ok(Some(found).filter(|found| found.changed.is_none() || !is_elsewhere(&run.choice, args)))
    }

    /// The images where the run's recipe says that they lie.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(run: RunData) -> Result<Self> {
        let dataset = run.load()?;
        Ok(Self { changed: run.note(&dataset), run, dataset, moved: false })
    }
}

/// Refuses the images of a run whose folder is gone.
pub fn gone(choice: &DataChoice) -> Result<()> {
    match choice.dataset.as_deref().and_then(folder_of).filter(|folder| !folder.exists()) {
        Some(folder) => bail!(
            "{} is gone, whose images the run set aside: --dataset says where they are now",
            cnn_figures::path(&folder)
        ),
        None => Ok(()),
    }
}

/// Whether the command line names another folder of classic files than the run's.
fn is_elsewhere(own: &DataChoice, args: &Data) -> bool {
    let place = |folder: &Path| folder.canonicalize().ok();
    let own = own.data_dir.as_deref().and_then(place);
    args.data_dir.as_deref().is_some_and(|asked| own.is_none() || own != place(asked))
}
