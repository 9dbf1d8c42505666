//! Optimisers' rules, each written once, for whatever has their arithmetic: vectors of a kernel, tensors of a framework.

use crate::optimiser::{AdamW, RmsProp, Sgd, Update};

/// What a rule computes with: numbers of one tensor, and constants.
pub trait Arithmetic: Clone {
    /// A constant, ready to be used.
    type Constant: Copy;

    /// A constant of this value.
    fn constant(x: f64) -> Self::Constant;
    /// `self · factor`.
    #[must_use]
    fn times(&self, factor: Self::Constant) -> Self;
    /// `self · factor + addend`.
    #[must_use]
    fn times_add(&self, factor: Self::Constant, addend: &Self) -> Self;
    /// `self · other`, number by number.
    #[must_use]
    fn product(&self, other: &Self) -> Self;
    /// `self / other`, number by number.
    #[must_use]
    fn quotient(&self, other: &Self) -> Self;
    /// `√self + addend`.
    #[must_use]
    fn root_plus(&self, addend: Self::Constant) -> Self;
}

impl Arithmetic for f32 {
    type Constant = f32;

    fn constant(x: f64) -> f32 {
        x as f32
    }
    fn times(&self, factor: f32) -> f32 {
        self * factor
    }
    fn times_add(&self, factor: f32, addend: &f32) -> f32 {
        self * factor + addend
    }
    fn product(&self, other: &f32) -> f32 {
        self * other
    }
    fn quotient(&self, other: &f32) -> f32 {
        self / other
    }
    fn root_plus(&self, addend: f32) -> f32 {
        self.sqrt() + addend
    }
}

/// A rule with its constants.
#[derive(Clone, Copy, Debug)]
pub struct Rule<A: Arithmetic>(Kind<A::Constant>);

#[derive(Clone, Copy, Debug)]
enum Kind<C> {
    Sgd { rate: C, decay: Option<C>, momentum: C, nesterov: bool },
    AdamW { rate: C, keep: C, betas: [C; 2], news: [C; 2], corrections: [C; 2], eps: C },
    RmsProp { rate: C, decay: Option<C>, alpha: C, new: C, eps: C, momentum: C },
}

impl<A: Arithmetic> Rule<A> {
    /// The rule of an update.
    #[inline(always)]
    pub fn new(update: &Update) -> Self {
        // No closures here: they would not be compiled for the instruction set.
        let decay = match *update {
            Update::Sgd(Sgd { weight_decay, .. }) | Update::RmsProp(RmsProp { weight_decay, .. })
                if weight_decay != 0.0 =>
            {
                Some(A::constant(weight_decay))
            }
            _ => None,
        };
        Self(match *update {
            Update::Sgd(Sgd { learning_rate, momentum, nesterov, .. }) => {
                Kind::Sgd { rate: A::constant(-learning_rate), decay, momentum: A::constant(momentum), nesterov }
            }
            Update::AdamW(AdamW { learning_rate, beta1, beta2, eps, weight_decay, step }) => Kind::AdamW {
                rate: A::constant(-learning_rate),
                keep: A::constant(1.0 - learning_rate * weight_decay),
                betas: [A::constant(beta1), A::constant(beta2)],
                news: [A::constant(1.0 - beta1), A::constant(1.0 - beta2)],
                corrections: [A::constant(1.0 / (1.0 - beta1.powi(step))), A::constant(1.0 / (1.0 - beta2.powi(step)))],
                eps: A::constant(eps),
            },
            Update::RmsProp(RmsProp { learning_rate, alpha, eps, momentum, .. }) => Kind::RmsProp {
                rate: A::constant(-learning_rate),
                decay,
                alpha: A::constant(alpha),
                new: A::constant(1.0 - alpha),
                eps: A::constant(eps),
                momentum: A::constant(momentum),
            },
        })
    }

    /// The weights `w` after a step along their gradient `g`, and what is remembered then. `memory` is what was
    /// remembered, zeros before the first step, where [`Update::needs`] says that it is needed.
    ///
    /// # Panics
    ///
    /// Where memory is missing that the rule needs.
    #[inline(always)]
    pub fn step(&self, w: &A, g: &A, memory: [Option<A>; 2]) -> (A, [Option<A>; 2]) {
        match self.0 {
            Kind::Sgd { rate, decay, momentum, nesterov } => {
                let g = pulled(w, g, decay);
                match memory {
                    [Some(velocity), _] => {
                        let velocity = velocity.times_add(momentum, &g);
                        let step = if nesterov { velocity.times_add(momentum, &g) } else { velocity.clone() };
                        (step.times_add(rate, w), [Some(velocity), None])
                    }
                    [None, _] => (g.times_add(rate, w), [None, None]),
                }
            }
            Kind::AdamW { rate, keep, betas, news, corrections, eps } => {
                let [Some(mean), Some(square)] = memory else { panic!("AdamW remembers a mean and a mean square") };
                let mean = mean.times_add(betas[0], &g.times(news[0]));
                let square = square.times_add(betas[1], &g.product(g).times(news[1]));
                let root = square.times(corrections[1]).root_plus(eps);
                let step = mean.times(corrections[0]).quotient(&root);
                (step.times_add(rate, &w.times(keep)), [Some(mean), Some(square)])
            }
            Kind::RmsProp { rate, decay, alpha, new, eps, momentum } => {
                let g = pulled(w, g, decay);
                let [Some(square), velocity] = memory else { panic!("RMSprop remembers a mean square") };
                let square = square.times_add(alpha, &g.product(&g).times(new));
                let step = g.quotient(&square.root_plus(eps));
                match velocity {
                    Some(velocity) => {
                        let velocity = velocity.times_add(momentum, &step);
                        (velocity.times_add(rate, w), [Some(square), Some(velocity)])
                    }
                    None => (step.times_add(rate, w), [Some(square), None]),
                }
            }
        }
    }
}

/// A gradient with a share of the weights.
#[inline(always)]
fn pulled<A: Arithmetic>(w: &A, g: &A, decay: Option<A::Constant>) -> A {
    match decay {
        Some(decay) => w.times_add(decay, g),
        None => g.clone(),
    }
}

/// A moving average after another value: `stays` of it, the rest of the value.
#[inline(always)]
pub fn average<A: Arithmetic>(average: &A, value: &A, stays: f64) -> A {
    average.times_add(A::constant(stays), &value.times(A::constant(1.0 - stays)))
}
