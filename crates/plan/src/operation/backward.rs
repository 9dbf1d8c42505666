//! Operations, backwards.

use super::connections::{connected, dense};
use super::{BackArguments, Operation, radial_basis};
use cnn_kernels::activation::multiply;
use cnn_kernels::flatten::unflatten;
use cnn_kernels::{Element, InstructionSet, Linear, Region, Sink, View, copy, moments};
use std::borrow::Cow;

impl Operation {
    /// Sends the gradient of the output back to input number `index`.
    ///
    /// # Panics
    ///
    /// Where the views do not fit the operation, or one that is read is not there.
    pub fn backward_input<T: Element>(
        &self,
        set: InstructionSet,
        index: usize,
        arguments: &BackArguments<'_, T>,
        sink: Sink<'_, T>,
    ) {
        let BackArguments { gradient, weights, remembered, inputs, channels, output } = arguments;
        let input = || inputs[index].as_ref().expect("the inputs of an operation that reads them back");
        let count = channels[index];
        match self {
            Self::Input => {}
            Self::Conv { conv, table, algorithm } => {
                let weights = dense(weights, table, conv.in_channels);
                conv.backward_input_by(*algorithm, set, gradient, &weights, sink);
            }
            Self::Linear(linear) => linear.backward_input(set, gradient, weights, sink),
            Self::MaxPool(max) => max.backward(set, gradient, &remembered.winners, sink),
            Self::AveragePool(average) => average.backward(set, gradient, sink),
            Self::Sum => copy::copy(set, gradient, sink),
            Self::Concat => {
                let from = channels[..index].iter().sum();
                copy::gather(set, &[copy::Channels { view: *gradient, from, to: 0, count }], sink);
            }
            Self::ZeroChannels { before } => {
                copy::gather(set, &[copy::Channels { view: *gradient, from: *before, to: 0, count }], sink);
            }
            Self::Flatten => unflatten(set, gradient, sink),
            Self::Dropout { .. } => multiply(set, gradient, &remembered.mask, sink),
            Self::Activation(activation) => {
                let output = output.as_ref().expect("the output of an operation that reads it back");
                activation.backward(set, output, gradient, sink);
            }
            Self::LocalResponse(lrn) => lrn.backward(set, input(), gradient, sink),
            Self::RadialBasis { centres } => {
                let region = Region::new(gradient.region.batch, count, [1, 1]);
                let back = radial_basis::backward(input(), gradient, centres, region);
                copy::copy(set, &View::plain(&back, region), sink);
            }
        }
    }

    /// How many numbers [`Operation::backward_weights`] needs room for.
    pub fn weight_numbers(&self) -> usize {
        match self {
            Self::Conv { conv, .. } => conv.weights(),
            Self::Linear(linear) => linear.weights(),
            _ => 0,
        }
    }

    /// The gradient of the weights, as the network's tensor has them; computed in `room`, which holds at least
    /// [`Operation::weight_numbers`] numbers.
    ///
    /// # Panics
    ///
    /// Where the views do not fit the operation, or it has no weights.
    pub fn backward_weights<'r, T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        room: &'r mut [T],
    ) -> Cow<'r, [T]> {
        let all = &mut room[..self.weight_numbers()];
        match self {
            Self::Conv { conv, table, algorithm } => {
                conv.backward_weights_by(*algorithm, set, input, gradient, all);
                match table {
                    None => Cow::Borrowed(all),
                    Some(table) => Cow::Owned(connected(all, table, conv.in_channels)),
                }
            }
            Self::Linear(linear) => {
                linear.backward_weights(set, input, gradient, all);
                Cow::Borrowed(all)
            }
            _ => panic!("{} has no weights", self.name()),
        }
    }

    /// The gradient of a linear layer's weights, handed out part by part; see [`Linear::backward_weights_with`].
    pub(crate) fn as_linear(&self) -> Option<&Linear> {
        match self {
            Self::Linear(linear) => Some(linear),
            _ => None,
        }
    }
}

/// The gradient of a bias: the sum of each channel.
pub fn backward_bias<T: Element>(set: InstructionSet, gradient: &View<'_, T>) -> Vec<T> {
    moments::channel_sums(set, gradient).into_iter().map(T::from_f64).collect()
}
