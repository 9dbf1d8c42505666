//! Files that are written whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How the names of files begin that are being written. What is left of a program that was killed may be removed.
pub const WRITING: &str = ".writing-";

/// Writes `bytes` to a file: [`write_with`] of what is in memory.
///
/// ```
/// let folder = std::env::temp_dir().join(format!("cnn-system-whole-{}", std::process::id()));
/// std::fs::create_dir(&folder)?;
/// cnn_system::whole::write(&folder.join("network"), b"lenet")?;
/// assert_eq!(std::fs::read(folder.join("network"))?, b"lenet");
/// assert_eq!(std::fs::read_dir(&folder)?.count(), 1);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`write_with`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |to| to.write_all(bytes))
}

/// Writes a file beside `path` under another name, to the disk, and renames it: whoever reads `path`, at whatever moment
/// the program is killed or the power fails, finds the old file or the new one. A file that is there is replaced and keeps
/// its permissions; a link is followed.
///
/// # Errors
///
/// Those of `write`; a folder that cannot be written, a full disk, and a path that names something other than a regular
/// file, such as a folder or a device. Then `path` is as it was.
pub fn write_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (target, permissions) = target(path)?;
    let folder = folder_of(&target);
    let mut file = beside(folder)?;
    let mut to = BufWriter::new(file.as_file_mut());
    write(&mut to)?;
    to.flush()?;
    drop(to);
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // The renaming itself reaches the disk with the folder.
    std::fs::File::open(folder)?.sync_all()
}

/// Whether [`write()`] could write a file now, so that long work need not end in vain. What is there stays as it is.
///
/// # Errors
///
/// A folder that is not there or cannot be written, a path that names something other than a regular file.
pub fn check(path: &Path) -> io::Result<()> {
    let (target, _) = target(path)?;
    beside(folder_of(&target)).map(drop)
}

/// The folder that a file lies in.
fn folder_of(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in a folder, which is removed again where it is not kept.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // A temporary file is private; what is kept gets the permissions that any new file would have.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The error ends with a name that was drawn, which tells nobody anything.
    builder.prefix(WRITING).tempfile_in(folder).map_err(|error| match error.to_string().rsplit_once(" at path ") {
        Some((what, _)) => io::Error::new(error.kind(), what),
        None => error,
    })
}

/// The file that `path` names, behind links, and its permissions if it is there.
fn target(path: &Path) -> io::Result<(PathBuf, Option<std::fs::Permissions>)> {
    let linked = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((path.to_path_buf(), None)),
        metadata => metadata?.is_symlink(),
    };
    let target = if linked { path.canonicalize()? } else { path.to_path_buf() };
    let metadata = target.metadata()?;
    match metadata.is_file() {
        true => Ok((target, Some(metadata.permissions()))),
        false => {
            let what = if metadata.is_dir() { "a folder" } else { "a device or a pipe" };
            Err(io::Error::other(format!("it is {what}, and only a regular file is replaced")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_known_before_and_told_without_a_drawn_name() -> io::Result<()> {
        let place = tempfile::tempdir()?;
        let (file, lost) = (place.path().join("network"), place.path().join("none").join("network"));
        let told = [check(&lost), write(&lost, b"lenet")].map(|done| done.map_err(|error| error.to_string()));
        let expected = Err(io::Error::from_raw_os_error(2).to_string());
        assert_eq!(told, [expected.clone(), expected]);
        assert!(check(place.path()).is_err_and(|error| error.to_string().starts_with("it is a folder")));
        check(&file)?;
        write(&file, b"lenet")?;
        check(&file)?;
        assert_eq!(std::fs::read(&file)?, b"lenet");
        assert_eq!(std::fs::read_dir(place.path())?.count(), 1);
        Ok(())
    }
}
