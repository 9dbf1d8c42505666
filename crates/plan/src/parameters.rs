//! The tensors of a network, and who gets their gradients.

use crate::error::{Error, Result};
use cnn_core::Network;
use cnn_kernels::{Buffer, Element};

/// The values of every tensor of a network, in the order and layout of [`Network::tensors`].
#[derive(Debug)]
pub struct Parameters<T> {
    pub(crate) values: Vec<Buffer<T>>,
}

impl<T: Element> Parameters<T> {
    /// Takes over the values of every tensor.
    ///
    /// # Errors
    ///
    /// A tensor too many, too few, or of another length.
    pub fn new(network: &Network, values: impl IntoIterator<Item = Vec<T>>) -> Result<Self> {
        let mut given = values.into_iter();
        let mut values = Vec::new();
        for spec in network.tensors() {
            let value = given.next().unwrap_or_default();
            if value.len() != spec.elements() {
                let (network, name) = (network.name().to_string(), spec.name.clone());
                return Err(Error::Parameter { network, name, expected: spec.elements(), found: value.len() });
            }
            values.push(Buffer::from_slice(&value));
        }
        Ok(Self { values })
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
