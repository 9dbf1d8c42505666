//! Maxima and sums of integers: what a window holds is joined in registers.

#![allow(clippy::needless_range_loop)]

use super::axis::{HELD, WRITTEN};
use super::piece::Piece;
use crate::narrow::finish::Values;
use crate::narrow::{Format, Stored};
use crate::simd::{LANES, Vector};

/// Numbers that are joined at once.
const AT_ONCE: usize = 4 * LANES;
/// Bytes whose sum fits 16 bits.
pub(super) const MOST_SUMMED: usize = u16::MAX as usize / u8::MAX as usize;

/// How the integers of a window become one.
pub(super) trait Join<F: Format> {
    /// What they become.
    type Joined: Copy + Default;
    /// Whether that is a number of the map, and the same however often one is joined.
    const SAME: bool;
    fn of(number: F) -> Self::Joined;
    fn join(a: Self::Joined, b: Self::Joined) -> Self::Joined;
    /// What the result is at most.
    const MOST: f32;
    /// Sixteen results in `f32`.
    ///
    /// # Safety
    ///
    /// There must be as many.
    unsafe fn load<V: Vector<Element = f32>>(results: &[Self::Joined], share: f32) -> V;
}

/// The largest.
pub(super) struct Largest;

impl<F: Format> Join<F> for Largest {
    type Joined = F;
    const SAME: bool = true;
    const MOST: f32 = u8::MAX as f32;
    #[inline(always)]
    fn of(number: F) -> F {
        number
    }
    #[inline(always)]
    fn join(a: F, b: F) -> F {
        F::larger(a, b)
    }
    #[inline(always)]
    unsafe fn load<V: Vector<Element = f32>>(results: &[F], _: f32) -> V {
        // SAFETY: as the caller says.
        unsafe { F::load(results.as_ptr()) }
    }
}

/// The sum, which is the same as of numbers in `f32`.
pub(super) struct Sum;

impl<F: Format> Join<F> for Sum {
    type Joined = u16;
    const SAME: bool = false;
    const MOST: f32 = u16::MAX as f32;
    #[inline(always)]
    fn of(number: F) -> u16 {
        u16::from(number.integer())
    }
    #[inline(always)]
    fn join(a: u16, b: u16) -> u16 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    unsafe fn load<V: Vector<Element = f32>>(results: &[u16], share: f32) -> V {
        let mut sums = [0; LANES];
        for (to, from) in sums.iter_mut().zip(results) {
            *to = i32::from(*from);
        }
        // SAFETY: sixteen numbers.
        unsafe { V::load_integers(sums.as_ptr()) }.mul(V::splat(share))
    }
}

/// Results one behind the other, each with its share.
struct Results<'a, F: Format, J: Join<F>> {
    joined: &'a [J::Joined],
    shares: &'a [f32],
}

impl<F: Format, J: Join<F>, V: Vector<Element = f32>> Values<V> for Results<'_, F, J> {
    #[inline(always)]
    unsafe fn at(&self, i: usize) -> V {
        // SAFETY: sixteen of them.
        unsafe { J::load(&self.joined[i * LANES..][..LANES], self.shares[i]) }
    }
}

