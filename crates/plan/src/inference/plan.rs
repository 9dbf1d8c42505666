//! The plan and what a call needs.

use super::build::{Built, build};
use super::fusion::fuse;
use super::lower::{lower, origin};
use super::options::InferenceOptions;
use super::weights::Numbers;
use crate::error::{Error, Result};
use crate::plan::homes_by;
use cnn_kernels::inference as kernels;
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_weights::Weights;
use std::sync::Arc;
use std::time::Duration;

/// A network with its weights, lowered for answering alone: normalisation folded into convolutions, one pass for
/// convolution, bias, sum and ReLU, weights packed once. Nothing changes it; threads share it, and copies share the
/// weights. Each call brings a [`Workspace`].
///
/// The bits of an answer depend neither on the number of threads nor on what other images are in the batch.
#[derive(Clone, Debug)]
pub struct InferencePlan(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    network: Network,
    targets: Vec<NodeId>,
    built: Built,
}

/// What a call of an [`InferencePlan`] needs: memory for a number of images. It is used by one call at a time.
#[derive(Debug)]
pub struct Workspace(kernels::Workspace);

/// A step of a plan.
#[derive(Clone, Debug)]
pub struct StepReport<'a> {
    /// The node it begins with.
    pub path: &'a str,
    /// What computes it.
    pub algorithm: &'static str,
    /// Multiplications and additions of the definition, of one image.
    pub flops: f64,
    /// Bytes of its weights, as they are packed.
    pub weight_bytes: usize,
    /// Bytes of one image that it reads and writes.
    pub value_bytes: usize,
    /// Time that is predicted for the usual batch; of convolutions alone.
    pub predicted: Option<Duration>,
    /// Time that was measured.
    pub measured: Duration,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} steps", self.nodes.len())
    }
}

