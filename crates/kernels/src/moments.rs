//! Mean, variance and sum of each channel of maps, where no sink has taken them. Bound by memory.

use crate::element::Element;
use crate::pieces::{Cut, Grain};
use crate::scratch::with_scratch;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::sink::{Moments, Open};
use crate::threads::for_each;
use crate::view::View;

/// The sum of each channel: the gradient of a bias.
pub fn channel_sums<T: Element>(set: InstructionSet, view: &View<'_, T>) -> Vec<f64> {
    let pixels = view.region.batch * view.region.pixels();
    match pixels {
        0 => vec![0.0; view.region.channels],
        _ => moments(set, view).mean.iter().map(|mean| mean * pixels as f64).collect(),
    }
}

/// Mean and variance of each channel; NaN where there are no pixels.
pub fn moments<T: Element>(set: InstructionSet, view: &View<'_, T>) -> Moments {
    T::moments(set, view)
}

pub(crate) fn compute_moments<T: Element>(set: InstructionSet, view: &View<'_, T>) -> Moments {
    view.check();
    let cut = Cut::new(&view.region, Grain::NUMBER);
    let view = view.flat();
    let mut moments = Moments::default();
    let open = Open::measure(view.region, cut.parts(), &mut moments);
    for_each(cut.tasks(), |task| {
        let (part, at) = cut.task(task);
        with_scratch(at.pixels.len() * LANES, |scratch| {
            for block in at.blocks.clone() {
                let from = [at.image, block, 0, at.pixels.start];
                dispatch(set, Measure { view: &view, open: &open, part, from, scratch: &mut *scratch });
            }
        });
    });
    open.close(|part| cut.part_pixels(part));
    moments
}

/// Measures some pixels of a block.
struct Measure<'a, 'b, T> {
    view: &'a View<'a, T>,
    open: &'a Open<'b, T>,
    part: usize,
    from: [usize; 4],
    scratch: &'a mut [T],
}

impl<T: Element> Kernel<T> for Measure<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        self.view.read::<V>(self.from, self.scratch.len() / LANES, self.scratch);
        let tally = self.open.moments_of::<V>(self.scratch);
        // SAFETY: part and block are this task's.
        unsafe { self.open.leave(self.part, self.from[1], tally) };
    }
}
