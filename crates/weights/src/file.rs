//! Safetensors files: the header is read and checked at once, a tensor's numbers when they are asked for, so that a file
//! of weights is never in memory twice.

use crate::error::{Error, Result};
use crate::tensor::{Number, Tensor};
use crate::weights::Weights;
use safetensors::tensor::Metadata;
use safetensors::{Dtype, View};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest header that is read, in bytes: that of the reference implementation.
const LONGEST_HEADER: u64 = 100_000_000;

/// Where a tensor's numbers are.
#[derive(Clone)]
pub struct Stored {
    content: Content,
    dtype: Dtype,
    /// First byte, and how many there are.
    start: u64,
    bytes: usize,
}

/// A file that is open, or its bytes.
#[derive(Clone)]
enum Content {
    File(Arc<OpenFile>),
    Bytes(Arc<[u8]>),
}

struct OpenFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl Stored {
    pub(crate) fn holds_numbers(&self) -> bool {
        matches!(self.dtype, Dtype::F16 | Dtype::BF16 | Dtype::F32 | Dtype::F64)
    }

    pub(crate) fn is_f64(&self) -> bool {
        self.dtype == Dtype::F64
    }

    /// The numbers as `T`.
    pub(crate) fn read<T: Number>(&self, name: &str) -> Result<Vec<T>> {
        if !self.holds_numbers() {
            let (weights, name) = (self.weights(), name.to_string());
            return Err(Error::NumberType { weights, name, found: self.dtype.to_string() });
        }
        let bytes = self.bytes()?;
        let number = |x: f64| T::from_f64(x);
        Ok(match self.dtype {
            Dtype::F16 => chunks(&bytes).map(|x| number(half::f16::from_le_bytes(x).to_f64())).collect(),
            Dtype::BF16 => chunks(&bytes).map(|x| number(half::bf16::from_le_bytes(x).to_f64())).collect(),
            Dtype::F32 => chunks(&bytes).map(|x| number(f64::from(f32::from_le_bytes(x)))).collect(),
            _ => chunks(&bytes).map(|x| number(f64::from_le_bytes(x))).collect(),
        })
    }

    fn weights(&self) -> String {
        match &self.content {
            Content::File(open) => open.path.display().to_string(),
            Content::Bytes(_) => "the weights".to_string(),
        }
    }

    fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match &self.content {
            Content::Bytes(all) => Ok(Cow::Borrowed(&all[self.start as usize..self.start as usize + self.bytes])),
            Content::File(open) => {
                let mut bytes = vec![0; self.bytes];
                let mut file = open.file.lock().unwrap_or_else(PoisonError::into_inner);
                let read = file.seek(SeekFrom::Start(self.start)).and_then(|_| file.read_exact(&mut bytes));
                read.map_err(|source| Error::Read { path: open.path.clone(), source })?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

impl Weights {
    /// Opens a safetensors file: names, shapes and metadata are read and checked, numbers when they are asked for.
    ///
    /// # Errors
    ///
    /// What is no regular file, cannot be read, is cut short or has more than its header says, or is no safetensors file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |source| Error::Read { path: path.to_path_buf(), source };
        let broken = |problem: String| Error::File { path: path.to_path_buf(), problem };
        let mut file = cnn_system::file::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut first = [0; 8];
        let short = || broken(format!("it has {length} bytes{}", format_of(path)));
        if length < 8 {
            return Err(short());
        }
        file.read_exact(&mut first).map_err(failed)?;
        let header = u64::from_le_bytes(first);
        if header > LONGEST_HEADER || header > length - 8 {
            return Err(broken(format!("its header would be {header} bytes, the file is {length}{}", format_of(path))));
        }
        let mut text = vec![0; header as usize];
        file.read_exact(&mut text).map_err(failed)?;
        let open = Arc::new(OpenFile { path: path.to_path_buf(), file: Mutex::new(file) });
        let weights = Self::of_header(&text, length, Content::File(open)).map_err(broken)?;
        Ok(weights.from_source(path.display().to_string()))
    }

    /// The weights in the bytes of a safetensors file, such as those that `include_bytes!` puts into a program;
    /// `source` is what an error names.
    ///
    /// # Errors
    ///
    /// Bytes that are no whole safetensors file.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>, source: &str) -> Result<Self> {
        let bytes: Arc<[u8]> = bytes.into();
        let broken = |problem: String| Error::File { path: PathBuf::from(source), problem };
        let header = bytes.first_chunk::<8>().map(|first| u64::from_le_bytes(*first));
        let text = header.and_then(|header| bytes.get(8..usize::try_from(header).ok()?.checked_add(8)?));
        let text = text.ok_or_else(|| broken(format!("it has {} bytes", bytes.len())))?;
        let weights = Self::of_header(text, bytes.len() as u64, Content::Bytes(bytes.clone())).map_err(broken)?;
        Ok(weights.from_source(source.to_string()))
    }

    fn of_header(text: &[u8], length: u64, content: Content) -> Result<Self, String> {
        // Its deserialisation checks that the tensors follow each other without gaps, and their sizes.
        let header: Metadata = serde_json::from_slice(text).map_err(|e| format!("its header: {e}"))?;
        let data = 8 + text.len() as u64;
        let expected = data.checked_add(header.data_len() as u64);
        if expected != Some(length) {
            return Err(format!("it has {length} bytes, its header says {}", data + header.data_len() as u64));
        }
        let tensors = header.tensors().into_iter().map(|(name, info)| {
            let (start, end) = info.data_offsets;
            let stored =
                Stored { content: content.clone(), dtype: info.dtype, start: data + start as u64, bytes: end - start };
            (name, Tensor::stored(info.shape.clone(), stored))
        });
        let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
        Ok(Self::of(tensors.collect(), metadata.collect()))
    }

    /// The bytes of a safetensors file with these tensors, in f64 where they are f64, else in f32, and the metadata. The
    /// same weights give the same bytes.
    ///
    /// # Errors
    ///
    /// Numbers that can no longer be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut views = BTreeMap::new();
        for (name, tensor) in self.iter() {
            let bytes = if tensor.keeps_f64() {
                (Dtype::F64, little_endian(&tensor.numbers::<f64>(name)?))
            } else {
                (Dtype::F32, little_endian(&tensor.numbers::<f32>(name)?))
            };
            views.insert(name, Written { dtype: bytes.0, dims: tensor.dims(), bytes: bytes.1 });
        }
        serialised(&views, self.metadata(), self.source())
    }
}

/// The bytes of a safetensors file; `source` is what an error names.
pub(crate) fn serialised<'v, N: AsRef<str> + Ord + std::fmt::Display, V>(
    views: &'v BTreeMap<N, V>,
    metadata: &BTreeMap<String, String>,
    source: &str,
) -> Result<Vec<u8>>
where
    &'v V: View,
{
    // One key alone keeps the order, so that equal weights are equal bytes.
    let metadata: HashMap<String, String> = metadata.clone().into_iter().collect();
    let metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
    safetensors::serialize(views.iter().map(|(name, view)| (name.as_ref(), view)), metadata)
        .map_err(|e| Error::File { path: PathBuf::from(source), problem: e.to_string() })
}

fn little_endian<T: bytemuck::Pod>(values: &[T]) -> Vec<u8> {
    // The targets are little-endian, as the file is.
    const { assert!(cfg!(target_endian = "little")) };
    bytemuck::cast_slice(values).to_vec()
}

/// What the file seems to be instead, for a sentence.
fn format_of(path: &Path) -> &'static str {
    let mut first = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read(&mut first)).unwrap_or(0);
    match &first[..read] {
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => "; it looks like a file of PyTorch's",
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => "; it looks like a picture",
        [0x1f, 0x8b, ..] => "; it looks like a gzip file",
        [0x08, ..] => "; it looks like an ONNX file",
        _ => "",
    }
}

struct Written<'a> {
    dtype: Dtype,
    dims: &'a [usize],
    bytes: Vec<u8>,
}

impl View for &Written<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        self.dims
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
