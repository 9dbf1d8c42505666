//! What a task of a pool computes.

use super::axis::Axis;
use crate::narrow::{Outlet, Source};
use std::ops::Range;

/// What is joined.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Numbers as `f32`.
    Numbers,
    /// Integers: the largest.
    Largest,
    /// Integers: their sum.
    Sum,
}

/// Some rows of a block of an image.
pub(super) struct Piece<'a, F, O> {
    pub(super) source: &'a Source<'a, F>,
    pub(super) outlet: &'a Outlet<'a, F, O>,
    pub(super) at: [usize; 2],
    pub(super) rows: Range<usize>,
    pub(super) way: Way,
    pub(super) axes: &'a [Axis; 2],
}
