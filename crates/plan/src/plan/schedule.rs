//! The order of a backward pass.

use super::lower::Lowered;
use super::stage::{Stage, Work};
use crate::operation::Operation;

/// What is done in a turn of the backward pass, to the stage at this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its store, dropped after the forward pass, is filled again.
    Again(usize),
    /// Its gradient is sent to its inputs.
    Back(usize),
}

/// The turns of the backward pass, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) turns: Vec<Turn>,
    /// For each store whether it is dropped after the forward pass and filled again.
    pub(crate) again: Vec<bool>,
}

impl Schedule {
    /// No backward pass.
    pub(crate) fn forward_only(lowered: &Lowered) -> Self {
        Self { turns: Vec::new(), again: vec![false; lowered.stores.len()] }
    }

    /// Stages in reverse, those that are trained. The stores of each segment, which is a range of stages, are filled again
    /// before the first of its stages has its turn, as far as these read them and no stage outside of the segment does.
    pub(crate) fn backward(lowered: &Lowered, segments: &[std::ops::Range<usize>]) -> Self {
        let uses = Uses::of(lowered);
        let mut schedule = Self::forward_only(lowered);
        let mut again: Vec<Vec<usize>> = Vec::new();
        for segment in segments {
            let inside = |store: usize| {
                segment.start <= uses.first[store] && uses.last[store] < segment.end && !uses.from_outside[store]
            };
            let mut wanted = vec![false; lowered.stores.len()];
            for stage in &lowered.stages[segment.clone()] {
                stage.reads_back(lowered).into_iter().for_each(|store| wanted[store] |= inside(store));
            }
            // What a store is filled from must be there too.
            let mut stages = Vec::new();
            for (index, stage) in segment.clone().zip(&lowered.stages[segment.clone()]).rev() {
                if matches!(stage.work, Work::Fill(_)) && wanted[stage.output.store] {
                    stage.inputs.iter().for_each(|input| wanted[input.store] |= inside(input.store));
                    stages.push(index);
                }
            }
            stages.reverse();
            again.push(stages);
            (0..wanted.len()).filter(|store| wanted[*store]).for_each(|store| schedule.again[store] = true);
        }
        let trained = |stage: &usize| lowered.stages[*stage].output.trained;
        let mut end = lowered.stages.len();
        for (segment, again) in segments.iter().zip(&again).rev() {
            schedule.turns.extend((segment.end..end).rev().filter(trained).map(Turn::Back));
            schedule.turns.extend(again.iter().copied().map(Turn::Again));
            end = segment.end;
        }
        schedule.turns.extend((0..end).rev().filter(trained).map(Turn::Back));
        schedule
    }
}

/// When each store is used in the forward pass; the loss comes after the last stage.
pub(crate) struct Uses {
    /// The first stage that fills it.
    pub(crate) first: Vec<usize>,
    /// The last stage that fills or reads it, the loss included.
    pub(crate) last: Vec<usize>,
    /// Whether it holds the images, which are there in the forward pass only.
    pub(crate) from_outside: Vec<bool>,
}

impl Uses {
    pub(crate) fn of(lowered: &Lowered) -> Self {
        let stores = lowered.stores.len();
        let mut uses =
            Self { first: vec![usize::MAX; stores], last: vec![0; stores], from_outside: vec![false; stores] };
        for (time, stage) in lowered.stages.iter().enumerate() {
            let Work::Fill(fill) = &stage.work else { continue };
            uses.from_outside[stage.output.store] |= fill.operation == Operation::Input;
            uses.first[stage.output.store] = uses.first[stage.output.store].min(time);
            let read = stage.inputs.iter().map(|input| input.store);
            read.chain([stage.output.store]).for_each(|store| uses.last[store] = time);
        }
        lowered.outputs.iter().for_each(|output| uses.last[output.store] = lowered.stages.len());
        uses
    }
}

impl Stage {
    /// The stores whose numbers its turn backwards reads.
    pub(crate) fn reads_back(&self, lowered: &Lowered) -> Vec<usize> {
        let mut stores = Vec::new();
        if matches!(self.work, Work::Map(_)) || !self.output.trained {
            return stores;
        }
        if self.reads_output_back() || lowered.stores[self.output.store].normalised {
            stores.push(self.output.store);
        }
        let all = self.reads_inputs_back(&lowered.trained);
        let read = self.inputs.iter().filter(|input| all || (input.trained && input.looks_back()));
        stores.extend(read.map(|input| input.store));
        stores
    }
}
