//! Which stores share memory.
//!
//! Time runs over the forward steps, the loss, and the steps backwards. A store needs memory from its first write to its
//! last read, so does its gradient; two that are never alive together can have the same.

use crate::lower::Lowered;
use crate::step::Work;

/// The slots of memory a plan needs, in numbers per sample, and who uses which.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Slots {
    pub(crate) lengths: Vec<usize>,
    /// For each store the slot of its numbers.
    pub(crate) data: Vec<usize>,
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

/// Shares memory out.
pub(crate) fn slots(lowered: &Lowered, training: bool) -> Slots {
    let end = 2 * lowered.steps.len();
    let mut data: Vec<Option<Life>> = vec![None; lowered.stores.len()];
    let mut gradient = data.clone();
    for (time, step) in lowered.steps.iter().enumerate() {
        if matches!(step.work, Work::Map(_)) {
            continue;
        }
        Life::extend(&mut data[step.output.store], time);
        step.inputs.iter().for_each(|input| Life::extend(&mut data[input.store], time));
        if !training || !step.output.trained {
            continue;
        }
        let back = end - time;
        Life::extend(&mut gradient[step.output.store], back);
        if step.reads_output_back() || lowered.stores[step.output.store].normalised {
            Life::extend(&mut data[step.output.store], back);
        }
        for input in &step.inputs {
            if step.reads_inputs_back(&lowered.trained) || (input.trained && input.looks_back()) {
                Life::extend(&mut data[input.store], back);
            }
            if input.trained {
                Life::extend(&mut gradient[input.store], back);
            }
        }
    }
    for output in &lowered.outputs {
        Life::extend(&mut data[output.store], lowered.steps.len());
        if training && output.trained {
            Life::extend(&mut gradient[output.store], lowered.steps.len());
        }
    }
    if !training {
        // What is computed stays readable to the end.
        lowered.outputs.iter().for_each(|output| Life::extend(&mut data[output.store], end));
    }
    share(lowered, &data, &gradient)
}

/// Largest first, each into the first slot that is free all its life.
fn share(lowered: &Lowered, data: &[Option<Life>], gradient: &[Option<Life>]) -> Slots {
    let stores = lowered.stores.len();
    let lives: Vec<(usize, Life)> =
        data.iter().chain(gradient).enumerate().filter_map(|(i, life)| Some((i, (*life)?))).collect();
    let length = |i: usize| lowered.stores[i % stores].len();
    let mut order = lives;
    order.sort_by_key(|(i, life)| (std::cmp::Reverse(length(*i)), life.first, *i));
    let mut slots = Slots { lengths: Vec::new(), data: vec![usize::MAX; stores], gradient: vec![None; stores] };
    let mut taken: Vec<Vec<Life>> = Vec::new();
    for (i, life) in order {
        let free = |lives: &Vec<Life>| lives.iter().all(|other| other.last < life.first || life.last < other.first);
        let slot = taken.iter().position(free).unwrap_or(taken.len());
        if slot == taken.len() {
            taken.push(Vec::new());
            slots.lengths.push(length(i));
        }
        taken[slot].push(life);
        match i < stores {
            true => slots.data[i] = slot,
            false => slots.gradient[i - stores] = Some(slot),
        }
    }
    slots
}
