//! From `f32` in registers to where results go.

use super::format::FOUR;
use super::{Finish, Format, Stored};
use crate::buffer::Shared;
use crate::region::Region;
use crate::simd::{LANES, Vector};

/// No integer of 32 bits is as large.
const LARGE: f32 = (1_u32 << 30) as f32;

/// A target and what is done on the way, open to the tasks of a loop.
pub(crate) struct Outlet<'a, F, O> {
    data: Shared<'a, O>,
    pub(crate) region: Region,
    finish: Finish<'a, F>,
}

/// What is done to the channels of one block.
#[derive(Clone, Copy)]
pub(crate) struct Apply<V> {
    scale: V,
    bias: V,
    factor: V,
    floor: V,
    /// Whether nothing is left but to store: no floor that storing does not have, no lanes to clear, and no number that is
    /// too large for an integer.
    bare: bool,
    /// Whether numbers that are stored already are stored as they are.
    pub(crate) copies: bool,
    /// 1 for channels and 0 for what fills the block up, where there is any.
    valid: Option<V>,
}

/// Calls `$with` with an open outlet of either kind of number.
macro_rules! open {
    ($target:expr, $finish:expr, $outlet:ident => $with:expr) => {
        match $target {
            $crate::narrow::Parts::Narrow(data, region) => {
                let $outlet = $crate::narrow::Outlet::new(data, region, $finish);
                $with
            }
            $crate::narrow::Parts::Wide(data, region) => {
                let $outlet = $crate::narrow::Outlet::new(data, region, $finish);
                $with
            }
        }
    };
}
pub(crate) use open;

impl<'a, F: Format, O: Stored> Outlet<'a, F, O> {
    pub(crate) fn new(data: Shared<'a, O>, region: Region, finish: &Finish<'a, F>) -> Self {
        region.check();
        assert!(data.len() >= region.len(), "{} numbers are too few for {region:?}", data.len());
        finish.check(&region);
        Self { data, region, finish: *finish }
    }

    /// The same with each map as one row.
    pub(crate) fn flat(mut self) -> Self {
        self.region = self.region.flat();
        if let Some(addend) = &mut self.finish.addend {
            addend.region = addend.region.flat();
        }
        self
    }

    /// What is done to a block's numbers, whose sizes are `most` at most.
    #[inline(always)]
    pub(crate) fn apply<V: Vector<Element = f32>>(&self, block: usize, most: f32) -> Apply<V> {
        let channels = LANES.min(self.region.channels - block * LANES);
        let range = block * LANES..block * LANES + channels;
        let scale = lanes(self.finish.scale.map(|scale| &scale[range.clone()]), 1.0);
        let bias = lanes(self.finish.bias.map(|bias| &bias[range.clone()]), 0.0);
        let mut channel = [0.0; LANES];
        channel[..channels].fill(1.0);
        let factor = self.finish.addend.as_ref().map_or(0.0, |addend| addend.factor);
        let mut bounds =
            scale.iter().zip(&bias).map(|(scale, bias)| most * scale.abs() + bias.abs() + 255.0 * factor.abs());
        // NaN is not below.
        let bounded = bounds.all(|bound| bound < LARGE);
        let stored = self.finish.floor.is_none_or(|floor| O::LEAST.is_some_and(|least| floor <= least));
        let bare = bounded && stored && channels == LANES;
        let same = scale == [1.0; LANES] && bias == [0.0; LANES] && self.finish.addend.is_none();
        // SAFETY: sixteen numbers each. Outside of closures, which would not be compiled for the instruction set.
        let [scale, bias, channel] =
            unsafe { [V::load(scale.as_ptr()), V::load(bias.as_ptr()), V::load(channel.as_ptr())] };
        Apply {
            scale,
            bias,
            factor: V::splat(factor),
            floor: V::splat(self.finish.floor.unwrap_or(f32::NAN)),
            bare,
            copies: bare && same && size_of::<F>() == size_of::<O>(),
            valid: if channels < LANES { Some(channel) } else { None },
        }
    }

