//! Memory asked for before it is read.
//!
//! Where a loop is bound by the multiply-add units and the next by memory, each waits for the other's resource. So the
//! first asks, a few cache lines at a time, for what the second will read. Asking for the wrong ones costs a little time
//! and changes nothing.

/// Bytes of a cache line, and of the widest register.
pub(crate) const LINE: usize = 64;

/// Asks for the cache line at an address, which need not be a valid one.
#[inline(always)]
pub(crate) fn prefetch<T>(from: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint: nothing is read, and an address that is not valid is passed over.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(from.cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = from;
}

/// Lines that lie one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    from: *const u8,
    count: usize,
}

impl Lines {
    pub(crate) const NONE: Self = Self { from: std::ptr::null(), count: 0 };

    /// Lines from an address on, which need not be valid.
    pub(crate) fn new<T>(from: *const T, count: usize) -> Self {
        Self { from: from.cast(), count }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Takes away the first of them, at most so many.
    #[inline(always)]
    pub(crate) fn take(&mut self, most: usize) -> Self {
        let first = Self { from: self.from, count: most.min(self.count) };
        self.from = self.from.wrapping_add(first.count * LINE);
        self.count -= first.count;
        first
    }

    /// Asks for the first of them, at most so many, and takes them away.
    #[inline(always)]
    pub(crate) fn ask(&mut self, most: usize) {
        let Self { from, count } = self.take(most);
        for line in 0..count {
            prefetch(from.wrapping_add(line * LINE));
        }
    }

    /// How many to ask for at each of `times` times.
    #[inline(always)]
    pub(crate) fn share(&self, times: usize) -> usize {
        if self.count == 0 { 0 } else { self.count.div_ceil(times.max(1)) }
    }
}

/// Rows of a matrix, asked for a few lines at a time.
pub(crate) struct Grid {
    /// Where the next row begins, and bytes from one row to the next.
    next: *const u8,
    row: usize,
    /// Rows still to come.
    rows: usize,
    /// Lines of a row.
    lines: usize,
    /// What is left of the current row.
    left: Lines,
    /// Lines to ask for at a time.
    share: usize,
    /// Lines that were handed out too few, where they are.
    due: usize,
}

impl Grid {
    pub(crate) const NONE: Self =
        Self { next: std::ptr::null(), row: 0, rows: 0, lines: 0, left: Lines::NONE, share: 0, due: 0 };

    /// `size` rows and numbers of each, rows `stride` numbers apart, to be asked for in `times` times. The address need
    /// not be valid.
    pub(crate) fn new<T>(from: *const T, stride: usize, size: [usize; 2], times: usize) -> Self {
        // A row may begin within a line.
        let lines = if size[1] == 0 { 0 } else { (size[1] * size_of::<T>()).div_ceil(LINE) + 1 };
        let share = (size[0] * lines).div_ceil(times.max(1));
        Self { next: from.cast(), row: stride * size_of::<T>(), rows: size[0], lines, left: Lines::NONE, share, due: 0 }
    }

    /// Hands out the next lines, for somebody else to ask for: of one row, the rest another time.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Lines {
        self.due += self.share;
        if self.left.count == 0 && !self.begin() {
            return Lines::NONE;
        }
        let lines = self.left.take(self.due);
        self.due -= lines.count;
        lines
    }

    /// Begins the next row, where there is one.
    #[inline(always)]
    fn begin(&mut self) -> bool {
        if self.rows == 0 {
            return false;
        }
        self.left = Lines { from: self.next, count: self.lines };
        (self.next, self.rows) = (self.next.wrapping_add(self.row), self.rows - 1);
        true
    }

    /// Asks for the next lines.
    #[inline(always)]
    pub(crate) fn ask(&mut self) {
        let mut due = self.share;
        while due > 0 {
            if self.left.count == 0 && !self.begin() {
                return;
            }
            let now = due.min(self.left.count);
            self.left.ask(now);
            due -= now.max(1);
        }
    }
}
