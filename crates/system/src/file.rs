//! Files read with a bound: what a path names may be a device without an end, a pipe nobody writes to, or simply too large.

use crate::Bytes;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file to read it; links are followed.
///
/// # Errors
///
/// As the system says. Of [`io::ErrorKind::InvalidInput`] where the path names something else: a folder, a pipe, a socket
/// or a device. A pipe is found without being opened, which would wait for a writer.
pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    // What the path names may have changed in between.
    regular(&file.metadata()?)?;
    Ok(file)
}

/// The contents of a regular file of at most `most` bytes.
///
/// ```
/// let path = std::env::temp_dir().join(format!("cnn-system-file-{}", std::process::id()));
/// std::fs::write(&path, "lenet")?;
/// assert_eq!(cnn_system::file::read(&path, 5)?, b"lenet");
/// let error = cnn_system::file::read(&path, 4).unwrap_err().to_string();
/// assert_eq!(error, "expected at most 4 bytes, found 5 bytes");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`open`]. Of [`io::ErrorKind::FileTooLarge`] where the file is larger; of [`io::ErrorKind::OutOfMemory`] where memory
/// does not suffice.
pub fn read(path: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > most {
        return Err(too_large(most, &Bytes(size)));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?)?;
    // The file may grow while it is read, and files of /proc have no size.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(too_large(most, &"more")),
        false => Ok(bytes),
    }
}

/// The text of a regular file of at most `most` bytes.
///
/// # Errors
///
/// As [`read`]. Of [`io::ErrorKind::InvalidData`] where the file is no UTF-8.
pub fn read_text(path: impl AsRef<Path>, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, most)?);
    text.map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        io::Error::new(io::ErrorKind::InvalidData, format!("expected text in UTF-8, found another byte at {place}"))
    })
}

fn too_large(most: u64, found: &dyn fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("expected at most {}, found {found}", Bytes(most)))
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let found = format!("expected a regular file, found {}", kind(metadata));
    Err(io::Error::new(io::ErrorKind::InvalidInput, found))
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a folder" } else { special(metadata) }
}

#[cfg(unix)]
fn special(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: &Metadata) -> &'static str {
    "a device"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = std::env::temp_dir();
        let error = read(&folder, 10).unwrap_err().to_string();
        assert_eq!(error, "expected a regular file, found a folder");
        assert_eq!(read(folder.join("no such file"), 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn devices_pipes_and_sockets_are_refused_at_once() {
        let folder = std::env::temp_dir().join(format!("cnn-core-special-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [pipe, socket, link] = ["pipe.jpg", "socket.jpg", "link.jpg"].map(|name| folder.join(name));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for (path, expected) in [
            (Path::new("/dev/zero"), "a device"),
            (&pipe, "a named pipe"),
            (&socket, "a socket"),
            (&link, "a named pipe"),
        ] {
            let error = read(path, 1 << 20).unwrap_err().to_string();
            assert_eq!(error, format!("expected a regular file, found {expected}"), "{}", path.display());
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn text_is_utf_8() {
        let path = std::env::temp_dir().join(format!("cnn-core-text-{}", std::process::id()));
        std::fs::write(&path, b"ab\xff").unwrap();
        let error = read_text(&path, 3).unwrap_err().to_string();
        assert_eq!(error, "expected text in UTF-8, found another byte at 2");
        std::fs::write(&path, "ß").unwrap();
        assert_eq!(read_text(&path, 2).unwrap(), "ß");
        std::fs::remove_file(&path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_tells_no_size_is_read_to_the_bound() {
        assert!(!read("/proc/self/status", 1 << 20).unwrap().is_empty());
        let error = read("/proc/self/status", 10).unwrap_err().to_string();
        assert_eq!(error, "expected at most 10 bytes, found more");
    }
}
