//! Pools: first down the columns of a few rows of the map, then along the row that results.

use super::arena::{Arena, Place};
use super::input::{Affine, Input};
use crate::pieces::clear_padding;
use crate::pool::{Average, Max, Window, Windows, share};
use crate::simd::{LANES, Vector};
use std::ops::Range;

/// Rows of outputs of a task.
const ROWS: usize = 8;
/// Outputs of a row whose windows are found at once, for all rows of a task.
const COLUMNS: usize = 32;

/// Tasks of a pool with this output.
pub(super) fn tasks(output: &Place, batch: usize) -> usize {
    batch * output.blocks() * output.size[0].div_ceil(ROWS)
}

/// Numbers of scratch memory of a task: a row of the input.
pub(super) fn scratch(input: &Input) -> usize {
    input.size()[1] * LANES
}

/// Image, block and rows of a task.
fn place_of(output: &Place, task: usize) -> (usize, usize, Range<usize>) {
    let parts = output.size[0].div_ceil(ROWS);
    let (plane, part) = (task / parts, task % parts);
    (plane / output.blocks(), plane % output.blocks(), part * ROWS..((part + 1) * ROWS).min(output.size[0]))
}

/// A block's map of one image, and what is done to its numbers.
struct Plane<'a> {
    from: *const f32,
    width: usize,
    map: Option<&'a Affine>,
    block: usize,
}

impl Plane<'_> {
    /// Joins some columns of rows of the map, number by number, and writes the result to the same columns of `held`.
    ///
    /// # Safety
    ///
    /// The rows are the map's, which is not written meanwhile.
    #[inline(always)]
    unsafe fn join<V: Vector<Element = f32>>(
        &self,
        rows: Window,
        columns: Range<usize>,
        held: &mut [f32],
        join: impl Join,
    ) {
        let from = self.from.wrapping_add(rows.first * self.width * LANES);
        let (step, start) = (rows.step * self.width * LANES, join.start::<V>());
        let held = &mut held[..self.width * LANES];
        let numbers = columns.start * LANES..columns.end.min(self.width) * LANES;
        // SAFETY: as the caller says.
        unsafe {
            match self.map {
                None => {
                    for i in numbers.step_by(LANES) {
                        let mut all = start;
                        for tap in 0..rows.count {
                            all = join.join(all, V::load(from.add(tap * step + i)));
                        }
                        all.store(held.as_mut_ptr().add(i));
                    }
                }
                Some(map) => {
                    let [scale, shift, floor] = map.of_block::<V>(self.block);
                    for i in numbers.step_by(LANES) {
                        let mut all = start;
                        for tap in 0..rows.count {
                            let x = V::load(from.add(tap * step + i)).mul_add(scale, shift).at_least(floor);
                            all = join.join(all, x);
                        }
                        all.store(held.as_mut_ptr().add(i));
                    }
                }
            }
        }
    }
}

/// How two numbers become one.
trait Join: Copy {
    fn join<V: Vector<Element = f32>>(self, a: V, b: V) -> V;
    /// Of nothing.
    fn start<V: Vector<Element = f32>>(self) -> V;
}

/// The larger; NaN stays.
#[derive(Clone, Copy)]
struct Larger;

/// The sum.
#[derive(Clone, Copy)]
struct Total;

impl Join for Larger {
    #[inline(always)]
    fn join<V: Vector<Element = f32>>(self, a: V, b: V) -> V {
        b.select_above(a, b, a)
    }

    #[inline(always)]
    fn start<V: Vector<Element = f32>>(self) -> V {
        V::splat(f32::NEG_INFINITY)
    }
}

impl Join for Total {
    #[inline(always)]
    fn join<V: Vector<Element = f32>>(self, a: V, b: V) -> V {
        a.add(b)
    }

    #[inline(always)]
    fn start<V: Vector<Element = f32>>(self) -> V {
        V::zero()
    }
}

/// Some rows of a block of the largest numbers.
///
/// # Safety
///
/// The input is not written meanwhile, nobody else does this task, and `held` is a row of the input.
#[inline(always)]
pub(super) unsafe fn max<V: Vector<Element = f32>>(
    max: &Max,
    (place, map): (&Place, Option<&Affine>),
    output: &Place,
    arena: &Arena<'_>,
    task: usize,
    held: &mut [f32],
) {
    let (image, block, rows) = place_of(output, task);
    let [height, width] = place.size;
    let from = arena.at(place, image).wrapping_add(block * place.plane()).cast_const();
    let plane = Plane { from, width, map, block };
    let to = arena.at(output, image).wrapping_add(block * output.plane());
    let held = &mut held[..width * LANES];
    let mut windows = [Window::NONE; COLUMNS];
    for first in (0..output.size[1]).step_by(COLUMNS) {
        let windows = &mut windows[..COLUMNS.min(output.size[1] - first)];
        let mut columns = width..0;
        for (number, window) in windows.iter_mut().enumerate() {
            *window = Windows::window(max, 1, first + number, width);
            if window.count > 0 {
                columns = columns.start.min(window.first)..columns.end.max(window.first + window.length());
            }
        }
        for row in rows.clone() {
            let down = Windows::window(max, 0, row, height);
            // SAFETY: the rows are the map's.
            unsafe { plane.join::<V>(down, columns.clone(), held, Larger) }
            for (number, across) in windows.iter().enumerate() {
                let mut best = V::splat(f32::NEG_INFINITY);
                for tap in 0..across.count {
                    // SAFETY: the column is one of the row's.
                    let x = unsafe { V::load(held[(across.first + tap * across.step) * LANES..].as_ptr()) };
                    best = Larger.join(best, x);
                }
                // SAFETY: a pixel of the output, this task's alone.
                unsafe { best.store(to.wrapping_add((row * output.size[1] + first + number) * LANES)) }
            }
        }
    }
    let (start, end) = (rows.start * output.size[1] * LANES, rows.end * output.size[1] * LANES);
    // SAFETY: as above.
    let written = unsafe { std::slice::from_raw_parts_mut(to.wrapping_add(start), end - start) };
    // Channels that only fill up the last block stay 0 where a window read nothing.
    clear_padding(output.channels, block, written);
}

/// Some rows of a block of means.
///
/// # Safety
///
/// As [`max`].
#[inline(always)]
pub(super) unsafe fn average<V: Vector<Element = f32>>(
    average: &Average,
    (place, map): (&Place, Option<&Affine>),
    output: &Place,
    arena: &Arena<'_>,
    task: usize,
    held: &mut [f32],
) {
    let (image, block, rows) = place_of(output, task);
    let width = place.size[1];
    let from = arena.at(place, image).wrapping_add(block * place.plane()).cast_const();
    let plane = Plane { from, width, map, block };
    let to = arena.at(output, image).wrapping_add(block * output.plane());
    let held = &mut held[..width * LANES];
    for row in rows {
        let down = average.spans[0][row];
        // SAFETY: the rows are the map's.
        unsafe { plane.join::<V>(average.window(0, row, place.size[0]), 0..width, held, Total) }
        for (column, across) in average.spans[1].iter().enumerate() {
            let mut sum = V::zero();
            for x in held[across.start * LANES..across.end * LANES].chunks_exact(LANES) {
                // SAFETY: sixteen numbers.
                sum = sum.add(unsafe { V::load(x.as_ptr()) });
            }
            let share = share(down.divisor, across.divisor) as f32;
            // SAFETY: a pixel of the output, this task's alone.
            unsafe { sum.mul(V::splat(share)).store(to.wrapping_add((row * output.size[1] + column) * LANES)) }
        }
    }
}
