//! Lowered steps as narrow kernels take them.

use super::kernel::has_no_kernel;
use super::number::Narrow;
use crate::inference::fold::Mapping;
use crate::inference::lower::{At, Lowered, Step, Store, Value, Work};
use cnn_kernels::LANES;

/// The store of a value.
pub(super) fn store_of(value: &Value) -> Option<usize> {
    match value.at {
        At::Store { store, .. } => Some(store),
        At::Images => None,
    }
}

/// Images are brought into a store before anything reads them.
pub(super) fn images_first(lowered: &mut Lowered, (channels, size): (usize, [usize; 2])) {
    let reads = |step: &Step| step.inputs.iter().any(|input| input.at == At::Images);
    let only_copies = lowered
        .steps
        .iter()
        .all(|step| !reads(step) || matches!(step.work, Work::Sum { .. }) && step.inputs.len() == 1);
    if only_copies {
        return;
    }
    // The images themselves, whatever is done to them where they are read.
    let node = 0;
    let store = lowered.stores.len();
    lowered.stores.push(Store { node, blocks: channels.div_ceil(LANES), size });
    let at = At::Store { store, first_block: 0 };
    let images = Value { node, at: At::Images, channels, size, map: Mapping::default(), vector: false };
    for input in lowered.steps.iter_mut().flat_map(|step| &mut step.inputs).filter(|input| input.at == At::Images) {
        input.at = at;
    }
    let output = Value { at, ..images.clone() };
    let step = Step { node, work: Work::Sum { relu: false }, inputs: vec![images], output };
    lowered.steps.insert(0, step);
}

/// A step that would write to a store it reads writes to a store of its own first.
pub(super) fn apart(lowered: &mut Lowered) {
    let mut number = 0;
    while number < lowered.steps.len() {
        let step = &lowered.steps[number];
        let own = store_of(&step.output);
        if step.reads().any(|input| store_of(input) == own && own.is_some()) {
            let output = step.output.clone();
            let store = lowered.stores.len();
            let (node, blocks) = (output.node, output.channels.div_ceil(LANES));
            lowered.stores.push(Store { node, blocks, size: output.size });
            let between = Value { at: At::Store { store, first_block: 0 }, ..output.clone() };
            let node = step.node;
            lowered.steps[number].output = between.clone();
            let copy = Step { node, work: Work::Sum { relu: false }, inputs: vec![between], output };
            lowered.steps.insert(number + 1, copy);
        }
        number += 1;
    }
}

/// Whether a store is filled by one step.
pub(super) fn filled_at_once(lowered: &Lowered, store: usize) -> bool {
    let mut writers = lowered.steps.iter().filter(|step| store_of(&step.output) == Some(store));
    let first = writers.next().is_some_and(|step| step.output.channels.div_ceil(LANES) == lowered.stores[store].blocks);
    first && writers.next().is_none()
}

/// Whether a store is kept in `f32`: it is filled by one step, and all that read it compute in `f32`.
pub(super) fn stays_wide<F: Narrow>(lowered: &Lowered, store: usize) -> bool {
    let is = |value: &Value| store_of(value) == Some(store);
    let read = lowered.steps.iter().filter(|step| step.reads().any(is));
    let by_wide = read.clone().all(|step| {
        has_no_kernel::<F>(step).is_some()
            && step.reads().filter(|value| is(value)).count() == step.inputs.iter().filter(|value| is(value)).count()
    });
    let used = read.count() > 0 || lowered.outputs.iter().any(is);
    used && by_wide && filled_at_once(lowered, store)
}
