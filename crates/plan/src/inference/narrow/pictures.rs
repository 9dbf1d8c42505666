//! A first convolution that reads four neighbouring pixels of a picture as one.

use super::arrange::{filled_at_once, store_of};
use super::number::Narrow;
use crate::inference::lower::{At, Lowered, Store, Work};
use cnn_kernels::Conv;
use cnn_kernels::narrow::pictures::Cells;

/// Pixels of a cell, and channels of a pixel.
const PIXELS: usize = 4;

/// Pictures whose cells hold four pixels, and the convolution that reads them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pictures {
    /// The step that brings the images into their store, and the one that reads it.
    pub(super) copy: usize,
    pub(super) reader: usize,
    pub(super) cells: Cells,
    /// The convolution of the network.
    own: Conv,
}

impl Pictures {
    /// Where one convolution alone reads the pictures, and its kernel is wide enough for that to pay: it is then one of
    /// four times its channels, with a tap for four of its own, and computed directly: its weights are laid out so.
    pub(super) fn first<F: Narrow>(lowered: &mut Lowered) -> Option<Self> {
        let copy = lowered.steps.iter().position(|step| step.inputs.iter().any(|input| input.at == At::Images))?;
        let store = store_of(&lowered.steps[copy].output)?;
        let mut readers = (0..lowered.steps.len()).filter(|number| {
            *number != copy && lowered.steps[*number].reads().any(|value| store_of(value) == Some(store))
        });
        let (reader, others) = (readers.next()?, readers.next());
        let asked_for = lowered.outputs.iter().any(|value| store_of(value) == Some(store));
        let (first, second) = (&lowered.steps[copy], &lowered.steps[reader]);
        let plain = matches!(first.work, Work::Sum { relu: false }) && first.inputs.len() == 1;
        let Work::Conv { conv: own, residual, .. } = &second.work else { return None };
        let own = *own;
        let [columns, step] = [own.kernel[1], own.stride[1]];
        let taps = columns.div_ceil(PIXELS);
        let pays = taps * PIXELS * 3 <= columns * 4;
        let fits = own.groups == 1 && (3..=PIXELS).contains(&own.in_channels) && own.dilation == [1, 1];
        let residual = residual.as_ref().is_some_and(|value| store_of(value) == Some(store));
        let maps = first.inputs[0].map.is_none() || second.inputs[0].map.is_none();
        let good = plain && fits && pays && maps && [1, 2, 4].contains(&step) && !residual && !asked_for;
        if !good || others.is_some() || !filled_at_once(lowered, store) {
            return None;
        }
        let [height, _] = second.inputs[0].size;
        let between = PIXELS / step;
        let size = [height, own.output(second.inputs[0].size)?[1] + (taps - 1) * between];
        let channels = PIXELS * own.in_channels;
        let made = Conv {
            in_channels: channels,
            kernel: [own.kernel[0], taps],
            stride: [own.stride[0], 1],
            padding: [own.padding[0], 0],
            dilation: [1, between],
            ..own
        };
        let Work::Conv { conv, .. } = &mut lowered.steps[reader].work else { return None };
        if !F::fits(&made) {
            return None;
        }
        *conv = made;
        // What is done to the images where they are read is done before they are rounded.
        let read = &mut lowered.steps[reader].inputs[0];
        let (map, node) = (std::mem::take(&mut read.map), read.node);
        (read.channels, read.size) = (channels, size);
        let copied = &mut lowered.steps[copy];
        if copied.inputs[0].map.is_none() {
            copied.inputs[0].map = map;
        }
        (copied.output.channels, copied.output.size) = (channels, size);
        lowered.stores[store] = Store { node, blocks: 1, size };
        Some(Self { copy, reader, cells: Cells { step, before: own.padding[1] }, own })
    }

    /// The convolution's weights, `(out, in, height, width)`, as those of four times as many channels.
    pub(super) fn weights(&self, weights: &[f32]) -> Vec<f32> {
        let Conv { in_channels, out_channels, kernel: [rows, columns], .. } = self.own;
        let taps = columns.div_ceil(PIXELS);
        let channels = PIXELS * in_channels;
        let mut packed = vec![0.0; out_channels * channels * rows * taps];
        for (number, weight) in weights.iter().enumerate() {
            let (row, column) = (number / columns % rows, number % columns);
            let (out, channel) = (number / (columns * rows) / in_channels, number / (columns * rows) % in_channels);
            let lane = column % PIXELS * in_channels + channel;
            packed[((out * channels + lane) * rows + row) * taps + column / PIXELS] = *weight;
        }
        packed
    }

    /// Weights of the network's convolution.
    pub(super) fn products(&self) -> usize {
        self.own.weights()
    }
}
