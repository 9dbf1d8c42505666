//! Numbers of bytes for a reader.

use std::fmt;

/// A number of bytes, written in powers of ten: `812 bytes`, `1.5 kB`, `97.5 MB`, `1.20 GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// A count of memory; one beyond 64 bits counts as the largest.
    pub fn of(count: usize) -> Self {
        Self(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Units change where rounding would write a thousand of the smaller.
        match self.0 as f64 {
            _ if self.0 == 1 => write!(f, "1 byte"),
            _ if self.0 < 1000 => write!(f, "{} bytes", self.0),
            n if n < 999_950.0 => write!(f, "{:.1} kB", n / 1e3),
            n if n < 999.95e6 => write!(f, "{:.1} MB", n / 1e6),
            n if n < 999.995e9 => write!(f, "{:.2} GB", n / 1e9),
            n => write!(f, "{:.2} TB", n / 1e12),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_the_number() {
        let written = [0, 1, 999, 1000, 1536, 999_949, 999_950, 97_500_000, 1_200_000_000, 3_000_000_000_000, u64::MAX];
        let expected = [
            "0 bytes",
            "1 byte",
            "999 bytes",
            "1.0 kB",
            "1.5 kB",
            "999.9 kB",
            "1.0 MB",
            "97.5 MB",
            "1.20 GB",
            "3.00 TB",
            "18446744.07 TB",
        ];
        assert_eq!(written.map(|bytes| Bytes(bytes).to_string()), expected);
    }
}
