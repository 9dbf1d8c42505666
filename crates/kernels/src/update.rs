//! Optimisers' steps, in place. Bound by memory: each number is read once and written once.

use crate::buffer::Shared;
use crate::element::Element;
pub use crate::optimiser::{AdamW, RmsProp, Sgd, Update};
use crate::rule::{Arithmetic, Rule};
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::threads::for_each_range;

impl Update {
    /// One step along `gradient`, on all threads. What the rule remembers starts as zeros, which is the same as
    /// starting with the first gradient; slices it does not need may be empty.
    ///
    /// # Panics
    ///
    /// Where lengths differ.
    pub fn step<T: Element>(&self, set: InstructionSet, weights: &mut [T], gradient: &[T], memory: [&mut [T]; 2]) {
        T::update_step(self, set, weights, gradient, memory);
    }

    pub(crate) fn compute_step<T: Element>(
        &self,
        set: InstructionSet,
        weights: &mut [T],
        gradient: &[T],
        memory: [&mut [T]; 2],
    ) {
        self.check(weights.len(), gradient.len(), &memory);
        let length = weights.len();
        let weights = Shared::new(weights);
        let memory = memory.map(|memory| (memory.len(), Shared::new(memory)));
        for_each_range(length, |range| {
            // SAFETY: the ranges are disjoint.
            let weights = unsafe { weights.part(range.clone()) };
            let memory = memory.map(|(held, memory)| {
                let range = if held == 0 { 0..0 } else { range.clone() };
                // SAFETY: as above.
                unsafe { memory.part(range) }
            });
            self.step_part(set, weights, &gradient[range], memory);
        });
    }

    /// The same for a part, on this thread alone.
    ///
    /// # Panics
    ///
    /// Where lengths differ.
    pub fn step_part<T: Element>(&self, set: InstructionSet, weights: &mut [T], gradient: &[T], memory: [&mut [T]; 2]) {
        T::update_step_part(self, set, weights, gradient, memory);
    }

    pub(crate) fn compute_step_part<T: Element>(
        &self,
        set: InstructionSet,
        weights: &mut [T],
        gradient: &[T],
        memory: [&mut [T]; 2],
    ) {
        self.check(weights.len(), gradient.len(), &memory);
        let [first, second] = memory;
        dispatch(set, Step { update: self, weights, gradient, first, second });
    }

    fn check<T>(&self, weights: usize, gradient: usize, memory: &[&mut [T]; 2]) {
        assert_eq!(gradient, weights);
        for (memory, needed) in memory.iter().zip(self.needs()) {
            assert!(memory.len() == weights || !needed && memory.is_empty(), "{} of {weights}", memory.len());
        }
    }
}

struct Step<'a, T> {
    update: &'a Update,
    weights: &'a mut [T],
    gradient: &'a [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

impl<T: Element> Kernel<T> for Step<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { update, weights, gradient, first, second } = self;
        let rule = Rule::<Lanes<V>>::new(update);
        let needs = update.needs();
        let whole = weights.len() / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            let offsets = [if needs[0] { i } else { 0 }, if needs[1] { i } else { 0 }];
            let memory = [first[offsets[0]..].as_mut_ptr(), second[offsets[1]..].as_mut_ptr()];
            // SAFETY: whole vectors of each slice; memory the rule does not need is not touched.
            unsafe { step(&rule, needs, weights.as_mut_ptr().add(i), gradient.as_ptr().add(i), memory) };
        }
        if whole < weights.len() {
            // The rest goes through vectors filled up with zeros.
            let rest = weights.len() - whole;
            let mut lanes = [[T::ZERO; LANES]; 4];
            lanes[0][..rest].copy_from_slice(&weights[whole..]);
            lanes[1][..rest].copy_from_slice(&gradient[whole..]);
            if needs[0] {
                lanes[2][..rest].copy_from_slice(&first[whole..]);
            }
            if needs[1] {
                lanes[3][..rest].copy_from_slice(&second[whole..]);
            }
            let [w, g, m, s] = &mut lanes;
            // SAFETY: sixteen numbers each.
            unsafe { step(&rule, needs, w.as_mut_ptr(), g.as_ptr(), [m.as_mut_ptr(), s.as_mut_ptr()]) };
            weights[whole..].copy_from_slice(&w[..rest]);
            if needs[0] {
                first[whole..].copy_from_slice(&m[..rest]);
            }
            if needs[1] {
                second[whole..].copy_from_slice(&s[..rest]);
            }
        }
    }
}

/// Vectors with a rule's arithmetic.
#[derive(Clone, Copy)]
struct Lanes<V>(V);

impl<V: Vector> Arithmetic for Lanes<V> {
    type Constant = V;

    #[inline(always)]
    fn constant(x: f64) -> V {
        V::splat(V::Element::from_f64(x))
    }
    #[inline(always)]
    fn times(&self, factor: V) -> Self {
        Self(self.0.mul(factor))
    }
    #[inline(always)]
    fn times_add(&self, factor: V, addend: &Self) -> Self {
        Self(self.0.mul_add(factor, addend.0))
    }
    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        Self(self.0.mul(other.0))
    }
    #[inline(always)]
    fn quotient(&self, other: &Self) -> Self {
        Self(self.0.div(other.0))
    }
    #[inline(always)]
    fn root_plus(&self, addend: V) -> Self {
        Self(self.0.sqrt().add(addend))
    }
}

/// One step of sixteen weights.
///
/// # Safety
///
/// Each pointer must be valid for [`LANES`] numbers; those to memory that `needs` does not ask for may be anything.
#[inline(always)]
unsafe fn step<V: Vector>(
    rule: &Rule<Lanes<V>>,
    needs: [bool; 2],
    weights: *mut V::Element,
    gradient: *const V::Element,
    memory: [*mut V::Element; 2],
) {
    // SAFETY: as the caller says.
    let (w, g) = unsafe { (Lanes(V::load(weights)), Lanes(V::load(gradient))) };
    let mut held = [None, None];
    for i in 0..2 {
        if needs[i] {
            // SAFETY: as the caller says.
            held[i] = Some(Lanes(unsafe { V::load(memory[i]) }));
        }
    }
    let (new, held) = rule.step(&w, &g, held);
    for i in 0..2 {
        if let Some(held) = held[i] {
            // SAFETY: what the rule remembers, it asked for.
            unsafe { held.0.store(memory[i]) };
        }
    }
    // SAFETY: as the caller says.
    unsafe { new.0.store(weights) };
}
