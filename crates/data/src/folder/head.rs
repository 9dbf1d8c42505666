//! What the head of each file says.

use super::config::Damage;
use super::draw::relative;
use super::find::Labelled;
use crate::{Error, Reading, picture_file};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// A file that begins like an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) path: PathBuf,
    /// Relative to the folder that was asked for, `/` between its parts.
    pub(super) name: String,
    pub(super) label: u32,
    /// Height and width.
    pub(super) size: [usize; 2],
    pub(super) grey: bool,
    /// Of the file.
    pub(super) bytes: u64,
}

/// Reads the head of each file of `folder`.
pub(super) fn heads(folder: &Path, files: Labelled, reading: Reading, damage: Damage) -> Result<Vec<Head>, Error> {
    let read: Vec<Result<Head, Error>> = files
        .into_par_iter()
        .map(|(path, label)| {
            let outline = picture_file::outline(&path, reading)?;
            let bytes = path.metadata().map(|metadata| metadata.len());
            let bytes = bytes.map_err(|source| Error::Read { path: path.clone(), source })?;
            let name = relative(folder, &path);
            Ok(Head { path, name, label, size: outline.size, grey: outline.grey, bytes })
        })
        .collect();
    let mut heads = Vec::with_capacity(read.len());
    for head in read {
        match head {
            Ok(head) => heads.push(head),
            // A link that leads nowhere, or a file that may not be read, is damaged too.
            Err(error @ (Error::Image { .. } | Error::Read { .. })) if damage == Damage::Skip => {
                tracing::warn!("{error}; it is left out");
            }
            Err(error) => return Err(damage.refusing(error)),
        }
    }
    Ok(heads)
}
