//! The two inner loops: products summed along vectors, and products of numbers with vectors.
//!
//! As in `conv/micro.rs` the accumulators stay in registers only where plain counting loops index them.
#![allow(clippy::needless_range_loop)]

use crate::prefetch::Grid;
use crate::simd::{LANES, Vector};

/// Rows of the first matrix that all rows of the second pass over before the next: with those they stay in the
/// first-level cache, even if they lie a multiple of its ways apart.
const PASS: usize = 6;

/// About how many blocks of sums [`Dot::run`] goes through: all, where rows are whole blocks.
#[inline(always)]
pub(super) fn dots<V: Vector>(rows: usize, columns: usize) -> usize {
    rows.div_ceil(V::DOT[1]) * columns.div_ceil(V::DOT[0])
}

/// Blocks of sums that [`Product::run`] goes through.
#[inline(always)]
pub(super) fn products<V: Vector>(rows: usize, vectors: usize) -> usize {
    rows.div_ceil(V::PRODUCT[0]) * vectors.div_ceil(V::PRODUCT[1])
}

/// How many of the rows or vectors that are left are taken next, `most` at most.
#[inline(always)]
fn taken(left: usize, most: usize) -> usize {
    match left {
        0 | 1 => 1,
        left if left >= most => most,
        _ => most.min(2),
    }
}

/// Rows of two matrices, multiplied vector by vector.
#[derive(Clone, Copy)]
pub(super) struct Dot<'a, T> {
    pub(super) a: &'a [T],
    /// Distance of two rows of `a`.
    pub(super) a_row: usize,
    pub(super) b: &'a [T],
    /// Distance of two rows of `b`.
    pub(super) b_row: usize,
    /// Vectors.
    pub(super) depth: usize,
}

macro_rules! sizes {
    ($call:ident, $rows:expr, $vectors:expr, $limits:expr, $arguments:tt) => {
        sizes!(@ $call, ($rows, $vectors), $limits, $arguments, 1 2 3 4 5 6)
    };
    (@ $call:ident, $size:expr, $limits:expr, $arguments:tt, $($rows:literal)*) => {
        match $size {
            $(($rows, 1) if const { $rows <= $limits[0] } => sizes!(! $call, $rows, 1, $arguments),)*
            $(($rows, 2) if const { $rows <= $limits[0] && $limits[1] >= 2 } => sizes!(! $call, $rows, 2, $arguments),)*
            $(($rows, 4) if const { $rows <= $limits[0] && $limits[1] == 4 } => sizes!(! $call, $rows, 4, $arguments),)*
            $(($rows, 6) if const { $rows <= $limits[0] && $limits[1] == 6 } => sizes!(! $call, $rows, 6, $arguments),)*
            _ => unreachable!("{:?} rows and vectors", $size),
        }
    };
    (! $call:ident, $rows:literal, $vectors:literal, ($($argument:expr),*)) => {
        // SAFETY: checked where the macro is used.
        unsafe { $call::<V, $rows, $vectors>($($argument),*) }
    };
}

impl<T: crate::Element> Dot<'_, T> {
    /// Adds, lane by lane, the product of each of `rows` rows of `a` with each of `columns` rows of `b` to
    /// `sums[row][column][16]`, and asks for what comes next as often as [`dots`] tells.
    #[inline(always)]
    pub(super) fn run<V: Vector<Element = T>>(&self, rows: usize, columns: usize, sums: &mut [T], ahead: &mut [Grid]) {
        if rows == 0 || columns == 0 || self.depth == 0 {
            return;
        }
        assert!((rows - 1) * self.a_row + self.depth * LANES <= self.a.len());
        assert!((columns - 1) * self.b_row + self.depth * LANES <= self.b.len());
        assert!(rows * columns * LANES <= sums.len());
        let limits = V::DOT;
        for first in (0..rows).step_by(PASS) {
            let end = rows.min(first + PASS);
            let mut column = 0;
            while column < columns {
                let width = limits[0].min(columns - column);
                let mut row = first;
                while row < end {
                    let height = taken(end - row, limits[1]);
                    ahead.iter_mut().for_each(Grid::ask);
                    // SAFETY: checked above.
                    let (a, b, to) = unsafe {
                        (
                            self.a.as_ptr().add(row * self.a_row),
                            self.b.as_ptr().add(column * self.b_row),
                            sums.as_mut_ptr().add((row * columns + column) * LANES),
                        )
                    };
                    let steps = [self.a_row, self.b_row, columns * LANES];
                    sizes!(dot, width, height, V::DOT, (a, b, steps, self.depth, to));
                    row += height;
                }
                column += width;
            }
        }
    }
}

/// # Safety
///
/// `ROWS` rows of `a`, `COLUMNS` of `b` and the sums must be valid; `steps` are their distances.
#[inline(always)]
unsafe fn dot<V: Vector, const COLUMNS: usize, const ROWS: usize>(
    a: *const V::Element,
    b: *const V::Element,
    [a_row, b_row, sums_row]: [usize; 3],
    depth: usize,
    sums: *mut V::Element,
) {
    let mut new = [[V::zero(); COLUMNS]; ROWS];
    for i in 0..depth {
        let mut weights = [V::zero(); ROWS];
        for row in 0..ROWS {
            // SAFETY: as the caller says.
            weights[row] = unsafe { V::load(a.add(row * a_row + i * LANES)) };
        }
        for column in 0..COLUMNS {
            // SAFETY: as the caller says.
            let x = unsafe { V::load(b.add(column * b_row + i * LANES)) };
            for row in 0..ROWS {
                new[row][column] = x.mul_add(weights[row], new[row][column]);
            }
        }
    }
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            // SAFETY: as the caller says.
            unsafe {
                let at = sums.add(row * sums_row + column * LANES);
                V::load(at).add(new[row][column]).store(at);
            }
        }
    }
}

