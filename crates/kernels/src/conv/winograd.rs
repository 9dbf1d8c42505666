//! Convolution with kernels of 3x3 and 5x5 by Winograd's algorithms F(4x4, 3x3) and F(2x2, 5x5), after Lavin and Gray
//! (2016).
//!
//! Four outputs of a filter with three taps need not twelve multiplications but six, between transformed inputs and a
//! transformed filter; in two dimensions a tile of 4x4 outputs needs 36 rather than 144. Two outputs of a filter with five
//! taps need as many, between the same inputs: 36 rather than 100. With many channels these are 36 matrix products, one for
//! each *plane* of the transformed tiles, and the transforms before and after them are cheap. A task takes some tiles through all three steps while they are in the cache, with filters transformed before.
//! Where there are fewer tiles than outputs it is the other way round: a task transforms some filters and takes them to
//! all tiles, transformed before.
//!
//! Its rounding errors are about twice those of the direct computation: in `f32` 2e-6 of the largest output with 64
//! channels, 5e-6 with 512. An input that is not finite spoils the whole tiles of outputs it belongs to,
//! rather than only the pixels whose window it is in.
//!
//! The gradient of the weights goes the same way backwards ([`weight_gradient`]).
#![allow(clippy::needless_range_loop)]

mod chunks;
mod cut;
pub(crate) mod planes;
pub(crate) mod transforms;
pub(super) mod weight_gradient;
mod weights;

use super::correlation::Correlation;
use super::micro::{self, Depth};
use super::shape::Bundles;
use super::sweep::{Axis, Phase};
use super::tile::Tile;
use super::tile_prefetch::{Rows, TilePrefetch};
use crate::buffer::Shared;
use crate::conv::winograd::transforms::{Points as _, Six};
use crate::element::Element;
use crate::scratch::with_scratch;
use crate::shares::share;
use crate::simd::{Arithmetic, InstructionSet, LANES, Multiply, ProductKernel, Vector, Whole};
use crate::sink::{Open, Row, Sink, Tally};
use crate::threads::for_each;
use crate::view::View;
use chunks::Chunks;
use cut::{Cut, Part};
use planes::{IN, PLANES, odd};
use std::ops::Range;
use weights::{Filters, Layout};

/// Tiles beside each other whose inputs are transformed at once: what a first-level cache holds.
const STRIP: usize = 8;

/// An axis with all taps of the kernel, the first of which reads position `low` for output 0.
fn whole_axis(kernel: usize, low: isize, count: usize) -> Axis {
    let taps = (0..kernel).map(|tap| (tap, low + tap as isize)).collect();
    Axis { stride: 1, step: 1, phases: vec![Phase { count, taps }] }
}

impl Correlation<'_> {
    /// An axis with all its taps.
    fn whole_axis(&self, axis: usize) -> Axis {
        let (kernel, padding) = (self.conv.kernel[axis], self.conv.padding[axis] as isize);
        let low = if self.backward { padding + 1 - kernel as isize } else { -padding };
        whole_axis(kernel, low, self.axes[axis].count())
    }
}

