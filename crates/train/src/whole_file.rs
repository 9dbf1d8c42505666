//! Files that are written whole or not at all.

use crate::error::{Error, Result};
use cnn_core::whole::WRITING;
use std::io::{self, Write};
use std::path::Path;

/// Writes `bytes` to a file, whole or not at all: [`cnn_core::whole::write`], with an error that names the file.
///
/// # Errors
///
/// A folder that cannot be written, a full disk, and a path that names something other than a regular file, such as a
/// folder or a device; then `path` is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    cnn_core::whole::write(path, bytes).map_err(Error::file(path, "cannot write"))
}

/// Makes a folder within another, which must be there, if it is not there itself. A run's folder that was moved or removed is
/// never made anew by what is written within it: it would be nobody's.
///
/// # Errors
///
/// A folder around it that is not there or cannot be written, a file in its place.
pub fn make_within(folder: &Path) -> Result<()> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.map_err(Error::file(folder, "cannot make the folder")),
    }
}

/// Gives the file at `from`, which is whole and no longer written to, the name `to` as well, in place of what was there. A
/// system of files without such links gets a copy. Something other than a regular file is never replaced, and a symbolic
/// link is followed.
pub(crate) fn link_whole(from: &Path, to: &Path) -> Result<()> {
    let is_plain = || match to.symlink_metadata() {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(metadata) => metadata.is_file(),
    };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let linked = || -> io::Result<()> {
        // A name of its own; what has it is replaced by the link.
        let place = tempfile::Builder::new().prefix(WRITING).tempdir_in(folder)?;
        let link = place.path().join("link");
        std::fs::hard_link(from, &link)?;
        std::fs::rename(&link, to)?;
        std::fs::File::open(folder)?.sync_all()
    };
    if is_plain() && linked().is_ok() {
        return Ok(());
    }
    let bytes = std::fs::read(from).map_err(Error::file(from, "cannot read"))?;
    write_whole(to, &bytes)
}

/// Writes a new file, to the disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = std::fs::File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(Error::file(path, "cannot write"))
}

/// Brings what a folder holds to the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder, "cannot write"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    #[test]
    fn a_link_takes_no_room_and_replaces_like_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to, other] = ["from", "to", "other"].map(|name| folder.path().join(name));
        std::fs::write(&from, "new").unwrap();
        for _ in 0..2 {
            link_whole(&from, &to).unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), b"new");
            assert_eq!(from.metadata().unwrap().ino(), to.metadata().unwrap().ino());
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        }
        // Whoever replaces one of them leaves the other as it is.
        write_whole(&from, b"newer").unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"new");
        // What a symbolic link leads to gets the contents; a folder is never replaced.
        symlink("other", folder.path().join("link")).unwrap();
        std::fs::write(&other, "old").unwrap();
        link_whole(&from, &folder.path().join("link")).unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"newer");
        assert!(link_whole(&from, folder.path()).is_err());
        assert!(link_whole(&folder.path().join("none"), &to).is_err());
    }

    #[test]
    fn only_a_regular_file_is_replaced_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_whole(&at("file"), b"one").unwrap();
        std::fs::set_permissions(at("file"), PermissionsExt::from_mode(0o640)).unwrap();
        symlink("file", at("link")).unwrap();
        write_whole(&at("link"), b"two").unwrap();
        assert_eq!(std::fs::read(at("file")).unwrap(), b"two");
        assert!(at("link").symlink_metadata().unwrap().is_symlink());
        assert_eq!(at("file").metadata().unwrap().permissions().mode() & 0o777, 0o640);

        std::fs::create_dir(at("folder")).unwrap();
        symlink("folder", at("to-folder")).unwrap();
        symlink("nothing", at("dangling")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        for name in ["folder", "to-folder", "dangling", "pipe"] {
            let message = write_whole(&at(name), b"three").unwrap_err().to_string();
            assert!(message.starts_with(&format!("{}: cannot write: ", at(name).display())), "{message}");
        }
        assert!(at("pipe").metadata().unwrap().file_type().is_fifo() && at("folder").is_dir());
        let message = write_whole(Path::new("/dev/null"), b"three").unwrap_err().to_string();
        assert_eq!(message, "/dev/null: cannot write: it is a device or a pipe, and only a regular file is replaced");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
    }
}
