//! A plan in a file: what was packed, so that it need not be packed again.
//!
//! ```text
//! magic with the version of the format, length of the text, checksum of the text
//! text: what the plan was made for, then a line for each run of numbers: first byte, numbers, checksum
//! numbers, each run from a multiple of 64 bytes on, in the order in which the plan asks for them
//! ```
//!
//! Numbers are little-endian, in the layout of the instructions that multiply them. A file is read only where everything is
//! the same as when it was written: this crate's version, the network, the options, the instructions and, where they are
//! given, the weights.

use super::options::{InferenceOptions, Numeric, usual};
use crate::error::{Error, Result};
use cnn_kernels::inference::Numbers;
use cnn_kernels::mapped::{MappedFile, bytes};
use cnn_network::Network;
use cnn_system::whole;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// With a number that counts up whenever kernels pack in another way. Which way a convolution is packed its length tells.
const MAGIC: [u8; 8] = *b"cnnplan5";
/// Bytes before the text: magic, length, checksum.
const FRONT: usize = 16;
/// Numbers before the text.
const FRONT_NUMBERS: usize = FRONT / size_of::<f32>();
/// Bytes of a text at most.
const MOST_TEXT: usize = 1 << 22;
/// Bytes that a run of numbers begins at a multiple of.
const LINE: usize = 64;

/// A mapped file, whose runs of numbers are taken one by one.
pub(super) struct Saved {
    path: PathBuf,
    memory: Arc<MappedFile>,
    runs: std::vec::IntoIter<Range<usize>>,
    /// The checksum of the weights it was made of.
    pub(super) weights: String,
}

/// What a plan was made for, a line each.
pub(super) fn made_for(network: &Network, options: &InferenceOptions<'_>, weights: u64) -> [(&'static str, String); 6] {
    let algorithm = options.algorithm.map_or("chosen", |algorithm| algorithm.name());
    let scales = options.calibration.filter(|_| options.numeric == Numeric::Int8);
    let scales = scales.map_or_else(String::new, |calibration| format!(", scales {:08x}", calibration.checksum()));
    let nodes = format!("{} {:?}", if options.only_nodes { "only" } else { "with" }, options.nodes);
    [
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("network", format!("{} {:08x}", network.name(), crc32fast::hash(format!("{network:?}").as_bytes()))),
        ("options", format!("{}, {} images, {algorithm}{scales}", options.numeric, usual(options.usual_batch))),
        ("nodes", nodes),
        ("instructions", options.numeric.layout(options.set())),
        ("weights", format!("{weights:016x}")),
    ]
}

