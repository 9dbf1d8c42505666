//! Files that are written whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

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
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // A temporary file is private; what is kept gets the permissions that any new file would have.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(WRITING).tempfile_in(folder)?;
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
