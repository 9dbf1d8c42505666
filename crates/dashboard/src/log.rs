//! Where log lines go while the terminal is taken.

use crate::taken;
use cnn_figures::printable;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines that wait for the terminal; there is one terminal, so there is one log.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// As many lines are kept; older ones are dropped.
const KEPT: usize = 1000;

/// A writer of log lines, one a call: to standard error, or while a dashboard is open to its log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !taken::is_taken() {
            return io::stderr().write(bytes);
        }
        let text = String::from_utf8_lossy(bytes);
        let mut lines = lines();
        lines.extend(text.lines().map(plain));
        let surplus = lines.len().saturating_sub(KEPT);
        lines.drain(..surplus);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The last lines, the oldest first.
#[cfg(feature = "terminal")]
pub(crate) fn last(count: usize) -> Vec<String> {
    let lines = lines();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// Writes the lines to standard error, now that they can be seen there.
#[cfg(feature = "terminal")]
pub(crate) fn release() {
    for line in std::mem::take(&mut *lines()) {
        // Nobody may be left to read it.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without the escape sequences that colour a line, and with whatever else would act on a terminal escaped.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut within = false;
    for character in line.chars() {
        match character {
            '\u{1b}' => within = true,
            _ if within => within = !character.is_ascii_alphabetic(),
            '\t' => plain.push(' '),
            _ => plain.push(character),
        }
    }
    printable(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_off() {
        assert_eq!(plain("\u{1b}[33m WARN\u{1b}[0m slow\tdisk"), " WARN slow disk");
        assert_eq!(plain("a\u{7}b"), "a\\u{7}b");
    }
}
