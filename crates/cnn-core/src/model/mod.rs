//! `Model`: a network with weights, in candle.
//!
//! A `VarBuilder` goes in, `Module` and `ModuleT` come out, and everything between is ordinary candle: an optimiser, a
//! `VarMap` filled by [`initialise`] or a foreign checkpoint works with it unchanged. On the CPU, in f32 and f64, the
//! costly operations are those of the plans, as custom operations of candle. Everywhere else every operation is made of
//! plain candle operations whose gradients are right on any device; where candle's own are not (see `docs/decisions/`),
//! others replace them.

mod activation;
mod conv;
mod dropout;
mod kernels;
mod loss;
mod norm;
mod ops;
mod pool;
mod surplus;

use crate::model_error::{ModelError, Result};
use crate::network::{Network, NodeId};
use crate::tensors::{Role, TensorSpec};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Module, ModuleT, VarBuilder, VarMap};
use cnn_weights::Weights;
use dropout::Dropout;
pub use loss::Targets;

/// A network with weights.
#[derive(Debug)]
pub struct Model {
    network: Network,
    /// For each node its tensors, in the order of its specification; statistics are always variables.
    tensors: Vec<Vec<Tensor>>,
    /// The nodes that do not learn.
    frozen: Vec<bool>,
    dropout: Dropout,
    /// Whether the kernels compute where they can.
    kernels: bool,
    /// What maps are computed in, if not in what the batch is of.
    precision: Option<DType>,
}

/// A variable map that holds every tensor of `network`, initialised from `seed`.
///
/// candle's own initialisation cannot be seeded, so the map is filled before [`Model::new`] asks it for anything.
///
/// # Errors
///
/// Those of the device.
pub fn initialise(network: &Network, seed: u64, dtype: DType, device: &Device) -> Result<VarMap> {
    variables(network, |spec| {
        let values = spec.init.draw(seed, &spec.name, spec.elements());
        Ok(Tensor::from_vec(values, spec.dims.as_slice(), device)?.to_dtype(dtype)?)
    })
}

/// A variable map that holds for every tensor of `network` what `tensor` gives.
///
/// # Errors
///
/// Those of `tensor` and of its device.
pub fn variables(network: &Network, mut tensor: impl FnMut(&TensorSpec) -> Result<Tensor>) -> Result<VarMap> {
    let map = VarMap::new();
    {
        let mut data = map.data().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for spec in network.tensors() {
            data.insert(spec.name.clone(), Var::from_tensor(&tensor(spec)?)?);
        }
    }
    Ok(map)
}

impl Model {
    /// The network with the weights of `vb`. From a `VarMap` they are the map's variables and can be trained.
    ///
    /// A `VarBuilder` does not tell which tensors it has, so only some of those that the network lacks are found;
    /// [`Model::from_weights`] finds them all.
    ///
    /// # Errors
    ///
    /// A tensor that is missing or has another shape, by name with both shapes; weights that go on where the network
    /// ends, such as a deeper network's of the same family.
    pub fn new(network: &Network, vb: VarBuilder<'_>) -> Result<Self> {
        if let Some(first) = surplus::next_sibling(network, &vb) {
            let network = network.name().to_string();
            return Err(cnn_network::Error::SurplusTensors { network, count: 1, first }.into());
        }
        let tensor = |spec: &TensorSpec| {
            let tensor = fetch(network, &vb, spec)?;
            Ok(match spec.role {
                Role::Statistic => Var::from_tensor(&tensor)?.into_inner(),
                Role::Weight | Role::Bias => tensor,
            })
        };
        let tensors = network
            .nodes()
            .iter()
            .map(|node| node.tensors.iter().map(tensor).collect())
            .collect::<Result<Vec<Vec<Tensor>>>>()?;
        let frozen = vec![false; tensors.len()];
        let (network, dropout) = (network.clone(), Dropout::default());
        Ok(Self { network, tensors, frozen, dropout, kernels: true, precision: None })
    }

    /// The network with weights, as variables that can be trained.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's: a tensor missing, surplus or of another shape; numbers that are not finite.
    pub fn from_weights(network: &Network, weights: &Weights, dtype: DType, device: &Device) -> Result<Self> {
        let weights = weights.for_network(network)?;
        let map = variables(network, |spec| {
            Ok(match dtype {
                DType::F64 => {
                    let values = weights.numbers_of::<f64>(network, &spec.name)?;
                    Tensor::from_slice(&values, spec.dims.as_slice(), device)?
                }
                _ => {
                    let values = weights.numbers_of::<f32>(network, &spec.name)?;
                    Tensor::from_slice(&values, spec.dims.as_slice(), device)?.to_dtype(dtype)?
                }
            })
        })?;
        Self::new(network, VarBuilder::from_varmap(&map, dtype, device))
    }

