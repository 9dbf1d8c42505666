//! Weights as the beginning of another training.

use crate::error::Result;
use crate::tensor::Tensor;
use crate::weights::Weights;
use cnn_network::{Network, Op};

/// Where a network's training begins, if not freshly initialised.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The tensors that are taken over.
    pub weights: Weights,
    /// The tensors that are initialised instead: those of a last layer for another number of classes, and of heads that
    /// the weights lack.
    pub anew: Vec<String>,
}

impl Weights {
    /// These weights as a start for training `network`, which may have another number of classes.
    ///
    /// What is initialised instead of taken over: the layers that make the class scores (the last layer with
    /// weights before an output), where their number of outputs differs, and auxiliary heads that the weights lack.
    /// Everything else must fit.
    ///
    /// # Errors
    ///
    /// Any other tensor that is missing or has another shape, weights of another network, numbers that are not finite.
    pub fn start(&self, network: &Network) -> Result<Start> {
        self.check_name(network)?;
        let scoring = scoring_nodes(network);
        let mut start = Start { weights: Weights::new().from_source(self.source().to_string()), anew: Vec::new() };
        for (id, node) in network.nodes().iter().enumerate() {
            for spec in &node.tensors {
                let other_classes = |tensor: &Tensor| {
                    scoring[id]
                        && tensor.dims().len() == spec.dims.len()
                        && tensor.dims()[0] != spec.dims[0]
                        && tensor.dims()[1..] == spec.dims[1..]
                };
                match self.get(&spec.name) {
                    None if node.head.is_some() => start.anew.push(spec.name.clone()),
                    Some(tensor) if other_classes(tensor) => start.anew.push(spec.name.clone()),
                    _ => {
                        self.check_shape(network, spec)?;
                        let values = self.numbers_of::<f32>(network, &spec.name)?.into_owned();
                        start.weights.insert(spec.name.clone(), Tensor::new(&spec.name, &spec.dims, values)?);
                    }
                }
            }
        }
        // A layer is initialised whole, or not at all.
        for node in network.nodes() {
            if node.tensors.iter().any(|spec| start.anew.contains(&spec.name)) {
                for spec in &node.tensors {
                    if start.weights.remove(&spec.name).is_some() {
                        start.anew.push(spec.name.clone());
                    }
                }
            }
        }
        let surplus = self.surplus(network);
        match surplus.first() {
            None => Ok(start),
            Some(first) => Err(cnn_network::Error::SurplusTensors {
                network: network.name().to_string(),
                count: surplus.len(),
                first: (*first).to_string(),
            }
            .into()),
        }
    }
}

/// For each node whether it makes class scores: the last one with weights before an output, where nothing but
/// operations that keep the channels apart lies between.
fn scoring_nodes(network: &Network) -> Vec<bool> {
    let mut scoring = vec![false; network.nodes().len()];
    for output in network.outputs() {
        let mut id = output.node;
        loop {
            let node = network.node(id);
            match (&node.op, &node.inputs[..]) {
                (Op::Conv(_) | Op::Linear(_), _) => {
                    scoring[id.index()] = true;
                    break;
                }
                (Op::Add | Op::Concat, _) | (_, []) => break,
                // A normalisation between belongs to the scores as well.
                (_, [input, ..]) => {
                    scoring[id.index()] = true;
                    id = *input;
                }
            }
        }
    }
    scoring
}
