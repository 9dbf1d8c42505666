//! How gradients pass a sum: each term gets the sum's own gradient, so it need not be copied.
//!
//! A term that nothing else reads has no other gradient than the sum's: its store's gradient *is* the sum's, times the
//! scale of its map, and both share memory. A term that others read too, such as the input of a residual block, gets the
//! sum's gradient first and theirs later: it takes over the sum's memory, and theirs are added there. When the last of
//! them has arrived, the floor is applied to all of it, and its sums per channel are taken.
//!
//! So the gradient of a chain of identity shortcuts stays in one place from its end to its beginning.
//!
//! The gradient of a bias is the sum of the gradient of what its layer filled. Where that comes from one place, it is summed up
//! as it arrives, and not read again.

use super::lower::Lowered;
use super::schedule::{Schedule, Turn};
use super::stage::Work;
use super::value::Value;
use crate::operation::Operation;
use std::collections::BTreeMap;

/// What a stage does with the gradient of one of its inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is brought through the input's map and written, or added to what others wrote.
    #[default]
    Through,
    /// It shares the memory of the sum's gradient; only its sums per channel are taken.
    Shared,
    /// It takes over the memory of the sum's gradient; others will be added.
    Begun,
    /// It is added as it is.
    Added,
    /// It is added, and all that is there then is brought through the input's map.
    Finished,
}

/// Whose memory the gradient of a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// The store whose gradient lies there.
    pub(crate) owner: usize,
    /// The map whose scale the gradient there is still to be multiplied by.
    pub(crate) scale: Option<usize>,
    /// Whether others add to it.
    grows: bool,
}

/// How all gradients pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Passing {
    /// By stage and input; what is not there passes [`Way::Through`].
    passes: BTreeMap<(usize, usize), Way>,
    /// For each store.
    pub(crate) sharings: Vec<Option<Sharing>>,
    /// By stage and input, the stages whose bias gets the sum of the gradient that arrives there.
    biases: BTreeMap<(usize, usize), Vec<usize>>,
}

/// One of the gradients a store gets.
#[derive(Clone, Copy)]
struct Sent {
    time: usize,
    stage: usize,
    input: usize,
}

impl Passing {
    /// Settles how gradients pass in a backward pass.
    pub(crate) fn new(lowered: &Lowered, schedule: &Schedule) -> Self {
        let stores = lowered.stores.len();
        let mut arrivals: Vec<Vec<Sent>> = vec![Vec::new(); stores];
        // When the gradient of each store is read.
        let mut read = vec![0; stores];
        for (time, turn) in schedule.turns.iter().enumerate() {
            let Turn::Back(index) = *turn else { continue };
            let stage = &lowered.stages[index];
            if matches!(stage.work, Work::Map(_)) {
                continue;
            }
            read[stage.output.store] = time;
            for (input, value) in stage.inputs.iter().enumerate().filter(|(_, value)| value.trained) {
                arrivals[value.store].push(Sent { time, stage: index, input });
            }
        }
        let mut passing = Self { sharings: vec![None; stores], ..Self::default() };
        for turn in &schedule.turns {
            if let Turn::Back(index) = *turn
                && lowered.stages[index].operation() == Some(&Operation::Sum)
            {
                passing.sum(lowered, index, &arrivals, &read);
            }
        }
        (0..lowered.stages.len()).for_each(|index| passing.bias(lowered, index, &arrivals));
        passing
    }

    /// The stages whose bias gets the sum of the gradient of a stage's input, as it is written to the input's store.
    pub(crate) fn biases_of(&self, stage: usize, input: usize) -> &[usize] {
        self.biases.get(&(stage, input)).map_or(&[], Vec::as_slice)
    }

    /// Whether a stage's bias gets a sum that was taken as the gradient arrived: where one other stage alone sends it, to all of
    /// what this one filled, and nothing is mixed in when it is read.
    fn bias(&mut self, lowered: &Lowered, index: usize, arrivals: &[Vec<Sent>]) {
        let stage = &lowered.stages[index];
        let Some((fill, output)) = stage.as_fill() else { return };
        let store = output.store;
        let trained = fill.bias.is_some_and(|bias| lowered.trained[bias]);
        let given = lowered.outputs.iter().any(|output| output.store == store);
        if !trained || given || lowered.watched.contains_key(&index) || lowered.stores[store].normalised {
            return;
        }
        let [Sent { stage, input, .. }] = arrivals[store][..] else { return };
        let value = &lowered.stages[stage].inputs[input];
        if self.of(stage, input) == Way::Through && value.tallies.is_empty() && value.channels_of(output).is_some() {
            self.biases.entry((stage, input)).or_default().push(index);
        }
    }

    /// What a stage does with the gradient of an input.
    pub(crate) fn of(&self, stage: usize, input: usize) -> Way {
        self.passes.get(&(stage, input)).copied().unwrap_or_default()
    }

    /// How the gradient of a sum passes to its terms.
    fn sum(&mut self, lowered: &Lowered, index: usize, arrivals: &[Vec<Sent>], read: &[usize]) {
        let stage = &lowered.stages[index];
        let whole = |value: &Value| value.first_block == 0 && value.blocks() == lowered.stores[value.store].blocks;
        let own = self.sharings[stage.output.store];
        // What is multiplied or mixed with something where it is read is not what the terms get.
        let plain = own.is_none_or(|sharing| sharing.grows) && !lowered.stores[stage.output.store].normalised;
        if !plain || !whole(&stage.output) {
            return;
        }
        let owner = own.map_or(stage.output.store, |sharing| sharing.owner);
        let given = |store: usize| lowered.outputs.iter().any(|output| output.store == store);
        let terms = || {
            let terms = stage.inputs.iter().enumerate().filter(|(_, value)| value.trained && whole(value));
            terms.filter(|(_, value)| {
                let twice = stage.inputs.iter().filter(|other| other.store == value.store).count() > 1;
                !twice && !given(value.store)
            })
        };
        // The latest time at which a term reads what is shared.
        let mut shared_until = 0;
        for (input, value) in terms() {
            let alone = arrivals[value.store].len() == 1 && !value.floored;
            // A scale can be made good where the gradient is read if it is mixed with something there anyhow.
            if alone && (value.is_plain() || lowered.stores[value.store].normalised) {
                self.sharings[value.store] = Some(Sharing { owner, scale: value.map, grows: false });
                self.passes.insert((index, input), Way::Shared);
                shared_until = shared_until.max(read[value.store]);
            }
        }
        for (input, value) in terms() {
            let [first, others @ .., last] = &arrivals[value.store][..] else { continue };
            let same = arrivals[value.store]
                .iter()
                .all(|arrival| lowered.stages[arrival.stage].inputs[arrival.input] == *value);
            let next = others.first().unwrap_or(last);
            let in_order = (first.stage, first.input) == (index, input) && shared_until < next.time;
            if self.sharings[value.store].is_none() && same && in_order && next.stage != index {
                self.sharings[value.store] = Some(Sharing { owner, scale: None, grows: true });
                self.passes.insert((index, input), Way::Begun);
                self.passes.extend(others.iter().map(|other| ((other.stage, other.input), Way::Added)));
                self.passes.insert((last.stage, last.input), Way::Finished);
                return;
            }
        }
    }
}