impl InferencePlan {
    /// Plans a network and packs its weights. Tensors that are still in a file are read one by one, so that no more than
    /// one of them is in memory beside what is packed.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's, numbers that are not finite, a node that is not there.
    pub fn new(network: &Network, weights: &Weights, options: InferenceOptions<'_>) -> Result<Self> {
        let named = options.nodes.iter().map(|path| network.find(path));
        let main = (!options.only_nodes).then_some(Ok(network.outputs()[0].node));
        let targets: Vec<NodeId> = main.into_iter().chain(named).collect::<Result<_, cnn_network::Error>>()?;
        let weights = weights.for_nodes(network, &targets)?;
        let fusion = fuse(network, &targets);
        let needed = network.needed_for(&targets);
        let homes = homes_by(network, &needed, |node| origin(network, &fusion, node));
        let lowered = lower(network, &fusion, homes, &targets);
        let built = build(network, &lowered, &options, &mut Numbers { weights: &weights })?;
        Ok(Self(Arc::new(Inner { network: network.clone(), targets, built })))
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// The nodes whose values it computes, in the order of the outputs.
    pub fn targets(&self) -> &[NodeId] {
        &self.0.targets
    }

    /// Numbers of an output, for one image.
    ///
    /// # Panics
    ///
    /// Where there is no such output.
    pub fn output_len(&self, output: usize) -> usize {
        self.0.network.node(self.0.targets[output]).shape.elements()
    }

    /// Memory for calls of up to so many images.
    ///
    /// # Errors
    ///
    /// More images than memory holds.
    pub fn workspace(&self, images: usize) -> Result<Workspace> {
        let program = &self.0.built.program;
        let bytes = program.numbers_per_image().saturating_mul(images).saturating_mul(size_of::<f32>());
        kernels::Workspace::new(program, images).map(Workspace).ok_or(Error::Memory { batch: images, bytes })
    }

    /// Computes the outputs for images `(N, C, H, W)`, and writes each to its slice: `(N, C, H, W)` or `(N, classes)`.
    /// After a first call with a workspace nothing is allocated, where all steps are the plan's own.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, more images than the workspace holds, slices of another length.
    pub fn run(&self, workspace: &mut Workspace, images: &[f32], outputs: &mut [&mut [f32]]) -> Result<()> {
        let batch = self.batch_of(images.len())?;
        let Built { program, outputs: places, .. } = &self.0.built;
        if batch > workspace.0.capacity() {
            let network = self.0.network.name().to_string();
            return Err(Error::Capacity { network, expected: workspace.0.capacity(), found: batch });
        }
        if outputs.len() != places.len() {
            let network = self.0.network.name().to_string();
            return Err(Error::Outputs { network, expected: places.len(), found: outputs.len() });
        }
        for (number, output) in outputs.iter().enumerate() {
            let expected = batch * self.output_len(number);
            if output.len() != expected {
                let node = self.0.network.node(self.0.targets[number]).path.clone();
                return Err(Error::OutputLength { node, expected, found: output.len() });
            }
        }
        program.run(&mut workspace.0, images);
        for (place, output) in places.iter().zip(outputs) {
            program.read(&workspace.0, place, batch, output);
        }
        Ok(())
    }

    /// The outputs for images `(N, C, H, W)`.
    ///
    /// # Errors
    ///
    /// As [`InferencePlan::run`].
    pub fn outputs(&self, workspace: &mut Workspace, images: &[f32]) -> Result<Vec<Vec<f32>>> {
        let batch = self.batch_of(images.len())?;
        let lengths = (0..self.0.targets.len()).map(|number| batch * self.output_len(number));
        let mut outputs: Vec<Vec<f32>> = lengths.map(|length| vec![0.0; length]).collect();
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.run(workspace, images, &mut slices)?;
        Ok(outputs)
    }

    /// How many images a slice of numbers has.
    pub(crate) fn batch_of(&self, numbers: usize) -> Result<usize> {
        let expected = self.0.network.input();
        if numbers == 0 || !numbers.is_multiple_of(expected.elements()) {
            let network = self.0.network.name().to_string();
            return Err(Error::BatchLength { network, expected, found: numbers });
        }
        Ok(numbers / expected.elements())
    }
}

impl InferencePlan {
    /// What each step is, and the time it took in calls with a workspace that measures.
    pub fn report<'a>(&'a self, workspace: &Workspace, usual_batch: usize) -> Vec<StepReport<'a>> {
        let Built { program, nodes, .. } = &self.0.built;
        let times = program.times(&workspace.0);
        let steps = program.steps().zip(nodes).zip(times);
        steps
            .map(|(((step, packed), node), time)| self.step_report(step, packed, *node, usual_batch, time.total))
            .collect()
    }

    fn step_report<'a>(
        &'a self,
        step: &kernels::Step,
        packed: Option<&kernels::Packed>,
        node: usize,
        batch: usize,
        measured: Duration,
    ) -> StepReport<'a> {
        let numbers = |place: &kernels::Place| place.channels * place.pixels();
        let values: usize = step.reads().iter().chain([step.output()]).map(numbers).sum();
        let mut predicted = None;
        let (algorithm, macs) = match step {
            kernels::Step::Convolution(step) => {
                let nanoseconds =
                    kernels::cost(step.algorithm, &step.conv, step.output.size, batch, kernels::Machine::USUAL);
                predicted = Some(Duration::from_nanos(nanoseconds as u64));
                (step.algorithm.name(), step.conv.weights() * step.output.pixels())
            }
            kernels::Step::Linear(step) => ("linear", numbers(&step.input) * step.output.channels),
            kernels::Step::MaxPool { .. } => ("max pool", 0),
            kernels::Step::AveragePool { .. } => ("average pool", 0),
            kernels::Step::Sum { .. } => ("sum", 0),
            kernels::Step::Custom(_) => ("other", 0),
        };
        StepReport {
            path: &self.0.network.nodes()[node].path,
            algorithm,
            flops: 2.0 * macs as f64,
            weight_bytes: packed.map_or(0, |packed| size_of_val(packed.weights.get())),
            value_bytes: values * size_of::<f32>(),
            predicted,
            measured,
        }
    }
}

impl Workspace {
    /// Images it holds.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// From now on the time of each step is taken, for [`InferencePlan::report`].
    pub fn measure(&mut self) {
        self.0.measure();
    }
}
