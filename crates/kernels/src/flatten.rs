//! Maps as one vector, channel by channel, row by row, and back: where blocks of channels meet plain rows.

use crate::buffer::Shared;
use crate::element::Element;
use crate::region::Region;
use crate::scratch::with_scratch;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::sink::{Open, Row, Sink, Tally};
use crate::threads::for_each;
use crate::view::View;

/// Writes each image's maps as a vector of `channels · height · width` numbers.
///
/// # Panics
///
/// Where `region` is not that of such vectors, or `output` is shorter than it.
pub fn flatten<T: Element>(set: InstructionSet, input: &View<'_, T>, output: &mut [T], region: &Region) {
    T::flatten(set, input, output, region);
}

pub(crate) fn compute_flatten<T: Element>(set: InstructionSet, input: &View<'_, T>, output: &mut [T], region: &Region) {
    region.check();
    input.check();
    let (from, pixels) = (input.region, input.region.pixels());
    assert_eq!([region.batch, region.channels, region.pixels()], [from.batch, from.channels * pixels, 1]);
    let shared = Shared::new(output);
    for_each(from.batch * from.blocks(), |task| {
        let (image, block) = (task / from.blocks(), task % from.blocks());
        let channels = LANES.min(from.channels - block * LANES);
        let start = region.at(image, 0, 0, 0) + block * LANES * pixels;
        let last = block + 1 == from.blocks();
        let end = if last { region.at(image, 0, 0, 0) + region.padded_channels() } else { start + channels * pixels };
        // SAFETY: each task has the rows of its own channels, the last also what fills the row up.
        let rows = unsafe { shared.part(start..end) };
        with_scratch(pixels * LANES, |plane| {
            dispatch(set, Read { view: input.flat(), at: [image, block], to: &mut *plane });
            rows[channels * pixels..].fill(T::ZERO);
            for (lane, row) in rows.chunks_exact_mut(pixels.max(1)).take(channels).enumerate() {
                for (pixel, value) in row.iter_mut().enumerate() {
                    *value = plane[pixel * LANES + lane];
                }
            }
        });
    });
}

/// Sends the gradient of such vectors back to the maps.
///
/// # Panics
///
/// Where `gradient` is not of such vectors, of as many images.
pub fn unflatten<T: Element>(set: InstructionSet, gradient: &View<'_, T>, input: Sink<'_, T>) {
    T::unflatten(set, gradient, input);
}

pub(crate) fn compute_unflatten<T: Element>(set: InstructionSet, gradient: &View<'_, T>, input: Sink<'_, T>) {
    gradient.check();
    let (batch, pixels) = (gradient.region.batch, input.size()[0] * input.size()[1]);
    let found = [gradient.region.batch, gradient.region.channels, gradient.region.pixels()];
    assert_eq!(found, [input.region().batch, input.channels() * pixels, 1]);
    let open = input.open(batch).flat();
    let (blocks, row) = (open.region.blocks(), gradient.region.padded_channels());
    for_each(batch, |image| {
        with_scratch(row + pixels * LANES, |scratch| {
            let (row, plane) = scratch.split_at_mut(row);
            for block in 0..row.len() / LANES {
                let to = &mut row[block * LANES..(block + 1) * LANES];
                dispatch(set, Read { view: *gradient, at: [image, block], to });
            }
            for block in 0..blocks {
                let channels = LANES.min(open.region.channels - block * LANES);
                for (pixel, lanes) in plane.chunks_exact_mut(LANES).enumerate() {
                    for (lane, value) in lanes.iter_mut().enumerate() {
                        let at = (block * LANES + lane) * pixels + pixel;
                        *value = if lane < channels { row[at] } else { T::ZERO };
                    }
                }
                dispatch(set, Write { open: &open, image, block, plane: &mut *plane });
            }
        });
    });
    open.close(|_| pixels);
}

/// Reads a block's row.
struct Read<'a, T> {
    view: View<'a, T>,
    at: [usize; 2],
    to: &'a mut [T],
}

impl<T: Element> Kernel<T> for Read<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let pixels = self.to.len() / LANES;
        self.view.read::<V>([self.at[0], self.at[1], 0, 0], pixels, self.to);
    }
}

/// Writes a block's plane.
struct Write<'a, 'b, T> {
    open: &'a Open<'b, T>,
    image: usize,
    block: usize,
    plane: &'a mut [T],
}

impl<T: Element> Kernel<T> for Write<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { open, image, block, plane } = self;
        let mut tally = Tally::<V>::new();
        // SAFETY: an image is one task's.
        unsafe { open.write(Row { image, block, row: 0, column: 0, step: 1 }, plane, &mut tally) };
        if open.wants_sums() {
            if open.stores() {
                tally = open.moments_of(plane);
            }
            // SAFETY: a part is an image, and that one task's.
            unsafe { open.leave(image, block, tally) };
        }
    }
}

/// Copies a batch of vectors to rows of [`Region::padded_channels`] numbers, `apart` numbers from one to the next.
pub(crate) fn rows<T: Element>(set: InstructionSet, view: &View<'_, T>, to: &mut [T], apart: usize) {
    let row = view.region.padded_channels();
    assert_eq!([view.region.height, view.region.width, to.len()], [1, 1, view.region.batch * apart]);
    assert!(row <= apart, "rows of {row} numbers do not fit into {apart}");
    let shared = Shared::new(to);
    for_each(view.region.batch, |image| {
        // SAFETY: each task has a row of its own.
        let row = unsafe { shared.part(image * apart..image * apart + row) };
        dispatch(set, ReadVector { view, image, row });
    });
}

/// Reads the vector of an image: a row of [`Region::padded_channels`] numbers.
pub(crate) struct ReadVector<'a, T> {
    pub(crate) view: &'a View<'a, T>,
    pub(crate) image: usize,
    pub(crate) row: &'a mut [T],
}

impl<T: Element> Kernel<T> for ReadVector<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        for (block, to) in self.row.chunks_exact_mut(LANES).enumerate() {
            self.view.read::<V>([self.image, block, 0, 0], 1, to);
        }
    }
}
