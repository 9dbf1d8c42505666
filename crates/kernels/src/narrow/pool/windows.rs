//! What the outputs of a pool read, along each axis.

use super::{HELD, WRITTEN};
use crate::pool::{Average, Max};
use std::ops::Range;

/// Positions along an axis that an output reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) step: usize,
    /// What a sum is divided by along this axis; none for the maximum.
    pub(super) share: Option<usize>,
}

/// The windows of a pool.
pub(super) trait Windows {
    /// That of an output along an axis, over so many positions.
    fn window(&self, axis: usize, output: usize, input: usize) -> Window;
}

impl Windows for Max {
    #[inline(always)]
    fn window(&self, axis: usize, output: usize, input: usize) -> Window {
        let (taps, step) = (Max::window(self, axis, input, output), self.dilation[axis].max(1));
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

impl Window {
    /// What a sum over this window's rows and those columns is multiplied by.
    #[inline(always)]
    pub(super) fn share_of(&self, right: &Self) -> f32 {
        match self.share.unwrap_or(1) * right.share.unwrap_or(1) {
            0 => 0.0,
            divisor => (1.0 / divisor as f64) as f32,
        }
    }

    /// Where a tap is, or the last one instead of those behind it.
    #[inline(always)]
    pub(super) fn tap(&self, tap: usize) -> usize {
        self.first + tap.min(self.count - 1) * self.step
    }

    /// Positions from its first to its last.
    pub(super) fn length(&self) -> usize {
        self.count.saturating_sub(1) * self.step + 1
    }
}

/// The windows of all outputs along an axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Positions of the input.
    pub(super) length: usize,
    pub(super) windows: Vec<Window>,
    /// For each window how many of the same taps there are from it on that follow each other forwards as far apart as the
    /// first two, one position or two, and how far that is. So what the last of them reads last nobody reads behind.
    pub(super) runs: Vec<(usize, usize)>,
    /// The most taps of a window.
    pub(super) most: usize,
    /// Positions from a window's first to its last, at most.
    pub(super) longest: usize,
    /// Whether each window has a tap.
    pub(super) full: bool,
    /// Whether something is divided.
    pub(super) shares: bool,
}

impl Axis {
    pub(super) fn new(length: usize, windows: impl Iterator<Item = Window>) -> Self {
        let windows: Vec<Window> = windows.collect();
        let mut runs = vec![(1, 1); windows.len()];
        for number in (1..windows.len()).rev() {
            let (own, next) = (&windows[number - 1], &windows[number]);
            let apart = next.first.wrapping_sub(own.first);
            if matches!(apart, 1 | 2) && next.count == own.count && next.step == own.step {
                let (count, before) = runs[number];
                runs[number - 1] = (if count == 1 || before == apart { count + 1 } else { 2 }, apart);
            }
        }
        let largest = |of: fn(&Window) -> usize| windows.iter().map(of).max().unwrap_or(0);
        Self {
            length,
            most: largest(|window| window.count),
            longest: largest(Window::length),
            full: windows.iter().all(|window| window.count > 0),
            shares: windows.iter().any(|window| window.share.is_some()),
            windows,
            runs,
        }
    }

    /// Windows from one on that read positions which can be held at once: which, and from which position until which they
    /// read. A single window may be wider.
    #[inline(always)]
    pub(super) fn some(&self, start: usize) -> (&[Window], Range<usize>) {
        let (mut count, mut positions) = (0, 0..0);
        for window in self.windows[start..].iter().take(WRITTEN) {
            let own = window.first..window.first + window.length();
            let all = match (window.count, positions.is_empty()) {
                (0, _) => positions.clone(),
                (_, true) => own,
                (_, false) => positions.start.min(own.start)..positions.end.max(own.end),
            };
            if all.len() > HELD && count > 0 {
                break;
            }
            (positions, count) = (all, count + 1);
        }
        (&self.windows[start..start + count], positions)
    }
}
