//! What a step works on: a network, and a batch and weights that follow from the seed.

use crate::cli::InputShape;
use anyhow::{Context, Result};
use cnn_core::device::Device;
use cnn_core::initialisation::{Init, Law, Scheme};
use cnn_core::{Network, Weights};
use cnn_kernels::Buffer;
use cnn_plan::{Numeric, Recompute};
use std::path::PathBuf;

/// The learning rate of a training step: small, so that hundreds of steps on one batch stay finite.
pub const LEARNING_RATE: f64 = 1e-3;
/// The momentum of a training step.
pub const MOMENTUM: f64 = 0.9;

/// What a step works on. Two of the same arguments have the same bits, in whatever process.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Without dropout; with its auxiliary heads in training only.
    pub network: Network,
    /// Number of classes.
    pub classes: usize,
    /// Images in a batch.
    pub batch: usize,
    /// Whether a step is one of training.
    pub train: bool,
    /// What a step of training computes again instead of keeping it; engine plan only.
    pub recompute: Recompute,
    /// Whether the time of each part of a step is taken; training always does.
    pub measured: bool,
    /// What a forward pass of the inference plan computes with.
    pub numeric: Numeric,
    /// Where the random numbers begin.
    pub seed: u64,
    /// Where to compute.
    pub device: Device,
    /// The file that a forward pass has its weights from, if they are not drawn.
    pub weights: Option<PathBuf>,
    /// The folder that a plan in 8 bits lies in, or is written to where it lies not.
    pub saved: Option<PathBuf>,
}

/// What a step is given.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Images, noise between -1 and 1, (N, C, H, W).
    pub images: Vec<f32>,
    /// Labels, one class after the other.
    pub labels: Vec<u32>,
}

/// A network by name, a batch, and what differs from its source.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub network: &'a str,
    pub batch: u32,
    pub shape: Option<InputShape>,
    pub classes: Option<u32>,
    pub train: bool,
}

impl Workload {
    pub fn new(request: &Request<'_>, seed: u64, device: Device) -> Result<Self> {
        let entry = cnn_zoo::find(request.network)?;
        let classes = request.classes.map_or(entry.classes, |classes| classes as usize);
        // He's initialisation: with the narrow ones of some papers nothing of the image would arrive at the logits
        // before training, and comparing them would tell little.
        let scheme = Scheme::TORCH.conv(Law::KaimingFanIn);
        let architecture = entry.architecture(classes).without_dropout().initialised(scheme);
        let architecture = if request.train { architecture } else { architecture.without_heads() };
        let network = architecture.at(request.shape.map_or(architecture.usual_input(), |shape| shape.0))?;
        let (batch, train, recompute) = (request.batch as usize, request.train, Recompute::Nothing);
        Ok(Self {
            network,
            classes,
            batch,
            train,
            recompute,
            measured: false,
            numeric: Numeric::F32,
            seed,
            device,
            weights: None,
            saved: None,
        })
    }

    /// The same step with less memory.
    pub fn recomputing(self, recompute: Recompute) -> Self {
        Self { recompute, ..self }
    }

    /// The same step, whose parts' times are taken.
    pub fn measuring(self, measured: bool) -> Self {
        Self { measured, ..self }
    }

    /// The same step in another way of computing.
    pub fn in_numeric(self, numeric: Numeric) -> Self {
        Self { numeric, ..self }
    }

    /// Freshly initialised weights, or those of the file.
    pub fn weights(&self) -> Result<Weights> {
        match &self.weights {
            Some(file) => Ok(Weights::read(file)?),
            None => Ok(Weights::initialised(&self.network, self.seed)),
        }
    }

    /// The batch.
    pub fn batch(&self) -> Result<Batch> {
        // Asked for first: without the memory, drawing would end the program.
        let count = self
            .network
            .input()
            .elements()
            .checked_mul(self.batch)
            .filter(|count| Buffer::<f32>::fits(*count))
            .with_context(|| format!("{} images of {} do not fit in memory", self.batch, self.network.input()))?;
        Ok(Batch {
            images: Init::Uniform { bound: 1.0 }.draw(self.seed, "bench images", count),
            labels: (0..self.batch).map(|image| (image % self.classes) as u32).collect(),
        })
    }

    /// Shape of one image.
    pub fn shape(&self) -> [usize; 3] {
        let dims = self.network.input().dims();
        [dims[0], dims[1], dims[2]]
    }

    /// Floating-point operations of a step, two for a multiply-accumulate; a backward pass counts as two forward ones.
    pub fn operations(&self) -> f64 {
        let summary = self.network.summary();
        let macs = if self.train { 3.0 * summary.macs_with_heads as f64 } else { summary.macs as f64 };
        2.0 * macs * self.batch as f64
    }
}
