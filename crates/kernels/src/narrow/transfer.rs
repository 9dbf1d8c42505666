//! Maps from one format to another, at another scale, with a sum or a floor: a kernel of nothing but its ends.

#![allow(clippy::needless_range_loop)]

use super::finish::{Values, check_ends, open};
use super::format::FOUR;
use super::{Finish, Format, Outlet, Parts, Source, Stored, Target};
use crate::region::Region;
use crate::simd::{Dot, DotKernel, InstructionSet, LANES, Vector};
use crate::threads::for_each;
use crate::view::{Map, View};
use std::marker::PhantomData;

/// Pixels of a task, about.
const PIXELS: usize = 256;
/// Pixels that go through the first-level cache at once.
const CHUNK: usize = 16;

/// Maps to transfer.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a, F> {
    /// Narrow ones.
    Narrow(Source<'a, F>),
    /// `f32`, pictures in rows of pixels included.
    Wide(View<'a, f32>),
}

/// Writes maps to another place: in another format, at another scale, or together with others.
///
/// # Panics
///
/// Where the shapes do not fit.
pub fn transfer<F: Format>(set: InstructionSet, from: Origin<'_, F>, target: Target<'_, F>, finish: &Finish<'_, F>) {
    F::transfer_maps(set, from, target, finish);
}

pub(super) fn compute_transfer<F: Format>(
    set: InstructionSet,
    from: Origin<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
) {
    let region = match &from {
        Origin::Narrow(source) => {
            source.check();
            source.region
        }
        Origin::Wide(view) => {
            view.region.check();
            let planar = matches!(view.map, Map::Planar);
            let length = if planar {
                view.region.batch * view.region.channels * view.region.pixels()
            } else {
                view.region.len()
            };
            assert!(view.data.len() >= length, "too few numbers for {:?}", view.region);
            view.region
        }
    };
    let to = target.region();
    check_ends(&region, &to);
    assert_eq!([region.height, region.width], [to.height, to.width], "sizes of {region:?} and {to:?}");
    let target = Parts::from(target);
    for_each(tasks(&to), |number| task(set, from, target, finish, number));
}

/// Tasks of a transfer to maps like these.
pub(crate) fn tasks(to: &Region) -> usize {
    to.batch * to.blocks() * to.pixels().div_ceil(PIXELS)
}

/// One of them. The shapes must fit each other.
pub(crate) fn task<F: Format>(
    set: InstructionSet,
    from: Origin<'_, F>,
    target: Parts<'_, F>,
    finish: &Finish<'_, F>,
    number: usize,
) {
    let from = match from {
        Origin::Narrow(source) => Origin::Narrow(Source { region: source.region.flat(), ..source }),
        Origin::Wide(view) => Origin::Wide(view.flat()),
    };
    open!(target, finish, outlet => {
        let outlet = outlet.flat();
        let (blocks, parts) = (outlet.region.blocks(), outlet.region.width.div_ceil(PIXELS));
        let (plane, part) = (number / parts, number % parts);
        let at = [plane / blocks, plane % blocks, part * PIXELS];
        F::dispatch(set, Piece { from: &from, outlet: &outlet, at });
    });
}

/// Some pixels of a block of an image.
struct Piece<'a, F, O> {
    from: &'a Origin<'a, F>,
    outlet: &'a Outlet<'a, F, O>,
    at: [usize; 3],
}

