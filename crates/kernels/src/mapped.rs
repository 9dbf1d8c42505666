//! Files of numbers, mapped into memory: it is the system's copy of the file, which processes share.

use std::fs::File;
use std::io;

/// A file's whole numbers of four bytes, in the CPU's order, read where they lie. What is behind the last whole number is left
/// out. All of it is fetched when it is mapped.
///
/// The file must stay as it is while it is mapped, which whoever opens one promises (`docs/decisions/0012`). Who writes to it changes the numbers
/// that are read, also between two looks at the same one; who shortens it ends the process. A new version of the file belongs
/// in a file of its own, renamed over the old one: what is mapped then stays.
#[derive(Debug)]
pub struct MappedFile {
    #[cfg(unix)]
    start: std::ptr::NonNull<f32>,
    #[cfg(unix)]
    bytes: usize,
    #[cfg(not(unix))]
    numbers: crate::Buffer<f32>,
}

// SAFETY: memory that is only read, of a file that nobody writes meanwhile, as whoever mapped it has promised.
#[cfg(unix)]
unsafe impl Send for MappedFile {}
// SAFETY: as above.
#[cfg(unix)]
unsafe impl Sync for MappedFile {}

#[cfg(unix)]
impl MappedFile {
    /// Maps a file.
    ///
    /// # Errors
    ///
    /// As the system says; an empty file cannot be mapped.
    pub fn new(file: &File) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let bytes = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        #[cfg(target_os = "linux")]
        let flags = libc::MAP_PRIVATE | libc::MAP_POPULATE;
        #[cfg(not(target_os = "linux"))]
        let flags = libc::MAP_PRIVATE;
        // SAFETY: a new mapping, of an open file, to read.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, flags, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = std::ptr::NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, bytes })
    }
}

#[cfg(not(unix))]
impl MappedFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// As the system says.
    pub fn new(mut file: &File) -> io::Result<Self> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes)?;
        let numbers: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok(Self { numbers: crate::Buffer::from_slice(&numbers) })
    }
}

#[cfg(unix)]
impl AsRef<[f32]> for MappedFile {
    fn as_ref(&self) -> &[f32] {
        // SAFETY: the mapping begins at a page and lives as long as `self`; any bits are a number. That the file stays as it is
        // has been promised.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes / size_of::<f32>()) }
    }
}

#[cfg(not(unix))]
impl AsRef<[f32]> for MappedFile {
    fn as_ref(&self) -> &[f32] {
        &self.numbers
    }
}

#[cfg(unix)]
impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// The bytes of numbers, as memory has them.
pub fn bytes(numbers: &[f32]) -> &[u8] {
    // SAFETY: numbers are bytes without gaps.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// Words of 32 bits as numbers of the same bits.
pub fn from_words(words: &[u32]) -> &[f32] {
    // SAFETY: both are as long and aligned alike, and any bits are a number.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
}

/// The bits of numbers as words.
pub fn words_of(numbers: &[f32]) -> &[u32] {
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len()) }
}
