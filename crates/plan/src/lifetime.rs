//! Which stores share memory.
//!
//! Time runs over the forward steps, the loss, and the turns of the backward pass. A store needs memory from its first
//! write to its last read, so does its gradient; two that are never alive together can have the same. A store that is
//! filled again has a second life, maybe elsewhere.

use crate::lower::Lowered;
use crate::passing::{Lodging, Passing};
use crate::schedule::{Schedule, Turn};
use crate::step::Work;

/// The slots of memory a plan needs, in numbers per sample, and who uses which.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Slots {
    pub(crate) lengths: Vec<usize>,
    /// For each store the slot of its numbers.
    pub(crate) data: Vec<usize>,
    /// For each store that is filled again the slot of its numbers from then on.
    pub(crate) again: Vec<Option<usize>>,
    /// For each store the slot of its gradient, if it needs one.
    pub(crate) gradient: Vec<Option<usize>>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    first: usize,
    last: usize,
}

impl Life {
    fn extend(life: &mut Option<Life>, time: usize) {
        let Life { first, last } = life.unwrap_or(Life { first: time, last: time });
        *life = Some(Life { first: first.min(time), last: last.max(time) });
    }
}

/// The lives of each store.
struct Lives {
    data: Vec<Option<Life>>,
    again: Vec<Option<Life>>,
    gradient: Vec<Option<Life>>,
}

/// Shares memory out.
pub(crate) fn slots(lowered: &Lowered, schedule: &Schedule, passing: &Passing) -> Slots {
    let none = || vec![None; lowered.stores.len()];
    let mut lives = Lives { data: none(), again: none(), gradient: none() };
    for (time, step) in lowered.steps.iter().enumerate().filter(|(_, step)| matches!(step.work, Work::Fill(_))) {
        Life::extend(&mut lives.data[step.output.store], time);
        step.inputs.iter().for_each(|input| Life::extend(&mut lives.data[input.store], time));
    }
    let loss = lowered.steps.len();
    for output in &lowered.outputs {
        Life::extend(&mut lives.data[output.store], loss);
        if !schedule.turns.is_empty() && output.trained {
            Life::extend(&mut lives.gradient[output.store], loss);
        }
    }
    for (time, turn) in (loss + 1..).zip(&schedule.turns) {
        let mut used = |store: usize| match schedule.again[store] {
            true => Life::extend(&mut lives.again[store], time),
            false => Life::extend(&mut lives.data[store], time),
        };
        match *turn {
            Turn::Again(step) => {
                let step = &lowered.steps[step];
                used(step.output.store);
                step.inputs.iter().for_each(|input| used(input.store));
            }
            Turn::Back(step) => {
                let step = &lowered.steps[step];
                step.reads_back(lowered).into_iter().for_each(used);
                if matches!(step.work, Work::Map(_)) {
                    continue;
                }
                Life::extend(&mut lives.gradient[step.output.store], time);
                for input in step.inputs.iter().filter(|input| input.trained) {
                    Life::extend(&mut lives.gradient[input.store], time);
                }
            }
        }
    }
    // A gradient that lodges with another is alive in its host's memory.
    for (store, lodging) in passing.lodgings.iter().enumerate() {
        if let Some(Lodging { host, .. }) = lodging
            && let Some(life) = lives.gradient[store].take()
        {
            [life.first, life.last].into_iter().for_each(|time| Life::extend(&mut lives.gradient[*host], time));
        }
    }
    let mut slots = share(lowered, &lives);
    for (store, lodging) in passing.lodgings.iter().enumerate() {
        if let Some(Lodging { host, .. }) = lodging {
            slots.gradient[store] = slots.gradient[*host];
        }
    }
    slots
}

/// Largest first, each into the first slot that is free all its life.
fn share(lowered: &Lowered, lives: &Lives) -> Slots {
    let stores = lowered.stores.len();
    let all = lives.data.iter().chain(&lives.again).chain(&lives.gradient);
    let mut order: Vec<(usize, Life)> = all.enumerate().filter_map(|(i, life)| Some((i, (*life)?))).collect();
    let length = |i: usize| lowered.stores[i % stores].len();
    order.sort_by_key(|(i, life)| (std::cmp::Reverse(length(*i)), life.first, *i));
    let none = || vec![None; stores];
    let mut slots = Slots { lengths: Vec::new(), data: vec![usize::MAX; stores], again: none(), gradient: none() };
    let mut taken: Vec<Vec<Life>> = Vec::new();
    for (i, life) in order {
        let free = |lives: &Vec<Life>| lives.iter().all(|other| other.last < life.first || life.last < other.first);
        let slot = taken.iter().position(free).unwrap_or(taken.len());
        if slot == taken.len() {
            taken.push(Vec::new());
            slots.lengths.push(length(i));
        }
        taken[slot].push(life);
        match i / stores {
            0 => slots.data[i] = slot,
            1 => slots.again[i - stores] = Some(slot),
            _ => slots.gradient[i - 2 * stores] = Some(slot),
        }
    }
    slots
}