impl<F: Format, O: Stored> DotKernel<F> for Piece<'_, F, O> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        let [image, block, first] = self.at;
        let apply = self.outlet.apply::<V>(block, f32::INFINITY);
        let end = (first + PIXELS).min(self.outlet.region.width);
        let mut numbers = [0.0; CHUNK * LANES];
        for start in (first..end).step_by(CHUNK) {
            let count = CHUNK.min(end - start);
            match self.from {
                Origin::Wide(view) => view.read::<V>([image, block, 0, start], count, &mut numbers),
                Origin::Narrow(source) => {
                    let reader = Reader::<F, V>::new(source, block);
                    let from = &source.data[source.region.at(image, block, 0, start)..][..count * LANES];
                    for i in (0..count * LANES).step_by(LANES) {
                        let read = reader.at(&from[i..i + LANES]);
                        // SAFETY: sixteen numbers.
                        unsafe { read.store(numbers[i..i + LANES].as_mut_ptr()) }
                    }
                }
            }
            // SAFETY: each task has pixels of its own, and there are `count` vectors.
            unsafe { self.outlet.write(&apply, [image, block, 0, start], count, false, InMemory(numbers.as_ptr())) };
        }
    }
}

/// Vectors of `f32` one behind the other.
struct InMemory(*const f32);

impl<V: Vector<Element = f32>> Values<V> for InMemory {
    #[inline(always)]
    unsafe fn at(&self, i: usize) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load(self.0.add(i * LANES)) }
    }
}

/// Reads the numbers of a block of a source, mapped.
pub(crate) struct Reader<F, V> {
    map: Option<[V; 3]>,
    numbers: PhantomData<F>,
}

impl<F: Format, V: Vector<Element = f32>> Reader<F, V> {
    #[inline(always)]
    pub(crate) fn new(source: &Source<'_, F>, block: usize) -> Self {
        let mut entries = None;
        if let Some(map) = &source.map {
            let range = block * LANES..(block + 1) * LANES;
            // SAFETY: sixteen numbers each.
            let [scale, shift] =
                unsafe { [V::load(map.scale[range.clone()].as_ptr()), V::load(map.shift[range].as_ptr())] };
            entries = Some([scale, shift, V::splat(map.floor)]);
        }
        Self { map: entries, numbers: PhantomData }
    }

    /// Sixteen numbers as `f32`.
    #[inline(always)]
    pub(crate) fn at(&self, from: &[F]) -> V {
        let mut numbers = [F::default(); LANES];
        match self.map {
            // SAFETY: a slice is as long as its parts.
            None => unsafe { F::load(from[..LANES].as_ptr()) },
            // SAFETY: as above.
            Some(_) => unsafe {
                self.narrow(from, &mut numbers);
                F::load(numbers.as_ptr())
            },
        }
    }

    /// Pixels of sixteen numbers, one behind the other, in their own format.
    #[inline(always)]
    pub(crate) fn narrow_all(&self, from: &[F], to: &mut [F]) {
        assert_eq!(from.len(), to.len());
        let Some([scale, shift, floor]) = self.map else { return to.copy_from_slice(from) };
        let four = FOUR * LANES;
        let whole = from.len() / four * four;
        for i in (0..whole).step_by(four) {
            let mut vectors = [V::zero(); FOUR];
            for k in 0..FOUR {
                // SAFETY: four times sixteen numbers each.
                vectors[k] = unsafe { F::load::<V>(from.as_ptr().add(i + k * LANES)) };
                vectors[k] = vectors[k].mul(scale).add(shift).at_least(floor);
            }
            // SAFETY: as above.
            unsafe { F::store_four::<V, false>(vectors, to.as_mut_ptr().add(i)) }
        }
        let mut numbers = [F::default(); LANES];
        for i in (whole..from.len()).step_by(LANES) {
            self.narrow(&from[i..], &mut numbers);
            to[i..i + LANES].copy_from_slice(&numbers);
        }
    }

    /// Sixteen numbers in their own format.
    #[inline(always)]
    pub(crate) fn narrow(&self, from: &[F], to: &mut [F; LANES]) {
        match self.map {
            None => to.copy_from_slice(&from[..LANES]),
            // SAFETY: sixteen numbers each.
            Some([scale, shift, floor]) => unsafe {
                let x: V = F::load(from[..LANES].as_ptr());
                F::store(x.mul(scale).add(shift).at_least(floor), to.as_mut_ptr());
            },
        }
    }
}
