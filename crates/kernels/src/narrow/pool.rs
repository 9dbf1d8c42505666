//! Pools of narrow maps: a window's numbers are read as `f32`, and rounded once, when they are written.

#![allow(clippy::needless_range_loop)]

use super::finish::{Values, check_ends, open};
use super::transfer::Reader;
use super::{Finish, Format, Outlet, Parts, Source, Stored, Target};
use crate::pool::{Average, Max};
use crate::region::Region;
use crate::simd::{Dot, DotKernel, InstructionSet, LANES, Vector};
use crate::threads::for_each;
use std::ops::Range;

/// Outputs of a task, about.
const PIXELS: usize = 256;
/// Pixels of a row whose maxima over a window's rows are held at once.
const HELD: usize = 128;
/// Outputs that are written at once.
const WRITTEN: usize = 32;

/// Writes the maximum over windows. What is not a number is the largest of all; padding counts as less than any.
///
/// # Panics
///
/// Where the shapes do not fit.
pub fn max<F: Format>(
    pool: &Max,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    F::pool_max(pool, set, source, target, finish);
}

pub(super) fn compute_max<F: Format>(
    pool: &Max,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    run(pool, set, source, target, finish);
}

/// Writes the mean over windows: the sum in `f32`, times one over the number they are divided by.
///
/// # Panics
///
/// Where the shapes do not fit.
pub fn average<F: Format>(
    pool: &Average,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    F::pool_average(pool, set, source, target, finish);
}

pub(super) fn compute_average<F: Format>(
    pool: &Average,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    let (from, to) = (source.region, target.region());
    assert_eq!([pool.spans[0].len(), pool.spans[1].len()], [to.height, to.width], "windows, and {to:?}");
    for (spans, length) in pool.spans.iter().zip([from.height, from.width]) {
        assert!(spans.iter().all(|span| span.start <= span.end && span.end <= length), "windows beyond {from:?}");
    }
    run(pool, set, source, target, finish);
}

/// Positions along an axis that an output reads.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    first: usize,
    count: usize,
    step: usize,
    /// What a sum is divided by along this axis; none for the maximum.
    share: Option<usize>,
}

/// The windows of a pool.
pub(crate) trait Windows: Sync {
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

fn run<F: Format, W: Windows>(
    pool: &W,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    source.check();
    let to = target.region();
    check_ends(&source.region, &to);
    let cut = Cut::new::<F>(pool, &source.region, &to, source.map.is_some());
    let target = Parts::from(target);
    for_each(cut.tasks(&to), |number| task(pool, set, source, target, (finish, &cut), number));
}

/// How a pool is cut into tasks, whatever the number of images.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// Whether the maxima are those of the numbers' bits.
    ordered: bool,
    /// Rows of a task, and tasks of a block.
    rows: usize,
    parts: usize,
}

impl Cut {
    pub(crate) fn new<F: Format>(pool: &impl Windows, from: &Region, to: &Region, mapped: bool) -> Self {
        let is = |window: Window| window.share.is_none() && window.count > 0 && window.length() <= HELD;
        let ordered = F::ORDERED
            && !mapped
            && (0..to.height).all(|row| is(pool.window(0, row, from.height)))
            && (0..to.width).all(|column| is(pool.window(1, column, from.width)));
        let rows = PIXELS.div_ceil(to.width.max(1)).min(to.height.max(1));
        Self { ordered, rows, parts: to.height.div_ceil(rows) }
    }

    pub(crate) fn tasks(&self, to: &Region) -> usize {
        to.batch * to.blocks() * self.parts
    }
}

/// A task: some rows of a block of an image. The shapes must fit each other.
pub(crate) fn task<F: Format, W: Windows>(
    pool: &W,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Parts<'_, F>,
    (finish, cut): (&Finish<'_, F>, &Cut),
    number: usize,
) {
    open!(target, finish, outlet => {
        let to = outlet.region;
        let (plane, part) = (number / cut.parts, number % cut.parts);
        let at = [plane / to.blocks(), plane % to.blocks()];
        let rows = part * cut.rows..((part + 1) * cut.rows).min(to.height);
        F::dispatch(set, Piece { source: &source, outlet: &outlet, at, rows, ordered: cut.ordered, pool });
    });
}

/// Some rows of a block of an image.
struct Piece<'a, F, O, W> {
    source: &'a Source<'a, F>,
    outlet: &'a Outlet<'a, F, O>,
    at: [usize; 2],
    rows: Range<usize>,
    ordered: bool,
    pool: &'a W,
}

impl<F: Format, O: Stored, W: Windows> DotKernel<F> for Piece<'_, F, O, W> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        if self.ordered {
            return self.maxima::<V>();
        }
        self.joined::<V>();
    }
}

