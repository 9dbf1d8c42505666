//! Values that are not stored: numbers in memory, seen through a scale, a shift and a floor per channel.
//!
//! Batch normalisation and ReLU never write their results. What a convolution wrote stays as it is, and whoever reads
//! it applies `max(scale · x + shift, floor)` on the way. A gradient is read in the same manner: what batch
//! normalisation adds to it, `other_scale · z + shift` with the normalised value `z`, is added where it is read.

use crate::element::Element;
use crate::region::Region;
use crate::simd::{LANES, Multiply, Vector, Whole};

/// Feature maps in blocks, with what is to be done to each number when it is read.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    /// The buffer.
    pub data: &'a [T],
    /// Where in the buffer.
    pub region: Region,
    /// What is done to the numbers.
    pub map: Map<'a, T>,
}

/// What is done to a number of channel `c`; every slice has an entry per channel of [`Region::padded_channels`]. Entries
/// of the channels that fill up the last block must give 0.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Map<'a, T> {
    /// Nothing.
    Identity,
    /// Nothing, but the buffer holds rows of pixels, `(N, C, H, W)`, as pictures come. They are brought into blocks where
    /// they are read; of three channels a block would be mostly zeros.
    Planar,
    /// `max(scale · x + shift, floor)`; a floor of NaN is none.
    Affine {
        /// Factor.
        scale: &'a [T],
        /// Addend.
        shift: &'a [T],
        /// Lower bound.
        floor: &'a [T],
    },
    /// `scale · x + other_scale · other + shift`.
    Mix {
        /// Factor.
        scale: &'a [T],
        /// The buffer of the second operand, placed as the first.
        other: &'a [T],
        /// Where in its buffer the second operand lies.
        other_region: Region,
        /// Factor of the second operand.
        other_scale: &'a [T],
        /// Addend.
        shift: &'a [T],
    },
}

impl<'a, T: Element> View<'a, T> {
    /// The numbers as they are.
    pub fn plain(data: &'a [T], region: Region) -> Self {
        Self { data, region, map: Map::Identity }
    }

    /// Panics where its region is none, or what it mixes is of another shape.
    pub(crate) fn check(&self) {
        self.region.check();
        if let Map::Mix { other_region, .. } = &self.map {
            other_region.check();
            assert!(other_region.same_shape(&self.region), "{other_region:?} is not of the shape of {:?}", self.region);
        }
    }

    /// Panics where a gradient of this region cannot be taken back through it.
    pub(crate) fn check_way_back(&self, region: &Region) {
        assert!(
            matches!(self.map, Map::Identity | Map::Affine { .. }),
            "a gradient goes back through no pictures and no mixed maps"
        );
        assert!(self.region.same_shape(region), "{:?} is not of the shape of the gradient {region:?}", self.region);
        self.region.check();
    }

    /// Height and width.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.region.height, self.region.width]
    }

    /// The same with each map as one row.
    pub(crate) fn flat(mut self) -> Self {
        self.region = self.region.flat();
        if let Map::Mix { other_region, .. } = &mut self.map {
            *other_region = other_region.flat();
        }
        self
    }

    /// Writes `pixels` pixels of a row to `to`, from (`row`, `column`) on, mapped.
    #[inline(always)]
    pub(crate) fn read<V: Vector<Element = T>>(&self, from: [usize; 4], pixels: usize, to: &mut [T]) {
        self.read_every::<V>(from, pixels, [1, 1], to);
    }

    /// Writes `pixels` pixels of a row, every `step[0]`-th from (`row`, `column`) on, mapped, to every `step[1]`-th of
    /// `to`.
    #[inline(always)]
    pub(crate) fn read_every<V: Vector<Element = T>>(
        &self,
        from: [usize; 4],
        pixels: usize,
        steps: [usize; 2],
        to: &mut [T],
    ) {
        self.read_cells::<Whole<V>>(from, pixels, steps, to);
    }

    /// The same as they are multiplied.
    #[inline(always)]
    pub(crate) fn read_cells<M: Multiply<Number = T>>(
        &self,
        [image, block, row, column]: [usize; 4],
        pixels: usize,
        [step, spread]: [usize; 2],
        to: &mut [M::Cell],
    ) {
        if pixels == 0 {
            return;
        }
        let to = &mut to[..((pixels - 1) * spread + 1) * LANES];
        if let Map::Planar = self.map {
            return self.read_planar::<M>([image, block, row, column], pixels, [step, spread], to);
        }
        let length = ((pixels - 1) * step + 1) * LANES;
        let from = &self.data[self.region.at(image, block, row, column)..][..length];
        match self.map {
            Map::Planar => {}
            Map::Identity => {
                for i in (0..pixels * LANES).step_by(LANES) {
                    // SAFETY: `from` holds every `step`-th pixel, `to` every `spread`-th.
                    unsafe { M::store(M::Vector::load(from.as_ptr().add(i * step)), to.as_mut_ptr().add(i * spread)) }
                }
            }
            Map::Affine { scale, shift, floor } => {
                // One by one: a closure would not be compiled for the instruction set.
                let [scale, shift] = [channel::<M::Vector>(scale, block), channel::<M::Vector>(shift, block)];
                let floor = channel::<M::Vector>(floor, block);
                for i in (0..pixels * LANES).step_by(LANES) {
                    // SAFETY: `from` holds every `step`-th pixel, `to` every `spread`-th.
                    unsafe {
                        let x = M::Vector::load(from.as_ptr().add(i * step));
                        M::store(x.mul_add(scale, shift).at_least(floor), to.as_mut_ptr().add(i * spread));
                    }
                }
            }
            Map::Mix { scale, other, other_region, other_scale, shift } => {
                let other = &other[other_region.at(image, block, row, column)..][..length];
                let [scale, other_scale] =
                    [channel::<M::Vector>(scale, block), channel::<M::Vector>(other_scale, block)];
                let shift = channel::<M::Vector>(shift, block);
                for i in (0..pixels * LANES).step_by(LANES) {
                    // SAFETY: `from` and `other` hold every `step`-th pixel, `to` every `spread`-th.
                    unsafe {
                        let x = M::Vector::load(from.as_ptr().add(i * step)).mul_add(scale, shift);
                        let x = M::Vector::load(other.as_ptr().add(i * step)).mul_add(other_scale, x);
                        M::store(x, to.as_mut_ptr().add(i * spread));
                    }
                }
            }
        }
    }
}

impl<T: Element> View<'_, T> {
    #[inline(always)]
    fn read_planar<M: Multiply<Number = T>>(
        &self,
        [image, block, row, column]: [usize; 4],
        pixels: usize,
        [step, spread]: [usize; 2],
        to: &mut [M::Cell],
    ) {
        let Region { channels, width, .. } = self.region;
        for i in 0..pixels {
            // SAFETY: `to` holds every `spread`-th pixel.
            unsafe { M::store(M::Vector::zero(), to.as_mut_ptr().add(i * spread * LANES)) }
        }
        for lane in 0..LANES.min(channels - block * LANES) {
            let plane = (image * channels + block * LANES + lane) * self.region.pixels();
            let from = &self.data[plane + row * width + column..][..(pixels - 1) * step + 1];
            for i in 0..pixels {
                to[i * spread * LANES + lane] = M::cell(from[i * step]);
            }
        }
    }
}

/// The entries of a block's channels.
#[inline(always)]
pub(crate) fn channel<V: Vector>(entries: &[V::Element], block: usize) -> V {
    let entries = &entries[block * LANES..][..LANES];
    // SAFETY: sixteen numbers.
    unsafe { V::load(entries.as_ptr()) }
}
