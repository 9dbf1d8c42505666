//! Views written out: copied, added up, put one behind the other. Bound by memory; each number is read and written
//! once.

use crate::element::Element;
use crate::pieces::{At, Fill, Grain, fill};
use crate::simd::{InstructionSet, LANES, Vector};
use crate::sink::Sink;
use crate::view::View;

/// Writes a view to a sink. This is also how a gradient passes through a sum.
///
/// # Panics
///
/// Where the regions differ in shape.
pub fn copy<T: Element>(set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
    sum(set, &[*input], output);
}

/// Writes the sum of some views, added in their order, to a sink; zeros where there are none.
///
/// # Panics
///
/// Where the regions differ in shape.
pub fn sum<T: Element>(set: InstructionSet, inputs: &[View<'_, T>], output: Sink<'_, T>) {
    T::sum(set, inputs, output);
}

pub(crate) fn compute_sum<T: Element>(set: InstructionSet, inputs: &[View<'_, T>], output: Sink<'_, T>) {
    for input in inputs {
        input.check();
        assert!(input.region.same_shape(output.region()));
    }
    fill(set, Grain { cost: inputs.len(), ..Grain::NUMBER }, &Sum { inputs }, output);
}

/// Some channels of a view, and where they go.
#[derive(Clone, Copy, Debug)]
pub struct Channels<'a, T> {
    /// The view.
    pub view: View<'a, T>,
    /// The first of the channels.
    pub from: usize,
    /// The channel of the output it becomes.
    pub to: usize,
    /// How many.
    pub count: usize,
}

/// Writes channels of some views to a sink, and zeros to the channels no view has. The ranges need not begin or end
/// with a block; they must not overlap in the output. What takes a part of its channels back, and what fills channels
/// up with zeros, are calls with one range.
///
/// # Panics
///
/// Where the regions differ in anything but their channels, or a range is not within them.
pub fn gather<T: Element>(set: InstructionSet, inputs: &[Channels<'_, T>], output: Sink<'_, T>) {
    T::gather(set, Ranges::Some(inputs), output);
}

/// Which channels of which views are written.
#[derive(Clone, Copy)]
pub enum Ranges<'a, T> {
    /// These.
    Some(&'a [Channels<'a, T>]),
    /// All of these views', one behind the other.
    All(&'a [View<'a, T>]),
}

impl<'a, T: Element> Ranges<'a, T> {
    fn len(&self) -> usize {
        match self {
            Self::Some(ranges) => ranges.len(),
            Self::All(views) => views.len(),
        }
    }

    /// A range; of views, where the ones before it end at channel `to` of the output.
    #[inline(always)]
    fn at(&self, number: usize, to: usize) -> Channels<'a, T> {
        match self {
            Self::Some(ranges) => ranges[number],
            Self::All(views) => Channels { view: views[number], from: 0, to, count: views[number].region.channels },
        }
    }
}

pub(crate) fn compute_gather<T: Element>(set: InstructionSet, inputs: Ranges<'_, T>, output: Sink<'_, T>) {
    let region = *output.region();
    let mut end = 0;
    for number in 0..inputs.len() {
        let Channels { view, from, to, count } = inputs.at(number, end);
        view.check();
        assert!(within(from, count, view.region.channels) && within(to, count, region.channels));
        assert!(view.region.with_channels(region.channels).same_shape(&region));
        end = to + count;
    }
    fill(set, Grain { cost: 2, ..Grain::NUMBER }, &Gather { inputs }, output);
}

/// Whether so many channels from one on are among so many.
fn within(first: usize, count: usize, channels: usize) -> bool {
    first.checked_add(count).is_some_and(|end| end <= channels)
}

/// Writes views one behind the other, by channels, to a sink.
///
/// # Panics
///
/// Where the regions differ in anything but their channels, or the output has another number of them than all inputs.
pub fn concat<T: Element>(set: InstructionSet, inputs: &[View<'_, T>], output: Sink<'_, T>) {
    let channels: usize = inputs.iter().map(|view| view.region.channels).sum();
    assert_eq!(channels, output.channels());
    T::gather(set, Ranges::All(inputs), output);
}

struct Sum<'a, T> {
    inputs: &'a [View<'a, T>],
}

impl<T: Element> Fill<T> for Sum<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        if self.inputs.len() > 1 { at.pixels.len() * LANES } else { 0 }
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let pixels = at.pixels.len();
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let from = [at.image, at.blocks.start + number, 0, at.pixels.start];
            match self.inputs.first() {
                Some(input) => input.flat().read::<V>(from, pixels, results),
                None => results.fill(T::ZERO),
            }
            for input in self.inputs.iter().skip(1) {
                input.flat().read::<V>(from, pixels, scratch);
                for i in (0..pixels * LANES).step_by(LANES) {
                    // SAFETY: both slices hold the pixels.
                    unsafe {
                        let x = V::load(scratch.as_ptr().add(i));
                        let to = results.as_mut_ptr().add(i);
                        V::load(to).add(x).store(to);
                    }
                }
            }
        }
    }
}

struct Gather<'a, T> {
    inputs: Ranges<'a, T>,
}

impl<T: Element> Fill<T> for Gather<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        // A block's width on either side, for loads that begin in other lanes.
        (at.pixels.len() + 2) * LANES
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let pixels = at.pixels.len();
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            results.fill(T::ZERO);
            let mut end = 0;
            for input in 0..self.inputs.len() {
                let Channels { view, from, to, count } = self.inputs.at(input, end);
                end = to + count;
                // Runs of lanes that are in one block on either side.
                let mut done = 0;
                while done < count {
                    let (from, to) = (from + done, to + done);
                    let lanes = (count - done).min(LANES - from % LANES).min(LANES - to % LANES);
                    done += lanes;
                    if to / LANES != block {
                        continue;
                    }
                    let at_pixel = [at.image, from / LANES, 0, at.pixels.start];
                    if lanes == LANES {
                        view.flat().read::<V>(at_pixel, pixels, results);
                        continue;
                    }
                    view.flat().read::<V>(at_pixel, pixels, &mut scratch[LANES..]);
                    assert!(scratch.len() >= (pixels + 2) * LANES);
                    let start = LANES + from % LANES - to % LANES;
                    let mut mask = [T::ZERO; LANES];
                    mask[to % LANES..][..lanes].fill(T::ONE);
                    // SAFETY: sixteen numbers.
                    let mask = unsafe { V::load(mask.as_ptr()) };
                    for i in (0..pixels * LANES).step_by(LANES) {
                        // SAFETY: less than a block before the pixels or behind them; `results` holds the pixels.
                        unsafe {
                            let x = V::load(scratch.as_ptr().add(start + i)).unless_at_most(mask, V::zero());
                            let to = results.as_mut_ptr().add(i);
                            V::load(to).add(x).store(to);
                        }
                    }
                }
            }
        }
    }
}