/// Computes a correlation.
pub(super) fn run<A: Arithmetic, const OUT: usize, const KERNEL: usize>(
    mut correlation: Correlation<'_>,
    set: InstructionSet,
    input: &View<'_, A::Number>,
    weights: &[A::Number],
    output: Sink<'_, A::Number>,
) {
    let size = [correlation.axes[0].count(), correlation.axes[1].count()];
    // A tile needs all taps, those that meet nothing but padding too.
    correlation.axes = [0, 1].map(|i| correlation.whole_axis(i));
    let layout = Layout::new::<A>(&correlation, set);
    let filters = Filters::<A::Number, KERNEL>::new(&correlation, layout, weights);
    let cut = Cut::new(OUT, &correlation.bundles, input.region.batch, size, layout.count());
    let output = output.open(cut.parts());
    let task = |number: usize| {
        let part = cut.part(number);
        // The part that most likely comes next.
        let next = (!cut.at_once && number + 1 < cut.parts()).then(|| cut.part(number + 1));
        Task::<A::Number, OUT> { correlation: &correlation, layout, input, output: &output, part, next }
    };
    if cut.at_once {
        if cut.parts() == 1 {
            let task = task(0);
            with_scratch(PLANES * task.plane(), |planes| {
                let shared = Shared::new(planes);
                for_each(task.in_blocks(), |block| {
                    with_scratch(task.held(), |scratch| {
                        A::dispatch(set, Inputs { task: &task, blocks: block..block + 1, scratch, planes: shared });
                    });
                });
                let planes = &*planes;
                for_each(layout.count(), |panel| {
                    let len = layout.panel() + filters.collected() + task.results();
                    with_scratch(len, |scratch| {
                        let (filters, planes) = (Source::Raw(&filters), Some(planes));
                        A::dispatch(set, Panels { task: &task, filters, planes, panels: panel..panel + 1, scratch });
                    });
                });
            });
        }
    } else {
        with_scratch(layout.len(), |transformed| {
            filters.transform::<A>(set, transformed);
            let transformed = &*transformed;
            for_each(cut.parts() * cut.splits, |number| {
                // Those of a share of the panels are one behind the other: a thread takes those of the same filters.
                let (split, number) = (number / cut.parts(), number % cut.parts());
                let task = &task(number);
                let panels = share(layout.count(), split, cut.splits);
                with_scratch(PLANES * task.plane() + task.held().max(task.results()), |scratch| {
                    let filters = Source::<A::Number, KERNEL>::Transformed(transformed);
                    A::dispatch(set, Panels { task, filters, planes: None, panels, scratch });
                });
            });
        });
    }
    output.close(|part| cut.part(part).pixels());
}

/// Where a block of a transformed tile goes in a plane: an offset in factors, and which number of them it is.
type Start = [usize; 2];

/// Writes the numbers of a block of a transformed tile: one behind the other, or each beside that of a neighbouring tile.
///
/// # Safety
///
/// `to` must be valid for reading and writing as many factors as that takes.
#[inline(always)]
unsafe fn store<M: Multiply, const BESIDE: bool>(x: M::Vector, which: usize, to: *mut M::Number) {
    // SAFETY: as the caller says.
    unsafe { if BESIDE { M::store_beside(x, which, to) } else { M::store(x, to.cast()) } }
}

/// Transforms a block of inputs of tiles beside each other from `held` by way of `band`, to a start for each tile in each
/// of the planes.
#[inline(always)]
fn transform_inputs<M: Multiply, const OUT: usize, const BESIDE: bool>(
    starts: &[Start],
    held: &[M::Number],
    band: &mut [M::Number],
    planes: Shared<'_, M::Number>,
    plane: usize,
) {
    let row = (starts.len() * OUT + IN - OUT) * LANES;
    let (held, band) = (&held[..IN * row], &mut band[..IN * row]);
    for at in (0..row).step_by(LANES) {
        let mut d = [M::Vector::zero(); IN];
        for y in 0..IN {
            // SAFETY: within `held`.
            d[y] = unsafe { M::Vector::load(held.as_ptr().add(y * row + at)) };
        }
        let d = Six::input(d);
        for y in 0..IN {
            // SAFETY: within `band`.
            unsafe { d[y].store(band.as_mut_ptr().add(y * row + at)) };
        }
    }
    let length = if BESIDE { LANES } else { LANES / M::DEPTH };
    for x in 0..starts.len() {
        let [start, which] = starts[x];
        // SAFETY: each block of a tile, or of the neighbouring tiles of a factor, has a place of its own in each plane, and
        // no two threads transform tiles of one factor.
        let to = unsafe { planes.pointer(start..start + (PLANES - 1) * plane + length) };
        for y in 0..IN {
            let mut d = [M::Vector::zero(); IN];
            for i in 0..IN {
                // SAFETY: within `band`.
                d[i] = unsafe { M::Vector::load(band.as_ptr().add(y * row + (x * OUT + i) * LANES)) };
            }
            let d = Six::input(d);
            for i in 0..IN {
                // SAFETY: the bounds are checked above.
                unsafe { store::<M, BESIDE>(d[i], which, to.add((y * IN + i) * plane)) };
            }
        }
    }
}

