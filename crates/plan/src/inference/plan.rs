//! The plan and what a call needs.

use super::build::{Built, build};
use super::calibration::Calibration;
use super::file::{self, Saved, made_for};
use super::fusion::fuse;
use super::lower::{Lowered, lower, origin};
use super::narrow;
use super::numbers::{Numbers, read};
use super::options::{InferenceOptions, Numeric, usual};
use super::report::StepReport;
use super::source::Source;
use crate::error::{Error, Result};
use crate::plan::{batch_of, check_nodes, homes_by};
use cnn_kernels::inference as kernels;
use cnn_kernels::narrow::bf16;
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_weights::Weights;
use std::path::Path;
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
    /// What it was made for, as its file says it.
    made_for: [(&'static str, String); 6],
}

/// What a call of an [`InferencePlan`] needs: memory for a number of images. It is used by one call at a time.
#[derive(Debug)]
pub struct Workspace(kernels::Workspace);

/// The nodes that are asked for.
fn targets(network: &Network, options: &InferenceOptions<'_>) -> Result<Vec<NodeId>> {
    let named = options.nodes.iter().map(|path| network.find(path));
    let main = (!options.only_nodes).then_some(Ok(network.outputs()[0].node));
    let targets = main.into_iter().chain(named).collect::<Result<Vec<_>, cnn_network::Error>>()?;
    check_nodes(network, &targets)?;
    Ok(targets)
}

/// What scales lack for this network, or that they are another's.
fn refused(network: &Network, why: impl Into<String>) -> Error {
    Error::Calibration { network: network.name().to_string(), why: why.into() }
}

/// The calibration of a plan in 8 bits, nothing in another way of computing.
fn calibration<'a>(network: &Network, options: &InferenceOptions<'a>) -> Result<Option<&'a Calibration>> {
    if options.numeric != Numeric::Int8 {
        return Ok(None);
    }
    let why = "8-bit numbers need scales: a Calibrator finds them, and so does `cargo xtask calibrate`";
    let calibration = options.calibration.ok_or_else(|| refused(network, why))?;
    calibration.check_network(network)?;
    Ok(Some(calibration))
}

/// What computes a network, by numbers of some weights or of a file.
fn built(
    network: &Network,
    targets: &[NodeId],
    options: &InferenceOptions<'_>,
    source: &mut Source<'_>,
) -> Result<Built> {
    let lowered = lowered(network, targets);
    match options.numeric {
        Numeric::F32 => build(network, &lowered, options, source),
        // No browser multiplies them, and a web page's module has no room for what does.
        Numeric::Bf16 if cfg!(target_arch = "wasm32") => {
            let why = "WebAssembly has no instructions that multiply bf16".to_string();
            Err(Error::Numeric { numeric: options.numeric.name(), why })
        }
        Numeric::Bf16 => narrow::build::<bf16>(network, lowered, options, None, source),
        Numeric::Int8 => narrow::build::<u8>(network, lowered, options, calibration(network, options)?, source),
    }
}

fn lowered(network: &Network, targets: &[NodeId]) -> Lowered {
    let fusion = fuse(network, targets);
    let needed = network.needed_for(targets);
    let homes = homes_by(network, &needed, |node| origin(network, &fusion, node));
    lower(network, &fusion, homes, targets)
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} steps", self.about.len())
    }
}

impl InferencePlan {
    /// Plans a network and packs its weights. Tensors that are still in a file are read one by one, those of linear
    /// layers in `f32` some rows at a time, so that no more is in memory beside what is packed.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's, numbers that are not finite, no node or one that is not there, a way of computing
    /// that the CPU has no instructions for, instructions asked for by `CNN_INSTRUCTION_SET` that are not there.
    pub fn new(network: &Network, weights: &Weights, options: InferenceOptions<'_>) -> Result<Self> {
        options.check_available()?;
        let targets = targets(network, &options)?;
        let weights = weights.for_nodes(network, &targets)?;
        let mut source = Source::Weights(Numbers::new(&weights));
        let built = built(network, &targets, &options, &mut source)?;
        let sum = match &source {
            Source::Weights(numbers) => {
                if let Some(calibration) = calibration(network, &options)? {
                    calibration.check_weights(numbers.sums())?;
                }
                numbers.sum()
            }
            Source::File(_) => 0,
        };
        let made_for = made_for(network, &options, sum);
        Ok(Self(Arc::new(Inner { network: network.clone(), targets, built, made_for })))
    }

