//! Sums and copies of values, and pictures brought into blocks of channels.

use super::arena::{Arena, Place};
use super::input::{Affine, Input};
use crate::simd::{LANES, Vector};

/// Tasks of a sum with this output: a block of an image each.
pub(super) fn tasks(output: &Place, batch: usize) -> usize {
    batch * output.blocks()
}

/// Numbers added before the next input's are.
const PIECE: usize = 64 * LANES;

/// The sum of some inputs, for a block of an image.
///
/// # Safety
///
/// The inputs are not written meanwhile, and nobody else does this task.
#[inline(always)]
pub(super) unsafe fn sum<V: Vector<Element = f32>>(
    inputs: &[Input],
    relu: bool,
    output: &Place,
    arena: &Arena<'_>,
    task: usize,
) {
    let (image, block) = (task / output.blocks(), task % output.blocks());
    let to = arena.at(output, image).wrapping_add(block * output.plane());
    // SAFETY: this block of the output is this task's alone.
    let to = unsafe { std::slice::from_raw_parts_mut(to, output.plane()) };
    for (first, to) in (0..).step_by(PIECE).zip(to.chunks_mut(PIECE)) {
        for (number, input) in inputs.iter().enumerate() {
            match input {
                Input::Images { channels, size, map } => {
                    let picture = arena.picture(image, channels * size[0] * size[1]);
                    add_picture(picture, *channels, map.as_deref(), block, first, number > 0, to, output.pixels());
                }
                Input::Value { place, map } => {
                    let from = arena.at(place, image).wrapping_add(block * place.plane() + first).cast_const();
                    // SAFETY: a piece of the same block of the input.
                    unsafe { add::<V>(from, map.as_deref(), block, number > 0, to) }
                }
            }
        }
        if relu {
            for i in (0..to.len()).step_by(LANES) {
                // SAFETY: sixteen numbers of `to`.
                unsafe {
                    let to = to.as_mut_ptr().add(i);
                    V::load(to).at_least(V::zero()).store(to);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn add<V: Vector<Element = f32>>(
    from: *const f32,
    map: Option<&Affine>,
    block: usize,
    adding: bool,
    to: &mut [f32],
) {
    let [scale, shift, floor] = match map {
        Some(map) => map.of_block::<V>(block),
        None => [V::splat(1.0), V::zero(), V::splat(f32::NAN)],
    };
    for i in (0..to.len()).step_by(LANES) {
        // SAFETY: sixteen numbers of `to`; as many of `from`, as the caller says.
        unsafe {
            let mut x = V::load(from.add(i));
            if map.is_some() {
                x = x.mul_add(scale, shift).at_least(floor);
            }
            let to = to.as_mut_ptr().add(i);
            if adding {
                x = V::load(to).add(x);
            }
            x.store(to);
        }
    }
}

/// Adds numbers of a picture, or writes them, from number `first` of the block on.
#[allow(clippy::too_many_arguments)]
fn add_picture(
    picture: &[f32],
    channels: usize,
    map: Option<&Affine>,
    block: usize,
    first: usize,
    adding: bool,
    to: &mut [f32],
    pixels: usize,
) {
    for (pixel, to) in (first / LANES..).zip(to.chunks_exact_mut(LANES)) {
        for (lane, to) in to.iter_mut().enumerate() {
            let channel = block * LANES + lane;
            let mut x = 0.0;
            if channel < channels {
                x = picture[channel * pixels + pixel];
                if let Some(Affine { scale, shift, floor }) = map {
                    x = x * scale[channel] + shift[channel];
                    x = if floor[channel] > x { floor[channel] } else { x };
                }
            }
            *to = if adding { *to + x } else { x };
        }
    }
}
