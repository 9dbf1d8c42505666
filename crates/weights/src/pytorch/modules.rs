//! Whole modules, as torch pickled them before 1.6.
//!
//! The first time a class of modules was met, it was written with the text of its source: a reference `('module', class,
//! file, source)`. The reader knows no such reference. So the pickle is written anew with the class alone, and the rest of
//! the file follows as it was.

use super::pickle::Walk;
use super::splice::operation_at;
use std::collections::BTreeSet;
use std::io::Cursor;

/// The file without the sources of its classes, if it has any.
pub(super) fn without_sources(file: &[u8]) -> Option<Vec<u8>> {
    let mut rewritten = Rewritten { file, out: Vec::new(), word: false, remembered: BTreeSet::new(), classes: 0 };
    let (mut walk, mut cursor) = (Walk::default(), Cursor::new(file));
    (0..3).try_for_each(|_| walk.pickle(&mut cursor).map(drop)).ok()?;
    let begin = usize::try_from(cursor.position()).ok()?;
    rewritten.out.extend(file.get(..begin)?);
    let mut at = begin;
    while *file.get(at)? != b'.' {
        at = rewritten.class(at).map_or_else(|| rewritten.copy(at), Some)?;
    }
    rewritten.out.extend(&file[at..]);
    (rewritten.classes > 0).then_some(rewritten.out)
}

struct Rewritten<'a> {
    file: &'a [u8],
    out: Vec<u8>,
    /// Whether the word `module` was the last that was copied.
    word: bool,
    /// Under which numbers that word is remembered.
    remembered: BTreeSet<u32>,
    classes: usize,
}

impl Rewritten<'_> {
    /// Copies an operation, and returns where the next one begins.
    fn copy(&mut self, at: usize) -> Option<usize> {
        let (end, string) = operation_at(self.file, at)?;
        if let (true, Some(number)) = (self.word, self.number(at, [b'q', b'r'])) {
            self.remembered.insert(number);
        }
        self.word = string == Some(b"module");
        self.out.extend(&self.file[at..end]);
        Some(end)
    }

    /// Writes the class alone where a reference to one with its source begins, and returns where the next operation
    /// begins.
    fn class(&mut self, at: usize) -> Option<usize> {
        let (_, string) = (self.file[at] == b'(').then(|| operation_at(self.file, at + 1))??;
        let again = self.number(at + 1, [b'h', b'j']).is_some_and(|number| self.remembered.contains(&number));
        if string != Some(b"module") && !again {
            return None;
        }
        let before = self.out.len();
        let written = self.parts(at + 1);
        if written.is_none() {
            self.out.truncate(before);
        }
        written
    }

    /// The word, the class, the file's name and the source, of which the class stays on the stack; then their tuple and
    /// the reference.
    fn parts(&mut self, mut at: usize) -> Option<usize> {
        for part in 0..4 {
            if part == 1 && !matches!(self.file.get(at)?, b'c' | b'h' | b'j') {
                return None;
            }
            at = self.copy(at)?;
            at = self.puts(at)?;
            if part != 1 {
                self.out.push(b'0');
            }
        }
        at = self.expect(at, b't')?;
        at = self.puts(at)?;
        self.classes += 1;
        self.expect(at, b'Q')
    }

    /// Copies what remembers the top of the stack.
    fn puts(&mut self, mut at: usize) -> Option<usize> {
        while matches!(self.file.get(at)?, b'q' | b'r' | 0x94) {
            at = self.copy(at)?;
        }
        Some(at)
    }

    fn expect(&self, at: usize, code: u8) -> Option<usize> {
        (*self.file.get(at)? == code).then_some(at + 1)
    }

    /// The number of an operation of the memory that has one of these letters, short or long.
    fn number(&self, at: usize, [short, long]: [u8; 2]) -> Option<u32> {
        let rest = self.file.get(at + 1..)?;
        match *self.file.get(at)? {
            code if code == short => rest.first().map(|number| u32::from(*number)),
            code if code == long => rest.first_chunk::<4>().map(|number| u32::from_le_bytes(*number)),
            _ => None,
        }
    }
}
