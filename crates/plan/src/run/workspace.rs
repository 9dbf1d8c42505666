//! The memory of a run: buffers for stores, and per channel what maps, normalisations and tallies need.

use super::clock::Clock;
use crate::error::{Error, Result};
use crate::operation::Remembered;
use crate::plan::{Plan, Slot, Value};
use cnn_kernels::{Buffer, Element, LANES, Map, View, from_blocks};
use std::collections::BTreeMap;

/// Scale, shift and floor of each channel; entries of channels that fill up a block give 0.
#[derive(Debug)]
pub(crate) struct Channels<T> {
    pub(crate) scale: Vec<T>,
    pub(crate) shift: Vec<T>,
    /// NaN where there is none.
    pub(crate) floor: Vec<T>,
}

/// Sums over the gradient of a value, per channel.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What is subtracted from the stored numbers before they are multiplied with the gradient.
    pub(crate) centre: Vec<f64>,
    pub(crate) gradient: Vec<f64>,
    pub(crate) product: Vec<f64>,
}

/// What is known of each padded channel of a store that is normalised.
#[derive(Debug)]
pub(crate) struct Normalised<T> {
    pub(crate) mean: Vec<f64>,
    pub(crate) variance: Vec<f64>,
    /// The part of the gradient that is added where it is read: `factor · z + addend`.
    pub(crate) factor: Vec<T>,
    pub(crate) addend: Vec<T>,
}

/// Everything a run keeps from step to step.
#[derive(Debug)]
pub struct RunWorkspace<T> {
    /// For each store the slot it is in now.
    pub(crate) at: Vec<Slot>,
    pub(crate) buffers: Vec<Buffer<T>>,
    pub(crate) maps: Vec<Channels<T>>,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) normalised: Vec<Option<Normalised<T>>>,
    /// By stage, the gradient of its bias, where it was summed up as what its layer filled got its gradient.
    pub(crate) biases: BTreeMap<usize, Vec<T>>,
    /// What max pools and dropouts remember.
    pub(crate) remembered: Vec<Remembered<T>>,
    /// For each store the blocks whose gradient has been written in this step.
    pub(crate) written: Vec<Vec<bool>>,
    /// As many ones as a store has channels.
    pub(crate) ones: Vec<T>,
    /// The gradient being handed over.
    pub(crate) gradient: Buffer<T>,
    /// Images the buffers hold.
    pub(crate) capacity: usize,
    pub(crate) clock: Clock,
}

/// A buffer that is lent out.
pub(crate) struct Lent<T> {
    buffer: Buffer<T>,
    slot: Slot,
}

impl<T> Lent<T> {
    /// The numbers from the slot on.
    pub(crate) fn numbers(&mut self, batch: usize) -> &mut [T] {
        &mut self.buffer[self.slot.offset * batch..]
    }
}

impl<T: Element> RunWorkspace<T> {
    pub(crate) fn new(plan: &Plan) -> Self {
        let Plan { lowered, slots, .. } = plan;
        let padded = |channels: usize| channels.next_multiple_of(LANES);
        let map = |channels: &usize| {
            let zeros = || vec![T::ZERO; padded(*channels)];
            Channels { scale: zeros(), shift: zeros(), floor: vec![T::NAN; padded(*channels)] }
        };
        let tally = |channels: &usize| {
            let zeros = || vec![0.0; *channels];
            Tally { centre: zeros(), gradient: zeros(), product: zeros() }
        };
        let widest = lowered.stores.iter().map(|store| store.blocks * LANES).max().unwrap_or(0);
        let normalised = lowered.stores.iter().map(|store| {
            let channels = store.blocks * LANES;
            store.normalised.then(|| Normalised {
                mean: vec![0.0; channels],
                variance: vec![0.0; channels],
                factor: vec![T::ZERO; channels],
                addend: vec![T::ZERO; channels],
            })
        });
        Self {
            buffers: slots.lengths.iter().map(|_| Buffer::zeros(0)).collect(),
            at: slots.data.clone(),
            maps: lowered.maps.iter().map(map).collect(),
            tallies: lowered.tallies.iter().map(tally).collect(),
            normalised: normalised.collect(),
            biases: BTreeMap::new(),
            remembered: vec![Remembered::default(); lowered.memories.len()],
            written: lowered.stores.iter().map(|store| vec![false; store.blocks]).collect(),
            ones: vec![T::ONE; widest],
            gradient: Buffer::zeros(0),
            capacity: 0,
            clock: Clock::new(lowered.stages.len()),
        }
    }

