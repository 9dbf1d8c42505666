//! Packed weights, in memory of their own or in that of a file.

use crate::buffer::Buffer;
use crate::mapped::from_words;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

/// Packed weights of a step, and its bias, in memory of its own or in that of a file.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The weights in the order the kernels take them.
    pub weights: Numbers,
    /// One number for each output, filled up with zeros to whole panels.
    pub bias: Numbers,
}

/// Numbers that begin on a cache line.
#[derive(Clone)]
pub enum Numbers {
    /// In memory of their own.
    Own(Arc<Buffer<f32>>),
    /// In memory that someone else keeps: a mapped file.
    Shared(Arc<dyn AsRef<[f32]> + Send + Sync + RefUnwindSafe>, std::ops::Range<usize>),
}

impl Numbers {
    /// The numbers.
    pub fn get(&self) -> &[f32] {
        match self {
            Self::Own(buffer) => buffer,
            Self::Shared(memory, range) => &(**memory).as_ref()[range.clone()],
        }
    }
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers", self.get().len())
    }
}

impl From<&[u32]> for Numbers {
    fn from(words: &[u32]) -> Self {
        Buffer::from_slice(from_words(words)).into()
    }
}

impl From<&[f32]> for Numbers {
    fn from(numbers: &[f32]) -> Self {
        Buffer::from_slice(numbers).into()
    }
}

impl From<Buffer<f32>> for Numbers {
    fn from(buffer: Buffer<f32>) -> Self {
        Self::Own(Arc::new(buffer))
    }
}
