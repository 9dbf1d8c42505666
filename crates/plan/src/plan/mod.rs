//! What is decided before a network's first step: stages, what they read and write, when each store is alive and in which
//! buffer it lies.
//!
//! A plan holds no numbers and nothing changes it. Threads share it, two plans can be compared, and
//! [`Plan`] prints as a table of its stages. What runs it, a [`TrainingRun`](crate::TrainingRun) or an
//! [`Evaluation`](crate::Evaluation), owns the memory.

mod gradients;
mod home;
mod lifetime;
mod lower;
mod passing;
mod recompute;
mod schedule;
mod stage;
mod table;
mod value;

pub use gradients::GradientPlan;
pub use recompute::Recompute;

pub(crate) use home::{Home, homes_by, starts};
pub(crate) use lifetime::{Slot, Slots};
pub(crate) use lower::Lowered;
pub(crate) use passing::{Passing, Way};
pub use schedule::Turn;
pub(crate) use stage::{Fill, MapWork, Stage, Statistics, Work};
pub(crate) use value::{Value, size};

use crate::error::{Error, Result, instructions};
use crate::inference::Numeric;
use crate::operation::Operation;
use cnn_kernels::{Algorithm, LANES};
use cnn_network::Network;
use cnn_network::network::NodeId;
use lifetime::slots;
use lower::{Purpose, lower};
use recompute::schedule;
use schedule::Schedule;
use std::ops::Deref;
use std::sync::Arc;

/// A network's stages, what they read and write, and where in memory that lies.
#[derive(Debug, PartialEq)]
pub struct Plan {
    pub(crate) network: Network,
    /// The nodes that are asked for: the network's outputs first, then others.
    pub(crate) targets: Vec<NodeId>,
    pub(crate) lowered: Lowered,
    pub(crate) schedule: Schedule,
    pub(crate) passing: Passing,
    pub(crate) slots: Slots,
    /// For each of the network's tensors whether a stage reads it.
    pub(crate) reads: Vec<bool>,
}

/// How a network is to be trained.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainingOptions<'a> {
    /// For each tensor, in the order of [`Network::tensors`], whether it stays as it is; empty if none does. It gets no
    /// gradient, and what serves only to compute it is left out. A batch normalisation whose weight is frozen
    /// normalises by its running statistics, which stay too. Of statistics alone it says nothing.
    pub frozen: &'a [bool],
    /// What is computed again in the backward pass instead of keeping it.
    pub recompute: Recompute,
    /// What convolutions multiply, forward and for both gradients: numbers of 32 bits, or of 16 (`bf16`) where that is
    /// likely to be faster. Whatever is kept or summed up is of 32 bits. [`Numeric::Int8`] is for inference alone.
    pub numeric: Numeric,
    /// Nodes whose values are wanted beside the network's outputs, by path; gradients may be given for them too.
    pub nodes: &'a [&'a str],
}

/// A plan of training steps: all outputs, batch normalisation by the batch, dropout, and a backward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingPlan(Arc<Plan>);

/// A plan of evaluation: the logits, or the values of any nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationPlan(Arc<Plan>);

impl TrainingPlan {
    /// Plans the training of a network.
    ///
    /// # Errors
    ///
    /// A list of frozen tensors that is not of all tensors, a node that is not there, a max pool whose window is too
    /// large, numbers that the CPU has no instructions for, instructions asked for by `CNN_INSTRUCTION_SET` that are not
    /// there.
    pub fn new(network: &Network, options: TrainingOptions<'_>) -> Result<Self> {
        let TrainingOptions { frozen, recompute, nodes, numeric } = options;
        let set = instructions()?;
        let available = match numeric {
            Numeric::Int8 => Err("nothing is trained in it".to_string()),
            numeric => numeric.available(set),
        };
        available.map_err(|why| Error::Numeric { numeric: numeric.name(), why })?;
        let expected = network.tensors().count();
        if ![0, expected].contains(&frozen.len()) {
            let network = network.name().to_string();
            return Err(Error::Frozen { network, expected, found: frozen.len() });
        }
        let outputs = network.outputs().iter().map(|output| Ok(output.node));
        let targets: Vec<NodeId> =
            outputs.chain(nodes.iter().map(|path| network.find(path))).collect::<Result<_, cnn_network::Error>>()?;
        let mut lowered = lower(network, &targets, Purpose::Training { frozen });
        if numeric == Numeric::Bf16 {
            lowered.convolve_by(Algorithm::Bf16);
        }
        let schedule = schedule(&lowered, recompute);
        Ok(Self(Arc::new(Plan::new(network, targets, lowered, schedule)?)))
    }

    /// Whether both are the same plan, or equal ones.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self == other
    }
}

