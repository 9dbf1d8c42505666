//! Text from files and folders, made safe to print.

use std::borrow::Cow;
use std::path::Path;

/// The text with every character escaped that would act on a terminal or hide itself: `\u{1b}` for the one that begins
/// an escape sequence, `\n` for a line break. Names of files and classes may hold any character.
///
/// ```
/// assert_eq!(cnn_figures::printable("cat\u{1b}[2J"), "cat\\u{1b}[2J");
/// assert_eq!(cnn_figures::printable("größer"), "größer");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// A path for a reader; what is not UTF-8 in it is replaced.
pub fn path(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// At most `length` characters; the last is `…` where some are left out.
pub fn shortened(text: &str, length: usize) -> Cow<'_, str> {
    if text.chars().nth(length).is_none() {
        return Cow::Borrowed(text);
    }
    let end = text.char_indices().nth(length.saturating_sub(1)).map_or(0, |(end, _)| end);
    Cow::Owned(format!("{}…", &text[..end]))
}

/// Control characters; those that change the direction of what follows; line and paragraph separators; the two that no
/// document in XML may hold.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_escaped() {
        assert_eq!(printable("a\u{1b}]0;x\u{7}\r\n\u{9b}2J"), "a\\u{1b}]0;x\\u{7}\\r\\n\\u{9b}2J");
        assert_eq!(printable("exe.\u{202e}gpj"), "exe.\\u{202e}gpj");
        assert_eq!(printable("\\u{1b} 猫"), "\\u{1b} 猫");
    }

    #[test]
    fn long_texts_are_cut_at_characters() {
        assert_eq!(shortened("größer", 4), "grö…");
        assert_eq!(shortened("groß", 4), "groß");
        assert_eq!(["", "a", "ab"].map(|text| shortened(text, 1).into_owned()), ["", "a", "…"]);
    }
}
