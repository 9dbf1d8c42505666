//! Safetensors files: the header is read and checked at once, a tensor's numbers when they are asked for.

use crate::error::{Error, Result};
use crate::format::Format;
use crate::stored::{Content, Kind, OpenFile, Stored};
use crate::tensor::Tensor;
use crate::text::short;
use crate::weights::Weights;
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The longest header that is read, in bytes: that of the reference implementation.
const LONGEST_HEADER: u64 = 100_000_000;

/// The weights of an open file that begins with `first`.
pub(crate) fn read(path: &Path, mut file: File, first: &[u8]) -> Result<Weights> {
    let failed = |source| Error::Read { path: path.to_path_buf(), source };
    let broken = |problem: String| Error::File { path: path.to_path_buf(), problem };
    let length = file.metadata().map_err(failed)?.len();
    let Some(header) = first.first_chunk::<8>().map(|first| u64::from_le_bytes(*first)) else {
        return Err(broken(format!("it has {length} bytes")));
    };
    if header > LONGEST_HEADER || header > length.saturating_sub(8) {
        return Err(broken(format!("its header would be {header} bytes, the file is {length}")));
    }
    let mut text = vec![0; header as usize];
    file.seek(SeekFrom::Start(8)).and_then(|_| file.read_exact(&mut text)).map_err(failed)?;
    let open = Arc::new(OpenFile { path: path.to_path_buf(), file: Mutex::new(file) });
    let content = |start, bytes| Content::File { open: open.clone(), start: start as u64, bytes };
    let weights = of_header(&text, length, content).map_err(broken)?;
    Ok(weights.from_source(path.display().to_string()))
}

/// The weights in the bytes of a file; `source` is what an error names.
pub(crate) fn of_bytes(all: Arc<[u8]>, source: &str) -> Result<Weights> {
    let broken = |problem: String| Error::File { path: PathBuf::from(source), problem };
    let header = all.first_chunk::<8>().map(|first| u64::from_le_bytes(*first));
    let text = header.and_then(|header| all.get(8..usize::try_from(header).ok()?.checked_add(8)?));
    let text = text.ok_or_else(|| broken(format!("it has {} bytes", all.len())))?;
    let named: Arc<str> = source.into();
    let content = |start, bytes| Content::Bytes { all: all.clone(), source: named.clone(), start, bytes };
    let weights = of_header(text, all.len() as u64, content).map_err(broken)?;
    Ok(weights.from_source(source.to_string()))
}

fn of_header(text: &[u8], length: u64, content: impl Fn(usize, usize) -> Content) -> Result<Weights, String> {
    // Its deserialisation checks that the tensors follow each other without gaps, and their sizes.
    let header: Metadata =
        serde_json::from_slice(text).map_err(|e| format!("its header: {}", short(&e.to_string())))?;
    let data = 8 + text.len();
    let expected = data.checked_add(header.data_len());
    if expected.map(|expected| expected as u64) != Some(length) {
        return Err(format!("it has {length} bytes, its header says {}", data.saturating_add(header.data_len())));
    }
    let tensors = header.tensors().into_iter().map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let stored = Stored { kind: kind(info.dtype), content: content(data + start, end - start) };
        (name, Tensor::stored(info.shape.clone(), stored))
    });
    let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    Ok(Weights::of(tensors.collect(), metadata.collect()).with_form(Format::Safetensors.name()))
}

/// The kind of numbers of a type of the format.
pub(crate) fn kind(dtype: Dtype) -> Kind {
    match dtype {
        Dtype::F16 => Kind::F16,
        Dtype::BF16 => Kind::BF16,
        Dtype::F32 => Kind::F32,
        Dtype::F64 => Kind::F64,
        other => Kind::Other(other.to_string()),
    }
}
