//! What narrow kernels read, and where their results go.

use super::{Format, Stored};
use crate::buffer::Shared;
use crate::region::Region;

/// Maps to read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a, F> {
    /// The buffer.
    pub data: &'a [F],
    /// Where in the buffer.
    pub region: Region,
    /// What padding holds once it is read: 0.0, or the zero point of 8-bit numbers.
    pub zero: F,
    /// What is done to each number on its way in.
    pub map: Option<ReadMap<'a>>,
}

/// `max(scale · x + shift, floor)` of a number as it is stored, rounded to the same format. Entries for each of
/// [`Region::padded_channels`].
#[derive(Clone, Copy, Debug)]
pub struct ReadMap<'a> {
    /// Factor.
    pub scale: &'a [f32],
    /// Addend.
    pub shift: &'a [f32],
    /// Lower bound.
    pub floor: f32,
}

/// Where results go.
#[derive(Debug)]
pub enum Target<'a, F> {
    /// To narrow maps, rounded.
    Narrow(&'a mut [F], Region),
    /// To maps of `f32`, as they are.
    Wide(&'a mut [f32], Region),
}

/// A target that the tasks of a loop write, each its own part.
#[derive(Clone, Copy)]
pub(crate) enum Parts<'a, F> {
    /// Narrow maps.
    Narrow(Shared<'a, F>, Region),
    /// Maps of `f32`.
    Wide(Shared<'a, f32>, Region),
}

impl<'a, F> From<Target<'a, F>> for Parts<'a, F> {
    fn from(target: Target<'a, F>) -> Self {
        match target {
            Target::Narrow(data, region) => Self::Narrow(Shared::new(data), region),
            Target::Wide(data, region) => Self::Wide(Shared::new(data), region),
        }
    }
}

/// What is done to a result `x` of channel `c`, in `f32`, each operation rounded by itself:
/// `max(x · scale[c] + bias[c] + addend · factor, floor)`.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a, F> {
    /// Factor of each channel; 1 without.
    pub scale: Option<&'a [f32]>,
    /// Addend of each channel; 0 without.
    pub bias: Option<&'a [f32]>,
    /// Maps that are added.
    pub addend: Option<Addend<'a, F>>,
    /// Lower bound.
    pub floor: Option<f32>,
}

/// Maps to add to a result, of the same shape.
#[derive(Clone, Copy, Debug)]
pub struct Addend<'a, F> {
    /// The buffer.
    pub data: &'a [F],
    /// Where in the buffer.
    pub region: Region,
    /// What each number is multiplied by.
    pub factor: f32,
}

impl<'a, F: Format> Source<'a, F> {
    /// The numbers as they are, beside zeros.
    pub fn plain(data: &'a [F], region: Region) -> Self {
        Self { data, region, zero: F::default(), map: None }
    }

    pub(crate) fn check(&self) {
        self.region.check();
        assert!(self.data.len() >= self.region.len(), "{} numbers are too few for {:?}", self.data.len(), self.region);
        if let Some(map) = &self.map {
            let padded = self.region.padded_channels();
            assert_eq!([map.scale.len(), map.shift.len()], [padded; 2], "a map's entries, and padded channels");
        }
    }
}

impl<F> Target<'_, F> {
    /// Where they go.
    pub fn region(&self) -> Region {
        match self {
            Self::Narrow(_, region) | Self::Wide(_, region) => *region,
        }
    }
}

impl<F> Default for Finish<'_, F> {
    fn default() -> Self {
        Self { scale: None, bias: None, addend: None, floor: None }
    }
}

impl<F: Stored> Finish<'_, F> {
    pub(crate) fn check(&self, region: &Region) {
        for entries in [self.scale, self.bias].into_iter().flatten() {
            assert_eq!(entries.len(), region.channels, "entries, and channels of {region:?}");
        }
        if let Some(addend) = &self.addend {
            addend.region.check();
            assert!(addend.region.same_shape(region), "{:?} is not of the shape of {region:?}", addend.region);
            assert!(addend.data.len() >= addend.region.len(), "too few numbers for {:?}", addend.region);
        }
    }
}
