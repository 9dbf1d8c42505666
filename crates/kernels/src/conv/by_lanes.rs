//! Groups that share a block of channels, lane by lane.
//!
//! A broadcast brings an input to all sixteen outputs of a block. Outputs of other groups multiply it by zero, and zero
//! times infinity is NaN. Here the input is *expanded* first: for each channel of a group, a vector that holds
//! in each lane that channel of the lane's own group. A multiply-add then meets its own weights in every lane, and there
//! are as many of them as a group has channels, however many groups a block holds.
//!
//! Reading a vector for each multiply-add is slower than a broadcast, so this pays where groups are small (`choice`).
//! Where they are not, a tile is expanded only if it holds a number that is not finite.
#![allow(clippy::needless_range_loop)]

use super::choice::{goes_by_lanes, of_group};
use super::correlation::Correlation;
use super::micro::Depth;
use crate::activation::total;
use crate::buffer::{Buffer, Shared};
use crate::element::Element;
use crate::simd::{LANES, Vector};
use crate::threads::for_each;

/// Pixels the micro-kernel takes at most: each is a load of its own, so more gain nothing.
const PIXELS: usize = 8;

/// Channels of a group where several share a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByLanes {
    /// Channels read.
    pub(super) ins: usize,
    /// Channels written.
    outs: usize,
    /// Whether it is likely to take less time than zeros between the groups; shapes alone decide.
    pub(super) pays: bool,
}

impl ByLanes {
    /// Nothing where every bundle is one group.
    pub(super) fn new(correlation: &Correlation<'_>) -> Option<Self> {
        let [ins, outs] = of_group(correlation);
        (outs < correlation.bundles.outs).then_some(Self { ins, outs, pays: goes_by_lanes(correlation) })
    }

    /// Pixels the micro-kernel of an instruction set takes.
    pub(super) fn pixels<V: Vector>() -> usize {
        V::PIXELS.min(PIXELS)
    }

    /// The weights of some taps, all bundles one behind the other: `[block of outputs][tap][input][output]`.
    pub(super) fn pack<T: Element>(
        self,
        correlation: &Correlation<'_>,
        weights: &[T],
        taps: &[(usize, [isize; 2])],
    ) -> Buffer<T> {
        let (bundles, kernel) = (correlation.bundles, correlation.conv.kernel);
        let (blocks, all) = (bundles.outs.div_ceil(LANES), kernel[0] * kernel[1]);
        let length = taps.len() * self.ins * LANES;
        let mut packed = Buffer::zeros(bundles.count * blocks * length);
        let shared = Shared::new(&mut packed);
        for_each(bundles.count * blocks, |task| {
            let (bundle, block) = (task / blocks, task % blocks);
            // SAFETY: each task has a block of its own.
            let packed = unsafe { shared.part(task * length..(task + 1) * length) };
            for (number, vector) in packed.chunks_exact_mut(LANES).enumerate() {
                let (tap, input) = (taps[number / self.ins].0, number % self.ins);
                for (lane, weight) in vector.iter_mut().enumerate() {
                    let output = block * LANES + lane;
                    if output >= bundles.outs {
                        break;
                    }
                    let (group, own) = ((bundle * bundles.outs + output) / self.outs, output % self.outs);
                    let pair = match correlation.backward {
                        true => (group * self.ins + input) * self.outs + own,
                        false => (group * self.outs + own) * self.ins + input,
                    };
                    *weight = weights[pair * all + tap];
                }
            }
        });
        packed
    }

    /// Whether a tile must be expanded: it pays, or there is a number that must not meet the zeros between groups.
    #[inline(always)]
    pub(super) fn wanted<V: Vector>(self, tile: &[V::Element]) -> bool {
        self.pays || !all_finite::<V>(tile)
    }

