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
}

impl<T, F: FnMut(usize, &mut [T], &[T])> Receive<T> for F {
    fn receive(&mut self, tensor: usize, weights: &mut [T], gradient: &[T]) {
        self(tensor, weights, gradient);
    }
}
