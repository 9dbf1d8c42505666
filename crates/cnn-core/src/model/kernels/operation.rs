//! An operation of the plans on candle's tensors.

use super::blocks::{Blocks, region};
use super::custom::{Kernel, Rows, apply};
use crate::network::Node;
use crate::shape::Shape;
use candle_core::{Error, Result, Tensor};
use cnn_kernels::{Algorithm, Element, InstructionSet, Store};
use cnn_plan::operation::{Arguments, BackArguments, Operation, Remembered, backward_bias};
use std::sync::OnceLock;

/// The node's output for `x`, with its weights and bias, if it has them.
pub(in crate::model) fn operation(node: &Node, x: &Tensor, tensors: &[Tensor]) -> Result<Tensor> {
    let input = match x.dims() {
        [_, channels, height, width] => Shape::Map { channels: *channels, height: *height, width: *width },
        dims => Shape::Vector { features: dims.last().copied().unwrap_or(0) },
    };
    let operation = match Operation::of(&node.op, input, node.shape) {
        Some(Operation::Conv { conv, table, .. }) => Operation::Conv { conv, table, algorithm: Algorithm::Direct },
        Some(operation) => operation,
        None => return Err(Error::Msg(format!("{}: {} fills nothing", node.path, node.op.name()))),
    };
    let applied = Applied { operation, output: node.shape.dims(), winners: OnceLock::new() };
    apply(applied, &[&[x], &tensors.iter().collect::<Vec<_>>()[..]].concat())
}

/// One application of an operation.
struct Applied {
    operation: Operation,
    /// Dimensions of one sample's output.
    output: Vec<usize>,
    /// The tap of each maximum, if it is a max pool.
    winners: OnceLock<Vec<u8>>,
}

impl Applied {
    fn run<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Blocks<T>, Vec<usize>, Remembered<T>) {
        let x = Blocks::of(&args[0]);
        let dims = [&[x.region.batch][..], &self.output].concat();
        let mut y = Blocks::empty(region(&dims));
        let mut remembered = Remembered::default();
        let weights = args.get(1).map_or(&[][..], |weights| weights.data);
        let arguments = Arguments { inputs: &[x.view()], weights, remembered: &mut remembered };
        let bias = args.get(2).map(|bias| bias.data);
        self.operation.forward(set, arguments, Store { bias, ..Store::plain(&mut y.data, y.region) });
        (y, dims, remembered)
    }
}

/// Arguments: input, and weights and a bias where there are some.
impl Kernel for Applied {
    fn name(&self) -> &'static str {
        self.operation.name()
    }

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let (y, dims, remembered) = self.run(set, args);
        self.winners.get_or_init(|| remembered.winners);
        (y.rows(), dims)
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        wanted: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let operation = &self.operation;
        let gradient = Blocks::of(gradient);
        let reads = operation.reads_inputs_back(wanted.get(1) == Some(&true));
        let x = reads.then(|| Blocks::of(&args[0]));
        let input = wanted[0].then(|| {
            let mut input = Blocks::empty(region(args[0].dims));
            let winners = || self.run(set, args).2.winners;
            let winners = if operation.remembers() { self.winners.get_or_init(winners).clone() } else { Vec::new() };
            let arguments = BackArguments {
                gradient: gradient.view(),
                weights: args.get(1).map_or(&[][..], |weights| weights.data),
                remembered: &Remembered { winners, mask: Vec::new() },
                inputs: &[x.as_ref().map(Blocks::view)],
                channels: &[input.region.channels],
                output: None,
            };
            operation.backward_input(set, 0, &arguments, input.sink());
            input.rows()
        });
        let weights = x.as_ref().filter(|_| wanted.get(1) == Some(&true)).map(|x| {
            let mut room = vec![T::ZERO; operation.weight_numbers()];
            operation.backward_weights(set, &x.view(), &gradient.view(), &mut room).into_owned()
        });
        let bias = (wanted.get(2) == Some(&true)).then(|| backward_bias(set, &gradient.view()));
        vec![input, weights, bias]
    }
}