    /// The model's tensors as weights: f64 where they are f64, else f32.
    ///
    /// # Errors
    ///
    /// Those of the device.
    pub fn to_weights(&self) -> Result<Weights> {
        let mut weights = Weights::new();
        for (spec, tensor) in self.tensors() {
            let flat = tensor.to_device(&Device::Cpu)?.flatten_all()?;
            let tensor = match tensor.dtype() {
                DType::F64 => cnn_weights::Tensor::new(&spec.name, &spec.dims, flat.to_vec1::<f64>()?)?,
                _ => cnn_weights::Tensor::new(&spec.name, &spec.dims, flat.to_dtype(DType::F32)?.to_vec1::<f32>()?)?,
            };
            weights.insert(spec.name.clone(), tensor);
        }
        Ok(weights)
    }

    /// Dropout draws its masks from `seed` and the number of training passes so far, which starts at `passes`: a run
    /// that goes on from a checkpoint gives the number it had reached.
    pub fn with_dropout(self, seed: u64, passes: u64) -> Self {
        Self { dropout: Dropout::new(seed, passes), ..self }
    }

    /// The same with some tensors that do not learn: `frozen` says which, in the order of [`Network::tensors`]. They
    /// get no gradient, and a batch normalisation whose weight is among them uses its running statistics, which stay. Of
    /// statistics alone it says nothing: they are not learnt. An empty list freezes nothing.
    ///
    /// # Errors
    ///
    /// A list that is not of all tensors.
    pub fn freeze(mut self, frozen: &[bool]) -> Result<Self> {
        let expected = self.network.tensors().count();
        if ![0, expected].contains(&frozen.len()) {
            let network = self.network.name().to_string();
            return Err(cnn_plan::Error::Frozen { network, expected, found: frozen.len() }.into());
        }
        let mut frozen = frozen.iter().copied();
        let of_nodes = self.network.nodes().iter().zip(self.tensors.iter_mut().zip(&mut self.frozen));
        for (node, (tensors, stays)) in of_nodes {
            for (i, (spec, tensor)) in node.tensors.iter().zip(tensors).enumerate() {
                // A statistic is moved as the variable that it is.
                if frozen.next().unwrap_or(false) && spec.trained() {
                    *tensor = tensor.detach();
                    *stays |= i == 0;
                }
            }
        }
        Ok(self)
    }

    /// The same that computes maps in `precision`, such as bf16, whatever its weights are of: convolutions and linear
    /// layers take their weights in it, batch normalisation computes in what its tensors are of, outputs are given in
    /// what the batch is of. Gradients of weights are of what the weights are of.
    #[must_use]
    pub fn in_precision(self, precision: DType) -> Self {
        Self { precision: Some(precision), ..self }
    }

    /// The same made of plain candle operations on the CPU too, as on other devices; for comparisons.
    #[must_use]
    pub fn without_kernels(self) -> Self {
        Self { kernels: false, ..self }
    }

    /// The same weights, shared, for evaluation only.
    pub fn evaluation(&self) -> Evaluation {
        let detach = |tensors: &Vec<Tensor>| tensors.iter().map(Tensor::detach).collect();
        let tensors = self.tensors.iter().map(detach).collect();
        let (network, dropout) = (self.network.clone(), Dropout::default());
        let (frozen, kernels, precision) = (self.frozen.clone(), self.kernels, self.precision);
        Evaluation(Self { network, tensors, frozen, dropout, kernels, precision })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Every tensor with its specification, in the network's order.
    pub fn tensors(&self) -> impl Iterator<Item = (&TensorSpec, &Tensor)> {
        self.network.nodes().iter().zip(&self.tensors).flat_map(|(node, tensors)| node.tensors.iter().zip(tensors))
    }

    /// What an optimiser may change, in the network's order: the weights and biases that are variables.
    ///
    /// # Errors
    ///
    /// Those of candle.
    pub fn trainable(&self) -> Result<Vec<(&TensorSpec, Var)>> {
        self.tensors()
            .filter(|(spec, tensor)| spec.trained() && tensor.is_variable())
            .map(|(spec, tensor)| Ok((spec, Var::from_tensor(tensor)?)))
            .collect()
    }

    /// All outputs for a batch `(N, C, H, W)`: the logits, then the auxiliary heads in the network's order.
    ///
    /// # Errors
    ///
    /// A batch of another shape; batch normalisation that would train on a single value.
    pub fn outputs_t(&self, batch: &Tensor, train: bool) -> Result<Vec<Tensor>> {
        let targets: Vec<NodeId> = self.network.outputs().iter().map(|output| output.node).collect();
        self.run(batch, train, &targets)
    }

    /// The loss of a batch for [`Model::outputs_t`] and labels `(N)`, or [`Targets`] that say more: mean cross-entropy of
    /// the logits, plus that of each auxiliary head times the weight its source gives it.
    ///
    /// # Errors
    ///
    /// More or fewer outputs than the network has: [`ModuleT::forward_t`] gives the logits alone, which are all outputs of a
    /// network without heads. As [`cnn_plan::check_cross_entropy`]. A label that is no class.
    pub fn loss<'a>(&self, outputs: &[Tensor], targets: impl Into<Targets<'a>>) -> Result<Tensor> {
        let targets = targets.into();
        let (expected, found) = (self.network.outputs().len(), outputs.len());
        if expected != found {
            return Err(ModelError::Outputs { network: self.network.name().to_string(), expected, found });
        }
        targets.check(&self.network)?;
        let mut total = targets.cross_entropy(&outputs[0])?;
        for (output, head) in outputs.iter().zip(self.network.outputs()).skip(1) {
            total = (total + (targets.cross_entropy(output)? * head.loss_weight)?)?;
        }
        Ok(total)
    }

