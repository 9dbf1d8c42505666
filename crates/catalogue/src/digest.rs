//! A SHA-256, or how one begins.

use std::fmt;

/// A file's SHA-256 in hexadecimal digits, or its first digits where no more is published.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest that `text` writes: 8 to 64 lower-case hexadecimal digits. None for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        (hexadecimal && (8..=64).contains(&text.len())).then(|| Self(text.to_string()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all 64 digits are known.
    pub fn is_whole(&self) -> bool {
        self.0.len() == 64
    }

    /// Whether a file of this digest is the one meant; `digest` has all its digits.
    #[cfg(feature = "hub")]
    pub(crate) fn fits(&self, digest: &str) -> bool {
        digest.starts_with(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_digits_are_a_digest() {
        assert!(Digest::new("11ad3fa6").is_some_and(|digest| !digest.is_whole()));
        assert!(Digest::new(&"0f".repeat(32)).is_some_and(|digest| digest.is_whole()));
        for text in ["", "11ad3fa", "11AD3FA6", "11ad3fg6", "../../aa", &"0".repeat(65)] {
            assert_eq!(Digest::new(text), None, "{text}");
        }
    }
}
