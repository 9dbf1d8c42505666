//! The windows of all outputs of a pool.

use crate::pool::Window;
use std::ops::Range;

/// Pixels of a row whose sums or maxima over a window's rows are held at once, and the longest window of integers: their taps
/// are listed in as many places.
pub(super) const HELD: usize = 128;
/// Outputs that are written at once.
pub(super) const WRITTEN: usize = 32;

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
        let most = windows.iter().map(|window| window.count).max().unwrap_or(0);
        Self { length, windows, runs, most }
    }

    /// Whether something holds for each window.
    pub(super) fn all(&self, holds: impl Fn(&Window) -> bool) -> bool {
        self.windows.iter().all(holds)
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
