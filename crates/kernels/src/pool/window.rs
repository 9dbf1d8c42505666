//! What an output of a pool reads along an axis.

use super::{Average, Max};

/// Positions along an axis that an output reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) step: usize,
    /// What a sum is divided by along this axis; none for the maximum.
    pub(crate) share: Option<usize>,
}

/// The windows of a pool.
pub(crate) trait Windows {
    /// That of an output along an axis, over so many positions.
    fn window(&self, axis: usize, output: usize, input: usize) -> Window;
}

impl Windows for Max {
    #[inline(always)]
    fn window(&self, axis: usize, output: usize, input: usize) -> Window {
        let (taps, step) = (Max::window(self, axis, input, output), self.dilation[axis]);
        let first = (taps.start + (taps.valid.start * step) as isize).max(0) as usize;
        Window { first, count: taps.valid.len(), step, share: None }
    }
}

impl Windows for Average {
    #[inline(always)]
    fn window(&self, axis: usize, output: usize, _: usize) -> Window {
        let span = self.spans[axis][output];
        Window { first: span.start, count: span.end - span.start, step: 1, share: Some(span.divisor) }
    }
}

/// What a sum over so many rows and columns is multiplied by to be their mean; 0 where there are none.
#[inline(always)]
pub(crate) fn share(rows: usize, columns: usize) -> f64 {
    match rows.saturating_mul(columns) {
        0 => 0.0,
        divisor => 1.0 / divisor as f64,
    }
}

impl Window {
    pub(crate) const NONE: Self = Self { first: 0, count: 0, step: 1, share: None };

    /// What a sum over this window's rows and those columns is multiplied by.
    #[inline(always)]
    pub(crate) fn share_of(&self, right: &Self) -> f32 {
        share(self.share.unwrap_or(1), right.share.unwrap_or(1)) as f32
    }

    /// Where a tap is, or the last one instead of those behind it.
    #[inline(always)]
    pub(crate) fn tap(&self, tap: usize) -> usize {
        self.first + tap.min(self.count - 1) * self.step
    }

    /// Positions from its first to its last.
    pub(crate) fn length(&self) -> usize {
        self.count.saturating_sub(1) * self.step + 1
    }
}
