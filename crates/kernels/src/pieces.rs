//! The parallel loop of all kernels that look at a few pixels at a time: results are computed piece by piece into
//! scratch memory, and go from the cache through a [`Sink`].

use crate::element::Element;
use crate::region::Region;
use crate::scratch::with_scratch;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::sink::{Open, Row, Sink, Tally};
use crate::threads::for_each;
use std::ops::Range;

/// Pixels of one block a piece is worth: a quarter of what a first-level cache holds.
const PIXELS: usize = 256;

/// Which results a piece is: pixels of some blocks of an image, counted row by row.
#[derive(Clone, Debug)]
pub(crate) struct At {
    pub(crate) image: usize,
    pub(crate) blocks: Range<usize>,
    pub(crate) pixels: Range<usize>,
}

/// Computes results piece by piece.
pub(crate) trait Fill<T: Element>: Sync {
    /// Numbers of scratch memory a piece takes.
    fn scratch(&self, at: &At) -> usize;
    /// Writes a piece's results, `[block][pixel][16]`. `#[inline(always)]`.
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]);
}

/// How pieces may be cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    /// Pixels that stay together.
    pub(crate) row: usize,
    /// Numbers read per number written.
    pub(crate) cost: usize,
    /// Whether all blocks stay together.
    pub(crate) whole: bool,
}

impl Grain {
    /// Each result depends on its own pixel and block only.
    pub(crate) const NUMBER: Self = Self { row: 1, cost: 1, whole: false };
    /// Each result depends on all channels of its pixel.
    pub(crate) const PIXEL: Self = Self { row: 1, cost: 1, whole: true };
}

/// The pieces of a region, cut by the shapes alone. A part is what all blocks have of a range of pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    batch: usize,
    blocks: usize,
    pixels: usize,
    /// Pixels of a part.
    chunk: usize,
    /// Blocks of a piece.
    group: usize,
}

impl Cut {
    pub(crate) fn new(region: &Region, grain: Grain) -> Self {
        let (pixels, blocks, row) = (region.pixels(), region.blocks(), grain.row.max(1));
        let worth = (PIXELS / grain.cost.max(1)).max(1);
        let most = if grain.whole { worth / blocks.max(1) } else { worth };
        let chunk = ((most / row).max(1) * row).min(pixels).max(1);
        let group = match grain.whole {
            true => blocks.max(1),
            false => (worth / chunk).clamp(1, blocks.max(1)),
        };
        Self {
            batch: region.batch,
            blocks,
            pixels,
            chunk,
            group: if chunk >= pixels || grain.whole { group } else { 1 },
        }
    }

    fn chunks(&self) -> usize {
        self.pixels.div_ceil(self.chunk)
    }

    fn groups(&self) -> usize {
        self.blocks.div_ceil(self.group)
    }

    pub(crate) fn parts(&self) -> usize {
        self.batch * self.chunks()
    }

    pub(crate) fn tasks(&self) -> usize {
        self.parts() * self.groups()
    }

    /// Part and place of a task's piece. Pieces of a map follow each other as its pixels lie in memory, so that a thread, which
    /// takes neighbouring tasks, reads one long run: the CPU fetches such runs beforehand.
    pub(crate) fn task(&self, task: usize) -> (usize, At) {
        let (map, chunk) = (task / self.chunks(), task % self.chunks());
        let (image, group) = (map / self.groups(), map % self.groups());
        let part = image * self.chunks() + chunk;
        let pixels = chunk * self.chunk..((chunk + 1) * self.chunk).min(self.pixels);
        let blocks = group * self.group..((group + 1) * self.group).min(self.blocks);
        (part, At { image, blocks, pixels })
    }

    pub(crate) fn part_pixels(&self, part: usize) -> usize {
        let chunk = part % self.chunks();
        ((chunk + 1) * self.chunk).min(self.pixels) - chunk * self.chunk
    }
}

/// Fills a sink.
pub(crate) fn fill<T: Element, F: Fill<T>>(set: InstructionSet, grain: Grain, fill: &F, output: Sink<'_, T>) {
    let cut = Cut::new(output.region(), grain);
    let output = output.open(cut.parts()).flat();
    for_each(cut.tasks(), |task| {
        let (part, at) = cut.task(task);
        let length = at.blocks.len() * at.pixels.len() * LANES;
        with_scratch(length + fill.scratch(&at), |memory| {
            let (results, scratch) = memory.split_at_mut(length);
            dispatch(set, Piece { fill, output: &output, part, at, results, scratch });
        });
    });
    output.close(|part| cut.part_pixels(part));
}

struct Piece<'a, 'b, T, F> {
    fill: &'a F,
    output: &'a Open<'b, T>,
    part: usize,
    at: At,
    results: &'a mut [T],
    scratch: &'a mut [T],
}

impl<T: Element, F: Fill<T>> Kernel<T> for Piece<'_, '_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { fill, output, part, at, results, scratch } = self;
        fill.fill::<V>(&at, results, scratch);
        for (number, results) in results.chunks_exact_mut(at.pixels.len() * LANES).enumerate() {
            let block = at.blocks.start + number;
            let row = Row { image: at.image, block, row: 0, column: at.pixels.start, step: 1 };
            let mut tally = Tally::<V>::new();
            // SAFETY: the pieces divide blocks and pixels among the tasks.
            unsafe { output.write(row, results, &mut tally) };
            if output.wants_sums() {
                if output.stores() {
                    tally = output.moments_of(results);
                }
                // SAFETY: part and block are this task's.
                unsafe { output.leave(part, block, tally) };
            }
        }
    }
}

/// Sets the lanes of the last block beyond `channels` to 0; `results` are pixels of `block`.
#[inline(always)]
pub(crate) fn clear_padding<T: Element>(channels: usize, block: usize, results: &mut [T]) {
    let valid = channels - block * LANES;
    if valid < LANES {
        for pixel in results.chunks_exact_mut(LANES) {
            pixel[valid..].fill(T::ZERO);
        }
    }
}
