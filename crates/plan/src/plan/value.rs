//! What the stages of a plan read and write.
//!
//! A *store* is memory that some stage fills. A *value* is a node's output: channels of a store, seen through a *map*
//! (scale, shift and floor per channel). Batch normalisation, ReLU and concatenation make values without a store of
//! their own.

use cnn_kernels::{LANES, Region};
use cnn_network::Shape;
use std::ops::Range;

/// Channels of a store, seen through a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    /// Position in the plan's stores.
    pub(crate) store: usize,
    /// First block of channels within the store.
    pub(crate) first_block: usize,
    /// The channels.
    pub(crate) channels: usize,
    /// Height and width; 1 and 1 for a vector.
    pub(crate) size: [usize; 2],
    /// Position in the plan's maps; `None` for the numbers as they are.
    pub(crate) map: Option<usize>,
    /// Whether a gradient that passes the map is dropped where the numbers are at a floor. What a max pool alone reads is
    /// not: its winners tell.
    pub(crate) floored: bool,
    /// The tallies this value's gradient is summed up in, and the channel at which each begins.
    pub(crate) tallies: Vec<(usize, usize)>,
    /// Whether a tensor that is trained lies upstream.
    pub(crate) trained: bool,
}

impl Value {
    /// Whether it is its store's numbers as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.map.is_none()
    }

    /// Blocks of channels.
    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Which of its channels are all those of another value of the same store, if it has them.
    pub(crate) fn channels_of(&self, other: &Self) -> Option<Range<usize>> {
        let first = other.first_block.checked_sub(self.first_block)? * LANES;
        let own = first..first + other.channels;
        (self.store == other.store && own.end <= self.channels).then_some(own)
    }

    /// Whether a gradient that passes through the map looks at the stored numbers.
    pub(crate) fn looks_back(&self) -> bool {
        self.floored || !self.tallies.is_empty()
    }
}

/// Memory that stages fill.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Store {
    /// Blocks of channels.
    pub(crate) blocks: usize,
    /// Height and width.
    pub(crate) size: [usize; 2],
    /// Whether a batch normalisation reads it: its moments are taken as it is filled, and its gradient has a part that
    /// is added where it is read.
    pub(crate) normalised: bool,
    /// Whether it is the caller's images, in rows of pixels as they came and not in blocks.
    pub(crate) planar: bool,
}

impl Store {
    /// Numbers per sample that it takes.
    pub(crate) fn len(&self) -> usize {
        if self.planar { 0 } else { self.blocks * LANES * self.size[0] * self.size[1] }
    }
}

impl Value {
    /// Where it lies in its store.
    pub(crate) fn region(&self, batch: usize, stores: &[Store]) -> Region {
        Region {
            batch,
            channels: self.channels,
            height: self.size[0],
            width: self.size[1],
            first_block: self.first_block,
            buffer_blocks: stores[self.store].blocks,
        }
    }
}

/// Height and width of a shape; 1 and 1 for a vector.
pub(crate) fn size(shape: Shape) -> [usize; 2] {
    shape.size().map_or([1, 1], |size| size.axes())
}
