//! Which stores share memory.
//!
//! Time runs over the forward stages, the loss, and the turns of the backward pass. A store needs memory from its first
//! write to its last read, so does its gradient; two that are never alive together can have the same. A store that is
//! filled again has a second life, possibly in another buffer.

use super::lower::Lowered;
use super::passing::{Passing, Sharing};
use super::schedule::{Schedule, Turn};
use super::stage::Work;
use std::ops::Range;

/// A place in memory, in numbers per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) buffer: usize,
    /// Numbers before it in the buffer.
    pub(crate) offset: usize,
}

/// The buffers a plan needs, in numbers per sample, and where in them everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Slots {
    pub(crate) lengths: Vec<usize>,
    /// For each store the slot of its numbers.
    pub(crate) data: Vec<Slot>,
    /// For each store that is filled again the slot of its numbers from then on.
    pub(crate) again: Vec<Option<Slot>>,
    /// For each store the slot of its gradient, if it needs one.
    pub(crate) gradient: Vec<Option<Slot>>,
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

/// The lives of each store: of its numbers, of its numbers filled again, of its gradient. Together they are counted one
/// list behind the other.
struct Lives {
    data: Vec<Option<Life>>,
    again: Vec<Option<Life>>,
    gradient: Vec<Option<Life>>,
    /// What is read while something is written, by what is written: they lie in different buffers.
    apart: Vec<Vec<usize>>,
}

impl Lives {
    fn keep_apart(&mut self, written: usize, read: impl IntoIterator<Item = usize>) {
        for read in read {
            self.apart[written].push(read);
            self.apart[read].push(written);
        }
    }
}

/// Shares memory out.
pub(crate) fn slots(lowered: &Lowered, schedule: &Schedule, passing: &Passing) -> Slots {
    let count = lowered.stores.len();
    let none = || vec![None; count];
    let mut lives = Lives { data: none(), again: none(), gradient: none(), apart: vec![Vec::new(); 3 * count] };
    // A gradient that shares another one's memory is in its owner's memory.
    let gradient = |store: usize| passing.sharings[store].map_or(store, |Sharing { owner, .. }| owner);
    for (time, stage) in lowered.stages.iter().enumerate().filter(|(_, stage)| matches!(stage.work, Work::Fill(_))) {
        Life::extend(&mut lives.data[stage.output.store], time);
        stage.inputs.iter().for_each(|input| Life::extend(&mut lives.data[input.store], time));
        lives.keep_apart(stage.output.store, stage.inputs.iter().map(|input| input.store));
    }
    let loss = lowered.stages.len();
    for output in &lowered.outputs {
        Life::extend(&mut lives.data[output.store], loss);
        if !schedule.turns.is_empty() && output.trained {
            Life::extend(&mut lives.gradient[gradient(output.store)], loss);
            lives.keep_apart(2 * count + gradient(output.store), [output.store]);
        }
    }
    for (time, turn) in (loss + 1..).zip(&schedule.turns) {
        let now = |store: usize| if schedule.again[store] { count + store } else { store };
        let mut used = |store: usize| match schedule.again[store] {
            true => Life::extend(&mut lives.again[store], time),
            false => Life::extend(&mut lives.data[store], time),
        };
        match *turn {
            Turn::Again(stage) => {
                let stage = &lowered.stages[stage];
                used(stage.output.store);
                stage.inputs.iter().for_each(|input| used(input.store));
                lives.keep_apart(now(stage.output.store), stage.inputs.iter().map(|input| now(input.store)));
            }
            Turn::Back(stage) => {
                let stage = &lowered.stages[stage];
                let numbers = stage.reads_back(lowered);
                numbers.iter().for_each(|store| used(*store));
                if matches!(stage.work, Work::Map(_)) {
                    continue;
                }
                let own = gradient(stage.output.store);
                Life::extend(&mut lives.gradient[own], time);
                for input in stage.inputs.iter().filter(|input| input.trained) {
                    let to = gradient(input.store);
                    Life::extend(&mut lives.gradient[to], time);
                    let read = numbers.iter().map(|store| now(*store));
                    lives.keep_apart(2 * count + to, read.chain((to != own).then_some(2 * count + own)));
                }
            }
        }
    }
    let mut slots = share(lowered, &lives);
    for store in 0..count {
        slots.gradient[store] = slots.gradient[gradient(store)];
    }
    slots
}

/// Largest first, each into the first buffer that has room for all its life and holds nothing that must lie apart.
fn share(lowered: &Lowered, lives: &Lives) -> Slots {
    /// Who has which numbers of a buffer, and when.
    struct Tenant {
        number: usize,
        life: Life,
        numbers: Range<usize>,
    }
    let stores = lowered.stores.len();
    let all = lives.data.iter().chain(&lives.again).chain(&lives.gradient);
    let mut order: Vec<(usize, Life)> = all.enumerate().filter_map(|(i, life)| Some((i, (*life)?))).collect();
    let length = |i: usize| lowered.stores[i % stores].len();
    order.sort_by_key(|(i, life)| (std::cmp::Reverse(length(*i)), life.first, *i));
    let none = || vec![None; stores];
    let mut slots = Slots { lengths: Vec::new(), data: vec![Slot::default(); stores], again: none(), gradient: none() };
    let mut buffers: Vec<Vec<Tenant>> = Vec::new();
    for (number, life) in order {
        let apart = &lives.apart[number];
        let room = |(buffer, tenants): (usize, &Vec<Tenant>)| {
            let together = |tenant: &&Tenant| tenant.life.first <= life.last && life.first <= tenant.life.last;
            let mut taken: Vec<&Tenant> = tenants.iter().filter(together).collect();
            if taken.iter().any(|tenant| apart.contains(&tenant.number)) {
                return None;
            }
            taken.sort_by_key(|tenant| tenant.numbers.start);
            let mut offset = 0;
            for tenant in taken {
                if offset + length(number) <= tenant.numbers.start {
                    break;
                }
                offset = offset.max(tenant.numbers.end);
            }
            (offset + length(number) <= slots.lengths[buffer]).then_some(Slot { buffer, offset })
        };
        let slot = buffers.iter().enumerate().find_map(room).unwrap_or(Slot { buffer: buffers.len(), offset: 0 });
        if slot.buffer == buffers.len() {
            buffers.push(Vec::new());
            slots.lengths.push(length(number));
        }
        let numbers = slot.offset..slot.offset + length(number);
        buffers[slot.buffer].push(Tenant { number, life, numbers });
        match number / stores {
            0 => slots.data[number] = slot,
            1 => slots.again[number - stores] = Some(slot),
            _ => slots.gradient[number - 2 * stores] = Some(slot),
        }
    }
    slots
}
