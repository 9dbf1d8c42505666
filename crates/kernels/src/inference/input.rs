//! What a step reads, and what is done to it on the way.

use super::arena::Place;
use super::number::Number;
use crate::simd::Vector;
use crate::view::channel;
use std::sync::Arc;

/// What a step reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The images as they came, `(N, C, H, W)`, and what is done to their channels.
    Images {
        /// Channels of an image.
        channels: usize,
        /// Height and width.
        size: [usize; 2],
        /// What is done to each number.
        map: Option<Arc<Affine>>,
    },
    /// A value in the arena, and what is done to its channels.
    Value {
        /// Where it lies.
        place: Place,
        /// What is done to each number.
        map: Option<Arc<Affine>>,
    },
}

impl Input {
    /// Height and width of what is read.
    pub fn size(&self) -> [usize; 2] {
        match self {
            Self::Images { size, .. } => *size,
            Self::Value { place, .. } => place.size,
        }
    }

    /// Channels of what is read.
    pub fn channels(&self) -> usize {
        match self {
            Self::Images { channels, .. } => *channels,
            Self::Value { place, .. } => place.channels,
        }
    }

    /// The place it lies, but for images.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Images { .. } => None,
            Self::Value { place, .. } => Some(place),
        }
    }

    /// What its numbers are.
    pub fn number(&self) -> Number {
        self.place().map_or(Number::F32, |place| place.number)
    }

    /// What is done to its numbers.
    pub fn map(&self) -> Option<&Affine> {
        match self {
            Self::Images { map, .. } | Self::Value { map, .. } => map.as_deref(),
        }
    }
}

/// `max(scale · x + shift, floor)` of each channel, an entry for each channel of whole blocks. Channels that only fill up
/// a block give 0. A floor of NaN is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// Factor.
    pub scale: Vec<f32>,
    /// Addend.
    pub shift: Vec<f32>,
    /// Lower bound.
    pub floor: Vec<f32>,
}

impl Affine {
    /// Whether there is an entry for each of so many channels.
    pub(super) fn is_of(&self, channels: usize) -> bool {
        [&self.scale, &self.shift, &self.floor].iter().all(|entries| entries.len() == channels)
    }

    /// Scale, shift and floor of a block's channels.
    #[inline(always)]
    pub(super) fn of_block<V: Vector<Element = f32>>(&self, block: usize) -> [V; 3] {
        [channel(&self.scale, block), channel(&self.shift, block), channel(&self.floor, block)]
    }
}
