//! Pools of narrow maps: a window's numbers are read as `f32`, or as the integers they are, and rounded once, when they are
//! written.

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
/// Pixels of a row whose sums or maxima over a window's rows are held at once.
const HELD: usize = 128;
/// Outputs that are written at once.
const WRITTEN: usize = 32;

/// Bytes whose sum fits 16 bits.
const MOST_SUMMED: usize = u16::MAX as usize / u8::MAX as usize;

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

/// Writes the mean over windows: the sum in `f32`, or exact in integers, which is the same, times one over the number they are divided by.
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

/// What is joined.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Numbers as `f32`.
    Numbers,
    /// Integers: the largest.
    Largest,
    /// Integers: their sum.
    Sum,
}

/// How a pool is cut into tasks, whatever the number of images.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    way: Way,
    /// Rows of a task, and tasks of a block.
    rows: usize,
    parts: usize,
}

impl Cut {
    pub(crate) fn new<F: Format>(pool: &impl Windows, from: &Region, to: &Region, mapped: bool) -> Self {
        let along = |axis: usize, outputs: usize, inputs: usize| {
            (0..outputs).map(move |output| pool.window(axis, output, inputs))
        };
        let windows = || along(0, to.height, from.height).chain(along(1, to.width, from.width));
        let most = |axis, outputs, inputs| along(axis, outputs, inputs).map(|window| window.count).max().unwrap_or(0);
        let integers = F::ORDERED && !mapped && windows().all(|window| window.count > 0 && window.length() <= HELD);
        let way = if integers && windows().all(|window| window.share.is_none()) {
            Way::Largest
        } else if integers && most(0, to.height, from.height) * most(1, to.width, from.width) <= MOST_SUMMED {
            Way::Sum
        } else {
            Way::Numbers
        };
        let rows = PIXELS.div_ceil(to.width.max(1)).min(to.height.max(1));
        Self { way, rows, parts: to.height.div_ceil(rows) }
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
        F::dispatch(set, Piece { source: &source, outlet: &outlet, at, rows, way: cut.way, pool });
    });
}

/// Some rows of a block of an image.
struct Piece<'a, F, O, W> {
    source: &'a Source<'a, F>,
    outlet: &'a Outlet<'a, F, O>,
    at: [usize; 2],
    rows: Range<usize>,
    way: Way,
    pool: &'a W,
}

impl<F: Format, O: Stored, W: Windows> DotKernel<F> for Piece<'_, F, O, W> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        match self.way {
            Way::Largest => self.maxima::<V>(),
            Way::Sum => self.sums::<V>(),
            Way::Numbers => self.joined::<V>(),
        }
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
                if sums {
                    for number in 0..count {
                        found[number] = found[number].mul(V::splat(down.share_of(&windows[number])));
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

    /// The sums of at most [`MOST_SUMMED`] integers, in the same way; they are the same as of numbers in `f32`.
    #[inline(always)]
    fn sums<V: Vector<Element = f32>>(&self) {
        let [image, block] = self.at;
        let (from, width) = (self.source.region, self.outlet.region.width);
        let apply = self.outlet.apply::<V>(block, f32::from(u16::MAX));
        let (mut held, mut found) = ([0; HELD * LANES], [0; WRITTEN * LANES]);
        let mut shares = [0.0; WRITTEN];
        let mut windows = [Window::NONE; WRITTEN];
        let mut column = 0;
        while column < width {
            let (count, columns) = self.some(column, &mut windows);
            let (first, numbers) = (columns.start, columns.len() * LANES);
            let alike = alike(&windows[..count]);
            let mut divided = None;
            for row in self.rows.clone() {
                let down = self.pool.window(0, row, from.height);
                if divided != Some(down.share) {
                    divided = Some(down.share);
                    for number in 0..count {
                        shares[number] = down.share_of(&windows[number]);
                    }
                }
                for y in 0..down.count {
                    let at = from.at(image, block, down.first + y * down.step, first);
                    let (own, held) = (&self.source.data[at..at + numbers], &mut held[..numbers]);
                    // Closures would not be compiled for the instruction set.
                    if y == 0 {
                        for i in 0..numbers {
                            held[i] = u16::from(own[i].integer());
                        }
                    } else {
                        for i in 0..numbers {
                            held[i] += u16::from(own[i].integer());
                        }
                    }
                }
                let mut number = 0;
                while number < count {
                    let right = Window { first: windows[number].first - first, ..windows[number] };
                    sum_columns(&held, right, &mut found[number * LANES..][..alike[number] * LANES]);
                    number += alike[number];
                }
                // SAFETY: each task has rows of its own, and there are `count` vectors.
                unsafe {
                    let values = Means { sums: &found, shares: &shares };
                    self.outlet.write(&apply, [image, block, row, column], count, false, values);
                }
            }
            column += count;
        }
    }
}

/// The sums of what some windows, each the one before a position further, read of a row of sums.
#[inline(always)]
fn sum_columns(held: &[u16], right: Window, to: &mut [u16]) {
    let (numbers, first) = (to.len(), right.first * LANES);
    if right.count == 1 || numbers == LANES {
        for n in (0..numbers).step_by(LANES) {
            let mut all = [0; LANES];
            for x in 0..right.count {
                let own = &held[first + n + x * right.step * LANES..][..LANES];
                for i in 0..LANES {
                    all[i] += own[i];
                }
            }
            to[n..n + LANES].copy_from_slice(&all);
        }
        return;
    }
    let [own, next] = [0, right.step].map(|x| &held[first + x * LANES..][..numbers]);
    for i in 0..numbers {
        to[i] = own[i] + next[i];
    }
    for x in 2..right.count {
        let own = &held[first + x * right.step * LANES..][..numbers];
        for i in 0..numbers {
            to[i] += own[i];
        }
    }
}

/// Of each window how many there are from it on of which each is the one before a position further.
fn alike(windows: &[Window]) -> [usize; WRITTEN] {
    let mut alike = [1; WRITTEN];
    for number in (1..windows.len()).rev() {
        let (own, next) = (&windows[number - 1], &windows[number]);
        if next.first == own.first + 1 && next.count == own.count && next.step == own.step {
            alike[number - 1] = alike[number] + 1;
        }
    }
    alike
}

impl Window {
    const NONE: Self = Self { first: 0, count: 0, step: 1, share: None };

    /// What a sum over this window's rows and those columns is multiplied by.
    #[inline(always)]
    fn share_of(&self, right: &Self) -> f32 {
        match self.share.unwrap_or(1) * right.share.unwrap_or(1) {
            0 => 0.0,
            divisor => (1.0 / divisor as f64) as f32,
        }
    }

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

/// Sums one behind the other, each times its share.
struct Means<'a> {
    sums: &'a [u16],
    shares: &'a [f32],
}

impl<V: Vector<Element = f32>> Values<V> for Means<'_> {
    #[inline(always)]
    unsafe fn at(&self, i: usize) -> V {
        let mut sums = [0; LANES];
        for (to, from) in sums.iter_mut().zip(&self.sums[i * LANES..][..LANES]) {
            *to = i32::from(*from);
        }
        // SAFETY: sixteen numbers.
        unsafe { V::load_integers(sums.as_ptr()) }.mul(V::splat(self.shares[i]))
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
