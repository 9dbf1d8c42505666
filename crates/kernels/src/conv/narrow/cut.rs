//! How the work is cut into tasks, and the memory a task takes. No sum depends on it.

use super::units::Units;
use crate::conv::shape::{Bundles, Conv};
use crate::conv::tile::{Tile, largest};
use crate::region::Region;
use crate::shares::share;
use crate::simd::LANES;
use crate::threads::threads;
use std::ops::Range;

/// Bytes a tile may hold.
const TILE: usize = 64 * 1024;
/// Bytes it may hold where less would leave few positions, each of which goes through all weights.
const LARGE_TILE: usize = 384 * 1024;
/// Positions that are not few.
const ENOUGH: usize = 64;
/// Positions a tile covers at most.
const POSITIONS: usize = 2048;
/// Tasks for each thread, where there are enough.
const TASKS: usize = 3;

/// A convolution over maps of a size, cut.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// Whether each map is read as one row.
    pub(super) flat: bool,
    /// Whether tiles are read where the maps lie.
    pub(super) in_place: bool,
    /// Step between windows, lowest and highest offset, along each axis.
    axes: [(usize, (isize, isize)); 2],
    /// Positions written along each axis.
    counts: [usize; 2],
    batch: usize,
    images: usize,
    span: [usize; 2],
    /// Parts along images, rows and columns.
    parts: [usize; 3],
    pub(super) bundles: usize,
    /// Panels of a bundle's outputs.
    panels: usize,
    /// Shares of a part's panels.
    splits: usize,
    /// Words of a part's tile.
    pub(super) tile: usize,
    /// Taps of the kernel, or blocks of inputs if there are more.
    taps: usize,
}

impl Cut {
    pub(super) fn new(conv: &Conv, bundles: Bundles, units: Units, input: &Region) -> Option<Self> {
        let output = conv.output([input.height, input.width])?;
        let flat = conv.is_matrix_product();
        let counts = if flat { [1, output[0] * output[1]] } else { output };
        let axes = [0, 1].map(|axis| {
            let padding = conv.padding[axis] as isize;
            (conv.stride[axis], (-padding, (conv.dilation[axis] * (conv.kernel[axis] - 1)) as isize - padding))
        });
        let blocks = bundles.ins.div_ceil(LANES);
        // Words of a tile of one block; a word has four bytes.
        let words = |images: usize, span: [usize; 2]| {
            let tile = Tile::with(axes, counts[1], 0..images, span.map(|length| 0..length));
            tile.block() / units.per_word * blocks
        };
        let fits = |images: usize, span: [usize; 2]| {
            let positions = images * span[0] * span[1];
            positions <= POSITIONS && 4 * words(images, span) <= if positions <= ENOUGH { LARGE_TILE } else { TILE }
        };
        let (mut images, mut span) = largest(counts, input.batch.max(1), fits);
        let panels = bundles.outs.div_ceil(LANES * units.panels);
        let parts = input.batch.div_ceil(images) * counts[0].div_ceil(span[0]) * counts[1].div_ceil(span[1]);
        // Where there is little to do, all that one tile covers may be a task too many for one thread.
        let length = match (images, span) {
            (1, [1, _]) => &mut span[1],
            (1, _) => &mut span[0],
            _ => &mut images,
        };
        let (cuts, splits) = shares(parts * bundles.count, panels, *length);
        *length = length.div_ceil(cuts);
        let parts = [input.batch.div_ceil(images), counts[0].div_ceil(span[0]), counts[1].div_ceil(span[1])];
        Some(Self {
            flat,
            in_place: flat && units.as_they_lie && images == 1,
            axes,
            counts,
            batch: input.batch,
            images,
            span,
            parts,
            bundles: bundles.count,
            panels,
            splits,
            tile: words(images, span),
            taps: (conv.kernel[0] * conv.kernel[1]).max(blocks),
        })
    }

    /// Numbers a thread needs: the tile, the taps, each from a cache line on, and what brings the first onto one.
    pub(crate) fn workspace(&self) -> usize {
        self.tile.next_multiple_of(LANES) + self.taps.next_multiple_of(LANES) + LANES
    }

    /// The same for any number of images.
    pub(crate) fn most_workspace(&self) -> usize {
        Self { tile: self.tile.max(LARGE_TILE / 4), ..self.clone() }.workspace()
    }

    pub(crate) fn tasks(&self) -> usize {
        self.parts.iter().product::<usize>() * self.bundles * self.splits
    }

    /// The share a task is of, and its number there. Those of a share are one behind the other, so that neighbours read
    /// the same weights.
    pub(super) fn share_of(&self, task: usize) -> (usize, usize) {
        let each = self.tasks() / self.splits;
        (task / each, task % each)
    }

    /// The panels of one of the shares.
    pub(super) fn share(&self, split: usize) -> Range<usize> {
        share(self.panels, split, self.splits)
    }

    /// The tile of a part.
    pub(super) fn tile_of(&self, part: usize) -> Tile {
        let [_, down, across] = self.parts;
        let range = |number: usize, step: usize, end: usize| -> Range<usize> {
            (number * step).min(end)..((number + 1) * step).min(end)
        };
        let images = range(part / (across * down), self.images, self.batch);
        let span = [
            range(part / across % down, self.span[0], self.counts[0]),
            range(part % across, self.span[1], self.counts[1]),
        ];
        Tile::with(self.axes, self.counts[1], images, span)
    }
}

/// Into how many parts a tile's positions are divided, of which one axis has `length`, and into how many shares its panels
/// of outputs, so that threads have about as much to do as each other. Each part reads the weights again, each share
/// fills the tile again.
fn shares(tasks: usize, panels: usize, length: usize) -> (usize, usize) {
    let threads = threads();
    if [tasks, panels, length].contains(&0) || tasks >= TASKS * threads {
        return (1, 1);
    }
    let cost = |cuts: usize, splits: usize| {
        let rounds = (tasks * cuts * splits).div_ceil(threads);
        let most = rounds * panels.div_ceil(splits) * length.div_ceil(cuts);
        (most * threads) as f64 / (tasks * panels * length) as f64 + 0.02 * splits as f64 + 0.03 * cuts as f64
    };
    let most = TASKS * threads.div_ceil(tasks) + 1;
    let all = (1..=most.min(length)).flat_map(|cuts| (1..=most.min(panels)).map(move |splits| (cuts, splits)));
    let all = all.filter(|(cuts, splits)| cuts * splits <= most);
    all.min_by(|a, b| cost(a.0, a.1).total_cmp(&cost(b.0, b.1))).unwrap_or((1, 1))
}
