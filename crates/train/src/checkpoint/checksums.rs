//! The file `checksums`: which other files a checkpoint has, and what each was when it was written.

/// Its name.
pub(super) const CHECKSUMS: &str = "checksums";

/// Its text: a line for each file, and one for these lines.
pub(super) fn text(files: &[(&str, Vec<u8>)]) -> String {
    let lines: String = files.iter().map(|(name, bytes)| line(name, bytes)).collect();
    let own = line(CHECKSUMS, lines.as_bytes());
    lines + &own
}

/// The line of one file.
pub(super) fn line(name: &str, bytes: &[u8]) -> String {
    format!("crc32 {:08x} bytes {} {name}\n", crc32fast::hash(bytes), bytes.len())
}

/// The lines of the other files, if the text is what was written.
pub(super) fn lines(text: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let own = lines.pop()?;
    (own == line(CHECKSUMS, lines.concat().as_bytes())).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_written_is_read_and_no_other() {
        let files = [("weights", vec![1, 2]), ("state", vec![])];
        let whole = text(&files);
        assert_eq!(lines(whole.as_bytes()).unwrap(), [line("weights", &[1, 2]), line("state", &[])]);
        for place in 0..whole.len() {
            let mut other = whole.clone().into_bytes();
            other[place] ^= 1;
            assert_eq!(lines(&other), None, "{place}");
            assert_eq!(lines(&whole.as_bytes()[..place]), None, "{place}");
        }
        assert_eq!(lines((whole + "\n").as_bytes()), None);
    }
}
