//! Files that `torch.save` writes, or wrote: zip archives, the stream of pickles before torch 1.6, the tar archives before
//! that. The crate `pytorch-reader` reads them, and builds nothing but tensors: no code of a pickle is run. What it could
//! be made to take too much memory by is looked at before.

mod check;
mod entry;
pub(crate) mod lazy;
mod limits;
mod modules;
mod pickle;
mod problem;
mod splice;
mod tar;
mod zip;

use crate::error::{Error, Result};
use crate::format::Format;
use crate::stored::{Content, Kind, Stored};
use crate::tensor::Tensor;
use crate::weights::Weights;
use cnn_system::guard;
use lazy::Lazy;
use problem::gave_up;
use pytorch_reader::{DType, PytorchReader};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is read: on a disk, or in memory.
struct Origin<'a> {
    path: &'a Path,
    length: u64,
    format: Format,
    entry: Option<&'a str>,
    /// Whether it asks for no more than such files do.
    look: &'a dyn Fn() -> Result<(), String>,
    /// All of its bytes.
    whole: &'a dyn Fn() -> Result<Cow<'a, [u8]>>,
    open: &'a Open<'a>,
}

/// The weights of a file of this format, under the key `entry` or where they usually are.
pub(crate) fn read(path: &Path, file: File, format: Format, entry: Option<&str>) -> Result<Weights> {
    let failed = |source| Error::Read { path: path.to_path_buf(), source };
    let length = file.metadata().map_err(failed)?.len();
    let look = || check::check(BufReader::new(&file), length, format);
    let whole = || Ok(Cow::Owned(cnn_system::file::read(path, length).map_err(failed)?));
    let open = |key: Option<&str>| match key {
        None => PytorchReader::new(path),
        Some(key) => PytorchReader::with_top_level_key(path, key),
    };
    Origin { path, length, format, entry, look: &look, whole: &whole, open: &open }.weights()
}

/// The same of a file in memory; `source` is what an error names.
pub(crate) fn of_bytes(bytes: &[u8], format: Format, source: PathBuf) -> Result<Weights> {
    let length = bytes.len() as u64;
    let look = || check::check(Cursor::new(bytes), length, format);
    let whole = || Ok(Cow::Borrowed(bytes));
    let open = |key: Option<&str>| PytorchReader::from_bytes(bytes.to_vec(), key);
    Origin { path: &source, length, format, entry: None, look: &look, whole: &whole, open: &open }.weights()
}

impl Origin<'_> {
    fn weights(&self) -> Result<Weights> {
        if self.format == Format::Pickle
            && let Some(spliced) = self.written_anew(2, splice::legacy)?
        {
            return self.anew(spliced);
        }
        self.guarded(self.look)?;
        let read = weights(self.path, self.length, self.format, self.entry, self.open);
        if is_old_module(&read)
            && let Some(written) = self.written_anew(3, modules::without_sources)?
        {
            return self.anew(written);
        }
        read
    }

    /// The file as `write` writes it anew, in memory for so many of it.
    fn written_anew(&self, times: u64, write: fn(&[u8]) -> Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
        let needed = cnn_system::Bytes(self.length.saturating_mul(times));
        cnn_system::memory::ask(needed).map_err(|shortage| self.problem(shortage.to_string()))?;
        let file = (self.whole)()?;
        self.guarded(|| Ok(write(&file)))
    }

    /// The weights of the file that was written anew as one of torch's before 1.6.
    fn anew(&self, written: Vec<u8>) -> Result<Weights> {
        let length = written.len() as u64;
        self.guarded(|| check::check(Cursor::new(&written[..]), length, Format::Legacy))?;
        let open = |key: Option<&str>| PytorchReader::from_bytes(written.clone(), key);
        weights(self.path, length, self.format, self.entry, &open)
    }

    /// What `work` gives, or a sentence where it panics.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, String>) -> Result<T> {
        let done = guard::caught(work).unwrap_or_else(|panic| Err(gave_up(&panic)));
        done.map_err(|problem| self.problem(problem))
    }

    fn problem(&self, problem: String) -> Error {
        Error::Pytorch { path: self.path.to_path_buf(), problem }
    }
}

/// Whether the reader stopped at the sources of a whole module.
fn is_old_module(read: &Result<Weights>) -> bool {
    matches!(read, Err(Error::Pytorch { problem, .. }) if problem == problem::OLD_MODULE)
}

/// How a file is opened, as a whole or under a key.
type Open<'a> = dyn Fn(Option<&str>) -> Result<PytorchReader, pytorch_reader::PytorchError> + 'a;

fn weights(path: &Path, length: u64, format: Format, entry: Option<&str>, open: &Open<'_>) -> Result<Weights> {
    let broken = |problem| Error::Pytorch { path: path.to_path_buf(), problem };
    let open = |key: Option<&str>| {
        let opened = guard::caught(|| open(key)).map_err(|panic| gave_up(&panic))?;
        opened.map_err(|error| problem::of(&error))
    };
    let found = entry::choose(&open, entry).map_err(broken)?;
    let mut weights = Weights::new();
    for (name, tensor) in found.tensors {
        limits::check_tensor(&name, &tensor, length).map_err(broken)?;
        let (kind, dims) = (kind(tensor.dtype()), tensor.shape().to_vec());
        let content = Content::Pytorch(Arc::new(Lazy { path: path.to_path_buf(), tensor }));
        weights.insert(name, Tensor::stored(dims, Stored { content, kind }));
    }
    let weights = weights.with_form(format!("{}{}", format.name(), found.from)).with_left_out(found.left_out);
    Ok(weights.from_source(path.display().to_string()))
}

fn kind(dtype: DType) -> Kind {
    match dtype {
        DType::F16 => Kind::F16,
        DType::BF16 => Kind::BF16,
        DType::F32 => Kind::F32,
        DType::F64 => Kind::F64,
        other => Kind::Other(format!("{other:?}")),
    }
}