impl EvaluationPlan {
    /// Plans the evaluation of a network's main output.
    ///
    /// # Errors
    ///
    /// A max pool whose window is too large, instructions asked for by `CNN_INSTRUCTION_SET` that are not there.
    pub fn new(network: &Network) -> Result<Self> {
        Self::of_nodes(network, &[network.outputs()[0].node])
    }

    /// Plans the evaluation of some nodes, and of nothing that they do not need.
    ///
    /// # Errors
    ///
    /// No node, one that is another network's; what [`EvaluationPlan::new`] refuses.
    pub fn of_nodes(network: &Network, nodes: &[NodeId]) -> Result<Self> {
        check_nodes(network, nodes)?;
        instructions()?;
        let lowered = lower(network, nodes, Purpose::Evaluation);
        let schedule = Schedule::forward_only(&lowered);
        Ok(Self(Arc::new(Plan::new(network, nodes.to_vec(), lowered, schedule)?)))
    }

    /// Plans the evaluation of the nodes of some paths.
    ///
    /// # Errors
    ///
    /// No path, a node that is not there, with those most like it; what [`EvaluationPlan::new`] refuses.
    pub fn of_paths(network: &Network, paths: &[&str]) -> Result<Self> {
        let nodes = paths.iter().map(|path| network.find(path)).collect::<Result<Vec<_>, cnn_network::Error>>()?;
        Self::of_nodes(network, &nodes)
    }
}

/// Refuses no nodes, and those of another network.
pub(crate) fn check_nodes(network: &Network, nodes: &[NodeId]) -> Result<()> {
    if nodes.is_empty() {
        return Err(Error::NoTargets { network: network.name().to_string() });
    }
    Ok(network.check_nodes(nodes)?)
}

impl Plan {
    fn new(network: &Network, targets: Vec<NodeId>, lowered: Lowered, schedule: Schedule) -> Result<Self> {
        for stage in &lowered.stages {
            if let Some(Operation::MaxPool(max)) = stage.operation() {
                let taps = max.kernel[0].saturating_mul(max.kernel[1]);
                // A maximum's tap is remembered in a byte.
                if taps > 256 {
                    return Err(Error::Pool { path: stage.path.clone(), taps });
                }
            }
        }
        let passing = Passing::new(&lowered, &schedule);
        let slots = slots(&lowered, &schedule, &passing);
        let nodes = network.nodes().iter().zip(network.needed_for(&targets));
        let reads = nodes.flat_map(|(node, needed)| node.tensors.iter().map(move |_| needed)).collect();
        Ok(Self { network: network.clone(), targets, lowered, schedule, passing, slots, reads })
    }

    /// The network it was made from.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The nodes whose values it computes, in the order of the outputs of a run.
    pub fn targets(&self) -> &[NodeId] {
        &self.targets
    }

    /// Numbers that stores and their gradients hold per image.
    pub fn numbers_per_image(&self) -> usize {
        self.slots.lengths.iter().sum()
    }

    /// Bytes that a step of so many images in f32 holds beside the tensors: stores and their gradients, what pools and dropout
    /// remember, and the largest gradient of a tensor that is handed over in one piece. That of a linear layer is handed
    /// over in parts, unless all are wanted `whole` ([`Receive::parts`](crate::Receive::parts)).
    pub fn step_bytes(&self, images: usize, whole: bool) -> u64 {
        let fills = || self.lowered.stages.iter().filter_map(Stage::as_fill);
        let remembered = fills().filter_map(|(fill, output)| {
            let numbers = output.blocks() * LANES * output.size[0] * output.size[1];
            let bytes = if matches!(fill.operation, Operation::MaxPool(_)) { 1 } else { size_of::<f32>() };
            fill.memory.map(|_| numbers.saturating_mul(bytes))
        });
        let of_an_image = remembered.fold(self.numbers_per_image() * size_of::<f32>(), usize::saturating_add);
        let handed_over = fills().filter(|(fill, _)| {
            let trained = fill.weight.is_some_and(|weight| self.lowered.trained[weight]);
            trained && (whole || fill.operation.as_linear().is_none())
        });
        let largest = handed_over.map(|(fill, _)| fill.operation.weight_numbers()).max().unwrap_or(0);
        (of_an_image as u64).saturating_mul(images as u64).saturating_add((largest * size_of::<f32>()) as u64)
    }

    /// How many images a slice of numbers has.
    pub(crate) fn batch_of(&self, numbers: usize) -> Result<usize> {
        batch_of(&self.network, numbers)
    }
}

/// How many images of a network a slice of numbers has.
pub(crate) fn batch_of(network: &Network, numbers: usize) -> Result<usize> {
    let expected = network.input();
    if numbers == 0 || !numbers.is_multiple_of(expected.elements()) {
        return Err(Error::BatchLength { network: network.name().to_string(), expected, found: numbers });
    }
    Ok(numbers / expected.elements())
}

impl Deref for TrainingPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

impl Deref for EvaluationPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}