/// Transforms the products of a tile, which are in a plane each, back to so many rows and columns of pixels. Rows of results are
/// `columns` pixels apart.
#[inline(always)]
fn transform_tile<V: Vector, const OUT: usize>(
    from: &[V::Element],
    plane: usize,
    [height, width]: [usize; 2],
    results: &mut [V::Element],
    columns: usize,
) {
    let from = &from[..(PLANES - 1) * plane + LANES];
    let mut half = [[V::zero(); IN]; OUT];
    for i in 0..IN {
        let mut m = [V::zero(); IN];
        for j in 0..IN {
            // SAFETY: within `from`.
            m[j] = unsafe { V::load(from.as_ptr().add((j * IN + i) * plane)) };
        }
        let m = Six::output::<V, OUT>(m);
        for j in 0..OUT {
            half[j][i] = m[j];
        }
    }
    let to = &mut results[..((height - 1) * columns + width) * LANES];
    if height == OUT && width == OUT {
        for j in 0..OUT {
            let row = Six::output::<V, OUT>(half[j]);
            for i in 0..OUT {
                // SAFETY: within `to`.
                unsafe { row[i].store(to.as_mut_ptr().add((j * columns + i) * LANES)) };
            }
        }
    } else {
        for j in 0..height {
            let row = Six::output::<V, OUT>(half[j]);
            for i in 0..width {
                // SAFETY: within `to`.
                unsafe { row[i].store(to.as_mut_ptr().add((j * columns + i) * LANES)) };
            }
        }
    }
}

/// Some tiles.
struct Task<'a, T, const OUT: usize> {
    correlation: &'a Correlation<'a>,
    layout: Layout,
    input: &'a View<'a, T>,
    output: &'a Open<'a, T>,
    part: Part,
    /// The tiles whose inputs are asked for meanwhile.
    next: Option<Part>,
}

/// Transforms some blocks of a task's inputs.
struct Inputs<'a, T, const OUT: usize> {
    task: &'a Task<'a, T, OUT>,
    blocks: Range<usize>,
    scratch: &'a mut [T],
    planes: Shared<'a, T>,
}

/// Computes some panels of a task.
struct Panels<'a, T, const OUT: usize, const KERNEL: usize> {
    task: &'a Task<'a, T, OUT>,
    filters: Source<'a, T, KERNEL>,
    /// The transformed inputs, if they have been.
    planes: Option<&'a [T]>,
    panels: Range<usize>,
    scratch: &'a mut [T],
}

/// Filters transformed already, or yet to be.
enum Source<'a, T, const KERNEL: usize> {
    Transformed(&'a [T]),
    Raw(&'a Filters<'a, T, KERNEL>),
}

impl<T: Element, const OUT: usize> ProductKernel<T> for Inputs<'_, T, OUT> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        for block in self.blocks {
            self.task.transform_inputs::<M>(block, self.scratch, self.planes);
        }
    }
}

impl<T: Element, const OUT: usize, const KERNEL: usize> ProductKernel<T> for Panels<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { task, filters, planes, panels, mut scratch } = self;
        let planes = match planes {
            Some(planes) => planes,
            None => {
                let (planes, rest) = scratch.split_at_mut(PLANES * task.plane());
                for block in 0..task.in_blocks() {
                    task.transform_inputs::<M>(block, rest, Shared::new(&mut *planes));
                }
                scratch = rest;
                planes
            }
        };
        let mut ahead = task.ahead::<M::Vector>(panels.clone());
        for panel in panels {
            let (filters, scratch) = match filters {
                Source::Transformed(filters) => (&filters[task.layout.start(panel)..], &mut *scratch),
                Source::Raw(filters) => {
                    let (transformed, rest) = scratch.split_at_mut(task.layout.panel());
                    let (collected, rest) = rest.split_at_mut(filters.collected());
                    for block in 0..task.in_blocks() {
                        let to = (Shared::new(&mut *transformed), 0);
                        filters.transform_block::<M>([panel, block], collected, to);
                    }
                    (&*transformed, rest)
                }
            };
            task.compute::<M>(panel, filters, planes, &mut ahead, scratch);
        }
    }
}

