//! The numbers of a network's tensors, ready for the kernels, and who gets their gradients.

use crate::error::{Error, Result};
use crate::plan::Plan;
use cnn_kernels::{Buffer, Element};
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_weights::{Number, Tensor, Weights};

/// The numbers of every tensor of a network, in the order of [`Network::tensors`].
#[derive(Debug)]
pub struct Parameters<T = f32> {
    pub(crate) values: Vec<Buffer<T>>,
}

impl<T: Element> Clone for Parameters<T> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone() }
    }
}

impl<T: Element + Number> Parameters<T> {
    /// [`Parameters::for_nodes`].
    pub(crate) fn read(network: &Network, weights: &Weights, nodes: &[NodeId]) -> Result<Self> {
        let weights = weights.for_nodes(network, nodes)?;
        let mut values = Vec::new();
        for (node, needed) in network.nodes().iter().zip(network.needed_for(nodes)) {
            for spec in &node.tensors {
                values.push(match needed {
                    true => Buffer::from_slice(&weights.numbers_of::<T>(network, &spec.name)?),
                    false => Buffer::zeros(0),
                });
            }
        }
        Ok(Self { values })
    }

    /// [`Parameters::to_weights`].
    pub(crate) fn write(&self, network: &Network) -> Weights {
        let name = network.name();
        assert_eq!(self.values.len(), network.tensors().count(), "{name} has another number of tensors");
        let mut weights = Weights::new();
        for (spec, values) in network.tensors().zip(&self.values).filter(|(_, values)| !values.is_empty()) {
            assert_eq!(values.len(), spec.elements(), "{name}: {} has another number of elements", spec.name);
            let tensor = Tensor::new(&spec.name, &spec.dims, values.to_vec()).expect("a tensor of this network");
            weights.insert(spec.name.clone(), tensor);
        }
        weights
    }
}

impl<T: Element> Parameters<T> {
    /// Whether these are the numbers that a plan reads.
    pub(crate) fn check(&self, plan: &Plan) -> Result<()> {
        let network = || plan.network().name().to_string();
        for (number, spec) in plan.network().tensors().enumerate() {
            let found = self.values.get(number).map_or(0, |value| value.len());
            if found != spec.elements() && plan.reads[number] {
                let name = spec.name.clone();
                return Err(Error::Parameter { network: network(), name, expected: spec.elements(), found });
            }
        }
        match self.values.get(plan.reads.len()) {
            None => Ok(()),
            Some(value) => {
                let name = "behind the last".to_string();
                Err(Error::Parameter { network: network(), name, expected: 0, found: value.len() })
            }
        }
    }

    /// The values of one tensor, to be changed.
    ///
    /// # Panics
    ///
    /// Where there is no tensor of this number.
    pub fn value_mut(&mut self, tensor: usize) -> &mut [T] {
        &mut self.values[tensor]
    }

    /// The values of each tensor.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.values.iter().map(|value| &**value)
    }
}

/// Who gets the gradients, each as soon as it is computed: an optimiser may change the weights at once, since nothing of
/// the step reads them any more.
pub trait Receive<T> {
    /// The gradient of the tensor at position `tensor` of [`Network::tensors`], and the tensor.
    fn receive(&mut self, tensor: usize, weights: &mut [T], gradient: &[T]);

    /// For a receiver that treats each number of a gradient by itself: how to take the gradient of this tensor, of
    /// `length` numbers, part by part. The gradient of a linear layer, which can be larger than all the rest, is then
    /// never in memory as a whole; [`Receive::receive`] is not called for it.
    fn parts(&mut self, tensor: usize, length: usize) -> Option<Parts<'_, T>> {
        let _ = (tensor, length);
        None
    }

    /// The gradient of a node that a [`GradientPlan`](crate::GradientPlan) was asked for, `(N, C, H, W)`, when all of it
    /// has arrived. What is changed here is what goes on to the nodes before.
    fn node(&mut self, node: NodeId, gradient: &mut [T]) {
        let _ = (node, gradient);
    }
}

/// How a gradient is taken part by part.
pub struct Parts<'a, T> {
    /// What is remembered of the tensor: as long as it, or empty.
    pub memory: [&'a mut [T]; 2],
    /// Takes a part: the weights, what is remembered of them, and their gradient. Called once for each number, on any
    /// thread.
    pub update: Box<Update<'a, T>>,
}

/// Takes a part of a gradient.
pub type Update<'a, T> = dyn Fn(&mut [T], [&mut [T]; 2], &[T]) + Sync + 'a;

impl<T, F: FnMut(usize, &mut [T], &[T])> Receive<T> for F {
    fn receive(&mut self, tensor: usize, weights: &mut [T], gradient: &[T]) {
        self(tensor, weights, gradient);
    }
}
