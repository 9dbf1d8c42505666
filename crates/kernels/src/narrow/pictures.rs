//! Pictures as narrow numbers, four neighbouring pixels a cell, for a first convolution.
//!
//! A picture has three or four channels, and a block room for sixteen. With a pixel in each cell a word would be read for
//! each tap of a kernel; with four neighbouring pixels four taps are one, of twelve or sixteen channels.

#![allow(clippy::needless_range_loop)]

use super::format::FOUR;
use super::{Format, Parts, Target};
use crate::region::Region;
use crate::simd::{Dot, DotKernel, InstructionSet, LANES, Vector};
use crate::threads::for_each;

/// Cells of a row that are made at once.
const CELLS: usize = 128;
/// Pixels of a cell, and channels of a pixel at most.
const PIXELS: usize = 4;
/// The largest distance of two cells' first pixels.
const APART: usize = 4;
/// Pixels that so many cells hold, in whole vectors.
const HELD: usize = ((CELLS - 1) * APART + PIXELS).next_multiple_of(LANES);
/// Rows of a task.
const ROWS: usize = 8;

/// How the cells of a row lie in it: cell `k` holds the pixels from column `k · step − before` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// Distance of two cells' first pixels, 1 to 4.
    pub step: usize,
    /// Columns before the picture, which hold what stands for 0, as do those behind it.
    pub before: usize,
}

/// Writes pictures `(N, C, H, W)`, of 3 or 4 channels, to the cells of maps of 4C: lane `Cp + c` of a cell is channel `c`
/// of its pixel `p`, as `scale[c] · x + bias[c]`, not less than the floor, rounded.
///
/// # Panics
///
/// Where the shapes do not fit.
pub fn pictures<F: Format>(
    set: InstructionSet,
    (images, size): (&[f32], [usize; 3]),
    cells: Cells,
    line: (&[f32], &[f32], Option<f32>),
    zero: F,
    (to, region): (&mut [F], Region),
) {
    F::pictures(set, (images, size), (cells, line, zero), (to, region));
}

/// What is done to a channel's numbers, `scale[c] · x + bias[c]` not less than a floor.
pub(crate) type Line<'a> = (&'a [f32], &'a [f32], Option<f32>);

pub(super) fn compute_pictures<F: Format>(
    set: InstructionSet,
    (images, size): (&[f32], [usize; 3]),
    (cells, line, zero): (Cells, Line<'_>, F),
    (to, region): (&mut [F], Region),
) {
    region.check();
    assert!(fits(size, cells, &region), "{cells:?}, {region:?} for pictures of {size:?}");
    assert!(images.len() >= region.batch * size.iter().product::<usize>() && to.len() >= region.len());
    assert!(line.0.len() >= size[0] && line.1.len() >= size[0]);
    let to = Parts::from(Target::Narrow(to, region));
    for_each(tasks(&region), |number| task(set, (images, size), (cells, line, zero), to, number));
}

/// Whether pictures of channels, height and width may lie in such cells.
pub(crate) fn fits([channels, height, _]: [usize; 3], cells: Cells, region: &Region) -> bool {
    let sizes = (3..=PIXELS).contains(&channels) && (1..=APART).contains(&cells.step);
    sizes && region.channels == PIXELS * channels && region.height == height
}

/// Tasks of pictures in such maps.
pub(crate) fn tasks(region: &Region) -> usize {
    region.batch * region.height.div_ceil(ROWS)
}

/// One of them: some rows. The shapes must fit each other.
pub(crate) fn task<F: Format>(
    set: InstructionSet,
    (images, size): (&[f32], [usize; 3]),
    (cells, (scale, bias, floor), zero): (Cells, Line<'_>, F),
    to: Parts<'_, F>,
    number: usize,
) {
    let Parts::Narrow(shared, region) = to else { return };
    let (numbers, parts) = (size.iter().product::<usize>(), region.height.div_ceil(ROWS));
    let (image, first) = (number / parts, number % parts * ROWS);
    let rows = first..(first + ROWS).min(region.height);
    let start = region.at(image, 0, first, 0);
    // SAFETY: each task has rows of its own.
    let to = unsafe { shared.part(start..start + rows.len() * region.width * LANES) };
    let images = &images[image * numbers..][..numbers];
    let line = (scale, bias, floor.unwrap_or(f32::NAN));
    F::dispatch(set, Rows { images, size, rows, cells, line, zero, to, width: region.width });
}

/// Some rows of a picture.
struct Rows<'a, F> {
    images: &'a [f32],
    size: [usize; 3],
    rows: std::ops::Range<usize>,
    cells: Cells,
    line: (&'a [f32], &'a [f32], f32),
    zero: F,
    to: &'a mut [F],
    /// Cells of a row.
    width: usize,
}

impl<F: Format> DotKernel<F> for Rows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        match self.size[0] {
            3 => self.cells::<V, 3>(),
            _ => self.cells::<V, PIXELS>(),
        }
    }
}

