//! A walk through a pickle that makes nothing of it: it counts what a reader would make.

use std::io::{BufRead, Error, ErrorKind, Read};

/// The most operations of all pickles of a file. A network of a thousand tensors with its optimiser's memory has a
/// hundred thousand; the reader makes up to some two hundred bytes of each.
const MOST_OPERATIONS: u64 = 1_000_000;

/// The most bytes of text and byte strings in all pickles of a file.
const MOST_TEXT: u64 = 100_000_000;

/// What the walks through a file's pickles have met.
#[derive(Default)]
pub(super) struct Walk {
    operations: u64,
    text: u64,
}

/// What stopped a walk.
enum Stop {
    /// The file: what it says wrong, the reader says better.
    File,
    Limit(String),
}

impl From<Error> for Stop {
    fn from(_: Error) -> Self {
        Self::File
    }
}

impl Walk {
    /// Walks to the end of one pickle, and returns the last class that it names. An early end and what is no operation
    /// end the walk: the reader meets them too.
    pub fn pickle(&mut self, file: &mut impl BufRead) -> Result<Option<String>, String> {
        let mut class = None;
        match self.walk(file, &mut class) {
            Ok(()) | Err(Stop::File) => Ok(class),
            Err(Stop::Limit(problem)) => Err(problem),
        }
    }

    fn walk(&mut self, file: &mut impl BufRead, class: &mut Option<String>) -> Result<(), Stop> {
        loop {
            self.operations += 1;
            if self.operations > MOST_OPERATIONS {
                return Err(Stop::Limit(format!("its pickles have more than {MOST_OPERATIONS} operations")));
            }
            match byte(file)? {
                b'.' => return Ok(()),
                b'c' => {
                    self.line(file)?;
                    *class = Some(self.line(file)?);
                }
                b'I' | b'L' | b'F' | b'V' | b'g' | b'p' | b'P' => drop(self.line(file)?),
                b'K' | b'h' | b'q' | 0x80 => skip(file, 1)?,
                b'M' => skip(file, 2)?,
                b'J' | b'j' | b'r' => skip(file, 4)?,
                b'G' | 0x95 => skip(file, 8)?,
                b'U' | b'C' | 0x8a | 0x8c => self.counted::<1>(file)?,
                b'T' | b'X' | b'B' | 0x8b => self.counted::<4>(file)?,
                0x8d | 0x8e | 0x96 => self.counted::<8>(file)?,
                // Those without an argument; of what is none the reader says so.
                _ => {}
            }
        }
    }

    /// A line of text, without its end.
    fn line(&mut self, file: &mut impl BufRead) -> Result<String, Stop> {
        let mut line = Vec::new();
        file.take(MOST_TEXT - self.text + 1).read_until(b'\n', &mut line)?;
        self.more_text(line.len() as u64)?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_string())
    }

    /// A string behind its length, of so many bytes.
    fn counted<const N: usize>(&mut self, file: &mut impl BufRead) -> Result<(), Stop> {
        let mut length = [0; 8];
        file.read_exact(&mut length[..N])?;
        let length = u64::from_le_bytes(length);
        self.more_text(length)?;
        skip(file, length)
    }

    fn more_text(&mut self, bytes: u64) -> Result<(), Stop> {
        self.text = self.text.saturating_add(bytes);
        match self.text <= MOST_TEXT {
            true => Ok(()),
            false => Err(Stop::Limit(format!("its pickles have more than {MOST_TEXT} bytes of text"))),
        }
    }
}

fn byte(file: &mut impl Read) -> Result<u8, Stop> {
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn skip(file: &mut impl Read, bytes: u64) -> Result<(), Stop> {
    match std::io::copy(&mut file.by_ref().take(bytes), &mut std::io::sink())? == bytes {
        true => Ok(()),
        false => Err(Error::from(ErrorKind::UnexpectedEof).into()),
    }
}