impl<T: Element, const OUT: usize> Task<'_, T, OUT> {
    fn in_blocks(&self) -> usize {
        self.correlation.bundles.ins.div_ceil(LANES)
    }

    /// Distance of two planes of transformed inputs, in factors.
    fn plane(&self) -> usize {
        odd((self.in_blocks() * self.part.count()).div_ceil(self.layout.depth())) * LANES
    }

    /// Distance of two planes of products with a panel.
    fn product_plane(&self, panel: usize) -> usize {
        odd(self.layout.blocks(panel) * self.part.count()) * LANES
    }

    /// Numbers of the inputs of a strip of tiles, as they are and transformed along one axis.
    fn held(&self) -> usize {
        2 * IN * (STRIP.min(self.part.tiles[1].len()) * OUT + IN - OUT) * LANES
    }

    /// Numbers of products with a panel and of the pixels of a block of results.
    fn results(&self) -> usize {
        let products = if self.layout.count() == 0 { 0 } else { PLANES * self.product_plane(0) };
        products + self.part.pixels() * LANES
    }
}

impl<T: Element, const OUT: usize> Task<'_, T, OUT> {
    /// The tiles the micro-kernel takes together. Transformed inputs lie in the order it reads them,
    /// `[plane][chunk][block][tile]`.
    #[inline(always)]
    fn chunks<V: Vector<Element = T>>(&self) -> Chunks {
        Chunks::new(self.part.count(), V::PIXELS)
    }

    /// Transforms a block of all tiles.
    #[inline(always)]
    fn transform_inputs<M: Multiply<Number = T>>(&self, block: usize, scratch: &mut [T], planes: Shared<'_, T>) {
        let [down, across] = [0, 1].map(|axis| self.part.tiles[axis].clone());
        let (mut first, mut chunks) = (0, self.chunks::<M::Vector>());
        for image in self.part.images.clone() {
            for y in down.clone() {
                for x in across.clone().step_by(STRIP) {
                    let end = across.end.min(x + STRIP);
                    let span = [y * OUT..(y + 1) * OUT, x * OUT..end * OUT];
                    let tile = Tile::new(&self.correlation.axes, image..image + 1, span);
                    let (held, band) = scratch.split_at_mut(tile.block());
                    tile.fill::<Whole<M::Vector>>(self.input, block..block + 1, held);
                    self.transform_strip::<M>(block, (first..first + (end - x), &mut chunks), [held, band], planes);
                    first += end - x;
                }
            }
        }
    }

    /// Transforms a block of some tiles beside each other from `held` by way of `band`.
    #[inline(always)]
    fn transform_strip<M: Multiply<Number = T>>(
        &self,
        block: usize,
        (tiles, chunks): (Range<usize>, &mut Chunks),
        [held, band]: [&mut [T]; 2],
        planes: Shared<'_, T>,
    ) {
        let mut starts = [Start::default(); STRIP];
        let starts = &mut starts[..tiles.len()];
        for x in 0..starts.len() {
            let chunk = chunks.of(tiles.start + x);
            let before = chunk.start * self.in_blocks() + block * chunk.len() + (tiles.start + x - chunk.start);
            starts[x] = [before * LANES / M::DEPTH, 0];
        }
        transform_inputs::<M, OUT, false>(starts, held, band, planes, self.plane());
    }

    /// What the panels of this part are written to and the next part reads, for as many calls of the micro-kernel as there
    /// will be.
    fn ahead<V: Vector<Element = T>>(&self, panels: Range<usize>) -> TilePrefetch<T> {
        let mut ahead = TilePrefetch::nothing();
        let rows = |part: &Part, blocks: Range<usize>| {
            let [rows, columns] = part.tiles.clone().map(|tiles| tiles.start * OUT..tiles.end * OUT);
            Rows { images: part.images.clone(), blocks, rows, step: 1, columns }
        };
        if let Some(next) = &self.next {
            let last = panels.end.saturating_sub(1);
            let first = self.layout.first_block(panels.start);
            let end = self.layout.first_block(last) + self.layout.blocks(last);
            ahead.sink(self.output, rows(&self.part, first..end));
            ahead.view(self.input, rows(next, 0..self.in_blocks()));
        }
        ahead.over(PLANES * self.part.count().div_ceil(V::PIXELS) * panels.len())
    }

    /// Everything after the transforms of inputs and filters, for one panel.
    #[inline(always)]
    fn compute<M: Multiply<Number = T>>(
        &self,
        panel: usize,
        filters: &[T],
        planes: &[T],
        ahead: &mut TilePrefetch<T>,
        scratch: &mut [T],
    ) {
        let (products, results) = scratch.split_at_mut(PLANES * self.product_plane(0));
        let results = &mut results[..self.part.pixels() * LANES];
        self.multiply::<M>(panel, filters, planes, ahead, products);
        for block in 0..self.layout.blocks(panel) {
            self.transform_products::<M::Vector>(panel, block, products, results);
            self.write::<M::Vector>(self.layout.first_block(panel) + block, results);
        }
    }

    /// The matrix products with a panel.
    #[inline(always)]
    fn multiply<M: Multiply<Number = T>>(
        &self,
        panel: usize,
        filters: &[T],
        planes: &[T],
        ahead: &mut TilePrefetch<T>,
        products: &mut [T],
    ) {
        let Bundles { ins, .. } = self.correlation.bundles;
        let (tiles, panels) = (self.part.count(), self.layout.blocks(panel));
        let (plane, product, chunks) = (self.plane(), self.product_plane(panel), self.chunks::<M::Vector>());
        for number in 0..PLANES {
            let filters = &filters[number * self.layout.plane(panel)..][..ins.div_ceil(M::DEPTH) * panels * LANES];
            let inputs = &planes[number * plane..][..self.in_blocks() * tiles * LANES / M::DEPTH];
            let products = &mut products[number * product..][..panels * tiles * LANES];
            for chunk in chunks.clone() {
                let (block, ahead) = (chunk.len() * LANES / M::DEPTH, ahead.next());
                let depth = Depth { taps: &[0], left_out: [0, 0], channels: ins, block, ahead };
                // SAFETY: `inputs` holds all blocks of all tiles, `filters` the plane of the panel, `products` all tiles
                // of each of its blocks; sizes are within what the vectors say.
                unsafe {
                    micro::product::<M, false>(
                        (chunk.len(), panels),
                        inputs.as_ptr().add(chunk.start * self.in_blocks() * LANES / M::DEPTH),
                        &depth,
                        filters.as_ptr(),
                        products.as_mut_ptr().add(chunk.start * LANES),
                        tiles * LANES,
                    );
                }
            }
        }
    }

    /// Transforms the products with a block of a panel back to pixels, rows one behind the other.
    #[inline(always)]
    fn transform_products<V: Vector<Element = T>>(
        &self,
        panel: usize,
        block: usize,
        products: &[T],
        results: &mut [T],
    ) {
        let [down, across] = [0, 1].map(|axis| self.part.tiles[axis].len());
        let [rows, columns] = self.part.size();
        let plane = self.product_plane(panel);
        let mut number = block * self.part.count();
        for image in 0..self.part.images.len() {
            for y in 0..down {
                for x in 0..across {
                    let from = &products[number * LANES..][..(PLANES - 1) * plane + LANES];
                    let size = [(rows - y * OUT).min(OUT), (columns - x * OUT).min(OUT)];
                    let start = ((image * rows + y * OUT) * columns + x * OUT) * LANES;
                    transform_tile::<V, OUT>(from, plane, size, &mut results[start..], columns);
                    number += 1;
                }
            }
        }
    }

    /// Hands a block of results to the sink.
    #[inline(always)]
    fn write<V: Vector<Element = T>>(&self, block: usize, results: &mut [T]) {
        let [rows, columns] = self.part.size();
        let mut tally = Tally::<V>::new();
        for number in 0..self.part.images.len() * rows {
            let at = Row {
                image: self.part.images.start + number / rows,
                block,
                row: self.part.tiles[0].start * OUT + number % rows,
                column: self.part.tiles[1].start * OUT,
                step: 1,
            };
            let results = &mut results[number * columns * LANES..][..columns * LANES];
            // SAFETY: parts and shares divide the pixels and blocks among the tasks.
            unsafe { self.output.write(at, results, &mut tally) };
        }
        if self.output.wants_sums() {
            if self.output.stores() {
                tally = self.output.moments_of(results);
            }
            // SAFETY: part and block are this task's.
            unsafe { self.output.leave(self.part.number, block, tally) };
        }
    }
}
