//! Lists in files of text, something on each line.

use anyhow::{Context, Result};
use cnn_figures::path;
use std::path::Path;

/// No list is longer, in bytes.
const LONGEST: u64 = 10_000_000;

/// The lines of a file that are not blank, each with its number from 1 and without blanks around it. The mark of its encoding
/// with which some editors begin a file is no part of the first, nor is what ends lines on Windows.
///
/// # Errors
/// A file that cannot be read, is no text in UTF-8 or is longer than 10 MB.
pub fn lines(file: &Path) -> Result<Vec<(usize, String)>> {
    let text = cnn_core::file::read_text(file, LONGEST).with_context(|| format!("cannot read {}", path(file)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = text.lines().zip(1..).map(|(line, number)| (number, line.trim().to_string()));
    Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_leaves_no_mark_on_a_name() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("names.txt");
        let read = |bytes: &[u8]| -> Result<Vec<(usize, String)>> {
            std::fs::write(&file, bytes)?;
            lines(&file)
        };
        let expected = vec![(1, "cat".to_string()), (3, "great dane".to_string())];
        assert_eq!(read("cat\n\ngreat dane".as_bytes())?, expected);
        assert_eq!(read("\u{feff}cat\r\n\r\n great dane\t\r\n".as_bytes())?, expected);
        assert!(read("\u{feff}\r\n".as_bytes())?.is_empty());
        // As Windows calls Unicode: UTF-16.
        let error = format!("{:#}", read(b"\xff\xfec\0").unwrap_err());
        assert!(error.contains("names.txt") && error.contains("expected text in UTF-8"), "{error}");
        Ok(())
    }
}
