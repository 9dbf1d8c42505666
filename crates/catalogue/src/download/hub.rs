//! A file of the Hugging Face hub, kept as the hub's own tools keep it.

use super::client::{Client, Failure, Request};
use super::file::Wanted;
use super::plain::stamp;
use crate::cache::{Layout, is_commit};
use crate::digest::Digest;
use crate::{Error, Options, Repository, Result};
use std::path::{Path, PathBuf};

/// A file in a repository.
pub(crate) struct HubFile<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) file: &'a str,
    pub(crate) address: String,
    /// Its published checksum.
    pub(crate) digest: Option<&'a Digest>,
    /// The most bytes that are taken.
    pub(crate) most: u64,
    /// Whether what is there already is of no use.
    pub(crate) is_damaged: bool,
}

/// What the hub says of a file.
struct Description {
    /// The commit that the revision is.
    commit: String,
    /// The name of the file's contents: a SHA-256 for large files, else git's own.
    tag: String,
    /// The file's size.
    size: Option<u64>,
}

/// Fetches the file into the hub's cache.
pub(crate) fn from_hub(file: &HubFile<'_>, options: &Options) -> Result<PathBuf> {
    let client = Client::new(options);
    let layout = Layout::of(file.repository, options)?;
    let endpoint = options.endpoint();
    let description = describe(&client, file, &endpoint, options, &layout)?;
    let told = Digest::new(&description.tag).filter(Digest::is_whole);
    let blob = layout.folder.join("blobs").join(&description.tag);
    let place = layout.snapshot(&description.commit, file.file);
    let wanted = Wanted {
        address: &file.address,
        hub: Some(&endpoint),
        digest: file.digest.or(told.as_ref()),
        total: description.size,
        most: file.most,
        place: &blob,
        partial: blob.with_file_name(format!("{}.incomplete", description.tag)),
        lock: lock_of(&layout, &description.tag),
        shown: &place,
    };
    let damaged = file.is_damaged.then(|| stamp(&blob)).flatten();
    let is_there = || stamp(&blob).is_some_and(|found| Some(found) != damaged && Some(found.0) == description.size);
    wanted.fetch(&client, options, is_there)?;
    link(&blob, &place)?;
    if description.commit != layout.revision {
        write_reference(&layout.reference(), &description.commit)?;
    }
    Ok(place)
}

fn lock_of(layout: &Layout, tag: &str) -> PathBuf {
    let repository = layout.folder.file_name().unwrap_or_default();
    layout.folder.with_file_name(".locks").join(repository).join(format!("{tag}.lock"))
}

/// Asks the hub for what it says of the file, several times if need be.
fn describe(
    client: &Client,
    file: &HubFile<'_>,
    endpoint: &str,
    options: &Options,
    layout: &Layout,
) -> Result<Description> {
    let mut failures = 0;
    loop {
        failures += 1;
        let (reason, wait) = match client.ask(&file.address, Request::Head, Some(endpoint)) {
            Ok(answer) => {
                let tag = answer.header("x-linked-etag").or_else(|| answer.header("etag"));
                let size = answer.number("x-linked-size");
                let size = size.or_else(|| answer.number("content-length").filter(|_| answer.status == 200));
                return described(&file.address, answer.header("x-repo-commit"), tag, size);
            }
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing { reason, wait }) if failures < options.attempts => (reason, wait),
            Err(Failure::Unreachable(reason)) if failures < options.attempts.min(2) => (reason, None),
            Err(Failure::Passing { reason, .. } | Failure::Unreachable(reason)) => {
                let place = layout.place(file.file);
                return Err(Error::Unreachable { address: file.address.clone(), reason, place });
            }
        };
        tracing::info!("{}: {reason}; it is tried again", file.address);
        std::thread::sleep(wait.unwrap_or_else(|| options.pause.saturating_mul(1 << (failures - 1).min(4))));
    }
}

/// The description, if it can be one: its parts become names of files.
fn described(address: &str, commit: Option<&str>, tag: Option<&str>, size: Option<u64>) -> Result<Description> {
    let wrong = |expected: &str, found: Option<&str>| {
        let found =
            found.map_or("none".to_string(), |found| format!("{:?}", found.chars().take(80).collect::<String>()));
        Error::Server { address: address.to_string(), problem: format!("expected {expected} of a hub, found {found}") }
    };
    let commit = commit.filter(|commit| is_commit(commit)).ok_or_else(|| wrong("a commit (x-repo-commit)", commit))?;
    let bare = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"'));
    let is_name =
        |tag: &&str| (8..=128).contains(&tag.len()) && tag.bytes().all(|letter| letter.is_ascii_alphanumeric());
    let tag = bare.filter(is_name).ok_or_else(|| wrong("a tag (x-linked-etag)", tag))?;
    Ok(Description { commit: commit.to_string(), tag: tag.to_string(), size })
}

/// Makes `place` a link to `blob`, two folders above; a copy where the system has no links.
fn link(blob: &Path, place: &Path) -> Result<()> {
    let failed = |source| Error::Write { path: place.to_path_buf(), source };
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let temporary = tempfile::Builder::new().prefix(".linking-").tempdir_in(folder).map_err(failed)?;
    let made = temporary.path().join("link");
    let target = Path::new("../../blobs").join(blob.file_name().unwrap_or_default());
    if symbolic_link(&target, &made).is_err() {
        std::fs::copy(blob, &made).map_err(failed)?;
    }
    std::fs::rename(&made, place).map_err(failed)
}

#[cfg(unix)]
fn symbolic_link(target: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn symbolic_link(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Says which commit a revision is.
fn write_reference(path: &Path, commit: &str) -> Result<()> {
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(failed)?;
    cnn_core::whole::write(path, commit.as_bytes()).map_err(failed)
}