    /// The values of the nodes of these paths for a batch, in evaluation mode.
    ///
    /// # Errors
    ///
    /// An unknown path, with those most like it; as [`Model::outputs_t`].
    pub fn nodes(&self, batch: &Tensor, paths: &[&str]) -> Result<Vec<Tensor>> {
        let targets =
            paths.iter().map(|path| self.network.find(path)).collect::<Result<Vec<_>, cnn_network::Error>>()?;
        self.run(batch, false, &targets)
    }

    fn run(&self, batch: &Tensor, train: bool, targets: &[NodeId]) -> Result<Vec<Tensor>> {
        self.check(batch)?;
        let nodes = self.network.nodes();
        let needed = self.network.needed_for(targets);
        let last_readers = self.network.last_readers(&needed);
        let pass = train.then(|| self.dropout.next_pass());
        let (given, batch) = (batch.dtype(), &batch.to_dtype(self.precision.unwrap_or(batch.dtype()))?);
        let kernels = self.kernels && kernels::take(batch);
        let mut values: Vec<Option<Tensor>> = vec![None; nodes.len()];
        for (id, node) in nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            let inputs: Vec<Tensor> = node.inputs.iter().filter_map(|input| values[input.index()].clone()).collect();
            let pass = pass.as_ref().filter(|_| !self.frozen[id]);
            let place = ops::Place { node, tensors: &self.tensors[id], pass, kernels };
            values[id] = Some(ops::compute(&place, if id == 0 { std::slice::from_ref(batch) } else { &inputs })?);
            for input in &node.inputs {
                let done = last_readers[input.index()].is_none_or(|reader| reader.index() <= id);
                if done && !targets.contains(input) {
                    values[input.index()] = None;
                }
            }
        }
        let found = targets.iter().filter_map(|target| values[target.index()].as_ref());
        Ok(found.map(|value| value.to_dtype(given)).collect::<candle_core::Result<_>>()?)
    }

    fn check(&self, batch: &Tensor) -> Result<()> {
        let expected = self.network.input();
        match batch.dims() {
            [n, rest @ ..] if *n > 0 && rest == expected.dims().as_slice() => Ok(()),
            dims => {
                let (network, found) = (self.network.name().to_string(), dims.to_vec());
                Err(cnn_network::Error::BatchShape { network, expected, found }.into())
            }
        }
    }
}

impl ModuleT for Model {
    /// The logits. In training the auxiliary heads are a call of their own, [`Model::outputs_t`].
    fn forward_t(&self, batch: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        let mut outputs = self.run(batch, train, &[self.network.outputs()[0].node])?;
        Ok(outputs.swap_remove(0))
    }
}

/// A [`Model`] in evaluation mode: it follows the model's weights as they are trained, but keeps nothing for a backward
/// pass. (candle implements `ModuleT` for every `Module`, so one type cannot have both with a mode between them.)
#[derive(Debug)]
pub struct Evaluation(Model);

impl Evaluation {
    /// As [`Model::nodes`].
    ///
    /// # Errors
    ///
    /// As [`Model::nodes`].
    pub fn nodes(&self, batch: &Tensor, paths: &[&str]) -> Result<Vec<Tensor>> {
        self.0.nodes(batch, paths)
    }
}

impl Module for Evaluation {
    /// The logits.
    fn forward(&self, batch: &Tensor) -> candle_core::Result<Tensor> {
        self.0.forward_t(batch, false)
    }
}

fn fetch(network: &Network, vb: &VarBuilder<'_>, spec: &TensorSpec) -> Result<Tensor> {
    let network = network.name().to_string();
    let (name, expected) = (spec.name.clone(), spec.dims.clone());
    if !vb.contains_tensor(&spec.name) {
        let near = Vec::new();
        return Err(cnn_network::Error::MissingTensor { network, name, expected, near }.into());
    }
    vb.get(spec.dims.as_slice(), &spec.name).map_err(|error| {
        let found = match vb.get_unchecked(&spec.name) {
            Ok(tensor) if tensor.dims() != spec.dims => tensor.dims().to_vec(),
            _ => return ModelError::Candle(error),
        };
        cnn_network::Error::TensorShape { network, name, expected, found }.into()
    })
}
