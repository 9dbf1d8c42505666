//! The weights themselves.

use crate::error::{Error, Result};
use crate::tensor::{Number, Tensor};
use cnn_network::{Network, Op};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Named tensors, and what is said of them.
#[derive(Clone, Debug)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
    source: String,
    form: String,
    /// Other sets of weights of the same file, by their keys.
    left_out: Vec<String>,
}

impl Default for Weights {
    fn default() -> Self {
        Self::of(BTreeMap::new(), BTreeMap::new())
    }
}

impl Weights {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn of(tensors: BTreeMap<String, Tensor>, metadata: BTreeMap<String, String>) -> Self {
        Self { tensors, metadata, source: "the weights".to_string(), form: String::new(), left_out: Vec::new() }
    }

    /// What every tensor of a network is filled with before training, drawn from a seed and the tensor's name.
    pub fn initialised(network: &Network, seed: u64) -> Self {
        let draw = |spec: &cnn_network::tensors::TensorSpec| {
            let values = spec.init.draw(seed, &spec.name, spec.elements());
            let tensor = Tensor::new(&spec.name, &spec.dims, values).expect("as many as its dimensions say");
            (spec.name.clone(), tensor)
        };
        Self::of(network.tensors().map(draw).collect(), BTreeMap::new())
    }

    /// The same, from elsewhere: what errors name.
    #[must_use]
    pub fn from_source(self, source: String) -> Self {
        Self { source, ..self }
    }

    /// Where the weights are from, for a sentence: a path, or `the weights`.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn with_form(self, form: impl Into<String>) -> Self {
        Self { form: form.into(), ..self }
    }

    /// The file's format, and where in the file the weights were, for a sentence: `safetensors`, or `PyTorch, zip, under
    /// state_dict`. Empty where they are from no file.
    pub fn form(&self) -> &str {
        &self.form
    }

    #[cfg(feature = "pytorch")]
    pub(crate) fn with_left_out(self, others: Vec<String>) -> Self {
        Self { left_out: others, ..self }
    }

    /// What these are of a file that holds several sets of weights, in a sentence; nothing of one that holds these alone.
    pub fn choice(&self) -> Option<String> {
        (!self.left_out.is_empty()).then(|| format!("{} is {}", self.source, self.form))
    }

    /// Adds a tensor, or puts it in the place of one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        self.tensors.insert(name.into(), tensor);
    }

    /// Takes a tensor out.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.remove(name)
    }

    /// The tensor of a name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Every tensor with its name, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// What the file says beside its tensors.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The same with a line of metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// The same without a line of metadata.
    #[must_use]
    pub fn without_metadata(mut self, key: &str) -> Self {
        self.metadata.remove(key);
        self
    }

    /// The numbers of a tensor, row by row, which must be there under the network's name for it: see
    /// [`Weights::for_network`].
    ///
    /// # Errors
    ///
    /// A tensor that is not there, a file that can no longer be read, numbers that are not floating-point ones or not
    /// finite, a running variance that is not above 0 together with its ε.
    pub fn numbers_of<T: Number>(&self, network: &Network, name: &str) -> Result<Cow<'_, [T]>> {
        let values = self.tensor_of(network, name)?.numbers::<T>(name)?;
        self.all_finite(name, 0, &values)?;
        self.all_variances(network, name, &values)?;
        Ok(values)
    }

    /// The same, at most so many numbers at a time, in order: of a tensor that is still in a safetensors file no more
    /// than those are in memory.
    ///
    /// # Errors
    ///
    /// As [`Weights::numbers_of`], and whatever `visit` reports, as it comes.
    pub fn parts_of<T: Number, E: From<Error>>(
        &self,
        network: &Network,
        name: &str,
        count: usize,
        mut visit: impl FnMut(&[T]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.tensor_of(network, name)?.parts(name, count, |first, values| {
            self.all_finite(name, first, values)?;
            visit(values)
        })
    }

    fn tensor_of(&self, network: &Network, name: &str) -> Result<&Tensor> {
        self.get(name).ok_or_else(|| self.missing(network, name))
    }

    /// Whether numbers from a position of a tensor on are finite.
    fn all_finite<T: Number>(&self, name: &str, first: usize, values: &[T]) -> Result<()> {
        let Some(position) = T::first_not_finite(values) else { return Ok(()) };
        let (weights, found) = (self.source.clone(), values[position].to_f64());
        let (name, position) = (name.to_string(), first + position);
        // A number of 64 bits may be one that `T` makes infinite.
        let stored = match self.get(&name) {
            Some(tensor) => tensor.numbers::<f64>(&name)?.get(position).copied().filter(|stored| stored.is_finite()),
            None => None,
        };
        Err(match stored {
            Some(found) => Error::BeyondF32 { weights, name, found, position },
            None => Error::NotFinite { weights, name, found, position },
        })
    }

    /// Whether a batch normalisation can divide by the roots of these numbers, if they are its running variance.
    fn all_variances<T: Number>(&self, network: &Network, name: &str, values: &[T]) -> Result<()> {
        let eps = network.nodes().iter().find_map(|node| match &node.op {
            Op::BatchNorm(norm) if node.tensors.last().is_some_and(|spec| spec.name == name) => Some(norm.eps),
            _ => None,
        });
        let Some(eps) = eps else { return Ok(()) };
        match values.iter().position(|value| value.to_f64() + eps <= 0.0) {
            None => Ok(()),
            Some(position) => Err(Error::Variance {
                weights: self.source.clone(),
                name: name.to_string(),
                found: values[position].to_f64(),
                position,
                eps,
            }),
        }
    }

    /// Whether all numbers of the network's tensors that are there are finite, and running variances above 0 together with
    /// their ε; one tensor in memory at a time.
    ///
    /// # Errors
    ///
    /// The first number that is not; a file that can no longer be read.
    pub fn check_finite(&self, network: &Network) -> Result<()> {
        let mut there = network.tensors().filter(|spec| self.get(&spec.name).is_some());
        there.try_for_each(|spec| self.numbers_of::<f32>(network, &spec.name).map(drop))
    }
}
