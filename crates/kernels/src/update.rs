//! Optimisers' steps, in place. Bound by memory: each number is read once and written once.

use crate::buffer::Shared;
use crate::element::Element;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::threads::for_each;

/// Numbers of a task.
const CHUNK: usize = 1 << 14;

/// Gradient descent with momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Factor of a step.
    pub learning_rate: f64,
    /// Share of the velocity kept.
    pub momentum: f64,
    /// Whether a step looks ahead along the velocity.
    pub nesterov: bool,
    /// Share of the weights added to the gradient.
    pub weight_decay: f64,
}

/// Adam with decoupled weight decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Factor of a step.
    pub learning_rate: f64,
    /// Share of the mean kept.
    pub beta1: f64,
    /// Share of the mean square kept.
    pub beta2: f64,
    /// Added to the root.
    pub eps: f64,
    /// Share of the weights lost, times the learning rate.
    pub weight_decay: f64,
    /// Number of this step, from 1 on.
    pub step: i32,
}

/// Gradient descent by the root of a running mean of squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// Factor of a step.
    pub learning_rate: f64,
    /// Share of the mean square kept.
    pub alpha: f64,
    /// Added to the root.
    pub eps: f64,
    /// Share of the velocity kept.
    pub momentum: f64,
    /// Share of the weights added to the gradient.
    pub weight_decay: f64,
}

/// A rule to update weights in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// Its memory is the velocity; none without momentum.
    Sgd(Sgd),
    /// Its memory is the mean gradient and the mean square gradient.
    AdamW(AdamW),
    /// Its memory is the mean square gradient and the velocity; no velocity without momentum.
    RmsProp(RmsProp),
}

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

    pub(crate) fn step_generic<T: Element>(
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
        for_each(length.div_ceil(CHUNK), |task| {
            let range = task * CHUNK..((task + 1) * CHUNK).min(length);
            // SAFETY: the chunks are disjoint.
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

    pub(crate) fn step_part_generic<T: Element>(
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

    /// Which of the two slices of memory the rule needs.
    pub fn needs(&self) -> [bool; 2] {
        match self {
            Self::Sgd(sgd) => [sgd.momentum != 0.0, false],
            Self::AdamW(_) => [true, true],
            Self::RmsProp(rule) => [true, rule.momentum != 0.0],
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
        let rule = Rule::<V>::new(update);
        let needs = update.needs();
        let whole = weights.len() / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            let offsets = [if needs[0] { i } else { 0 }, if needs[1] { i } else { 0 }];
            let memory = [first[offsets[0]..].as_mut_ptr(), second[offsets[1]..].as_mut_ptr()];
            // SAFETY: whole vectors of each slice; memory the rule does not need is not touched.
            unsafe { rule.step(weights.as_mut_ptr().add(i), gradient.as_ptr().add(i), memory) };
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
            unsafe { rule.step(w.as_mut_ptr(), g.as_ptr(), [m.as_mut_ptr(), s.as_mut_ptr()]) };
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

/// A rule with its constants in every lane.
enum Rule<V> {
    Sgd { rate: V, momentum: V, decay: V, moves: bool, nesterov: bool },
    AdamW { rate: V, keep: V, betas: [V; 2], news: [V; 2], corrections: [V; 2], eps: V },
    RmsProp { rate: V, decay: V, alpha: V, new: V, eps: V, momentum: V, moves: bool },
}

impl<V: Vector> Rule<V> {
    #[inline(always)]
    fn new(update: &Update) -> Self {
        match update {
            Update::Sgd(sgd) => Self::Sgd {
                rate: splat(-sgd.learning_rate),
                momentum: splat(sgd.momentum),
                decay: splat(sgd.weight_decay),
                moves: sgd.momentum != 0.0,
                nesterov: sgd.nesterov,
            },
            Update::AdamW(adam) => Self::AdamW {
                rate: splat(-adam.learning_rate),
                keep: splat(1.0 - adam.learning_rate * adam.weight_decay),
                betas: [splat(adam.beta1), splat(adam.beta2)],
                news: [splat(1.0 - adam.beta1), splat(1.0 - adam.beta2)],
                corrections: [
                    splat(1.0 / (1.0 - adam.beta1.powi(adam.step))),
                    splat(1.0 / (1.0 - adam.beta2.powi(adam.step))),
                ],
                eps: splat(adam.eps),
            },
            Update::RmsProp(rule) => Self::RmsProp {
                rate: splat(-rule.learning_rate),
                decay: splat(rule.weight_decay),
                alpha: splat(rule.alpha),
                new: splat(1.0 - rule.alpha),
                eps: splat(rule.eps),
                momentum: splat(rule.momentum),
                moves: rule.momentum != 0.0,
            },
        }
    }

    /// # Safety
    ///
    /// Each pointer must be valid for [`LANES`] numbers; those to memory the rule does not need may be anything.
    #[inline(always)]
    unsafe fn step(&self, weights: *mut V::Element, gradient: *const V::Element, memory: [*mut V::Element; 2]) {
        // SAFETY: as the caller says.
        let (w, g) = unsafe { (V::load(weights), V::load(gradient)) };
        let new = match self {
            Self::Sgd { rate, momentum, decay, moves, nesterov } => {
                let g = w.mul_add(*decay, g);
                let mut step = g;
                if *moves {
                    // SAFETY: as the caller says.
                    let velocity = unsafe { V::load(memory[0]) }.mul_add(*momentum, g);
                    // SAFETY: as the caller says.
                    unsafe { velocity.store(memory[0]) };
                    step = if *nesterov { velocity.mul_add(*momentum, g) } else { velocity };
                }
                step.mul_add(*rate, w)
            }
            Self::AdamW { rate, keep, betas, news, corrections, eps } => {
                // SAFETY: as the caller says.
                let (mean, square) = unsafe { (V::load(memory[0]), V::load(memory[1])) };
                let mean = mean.mul_add(betas[0], g.mul(news[0]));
                let square = square.mul_add(betas[1], g.mul(g).mul(news[1]));
                // SAFETY: as the caller says.
                unsafe {
                    mean.store(memory[0]);
                    square.store(memory[1]);
                }
                let root = square.mul(corrections[1]).sqrt().add(*eps);
                mean.mul(corrections[0]).div(root).mul_add(*rate, w.mul(*keep))
            }
            Self::RmsProp { rate, decay, alpha, new, eps, momentum, moves } => {
                let g = w.mul_add(*decay, g);
                // SAFETY: as the caller says.
                let square = unsafe { V::load(memory[0]) }.mul_add(*alpha, g.mul(g).mul(*new));
                // SAFETY: as the caller says.
                unsafe { square.store(memory[0]) };
                let mut step = g.div(square.sqrt().add(*eps));
                if *moves {
                    // SAFETY: as the caller says.
                    step = unsafe { V::load(memory[1]) }.mul_add(*momentum, step);
                    // SAFETY: as the caller says.
                    unsafe { step.store(memory[1]) };
                }
                step.mul_add(*rate, w)
            }
        };
        // SAFETY: as the caller says.
        unsafe { new.store(weights) };
    }
}

/// A constant in every lane.
#[inline(always)]
fn splat<V: Vector>(x: f64) -> V {
    V::splat(V::Element::from_f64(x))
}