impl<F: Format, O: Stored> Piece<'_, F, O> {
    /// Joins the integers of each window.
    #[inline(always)]
    pub(super) fn integers<V: Vector<Element = f32>, J: Join<F>>(&self) {
        // Few maps of pools are written in another format than they are read in.
        let usual = J::SAME && size_of::<F>() == size_of::<O>();
        match [self.axes[0].most, self.axes[1].most] {
            [2, 2] if usual => self.windows::<V, J, 2>(),
            [3, 3] if usual => self.windows::<V, J, 3>(),
            _ => self.windows::<V, J, 0>(),
        }
    }

    /// The same with `TAPS` rows and columns of every window, the last of a smaller one more than once; where it is 0, as
    /// many as each has.
    #[inline(always)]
    fn windows<V: Vector<Element = f32>, J: Join<F>, const TAPS: usize>(&self) {
        let [image, block] = self.at;
        let (from, width) = (self.source.region, self.outlet.region.width);
        let apply = self.outlet.apply::<V>(block, J::MOST);
        let copies = J::SAME && apply.copies;
        let mut found = [J::Joined::default(); WRITTEN * LANES];
        let mut shares = [0.0; WRITTEN];
        let (mut rows, mut columns) = ([0; HELD], [0; HELD]);
        let mut column = 0;
        while column < width {
            let (windows, _) = self.axes[1].some(column);
            let (count, runs) = (windows.len(), &self.axes[1].runs[column..]);
            let mut divided = None;
            for row in self.rows.clone() {
                let down = self.axes[0].windows[row];
                if !J::SAME && divided != Some(down.share) {
                    divided = Some(down.share);
                    for number in 0..count {
                        shares[number] = down.share_of(&windows[number]);
                    }
                }
                let rows = &mut rows[..if TAPS > 0 { TAPS } else { down.count }];
                for tap in 0..rows.len() {
                    rows[tap] = from.at(image, block, down.tap(tap), 0);
                }
                let at = [image, block, row, column];
                // SAFETY: each task has rows of its own. What is copied has the type of what is joined.
                let to = if copies { unsafe { self.outlet.place(at, count).cast() } } else { found.as_mut_ptr() };
                let mut number = 0;
                while number < count {
                    let (window, (length, apart)) = (&windows[number], runs[number]);
                    let length = length.min(count - number);
                    let columns = &mut columns[..if TAPS > 0 { TAPS } else { window.count }];
                    for tap in 0..columns.len() {
                        columns[tap] = window.tap(tap) * LANES;
                    }
                    let last = rows[rows.len() - 1] + columns[columns.len() - 1] + (length - 1) * apart * LANES;
                    assert!(last + LANES <= self.source.data.len());
                    // SAFETY: no window reads behind what the last one reads last; of `to` there are `count` vectors.
                    unsafe {
                        let (run, ends) = ((length, apart), (self.source.data.as_ptr(), to.add(number * LANES)));
                        // The usual windows, and what borders leave of them, by code that knows their taps.
                        match (&*rows, &*columns) {
                            (rows, columns) if TAPS > 0 => join_run::<F, J>((rows, columns), ends, run),
                            (&[a, b, c], &[d, e, f]) => join_run::<F, J>((&[a, b, c], &[d, e, f]), ends, run),
                            (&[a, b], &[d, e, f]) => join_run::<F, J>((&[a, b], &[d, e, f]), ends, run),
                            (&[a, b, c], &[d, e]) => join_run::<F, J>((&[a, b, c], &[d, e]), ends, run),
                            (&[a, b], &[d, e]) => join_run::<F, J>((&[a, b], &[d, e]), ends, run),
                            _ => join_run::<F, J>((rows, columns), ends, run),
                        }
                    }
                    number += length;
                }
                if !copies {
                    let results = Results::<F, J> { joined: &found, shares: &shares };
                    // SAFETY: as above, and there are `count` vectors.
                    unsafe { self.outlet.write(&apply, at, count, false, results) };
                }
            }
            column += count;
        }
    }
}

/// Joins the windows of a run, `apart` columns from each other, of which the first has its rows and columns there.
///
/// # Safety
///
/// All that the windows read must be valid for reading, and `to` for writing as many vectors as there are windows.
#[inline(always)]
unsafe fn join_run<F: Format, J: Join<F>>(
    taps: (&[usize], &[usize]),
    (from, to): (*const F, *mut J::Joined),
    (windows, apart): (usize, usize),
) {
    let (mut window, at_once) = (0, AT_ONCE / LANES);
    // SAFETY: as the caller says.
    unsafe {
        if apart == 1 {
            while window + at_once <= windows {
                join::<F, J, AT_ONCE>(taps, from.add(window * LANES), to.add(window * LANES));
                window += at_once;
            }
        }
        while window < windows {
            join::<F, J, LANES>(taps, from.add(window * apart * LANES), to.add(window * LANES));
            window += 1;
        }
    }
}

/// Joins each of so many neighbouring numbers with those at the other taps.
///
/// # Safety
///
/// As above.
#[inline(always)]
unsafe fn join<F: Format, J: Join<F>, const COUNT: usize>(
    (rows, columns): (&[usize], &[usize]),
    from: *const F,
    to: *mut J::Joined,
) {
    let mut all = [J::Joined::default(); COUNT];
    for (number, row) in rows.iter().enumerate() {
        for (tap, column) in columns.iter().enumerate() {
            // SAFETY: as the caller says.
            let own = unsafe { from.add(row + column).cast::<[F; COUNT]>().read_unaligned() };
            // The first of all is taken as it is. A closure would not be compiled for the instruction set.
            if number + tap == 0 {
                for i in 0..COUNT {
                    all[i] = J::of(own[i]);
                }
            } else {
                for i in 0..COUNT {
                    all[i] = J::join(all[i], J::of(own[i]));
                }
            }
        }
    }
    // SAFETY: as above.
    unsafe { to.cast::<[J::Joined; COUNT]>().write_unaligned(all) }
}