/// Writes runs of numbers to a file, whole or not at all.
pub(super) fn save(path: &Path, made_for: &[(&'static str, String)], runs: &[Numbers]) -> Result<()> {
    let mut text: String = made_for.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    // Of fixed width, so that the text's length is known before the offsets are.
    let line = |start: usize, numbers: &[f32]| {
        format!("{start:016x} {:016x} {:08x}\n", numbers.len(), crc32fast::hash(bytes(numbers)))
    };
    let mut start = (FRONT + text.len() + runs.len() * line(0, &[]).len()).next_multiple_of(LINE);
    let first = start;
    for numbers in runs.iter().map(Numbers::get) {
        text += &line(start, numbers);
        start = (start + size_of_val(numbers)).next_multiple_of(LINE);
    }
    let write = |to: &mut dyn Write| -> io::Result<()> {
        let length = u32::try_from(text.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        to.write_all(&MAGIC)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&crc32fast::hash(text.as_bytes()).to_le_bytes())?;
        to.write_all(text.as_bytes())?;
        let mut at = FRONT + text.len();
        let mut next = first;
        for numbers in runs.iter().map(Numbers::get) {
            to.write_all(&[0; LINE][..next - at])?;
            to.write_all(bytes(numbers))?;
            at = next + size_of_val(numbers);
            next = at.next_multiple_of(LINE);
        }
        to.write_all(&[0; LINE][..next - at])
    };
    whole::write_with(path, write).map_err(|error| problem(path, &format!("it cannot be written: {error}")))
}

fn problem(path: &Path, why: &str) -> Error {
    Error::PlanFile { path: path.to_path_buf(), why: why.to_string() }
}

impl Saved {
    /// Maps a file, and checks all of it; `weights` is not looked at where it is `None`.
    pub(super) fn open(path: &Path, made_for: &[(&'static str, String)], weights: bool) -> Result<Self> {
        let fails = |error: io::Error| problem(path, &format!("it cannot be read: {error}"));
        let file = cnn_system::file::open(path).map_err(fails)?;
        if file.metadata().map_err(fails)?.len() < FRONT as u64 {
            return Err(problem(path, "it is no plan"));
        }
        let memory = Arc::new(MappedFile::new(&file).map_err(fails)?);
        let numbers: &[f32] = (*memory).as_ref();
        let front = bytes(&numbers[..FRONT_NUMBERS]);
        if front[..8] != MAGIC {
            let other = front[..7] == MAGIC[..7];
            let why = if other { "it was made by another version of this crate" } else { "it is no plan" };
            return Err(problem(path, why));
        }
        let word = |at: usize| u32::from_le_bytes([front[at], front[at + 1], front[at + 2], front[at + 3]]);
        let (length, sum) = (word(8) as usize, word(12));
        let all = bytes(numbers);
        let text = Some(FRONT + length).filter(|_| length <= MOST_TEXT).and_then(|end| all.get(FRONT..end));
        let text = text.filter(|text| crc32fast::hash(text) == sum).and_then(|text| std::str::from_utf8(text).ok());
        let Some(text) = text else { return Err(problem(path, "it is damaged")) };
        let (mut lines, mut of_weights) = (text.lines(), String::new());
        for (name, value) in made_for {
            let found = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let Some(found) = found else { return Err(problem(path, "it is damaged")) };
            if found != value && (weights || *name != "weights") {
                let shorten = |text: &str| text.chars().take(80).collect::<String>();
                let why = format!("it was made for other {name}: {}, not {}", shorten(found), shorten(value));
                return Err(problem(path, &why));
            }
            if *name == "weights" {
                of_weights = found.to_string();
            }
        }
        let runs = lines.map(|line| run(line, numbers.len())).collect::<Option<Vec<_>>>();
        let Some(runs) = runs else { return Err(problem(path, "it is damaged")) };
        // Nothing lies behind what was written.
        let end = runs.last().map_or(FRONT + length, |(range, _)| range.end * size_of::<f32>()).next_multiple_of(LINE);
        if file.metadata().map_err(fails)?.len() != end as u64 || !intact(numbers, &runs) {
            return Err(problem(path, "it is damaged"));
        }
        let runs: Vec<Range<usize>> = runs.into_iter().map(|(range, _)| range).collect();
        Ok(Self { path: path.to_path_buf(), memory, runs: runs.into_iter(), weights: of_weights })
    }

    /// The next run of numbers.
    pub(super) fn next(&mut self) -> Result<Numbers> {
        let range = self.runs.next().ok_or_else(|| self.damaged())?;
        Ok(Numbers::Shared(self.memory.clone(), range))
    }

    /// What is said of runs that are not those of a plan.
    pub(super) fn damaged(&self) -> Error {
        problem(&self.path, "it is damaged")
    }

    /// Whether all was asked for.
    pub(super) fn end(mut self) -> Result<()> {
        match self.runs.next() {
            None => Ok(()),
            Some(_) => Err(problem(&self.path, "it is damaged")),
        }
    }
}

/// A run of numbers, within so many, and its checksum.
fn run(line: &str, numbers: usize) -> Option<(Range<usize>, u32)> {
    let mut words = line.split(' ');
    let mut number = || u64::from_str_radix(words.next()?, 16).ok().and_then(|number| usize::try_from(number).ok());
    let (start, length, sum) = (number()?, number()?, number()?);
    let first = start / size_of::<f32>();
    let end = first.checked_add(length).filter(|end| *end <= numbers && start.is_multiple_of(LINE))?;
    words.next().is_none().then_some((first..end, u32::try_from(sum).ok()?))
}

/// Whether every run of numbers has its checksum; on all threads.
fn intact(numbers: &[f32], runs: &[(Range<usize>, u32)]) -> bool {
    let good = AtomicUsize::new(0);
    cnn_kernels::threads::for_each(runs.len(), |number| {
        let (range, sum) = &runs[number];
        if crc32fast::hash(bytes(&numbers[range.clone()])) == *sum {
            good.fetch_add(1, Ordering::Relaxed);
        }
    });
    good.into_inner() == runs.len()
}