    /// Makes room for a batch, if there is, and forgets the last step's sums.
    pub(crate) fn prepare(&mut self, plan: &Plan, batch: usize) -> Result<()> {
        let slots = &plan.slots;
        if batch > self.capacity {
            self.capacity = 0;
            let numbers: usize = slots.lengths.iter().sum();
            let short = Error::Memory { batch, bytes: numbers.saturating_mul(batch).saturating_mul(size_of::<T>()) };
            self.buffers.fill_with(|| Buffer::zeros(0));
            if !numbers.checked_mul(batch).is_some_and(Buffer::<T>::fits) {
                return Err(short);
            }
            for (buffer, length) in self.buffers.iter_mut().zip(&slots.lengths) {
                *buffer = Buffer::zeros(length * batch);
            }
            self.capacity = batch;
        }
        for tally in &mut self.tallies {
            tally.gradient.fill(0.0);
            tally.product.fill(0.0);
        }
        for normalised in self.normalised.iter_mut().flatten() {
            normalised.factor.fill(T::ZERO);
            normalised.addend.fill(T::ZERO);
        }
        self.biases.clear();
        self.written.iter_mut().for_each(|blocks| blocks.fill(false));
        self.at.clone_from(&slots.data);
        Ok(())
    }

    /// The value of an output, `(N, C, H, W)` or `(N, classes)`.
    pub(crate) fn output(&self, plan: &Plan, number: usize, batch: usize) -> Vec<T> {
        let view = self.view(plan, &plan.lowered.outputs[number], batch);
        let mut rows = vec![T::ZERO; batch * view.region.channels * view.region.pixels()];
        from_blocks(view.data, &view.region, &mut rows);
        rows
    }

    /// A value that lies in a buffer, seen through its map.
    pub(crate) fn view<'w>(&'w self, plan: &Plan, value: &Value, batch: usize) -> View<'w, T> {
        let lowered = &plan.lowered;
        let data = self.numbers(self.at[value.store], batch);
        let map = match value.map {
            None => Map::Identity,
            Some(map) => {
                let Channels { scale, shift, floor } = &self.maps[map];
                Map::Affine { scale, shift, floor }
            }
        };
        View { data, region: value.region(batch, &lowered.stores), map }
    }

    /// The gradient of what a step stored.
    pub(crate) fn gradient<'w>(&'w self, plan: &Plan, value: &Value, batch: usize) -> View<'w, T> {
        let Plan { lowered, passing, slots, .. } = plan;
        let slot = slots.gradient[value.store].expect("a trained store has a gradient");
        let region = value.region(batch, &lowered.stores);
        let channels = value.first_block * LANES..(value.first_block + value.blocks()) * LANES;
        let map = match &self.normalised[value.store] {
            None => Map::Identity,
            Some(normalised) => Map::Mix {
                scale: match passing.sharings[value.store].and_then(|sharing| sharing.scale) {
                    Some(map) => &self.maps[map].scale[channels.clone()],
                    None => &self.ones,
                },
                other: self.numbers(self.at[value.store], batch),
                other_region: region,
                other_scale: &normalised.factor[channels.clone()],
                shift: &normalised.addend[channels],
            },
        };
        View { data: self.numbers(slot, batch), region, map }
    }

    /// The numbers from a slot on.
    fn numbers(&self, slot: Slot, batch: usize) -> &[T] {
        &self.buffers[slot.buffer][slot.offset * batch..]
    }

    /// Lends out a slot's buffer, to write to while others are read.
    pub(crate) fn take(&mut self, slot: Slot) -> Lent<T> {
        Lent { buffer: std::mem::replace(&mut self.buffers[slot.buffer], Buffer::zeros(0)), slot }
    }

    /// Takes it back.
    pub(crate) fn give(&mut self, lent: Lent<T>) {
        self.buffers[lent.slot.buffer] = lent.buffer;
    }
}