impl<F: Format, O: Stored, W: Windows> Piece<'_, F, O, W> {
    /// Some outputs of a row whose windows read columns that can be held at once: how many, and from which column until
    /// which they read. A single window may be wider.
    #[inline(always)]
    fn some(&self, column: usize, windows: &mut [Window; WRITTEN]) -> (usize, Range<usize>) {
        let (input, width) = (self.source.region.width, self.outlet.region.width);
        let (mut count, mut columns) = (0, 0..0);
        while count < WRITTEN && column + count < width {
            let window = self.pool.window(1, column + count, input);
            let own = window.first..window.first + window.length();
            let all = match (window.count, columns.is_empty()) {
                (0, _) => columns.clone(),
                (_, true) => own,
                (_, false) => columns.start.min(own.start)..columns.end.max(own.end),
            };
            if all.len() > HELD && count > 0 {
                break;
            }
            (windows[count], columns, count) = (window, all, count + 1);
        }
        (count, columns)
    }

    /// Numbers as `f32`: over a window's rows first, for as many columns at once as are held, then over its columns.
    #[inline(always)]
    fn joined<V: Vector<Element = f32>>(&self) {
        let [image, block] = self.at;
        let (from, width) = (self.source.region, self.outlet.region.width);
        let (apply, reader) = (self.outlet.apply::<V>(block, f32::INFINITY), Reader::<F, V>::new(self.source, block));
        let mut held = [V::zero(); HELD];
        let mut found = [V::zero(); WRITTEN];
        let mut windows = [Window::NONE; WRITTEN];
        let mut column = 0;
        while column < width {
            let (count, columns) = self.some(column, &mut windows);
            for row in self.rows.clone() {
                let down = self.pool.window(0, row, from.height);
                let sums = down.share.is_some();
                let start = V::splat(if sums { 0.0 } else { f32::NEG_INFINITY });
                for number in 0..count {
                    found[number] = start;
                }
                // A window wider than what is held is taken piece by piece.
                let mut first = columns.start;
                while first < columns.end {
                    let end = columns.end.min(first + HELD);
                    let own = from.at(image, block, down.first, first);
                    let apart = down.step * from.width * LANES;
                    // Sums and maxima stay in a register: one that is stored in part cannot be read at once.
                    for at in 0..end - first {
                        let mut all = start;
                        for y in 0..down.count {
                            let own = own + y * apart + at * LANES;
                            all = join(all, reader.at(&self.source.data[own..own + LANES]), sums);
                        }
                        held[at] = all;
                    }
                    for number in 0..count {
                        let right = windows[number];
                        let mut all = found[number];
                        for x in 0..right.count {
                            let at = right.first + x * right.step;
                            if (first..end).contains(&at) {
                                all = join(all, held[at - first], sums);
                            }
                        }
                        found[number] = all;
                    }
                    first = end;
                }
                for number in 0..count {
                    if let (Some(down), Some(right)) = (down.share, windows[number].share) {
                        let divisor = down * right;
                        let share = if divisor == 0 { 0.0 } else { (1.0 / divisor as f64) as f32 };
                        found[number] = found[number].mul(V::splat(share));
                    }
                }
                // SAFETY: each task has rows of its own, and there are `count` vectors.
                unsafe { self.outlet.write(&apply, [image, block, row, column], count, false, InRegisters(&found)) };
            }
            column += count;
        }
    }

    /// The maxima of numbers that are ordered as their bits are, in the same way.
    #[inline(always)]
    fn maxima<V: Vector<Element = f32>>(&self) {
        let [image, block] = self.at;
        let (from, width) = (self.source.region, self.outlet.region.width);
        let apply = self.outlet.apply::<V>(block, f32::from(u8::MAX));
        let (mut held, mut found) = ([F::default(); HELD * LANES], [F::default(); WRITTEN * LANES]);
        let mut windows = [Window::NONE; WRITTEN];
        let mut column = 0;
        while column < width {
            let (count, columns) = self.some(column, &mut windows);
            let (first, numbers) = (columns.start, columns.len() * LANES);
            for row in self.rows.clone() {
                let down = self.pool.window(0, row, from.height);
                for y in 0..down.count {
                    let at = from.at(image, block, down.first + y * down.step, first);
                    let (own, held) = (&self.source.data[at..at + numbers], &mut held[..numbers]);
                    if y == 0 {
                        held.copy_from_slice(own);
                    } else {
                        // A closure would not be compiled for the instruction set.
                        for i in 0..numbers {
                            held[i] = F::larger(held[i], own[i]);
                        }
                    }
                }
                for number in 0..count {
                    let right = windows[number];
                    let mut best = [F::default(); LANES];
                    for x in 0..right.count {
                        let own = &held[(right.first + x * right.step - first) * LANES..][..LANES];
                        for i in 0..LANES {
                            best[i] = F::larger(best[i], own[i]);
                        }
                    }
                    found[number * LANES..][..LANES].copy_from_slice(&best);
                }
                // SAFETY: each task has rows of its own, and there are `count` vectors.
                unsafe {
                    let values = Narrow(found.as_ptr());
                    self.outlet.write(&apply, [image, block, row, column], count, false, values);
                }
            }
            column += count;
        }
    }
}

impl Window {
    const NONE: Self = Self { first: 0, count: 0, step: 1, share: None };

    /// Positions from its first to its last.
    fn length(&self) -> usize {
        self.count.saturating_sub(1) * self.step + 1
    }
}

/// Vectors of narrow numbers one behind the other.
struct Narrow<F>(*const F);

impl<F: Format, V: Vector<Element = f32>> Values<V> for Narrow<F> {
    #[inline(always)]
    unsafe fn at(&self, i: usize) -> V {
        // SAFETY: as the caller says.
        unsafe { F::load(self.0.add(i * LANES)) }
    }
}

/// The sum of two, or the larger: what is not a number stays.
#[inline(always)]
fn join<V: Vector<Element = f32>>(all: V, one: V, sum: bool) -> V {
    if sum { all.add(one) } else { one.select_above(all, one, all) }
}

/// Vectors as the instruction set holds them.
struct InRegisters<'a, V>(&'a [V]);

impl<V: Vector> Values<V> for InRegisters<'_, V> {
    #[inline(always)]
    unsafe fn at(&self, i: usize) -> V {
        self.0[i]
    }
}