impl<F: Format> Rows<'_, F> {
    #[inline(always)]
    fn cells<V: Vector<Element = f32>, const CHANNELS: usize>(self) {
        let Self { images, size: [_, height, width], rows, cells, line: (scale, bias, floor), zero, to, .. } = self;
        let mut planes = [[F::default(); HELD]; CHANNELS];
        let mut all = [[F::default(); CHANNELS]; HELD];
        for (row, to) in rows.zip(to.chunks_exact_mut((self.width * LANES).max(1))) {
            for (part, to) in to.chunks_mut(CELLS * LANES).enumerate() {
                let count = to.len() / LANES;
                let first = part * CELLS * cells.step;
                let pixels = (count - 1) * cells.step + PIXELS;
                let inside = [first, first + pixels].map(|column| column.clamp(cells.before, cells.before + width));
                for channel in 0..CHANNELS {
                    let held = &mut planes[channel];
                    held[..pixels].fill(zero);
                    let plane = &images[(channel * height + row) * width..][..width];
                    let from = &plane[inside[0] - cells.before..inside[1] - cells.before];
                    // Behind the last pixel stays what stands for 0.
                    let at = inside[0].saturating_sub(first).min(pixels);
                    let line = (V::splat(scale[channel]), V::splat(bias[channel]), V::splat(floor));
                    quantise::<F, V>(from, line, &mut held[at..]);
                }
                for i in 0..pixels {
                    for channel in 0..CHANNELS {
                        all[i][channel] = planes[channel][i];
                    }
                }
                let all = all.as_flattened();
                let own = all.windows(PIXELS * CHANNELS).step_by(cells.step * CHANNELS);
                for (to, own) in to.chunks_exact_mut(LANES).zip(own) {
                    to[..PIXELS * CHANNELS].copy_from_slice(own);
                    to[PIXELS * CHANNELS..].fill(F::default());
                }
            }
        }
    }
}

/// Rounds numbers of a line: of most at once as many as are stored at once, then a vector, then the rest.
#[inline(always)]
fn quantise<F: Format, V: Vector<Element = f32>>(from: &[f32], (scale, bias, floor): (V, V, V), to: &mut [F]) {
    const MANY: usize = FOUR * LANES;
    let to = &mut to[..from.len()];
    let mut start = 0;
    // SAFETY: of both slices, which are as long as each other, at least as many numbers are left as are taken.
    unsafe {
        while start + MANY <= from.len() {
            let mut vectors = [V::zero(); FOUR];
            for k in 0..FOUR {
                let x = V::load(from.as_ptr().add(start + k * LANES));
                vectors[k] = x.mul(scale).add(bias).at_least(floor);
            }
            F::store_four::<V, false>(vectors, to.as_mut_ptr().add(start));
            start += MANY;
        }
        while start + LANES <= from.len() {
            let x = V::load(from.as_ptr().add(start));
            F::store(x.mul(scale).add(bias).at_least(floor), to.as_mut_ptr().add(start));
            start += LANES;
        }
    }
    if start < from.len() {
        let (mut numbers, mut rounded) = ([0.0; LANES], [F::default(); LANES]);
        numbers[..from.len() - start].copy_from_slice(&from[start..]);
        // SAFETY: sixteen numbers each.
        unsafe {
            let x = V::load(numbers.as_ptr());
            F::store(x.mul(scale).add(bias).at_least(floor), rounded.as_mut_ptr());
        }
        to[start..].copy_from_slice(&rounded[..from.len() - start]);
    }
}