    /// Writes what was packed to a file, for [`InferencePlan::open`]. The file is there whole, or as it was before.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        file::save(path.as_ref(), &self.0.made_for, &self.0.built.kept)
    }

    /// The plan of a file, whose numbers stay in it: the file is mapped into memory and must not be changed meanwhile.
    /// With weights given it is also checked that the plan was made of these, for which all of them are read.
    ///
    /// # Errors
    ///
    /// A file that is no plan, that is damaged, or that was made for another network, with other options or weights, for
    /// other instructions, or by another version of this crate; instructions that [`InferencePlan::new`] refuses.
    pub fn open(
        path: impl AsRef<Path>,
        network: &Network,
        weights: Option<&Weights>,
        options: InferenceOptions<'_>,
    ) -> Result<Self> {
        options.check_available()?;
        let targets = targets(network, &options)?;
        let calibration = calibration(network, &options)?;
        let sum = match weights {
            Some(weights) => {
                let weights = weights.for_nodes(network, &targets)?;
                let numbers = read(network, &weights, &network.needed_for(&targets))?;
                if let Some(calibration) = calibration {
                    calibration.check_weights(numbers.sums())?;
                }
                numbers.sum()
            }
            None => 0,
        };
        let mut made_for = made_for(network, &options, sum);
        let mut saved = Saved::open(path.as_ref(), &made_for, weights.is_some())?;
        let built = built(network, &targets, &options, &mut Source::File(&mut saved))?;
        made_for[5].1 = saved.weights.clone();
        saved.end()?;
        Ok(Self(Arc::new(Inner { network: network.clone(), targets, built, made_for })))
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
        let [first, further] = program.numbers();
        let numbers = further.saturating_mul(images.saturating_sub(1)).saturating_add(first);
        let bytes = numbers.saturating_mul(size_of::<f32>());
        kernels::Workspace::new(program, images).map(Workspace).ok_or(Error::Memory { batch: images, bytes })
    }

    /// Computes the outputs for images `(N, C, H, W)`, and writes each to its slice: `(N, C, H, W)` or `(N, classes)`.
    /// After a first call with a workspace nothing is allocated, but by layers of radial basis functions, and by a thread that
    /// takes a task of an operation without a step of its own for the first time.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, more images than the workspace holds, slices of another length.
    ///
    /// # Panics
    ///
    /// Where the workspace is another plan's.
    pub fn run(&self, workspace: &mut Workspace, images: &[f32], outputs: &mut [&mut [f32]]) -> Result<()> {
        let batch = self.batch_of(images.len())?;
        if batch > workspace.capacity() {
            let network = self.0.network.name().to_string();
            return Err(Error::Capacity { network, expected: workspace.capacity(), found: batch });
        }
        if outputs.len() != self.0.targets.len() {
            let network = self.0.network.name().to_string();
            return Err(Error::Outputs { network, expected: self.0.targets.len(), found: outputs.len() });
        }
        for (number, output) in outputs.iter().enumerate() {
            let expected = batch * self.output_len(number);
            if output.len() != expected {
                let node = self.0.network.node(self.0.targets[number]).path.clone();
                return Err(Error::OutputLength { node, expected, found: output.len() });
            }
        }
        let Built { program, outputs: places, .. } = &self.0.built;
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
        batch_of(&self.0.network, numbers)
    }
}

impl InferencePlan {
    /// What each step is, and the time it took in calls with a workspace that measures.
    pub fn report<'a>(&'a self, workspace: &Workspace, usual_batch: usize) -> Vec<StepReport<'a>> {
        let Built { program, about, of, .. } = &self.0.built;
        let mut times = vec![Duration::ZERO; about.len()];
        of.iter().zip(program.times(&workspace.0)).for_each(|(step, time)| times[*step] += time);
        about.iter().zip(times).map(|(about, time)| about.report(&self.0.network, usual(usual_batch), time)).collect()
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
