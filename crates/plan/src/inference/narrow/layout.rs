//! Where everything lies: stores, and what is widened for a step that computes in `f32`.

use super::arrange::store_of;
use super::number::Narrow;
use super::way::Way;
use crate::inference::build::{Spot, both, image_by_image, rooms_of_stores};
use crate::inference::lifetime::Room;
use crate::inference::lower::{At, Lowered, Value, Work};
use cnn_kernels::LANES;
use cnn_kernels::inference::{Number, Place, transformed_len};
use std::collections::BTreeMap;

/// What a place beside the stores is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// An input of a step, as real numbers.
    Input { step: usize, input: usize },
    /// The result of a step that computes in `f32`.
    Result { step: usize },
    /// An output, as real numbers.
    Output { output: usize },
}

/// Where everything lies.
pub(super) struct Layout<'l> {
    pub(super) lowered: &'l Lowered,
    /// Words of the memory of one image, and for each image of that of all.
    pub(super) numbers: [usize; 2],
    /// Steps at the beginning that run image by image.
    pub(super) alone: usize,
    stores: Vec<(Spot, Number)>,
    between: BTreeMap<Use, Place>,
    /// Of each step, where inputs are transformed for Winograd's algorithm.
    transformed: Vec<Spot>,
}

impl<'l> Layout<'l> {
    /// `wide` says which stores are `f32`, `ways` how steps are computed.
    pub(super) fn new<F: Narrow>(lowered: &'l Lowered, wide: &[bool], ways: &[Way]) -> Self {
        let end = lowered.steps.len();
        let kind = |store: usize| if wide[store] { Number::F32 } else { F::NUMBER };
        let length = |store: usize| lowered.stores[store].numbers() / LANES * kind(store).words();
        let is_wide = |way: &Way| matches!(way, Way::Wide(_));
        let mut rooms = rooms_of_stores(lowered, length);
        let narrow = |value: &Value| store_of(value).is_none_or(|store| !wide[store]);
        let mut uses: Vec<(Use, &Value, usize)> = Vec::new();
        for (number, (step, _)) in lowered.steps.iter().zip(ways).enumerate().filter(|(_, (_, way))| is_wide(way)) {
            let inputs = step.inputs.iter().enumerate().filter(|(_, value)| narrow(value));
            uses.extend(inputs.map(|(input, value)| (Use::Input { step: number, input }, value, number)));
            uses.push((Use::Result { step: number }, &step.output, number));
        }
        let outputs = lowered.outputs.iter().enumerate().filter(|(_, value)| narrow(value));
        uses.extend(outputs.map(|(output, value)| (Use::Output { output }, value, end)));
        rooms.extend(uses.iter().map(|(_, value, time)| {
            let numbers = value.channels.next_multiple_of(LANES) * value.size[0] * value.size[1];
            Room { numbers, first: *time, last: *time }
        }));
        rooms.extend(lowered.steps.iter().zip(ways).enumerate().map(|(time, (step, way))| {
            let numbers = match (&step.work, way) {
                (Work::Conv { conv, .. }, Way::Winograd(choice)) => transformed_len(conv, step.output.size, *choice),
                _ => 0,
            };
            Room { numbers, first: time, last: time }
        }));
        // Winograd's filters are `f32`.
        let growth = |number: usize| match &ways[number] {
            Way::Winograd(choice) => choice.growth() * (size_of::<f32>() / size_of::<F>()) as f64,
            _ => 1.0,
        };
        let alone = image_by_image(lowered, size_of::<F>(), growth, |number| is_wide(&ways[number]));
        let (mut spots, numbers) = both(rooms, alone);
        let transformed = spots.split_off(lowered.stores.len() + uses.len());
        let (of_stores, others) = spots.split_at(lowered.stores.len());
        let stores = of_stores.iter().enumerate().map(|(store, spot)| (*spot, kind(store))).collect();
        let between = uses.iter().zip(others).map(|((purpose, value, _), spot)| {
            let store_blocks = value.channels.div_ceil(LANES);
            (*purpose, place(value, *spot, (0, store_blocks), Number::F32))
        });
        Self { lowered, numbers, alone, stores, between: between.collect(), transformed }
    }

    /// Where a value lies.
    pub(super) fn place(&self, value: &Value) -> Place {
        let At::Store { store, first_block } = value.at else { unreachable!("images have no place") };
        let (spot, number) = self.stores[store];
        place(value, spot, (first_block, self.lowered.stores[store].blocks), number)
    }

    /// Where an input of a step is widened, if it is.
    pub(super) fn input(&self, step: usize, input: usize) -> Option<Place> {
        self.between.get(&Use::Input { step, input }).copied()
    }

    /// Where a step that computes in `f32` writes.
    pub(super) fn result(&self, step: usize) -> Option<Place> {
        self.between.get(&Use::Result { step }).copied()
    }

    /// Where a step's inputs are transformed for Winograd's algorithm.
    pub(super) fn transformed(&self, step: usize) -> Spot {
        self.transformed[step]
    }

    /// Where an output is widened, if it is.
    pub(super) fn output(&self, output: usize) -> Option<Place> {
        self.between.get(&Use::Output { output }).copied()
    }
}

fn place(value: &Value, spot: Spot, (first_block, store_blocks): (usize, usize), number: Number) -> Place {
    let Spot { alone, offset } = spot;
    Place { alone, offset, channels: value.channels, size: value.size, first_block, store_blocks, number }
}
