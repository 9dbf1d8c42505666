//! Operations, forward.

use super::connections::dense;
use super::{Arguments, Operation, radial_basis};
use cnn_kernels::activation::multiply;
use cnn_kernels::flatten::flatten;
use cnn_kernels::{Element, InstructionSet, LANES, Region, Sink, Store, View, copy, moments};

impl Operation {
    /// Writes the output to `sink`; of a convolution or a linear layer the sink brings the bias.
    ///
    /// [`Operation::Input`] writes nothing: its numbers come from outside.
    ///
    /// # Panics
    ///
    /// Where the views do not fit the operation.
    pub fn forward<T: Element>(&self, set: InstructionSet, arguments: Arguments<'_, T>, sink: Store<'_, T>) {
        let Arguments { inputs, weights, remembered } = arguments;
        let region = sink.region;
        match self {
            Self::Input => {}
            Self::Conv { conv, table, algorithm } => {
                let weights = dense(weights, table, conv.in_channels);
                conv.forward_by(*algorithm, set, &inputs[0], &weights, Sink::Store(sink));
            }
            Self::Linear(linear) => linear.forward(set, &inputs[0], weights, Sink::Store(sink)),
            Self::MaxPool(max) => {
                let winners = &mut remembered.winners;
                winners.resize(region.batch * region.blocks() * region.pixels() * LANES, 0);
                max.forward(set, &inputs[0], Sink::Store(sink), winners);
            }
            Self::AveragePool(average) => average.forward(set, &inputs[0], Sink::Store(sink)),
            Self::Sum => copy::sum(set, inputs, Sink::Store(sink)),
            Self::Concat => copy::concat(set, inputs, Sink::Store(sink)),
            Self::ZeroChannels { before } => {
                let channels =
                    copy::Channels { view: inputs[0], from: 0, to: *before, count: inputs[0].region.channels };
                copy::gather(set, &[channels], Sink::Store(sink));
            }
            Self::Flatten => {
                flatten(set, &inputs[0], sink.data, &region);
                measure(set, sink);
            }
            Self::Dropout { .. } => multiply(set, &inputs[0], &remembered.mask, Sink::Store(sink)),
            Self::Activation(activation) => activation.forward(set, &inputs[0], Sink::Store(sink)),
            Self::LocalResponse(lrn) => lrn.forward(set, &inputs[0], Sink::Store(sink)),
            Self::RadialBasis { centres } => {
                let scores = radial_basis::forward(&inputs[0], centres, region);
                let view = View::plain(&scores, Region::new(region.batch, region.channels, [1, 1]));
                copy::copy(set, &view, Sink::Store(sink));
            }
        }
    }
}

/// Takes the moments of a store that was filled past its sink.
pub(crate) fn measure<T: Element>(set: InstructionSet, sink: Store<'_, T>) {
    if let Some(moments) = sink.moments {
        *moments = moments::moments(set, &View::plain(sink.data, sink.region));
    }
}