    /// Sends `count` vectors to the pixels from one on: to neighbours in a row, or where `along_images` to the same pixel
    /// of images one behind the other.
    ///
    /// # Safety
    ///
    /// No two threads may write the same pixels, and `value(i)` must be right to call for each of `count`.
    #[inline(always)]
    pub(crate) unsafe fn write<V: Vector<Element = f32>>(
        &self,
        apply: &Apply<V>,
        [image, block, row, column]: [usize; 4],
        count: usize,
        along_images: bool,
        values: impl Values<V>,
    ) {
        if count == 0 {
            return;
        }
        let step = |region: &Region| if along_images { region.at(1, 0, 0, 0) - region.at(0, 0, 0, 0) } else { LANES };
        let start = self.region.at(image, block, row, column);
        let apart = step(&self.region);
        // SAFETY: the caller vouches that these pixels are this thread's; only a pointer is made of the range.
        let to = unsafe { self.data.pointer(start..start + (count - 1) * apart + LANES) };
        let added = self.finish.addend.as_ref().map(|addend| {
            let (start, apart) = (addend.region.at(image, block, row, column), step(&addend.region));
            (addend.data[start..start + (count - 1) * apart + LANES].as_ptr(), apart)
        });
        // SAFETY: within the ranges checked above.
        unsafe {
            match (added, apply.bare) {
                (Some(added), true) => run::<F, O, V, true, true>(apply, values, count, (to, apart), added),
                (Some(added), false) => run::<F, O, V, true, false>(apply, values, count, (to, apart), added),
                (None, true) => run::<F, O, V, false, true>(apply, values, count, (to, apart), (std::ptr::null(), 0)),
                (None, false) => run::<F, O, V, false, false>(apply, values, count, (to, apart), (std::ptr::null(), 0)),
            }
        }
    }

    /// Where `count` vectors of neighbours in a row go, which are stored as they are: where [`Apply::copies`] says so.
    ///
    /// # Safety
    ///
    /// No two threads may write the same pixels.
    #[inline(always)]
    pub(crate) unsafe fn place(&self, [image, block, row, column]: [usize; 4], count: usize) -> *mut F {
        // Of the numbers that are written only `F` is as long as `F`.
        assert_eq!(size_of::<F>(), size_of::<O>());
        let start = self.region.at(image, block, row, column);
        // SAFETY: the caller vouches that these pixels are this thread's; only a pointer is made of the range.
        unsafe { self.data.pointer(start..start + count * LANES) }.cast()
    }
}

/// Finishes and stores `count` vectors, each so far from the one before.
///
/// # Safety
///
/// `to` must be valid for writing them, and where they are `ADDED`, the other pointer for reading.
#[inline(always)]
unsafe fn run<F: Format, O: Stored, V: Vector<Element = f32>, const ADDED: bool, const BARE: bool>(
    apply: &Apply<V>,
    values: impl Values<V>,
    count: usize,
    (to, apart): (*mut O, usize),
    (added, between): (*const F, usize),
) {
    let mut i = 0;
    // SAFETY: as the caller says.
    unsafe {
        if apart == LANES {
            while i + FOUR <= count {
                let mut four = [V::zero(); FOUR];
                #[allow(clippy::needless_range_loop)]
                for k in 0..FOUR {
                    let added = added.wrapping_add((i + k) * between);
                    four[k] = apply.finish::<F, ADDED, BARE>(values.at(i + k), added);
                }
                O::store_four::<V, BARE>(four, to.add(i * LANES));
                i += FOUR;
            }
        }
        while i < count {
            let value = apply.finish::<F, ADDED, BARE>(values.at(i), added.wrapping_add(i * between));
            O::store(value, to.add(i * apart));
            i += 1;
        }
    }
}

/// The entries of a block's channels, filled up.
fn lanes(entries: Option<&[f32]>, otherwise: f32) -> [f32; LANES] {
    let mut lanes = [otherwise; LANES];
    if let Some(entries) = entries {
        lanes[..entries.len()].copy_from_slice(entries);
    }
    lanes
}

/// Vectors one behind the other. A closure would not be compiled for the instruction set.
pub(crate) trait Values<V> {
    /// Number `i`.
    ///
    /// # Safety
    ///
    /// There must be as many.
    unsafe fn at(&self, i: usize) -> V;
}

impl<V: Vector<Element = f32>> Apply<V> {
    /// # Safety
    ///
    /// Where something is `ADDED`, it must be valid for reading sixteen numbers.
    #[inline(always)]
    unsafe fn finish<F: Format, const ADDED: bool, const BARE: bool>(&self, x: V, added: *const F) -> V {
        let mut x = x.mul(self.scale).add(self.bias);
        if ADDED {
            // SAFETY: as the caller says.
            x = x.add(unsafe { F::load::<V>(added) }.mul(self.factor));
        }
        if BARE {
            return x;
        }
        let x = x.at_least(self.floor);
        match self.valid {
            Some(valid) => x.where_equal(valid, V::splat(1.0)),
            None => x,
        }
    }
}

/// Checks that a kernel's ends have the same images and channels.
pub(crate) fn check_ends(input: &Region, output: &Region) {
    let ends = [[input.batch, input.channels], [output.batch, output.channels]];
    assert_eq!(ends[0], ends[1], "images and channels of {input:?} and {output:?}");
}
