//! Pools of narrow maps: a window's numbers are read as `f32`, or as the integers they are, and rounded once, when they are
//! written.

#![allow(clippy::needless_range_loop)]

mod axis;
mod integers;
mod piece;

use super::finish::{Values, check_ends, open};
use super::transfer::Reader;
use super::{Finish, Format, Parts, Source, Stored, Target};
use crate::pool::{Average, Max, Span, Window, Windows};
use crate::region::Region;
use crate::simd::{Dot, DotKernel, InstructionSet, LANES, Vector};
use crate::threads::for_each;
use axis::{Axis, HELD, WRITTEN};
use integers::{Largest, MOST_SUMMED, Sum};
use piece::{Piece, Way};
use std::sync::Arc;

/// Outputs of a task, about.
const PIXELS: usize = 256;

/// A pool of maps of one size, its windows found: divisions take longer than what a window is made of.
#[derive(Clone, Debug)]
pub struct Pool(Arc<[Axis; 2]>);

impl Pool {
    /// The maximum over windows, of maps of a height and width, with so many outputs along each. NaN is the
    /// largest of all; padding counts as less than any. Nothing where a kernel, stride or dilation is 0.
    pub fn max(max: &Max, input: [usize; 2], output: [usize; 2]) -> Option<Self> {
        let extents = [max.kernel, max.stride, max.dilation];
        extents.as_flattened().iter().all(|extent| *extent > 0).then(|| Self::new(input, output, max))
    }

    /// The mean over windows: the sum in `f32`, or exact in integers, which is the same, times one over the number it is
    /// divided by. Nothing where a window reaches beyond maps of this size.
    pub fn average(average: &Average, input: [usize; 2]) -> Option<Self> {
        let within = |(spans, length): (&Vec<Span>, usize)| {
            spans.iter().all(|span| span.start <= span.end && span.end <= length)
        };
        let output = [0, 1].map(|axis| average.spans[axis].len());
        average.spans.iter().zip(input).all(within).then(|| Self::new(input, output, average))
    }

    fn new(input: [usize; 2], output: [usize; 2], windows: &impl Windows) -> Self {
        Self(Arc::new([0, 1].map(|axis| {
            let length = input[axis];
            Axis::new(length, (0..output[axis]).map(|number| windows.window(axis, number, length)))
        })))
    }

    /// Height and width of the maps it reads.
    pub fn input(&self) -> [usize; 2] {
        [self.0[0].length, self.0[1].length]
    }

    /// Height and width of those it writes.
    pub fn output(&self) -> [usize; 2] {
        [self.0[0].windows.len(), self.0[1].windows.len()]
    }

    /// Writes the pool of `source` to `target`.
    ///
    /// # Panics
    ///
    /// Where the shapes do not fit.
    pub fn run<F: Format>(
        &self,
        set: InstructionSet,
        source: Source<'_, F>,
        target: Target<'_, F>,
        finish: &Finish<'_, F>,
    ) {
        F::pool(self, set, source, target, finish);
    }
}

pub(super) fn compute<F: Format>(
    pool: &Pool,
    set: InstructionSet,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    source.check();
    let (from, to) = (source.region, target.region());
    check_ends(&from, &to);
    let sizes = [[from.height, from.width], [to.height, to.width]];
    assert_eq!(sizes, [pool.input(), pool.output()], "sizes of {from:?} and {to:?}, and of the pool's maps");
    let cut = Cut::new::<F>(pool, source.map.is_some());
    let target = Parts::from(target);
    for_each(cut.tasks(&to), |number| task(set, source, target, (finish, pool, cut), number));
}

/// How a pool is cut into tasks, whatever the number of images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    way: Way,
    /// Rows of a task, and tasks of a block.
    rows: usize,
    parts: usize,
}

impl Cut {
    /// `mapped` where something is done to what is read.
    pub(crate) fn new<F: Format>(pool: &Pool, mapped: bool) -> Self {
        let [down, across] = &*pool.0;
        let all = |holds: fn(&Window) -> bool| down.all(holds) && across.all(holds);
        let integers = F::ORDERED && !mapped && all(|window| window.count > 0 && window.length() <= HELD);
        let way = if integers && all(|window| window.share.is_none()) {
            Way::Largest
        } else if integers && down.most * across.most <= MOST_SUMMED {
            Way::Sum
        } else {
            Way::Numbers
        };
        let [height, width] = pool.output();
        let rows = PIXELS.div_ceil(width.max(1)).min(height.max(1));
        Self { way, rows, parts: height.div_ceil(rows) }
    }

    pub(crate) fn tasks(&self, to: &Region) -> usize {
        to.batch * to.blocks() * self.parts
    }
}

/// A task: some rows of a block of an image. The shapes must fit each other.
pub(crate) fn task<F: Format>(
    set: InstructionSet,
    source: Source<'_, F>,
    target: Parts<'_, F>,
    (finish, pool, cut): (&Finish<'_, F>, &Pool, Cut),
    number: usize,
) {
    open!(target, finish, outlet => {
        let to = outlet.region;
        // Rows first, as convolutions are cut: what is read lies in the cache of whoever wrote it.
        let (part, block) = (number / to.blocks(), number % to.blocks());
        let (image, part) = (part / cut.parts, part % cut.parts);
        let at = [image, block];
        let rows = part * cut.rows..((part + 1) * cut.rows).min(to.height);
        F::dispatch(set, Piece { source: &source, outlet: &outlet, at, rows, way: cut.way, axes: &pool.0 });
    });
}

impl<F: Format, O: Stored> DotKernel<F> for Piece<'_, F, O> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        // `Cut` finds ways of integers for formats of integers alone: for others they are not compiled.
        debug_assert!(F::ORDERED || matches!(self.way, Way::Numbers));
        match self.way {
            Way::Largest if F::ORDERED => self.integers::<V, Largest>(),
            Way::Sum if F::ORDERED => self.integers::<V, Sum>(),
            Way::Largest | Way::Sum | Way::Numbers => self.joined::<V>(),
        }
    }
}

impl<F: Format, O: Stored> Piece<'_, F, O> {
    /// Numbers as `f32`: over a window's rows first, for as many columns at once as are held, then over its columns.
    #[inline(always)]
    fn joined<V: Vector<Element = f32>>(&self) {
        let [image, block] = self.at;
        let (from, width) = (self.source.region, self.outlet.region.width);
        let (apply, reader) = (self.outlet.apply::<V>(block, f32::INFINITY), Reader::<F, V>::new(self.source, block));
        let mut held = [V::zero(); HELD];
        let mut found = [V::zero(); WRITTEN];
        let mut column = 0;
        while column < width {
            let (windows, columns) = self.axes[1].some(column);
            let count = windows.len();
            for row in self.rows.clone() {
                let down = self.axes[0].windows[row];
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
}

/// The sum of two, or the larger: NaN stays.
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