    /// Expands a tile whose blocks have `length` numbers for block `block` of `outs` outputs: each pixel becomes `ins`
    /// vectors.
    #[inline(always)]
    pub(super) fn fill<V: Vector>(
        self,
        tile: &[V::Element],
        length: usize,
        [block, outs]: [usize; 2],
        to: &mut [V::Element],
    ) {
        assert!(length * self.ins <= to.len());
        for input in 0..self.ins {
            // Lanes behind the last output read what it reads, and have no weights.
            let last = outs - 1 - block * LANES;
            let mut channels = [0; LANES];
            for lane in 0..LANES {
                channels[lane] = (block * LANES + lane.min(last)) / self.outs * self.ins + input;
            }
            let from = channels[0] / LANES;
            if channels.iter().all(|channel| channel / LANES == from) {
                let lanes = channels.map(|channel| (channel % LANES) as i32);
                let from = &tile[from * length..][..length];
                for at in (0..length).step_by(LANES) {
                    // SAFETY: `from` is of whole vectors, and `to` is long enough as checked above.
                    unsafe {
                        let x = V::load(from.as_ptr().add(at)).permute(&lanes);
                        x.store(to.as_mut_ptr().add(at * self.ins + input * LANES));
                    }
                }
            } else {
                for at in (0..length).step_by(LANES) {
                    let to = &mut to[at * self.ins + input * LANES..][..LANES];
                    for lane in 0..LANES {
                        to[lane] = tile[channels[lane] / LANES * length + at + channels[lane] % LANES];
                    }
                }
            }
        }
    }

    /// `pixels` pixels of a block of outputs: `out[pixel] = Σ input · weights`, lane by lane. `depth.channels` are those
    /// of a group.
    ///
    /// # Safety
    ///
    /// `input` must hold all the pixels `depth` reaches, expanded; `weights` all taps of the block, and `out` must be valid
    /// for writing `pixels` vectors. `pixels` must be at least 1 and at most [`ByLanes::pixels`].
    #[inline(always)]
    pub(super) unsafe fn product<V: Vector>(
        pixels: usize,
        input: *const V::Element,
        depth: &Depth<'_>,
        weights: *const V::Element,
        out: *mut V::Element,
    ) {
        macro_rules! sizes {
            ($($pixels:literal)*) => {
                match pixels {
                    $($pixels if const { $pixels <= V::PIXELS } => {
                        // SAFETY: as the caller says.
                        unsafe { product::<V, $pixels>(input, depth, weights, out) }
                    })*
                    _ => unreachable!("{pixels} pixels"),
                }
            };
        }
        sizes!(1 2 3 4 5 6 7 8)
    }
}

#[inline(always)]
fn all_finite<V: Vector>(numbers: &[V::Element]) -> bool {
    const CHAINS: usize = 4;
    let mut sums = [V::zero(); CHAINS];
    for (number, at) in (0..numbers.len() / LANES * LANES).step_by(LANES).enumerate() {
        // What is not finite gives, times zero, NaN.
        // SAFETY: whole vectors of `numbers`.
        let x = unsafe { V::load(numbers.as_ptr().add(at)) };
        sums[number % CHAINS] = x.mul_add(V::zero(), sums[number % CHAINS]);
    }
    total(sums[0].add(sums[1]).add(sums[2].add(sums[3]))) == V::Element::ZERO
}

/// # Safety
///
/// As [`ByLanes::product`].
#[inline(always)]
unsafe fn product<V: Vector, const PIXELS: usize>(
    input: *const V::Element,
    depth: &Depth<'_>,
    weights: *const V::Element,
    out: *mut V::Element,
) {
    let mut sums = [V::zero(); PIXELS];
    let (ins, step) = (depth.channels, depth.channels * LANES);
    let mut weights = weights.wrapping_add(depth.left_out[0] * ins * LANES);
    for tap in depth.taps {
        let mut pixel = input.wrapping_add(*tap);
        for _ in 0..ins {
            // SAFETY: the caller vouches for every offset of `depth`, and for as many weights as the loops take.
            unsafe {
                let w = V::load(weights);
                for p in 0..PIXELS {
                    sums[p] = V::load(pixel.add(p * step)).mul_add(w, sums[p]);
                }
            }
            weights = weights.wrapping_add(LANES);
            pixel = pixel.wrapping_add(LANES);
        }
    }
    for p in 0..PIXELS {
        // SAFETY: the caller vouches for `out`.
        unsafe { sums[p].store(out.add(p * LANES)) }
    }
}
