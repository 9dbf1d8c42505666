//! One tensor: dimensions, and numbers in memory or still in a file.

use crate::error::{Error, Result};
use crate::stored::{Kind, Stored};
use cnn_network::shape::times;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A tensor's dimensions and numbers, row by row. Copies share the numbers.
#[derive(Clone)]
pub struct Tensor {
    dims: Vec<usize>,
    numbers: Numbers,
}

/// Where a tensor's numbers are.
#[derive(Clone)]
pub enum Numbers {
    F32(Arc<Vec<f32>>),
    F64(Arc<Vec<f64>>),
    /// In a file, until they are asked for.
    Stored(Stored),
}

/// `f32` or `f64`: what a tensor's numbers are asked for as.
pub trait Number: Copy + Send + Sync + 'static {
    /// The number as `f64`.
    fn to_f64(self) -> f64;
    /// The numbers in memory, if they are of this type.
    #[doc(hidden)]
    fn of(numbers: &Numbers) -> Option<&Arc<Vec<Self>>>;
    /// Numbers of this type, kept in memory.
    #[doc(hidden)]
    fn kept(values: Vec<Self>) -> Numbers;
    /// The nearest number of this type.
    #[doc(hidden)]
    fn from_f64(value: f64) -> Self;
    /// Where the first number is that is not finite. It is asked of all numbers of a file, and compiled here for that.
    #[doc(hidden)]
    fn first_not_finite(values: &[Self]) -> Option<usize>;
    /// The numbers that a file's bytes of a kind are; likewise.
    #[doc(hidden)]
    fn of_bytes(kind: &Kind, bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($type:ty, $variant:ident) => {
        impl Number for $type {
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn of(numbers: &Numbers) -> Option<&Arc<Vec<Self>>> {
                match numbers {
                    Numbers::$variant(values) => Some(values),
                    _ => None,
                }
            }
            fn kept(values: Vec<Self>) -> Numbers {
                Numbers::$variant(Arc::new(values))
            }
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            #[inline(never)]
            fn first_not_finite(values: &[Self]) -> Option<usize> {
                values.iter().position(|value| !value.is_finite())
            }
            #[inline(never)]
            fn of_bytes(kind: &Kind, bytes: &[u8]) -> Vec<Self> {
                numbers(kind, bytes)
            }
        }
    };
}

number!(f32, F32);
number!(f64, F64);

/// Bytes of a kind as numbers.
fn numbers<T: Number>(kind: &Kind, bytes: &[u8]) -> Vec<T> {
    let number = |x: f64| T::from_f64(x);
    match kind {
        Kind::F16 => chunks(bytes).map(|x| number(half::f16::from_le_bytes(x).to_f64())).collect(),
        Kind::BF16 => chunks(bytes).map(|x| number(half::bf16::from_le_bytes(x).to_f64())).collect(),
        Kind::F32 => chunks(bytes).map(|x| number(f64::from(f32::from_le_bytes(x)))).collect(),
        Kind::F64 | Kind::Other(_) => chunks(bytes).map(|x| number(f64::from_le_bytes(x))).collect(),
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

impl Tensor {
    /// A tensor of numbers in memory; `name` is what an error names.
    ///
    /// # Errors
    ///
    /// Numbers whose count is not the product of the dimensions.
    pub fn new<T: Number>(name: &str, dims: &[usize], values: Vec<T>) -> Result<Self> {
        check_count(name, dims, values.len())?;
        Ok(Self { dims: dims.to_vec(), numbers: T::kept(values) })
    }

    pub(crate) fn stored(dims: Vec<usize>, stored: Stored) -> Self {
        Self { dims, numbers: Numbers::Stored(stored) }
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The same numbers, in the same order, of other dimensions; `name` is what an error names.
    pub(crate) fn reshaped(&self, name: &str, dims: &[usize]) -> Result<Self> {
        check_count(name, dims, self.elements())?;
        Ok(Self { dims: dims.to_vec(), numbers: self.numbers.clone() })
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }

    /// The numbers, row by row, as `T`; copied only where they are not in memory as that. `name` is what an error names.
    ///
    /// # Errors
    ///
    /// A file that can no longer be read, numbers that are not floating-point ones.
    pub fn numbers<T: Number>(&self, name: &str) -> Result<Cow<'_, [T]>> {
        if let Some(values) = T::of(&self.numbers) {
            return Ok(Cow::Borrowed(values));
        }
        Ok(Cow::Owned(match &self.numbers {
            Numbers::F32(values) => values.iter().map(|x| T::from_f64(f64::from(*x))).collect(),
            Numbers::F64(values) => values.iter().map(|x| T::from_f64(*x)).collect(),
            Numbers::Stored(stored) => T::of_bytes(&stored.kind, &stored.read(name)?),
        }))
    }

    /// The numbers as `T`, row by row, at most so many at a time, with the position of the first of them.
    pub(crate) fn parts<T: Number, E: From<Error>>(
        &self,
        name: &str,
        count: usize,
        mut visit: impl FnMut(usize, &[T]) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Numbers::Stored(stored) = &self.numbers {
            let visit = |first: usize, bytes: &[u8]| visit(first, &T::of_bytes(&stored.kind, bytes));
            return stored.read_parts(name, count, visit);
        }
        let (numbers, count) = (self.numbers(name)?, count.max(1));
        numbers.chunks(count).enumerate().try_for_each(|(number, part)| visit(number * count, part))
    }

    /// The numbers' bytes, as a file has them, if they are kept as this kind: without a way over other numbers.
    pub(crate) fn bytes_of(&self, kind: &Kind) -> Option<Result<Cow<'_, [u8]>>> {
        // The targets are little-endian, as files are.
        const { assert!(cfg!(target_endian = "little")) };
        match (&self.numbers, kind) {
            (Numbers::F32(values), Kind::F32) => Some(Ok(Cow::Borrowed(bytemuck::cast_slice(values)))),
            (Numbers::F64(values), Kind::F64) => Some(Ok(Cow::Borrowed(bytemuck::cast_slice(values)))),
            (Numbers::Stored(stored), kind) if stored.kind == *kind => Some(stored.bytes()),
            _ => None,
        }
    }

    /// Whether its numbers are floating-point ones.
    pub(crate) fn holds_numbers(&self) -> bool {
        match &self.numbers {
            Numbers::F32(_) | Numbers::F64(_) => true,
            Numbers::Stored(stored) => stored.holds_numbers(),
        }
    }

    pub(crate) fn keeps_f64(&self) -> bool {
        match &self.numbers {
            Numbers::F32(_) => false,
            Numbers::F64(_) => true,
            Numbers::Stored(stored) => stored.is_f64(),
        }
    }
}

/// Refuses dimensions of more or fewer numbers than there are.
pub(crate) fn check_count(name: &str, dims: &[usize], found: usize) -> Result<()> {
    match dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim)) == Some(found) {
        true => Ok(()),
        false => Err(Error::Count { name: name.to_string(), dims: dims.to_vec(), found }),
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match &self.numbers {
            Numbers::F32(_) => "f32 in memory",
            Numbers::F64(_) => "f64 in memory",
            Numbers::Stored(_) => "in a file",
        };
        write!(f, "Tensor({}, {kept})", times(&self.dims))
    }
}