/// Numbers of a matrix multiplied with vectors of another.
#[derive(Clone, Copy)]
pub(super) struct Product<'a, T> {
    pub(super) a: &'a [T],
    /// Distance of two rows of `a`.
    pub(super) a_row: usize,
    /// Distance of two numbers of a row of `a`.
    pub(super) a_step: usize,
    /// `[vector][row][16]`, as [`pack`] leaves it.
    pub(super) b: &'a [T],
    /// Numbers of a row of `a`, and rows of `b`.
    pub(super) depth: usize,
}

/// Distance of two vectors in the second matrix of [`Product`]: an odd number of cache lines, so that they do not evict
/// each other.
#[inline(always)]
fn packed_vector(depth: usize) -> usize {
    (depth | 1) * LANES
}

/// Numbers that [`pack`] writes.
pub(super) fn packed_len(depth: usize, vectors: usize) -> usize {
    vectors * packed_vector(depth)
}

/// Brings `vectors` vectors of `depth` rows, `step` numbers apart, into the order [`Product`] reads them. As they lie, the
/// same vector of all rows may fall on one set of a cache.
#[inline(always)]
pub(super) fn pack<V: Vector>(rows: &[V::Element], step: usize, [depth, vectors]: [usize; 2], to: &mut [V::Element]) {
    assert!(packed_len(depth, vectors) <= to.len());
    for row in 0..depth {
        let from = &rows[row * step..][..vectors * LANES];
        for vector in 0..vectors {
            // SAFETY: within `from`, and within `to` as checked above.
            unsafe {
                let to = to.as_mut_ptr().add(vector * packed_vector(depth) + row * LANES);
                V::load(from.as_ptr().add(vector * LANES)).store(to);
            }
        }
    }
}

impl<T: crate::Element> Product<'_, T> {
    /// Adds `Σ a[row][i] · b[i][vector]` to `sums`, in which rows and vectors have these distances, and asks for what
    /// comes next as often as [`products`] tells.
    #[inline(always)]
    pub(super) fn run<V: Vector<Element = T>>(
        &self,
        rows: usize,
        vectors: usize,
        sums: &mut [T],
        [sums_row, sums_vector]: [usize; 2],
        ahead: &mut [Grid],
    ) {
        if rows == 0 || vectors == 0 || self.depth == 0 {
            return;
        }
        assert!((rows - 1) * self.a_row + (self.depth - 1) * self.a_step < self.a.len());
        assert!((vectors - 1) * packed_vector(self.depth) + self.depth * LANES <= self.b.len());
        assert!((rows - 1) * sums_row + (vectors - 1) * sums_vector + LANES <= sums.len());
        let limits = V::PRODUCT;
        let mut vector = 0;
        while vector < vectors {
            let width = taken(vectors - vector, limits[1]);
            let mut row = 0;
            while row < rows {
                let height = limits[0].min(rows - row);
                ahead.iter_mut().for_each(Grid::ask);
                // SAFETY: checked above.
                let (a, b, to) = unsafe {
                    (
                        self.a.as_ptr().add(row * self.a_row),
                        self.b.as_ptr().add(vector * packed_vector(self.depth)),
                        sums.as_mut_ptr().add(row * sums_row + vector * sums_vector),
                    )
                };
                let steps = [self.a_row, self.a_step, packed_vector(self.depth), sums_row, sums_vector];
                sizes!(product, height, width, V::PRODUCT, (a, b, steps, self.depth, to));
                row += height;
            }
            vector += width;
        }
    }
}

/// # Safety
///
/// `ROWS` rows of `a`, `depth` numbers at each of `VECTORS` vectors of `b` and the sums must be valid; `steps` are their distances.
#[inline(always)]
unsafe fn product<V: Vector, const ROWS: usize, const VECTORS: usize>(
    a: *const V::Element,
    b: *const V::Element,
    [a_row, a_step, b_vector, sums_row, sums_vector]: [usize; 5],
    depth: usize,
    sums: *mut V::Element,
) {
    let mut new = [[V::zero(); VECTORS]; ROWS];
    for i in 0..depth {
        let mut xs = [V::zero(); VECTORS];
        for vector in 0..VECTORS {
            // SAFETY: as the caller says.
            xs[vector] = unsafe { V::load(b.add(vector * b_vector + i * LANES)) };
        }
        for row in 0..ROWS {
            // SAFETY: as the caller says.
            let a = V::splat(unsafe { *a.add(row * a_row + i * a_step) });
            for vector in 0..VECTORS {
                new[row][vector] = a.mul_add(xs[vector], new[row][vector]);
            }
        }
    }
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            // SAFETY: as the caller says.
            unsafe {
                let at = sums.add(row * sums_row + vector * sums_vector);
                V::load(at).add(new[row][vector]).store(at);
            }
        }
    }
}
