//! Which format a file has, told by its first bytes: endings say little, since `.bin`, `.pt` and `.pth` may be anything.

/// As many of a file's first bytes as [`Format::of`] looks at.
pub(crate) const FIRST: usize = 262;

/// The magic number of PyTorch's files before 1.6, as pickles of protocol 2 and later write it, and as earlier ones do.
const LEGACY: [&[u8]; 2] = [b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", b"119547037146038801333356"];

/// What a file of weights may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Safetensors,
    Zip,
    Legacy,
    Tar,
    Pickle,
    /// None of them; what it seems to be instead, where that is known.
    Unknown(Option<&'static str>),
}

impl Format {
    /// The format of a file that begins so.
    pub fn of(first: &[u8]) -> Self {
        let holds = |magic: &&[u8]| first[..first.len().min(64)].windows(magic.len()).any(|window| window == *magic);
        match first {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ if first.get(257..262) == Some(b"ustar") => Self::Tar,
            _ if LEGACY.iter().any(holds) => Self::Legacy,
            _ if is_safetensors(first) => Self::Safetensors,
            [0x80, 1..=5, ..] | [b'(', b'd' | b'l', ..] | [b'}' | b']', b'q', ..] => Self::Pickle,
            _ if first.starts_with(b"ccollections\n") => Self::Pickle,
            [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => Self::Unknown(Some("a picture")),
            [0x1f, 0x8b, ..] => Self::Unknown(Some("a gzip file")),
            [0x89, b'H', b'D', b'F', ..] => Self::Unknown(Some("an HDF5 file, as Keras writes them")),
            [0x08, 1..=32, 0x12, ..] => Self::Unknown(Some("an ONNX file")),
            [b'<', ..] => Self::Unknown(Some("a web page")),
            [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' ', ..] => {
                Self::Unknown(Some("a pointer of Git LFS, whose file was not fetched"))
            }
            _ => Self::Unknown(None),
        }
    }

    /// How a reader calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Zip => "PyTorch, zip",
            Self::Legacy => "PyTorch before 1.6",
            Self::Tar => "PyTorch, tar",
            Self::Pickle => "pickle",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The length of a header, then the header's brace.
fn is_safetensors(first: &[u8]) -> bool {
    let length = first.first_chunk::<8>().map(|first| u64::from_le_bytes(*first));
    length.is_some_and(|length| length >> 40 == 0) && first.get(8) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell() {
        let of = Format::of;
        assert_eq!(of(b"PK\x03\x04 and so on"), Format::Zip);
        assert_eq!(of(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."), Format::Legacy);
        assert_eq!(of(b"L119547037146038801333356L\n."), Format::Legacy);
        assert_eq!(of(b"\x80\x04\x95"), Format::Pickle);
        assert_eq!(of(b"(dp0\nVconv1.weight"), Format::Pickle);
        // A safetensors header of 128 bytes begins with the byte that a pickle begins with.
        assert_eq!(of(b"\x80\x02\x00\x00\x00\x00\x00\x00{\"a\":"), Format::Safetensors);
        assert_eq!(of(&[&[0; 257][..], b"ustar"].concat()), Format::Tar);
        assert_eq!([of(b""), of(b"conv1")], [Format::Unknown(None); 2]);
    }
}
