//! Files that were fetched before, where the tools that share the folders keep them.

use crate::published::{Origin, Published};
use crate::{Error, Options, Repository, Result};
use cnn_weights::Weights;
use std::path::{Path, PathBuf};

/// A repository's folder in the hub's cache: `refs` name commits, `snapshots` hold a commit's files as links to `blobs`.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) folder: PathBuf,
    pub(crate) revision: String,
}

/// What the cache has of a file.
pub(crate) enum Cached {
    /// The file.
    Whole(PathBuf),
    /// A file that is cut short or otherwise not what it should be.
    Damaged { path: PathBuf, problem: String },
    /// Nothing.
    Absent,
}

impl Layout {
    pub(crate) fn of(repository: &Repository, options: &Options) -> Result<Self> {
        let folder = options.hub_cache()?.join(repository.folder());
        Ok(Self { folder, revision: repository.revision().to_string() })
    }

    /// The file that says which commit the revision is.
    pub(crate) fn reference(&self) -> PathBuf {
        self.folder.join("refs").join(&self.revision)
    }

    /// A file of a commit.
    pub(crate) fn snapshot(&self, commit: &str, file: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit).join(file)
    }

    /// Where the file is looked for: below the commit that the revision is known to be, else below the revision's name, so
    /// that it can be put there by hand.
    pub(crate) fn place(&self, file: &str) -> PathBuf {
        let commit = cnn_core::file::read_text(self.reference(), 200).ok();
        let commit = commit.as_deref().map(str::trim).filter(|commit| is_commit(commit));
        self.snapshot(commit.unwrap_or(&self.revision), file)
    }
}

/// Whether it is a commit of git: 40 hexadecimal digits.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Where the file of `weights` is looked for.
pub(crate) fn place(weights: &Published, options: &Options) -> Result<PathBuf> {
    match &weights.origin {
        Origin::Hub { repository, file } => Ok(Layout::of(repository, options)?.place(file)),
        Origin::Address(_) => Ok(options.checkpoints()?.join(weights.origin.file())),
    }
}

/// What the cache has of `weights`.
pub(crate) fn look(weights: &Published, options: &Options) -> Result<Cached> {
    let path = place(weights, options)?;
    if !present(&path)? {
        return Ok(Cached::Absent);
    }
    Ok(match problem(weights, &path)? {
        Some(problem) => Cached::Damaged { path, problem },
        None => Cached::Whole(path),
    })
}

/// Whether something of the name is there. A link to nothing is not.
pub(crate) fn present(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|source| Error::Read { path: path.to_path_buf(), source })
}

/// Why a file is not whole, as far as that can be told without reading all of it: a file in the safetensors format says
/// where it ends; of others the size is published, rounded.
fn problem(weights: &Published, path: &Path) -> Result<Option<String>> {
    if path.extension().is_some_and(|ending| ending == "safetensors") {
        return match Weights::read(path) {
            Ok(_) => Ok(None),
            Err(cnn_weights::Error::File { problem, .. }) => Ok(Some(problem)),
            Err(cnn_weights::Error::Read { path, source }) => Err(Error::Read { path, source }),
            Err(other) => Ok(Some(other.to_string())),
        };
    }
    let file = cnn_core::file::open(path).and_then(|file| file.metadata());
    let found = file.map_err(|source| Error::Read { path: path.to_path_buf(), source })?.len();
    let expected = weights.bytes.filter(|expected| found.abs_diff(*expected) > ROUNDED);
    Ok(expected.map(|expected| format!("expected about {expected} bytes, found {found}")))
}

/// How far a published size may be from the file's: a thousandth of 2²⁰ bytes, and some more.
const ROUNDED: u64 = 1100;
