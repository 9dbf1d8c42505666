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
    /// Whether a class was named in the way of protocol 4.
    new_class: bool,
}

/// One operation: its letter, and its argument if it is a string of bytes.
pub(super) struct Operation {
    pub code: u8,
    pub argument: Argument,
}

/// What follows on an operation's letter.
pub(super) enum Argument {
    /// As many bytes of a fixed size.
    Fixed(u64),
    /// A line of text, or two.
    Lines(u8),
    /// A length of so many bytes, then as many bytes as it says.
    Counted(usize),
}

impl Operation {
    /// The operation of this letter; of what is none it is said that nothing follows.
    pub fn of(code: u8) -> Self {
        let argument = match code {
            b'c' => Argument::Lines(2),
            b'I' | b'L' | b'F' | b'V' | b'g' | b'p' | b'P' => Argument::Lines(1),
            b'K' | b'h' | b'q' | 0x80 => Argument::Fixed(1),
            b'M' => Argument::Fixed(2),
            b'J' | b'j' | b'r' => Argument::Fixed(4),
            b'G' | 0x95 => Argument::Fixed(8),
            b'U' | b'C' | 0x8a | 0x8c => Argument::Counted(1),
            b'T' | b'X' | b'B' | 0x8b => Argument::Counted(4),
            0x8d | 0x8e | 0x96 => Argument::Counted(8),
            _ => Argument::Fixed(0),
        };
        Self { code, argument }
    }
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
    /// Walks to the end of one pickle, and returns the last class that it names. An early end ends the walk: the reader
    /// meets it too.
    pub fn pickle(&mut self, file: &mut impl BufRead) -> Result<Option<String>, String> {
        let mut class = None;
        match self.walk(file, &mut class) {
            Ok(()) | Err(Stop::File) => Ok(class),
            Err(Stop::Limit(problem)) => Err(problem),
        }
    }

    /// The same of a pickle that names classes as protocols before 4 do.
    pub fn old_pickle(&mut self, file: &mut impl BufRead) -> Result<Option<String>, String> {
        let class = self.pickle(file)?;
        match self.new_class {
            true => Err("its pickles are newer than its archive".to_string()),
            false => Ok(class),
        }
    }

    fn walk(&mut self, file: &mut impl BufRead, class: &mut Option<String>) -> Result<(), Stop> {
        loop {
            self.operations += 1;
            if self.operations > MOST_OPERATIONS {
                return Err(Stop::Limit(format!("its pickles have more than {MOST_OPERATIONS} operations")));
            }
            let operation = Operation::of(byte(file)?);
            match operation.argument {
                Argument::Fixed(bytes) => skip(file, bytes)?,
                Argument::Lines(2) => {
                    self.line(file)?;
                    *class = Some(self.line(file)?);
                }
                Argument::Lines(_) => drop(self.line(file)?),
                Argument::Counted(width) => {
                    let mut length = [0; 8];
                    file.read_exact(&mut length[..width])?;
                    let length = u64::from_le_bytes(length);
                    self.more_text(length)?;
                    skip(file, length)?;
                }
            }
            self.new_class |= operation.code == 0x93;
            if operation.code == b'.' {
                return Ok(());
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
