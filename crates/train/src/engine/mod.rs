//! What computes training steps: candle's autograd on any device, or the planned step on the CPU.

mod buckets;
#[cfg(feature = "candle")]
mod candle;
mod gathered;
mod gradients;
mod planned;
pub(crate) mod sharded;
mod sums;
mod synchronous;
mod updates;

pub use updates::Updates;

use crate::classify::Classify;
use crate::error::Result;
use crate::loss::LossFunction;
use crate::settings::Settings;
use cnn_core::Network;
use cnn_core::device::Device;
use cnn_data::Batch;
use cnn_distributed::Ranks;
use cnn_weights::{BorrowedWeights, Start, Weights};
use serde::{Deserialize, Serialize};

/// The name of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Engine {
    /// candle's operations and autograd, on any device.
    Candle,
    /// The step planned over this project's own kernels; CPU only.
    Plan,
}

impl Engine {
    /// The faster one on this device.
    pub fn usual(device: &Device) -> Self {
        if device.is_cpu() { Self::Plan } else { Self::Candle }
    }

    /// What learns by this engine, before its first step.
    ///
    /// # Errors
    ///
    /// A network that the engine cannot train; those of the device.
    pub fn learner<'a>(self, lesson: Lesson<'a>) -> Result<Box<dyn Learner + 'a>> {
        Ok(match self {
            #[cfg(feature = "candle")]
            Self::Candle => Box::new(candle::CandleLearner::new(lesson)?),
            #[cfg(not(feature = "candle"))]
            Self::Candle => return Err(crate::error::Error::CandleFeature),
            Self::Plan => Box::new(planned::PlannedLearner::new(lesson)?),
        })
    }
}

/// A network that learns: what an engine is to the training loop. Another engine implements it and trains with
/// [`train_with`](crate::train_with).
pub trait Learner {
    /// One step by the mean gradient of all batches' images; where the loss is infinite or NaN, no weight is changed.
    ///
    /// # Errors
    ///
    /// Those of computing.
    fn step(&mut self, batches: &[Batch], learning_rate: f64) -> Result<Stepped>;

    /// The network that is judged: with a moving average, the averaged one.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn judged(&self) -> Result<Box<dyn Classify + '_>>;

    /// The weights that are trained.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn weights(&self) -> Result<BorrowedWeights<'_>>;

    /// Their moving average or slow weights, where the settings ask for them.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn average(&self) -> Result<Option<BorrowedWeights<'_>>>;

    /// The weights that are worth keeping: the average where there is one.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn kept(&self) -> Result<BorrowedWeights<'_>> {
        self.average()?.map_or_else(|| self.weights(), Ok)
    }

    /// What a run needs beside its weights and their average to go on: names are `MEMORY/TENSOR`.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn state(&self) -> Result<BorrowedWeights<'_>>;

    /// Goes on from a checkpoint of the same network.
    ///
    /// # Errors
    ///
    /// Weights that are not the network's, numbers that are not finite.
    fn restore(&mut self, saved: &Saved) -> Result<()>;
}

/// What a learner begins with.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// The network.
    pub network: &'a Network,
    /// How to train.
    pub settings: &'a Settings,
    /// What is made small.
    pub loss: &'a dyn LossFunction,
    /// Where to compute.
    pub device: &'a Device,
    /// Weights to start from.
    pub start: Option<&'a Start>,
    /// For each tensor whether it stays as it is.
    pub frozen: &'a [bool],
    /// Training passes taken before, which dropout's masks are drawn by.
    pub passes: u64,
    /// Steps of the run taken before, by whatever rule.
    pub taken: usize,
    /// Steps of the whole run, those taken before included.
    pub steps: usize,
    /// The other ranks, if there are any.
    pub ranks: Option<&'a Ranks>,
}

impl Lesson<'_> {
    /// The weights every tensor begins with.
    pub fn beginning(&self) -> Weights {
        let mut weights = Weights::initialised(self.network, self.settings.seed);
        for (name, tensor) in self.start.into_iter().flat_map(|start| start.weights.iter()) {
            weights.insert(name, tensor.clone());
        }
        weights
    }
}

/// What a learner goes on with: see [`Learner::weights`], [`Learner::average`] and [`Learner::state`].
#[derive(Clone, Debug)]
pub struct Saved {
    /// Steps taken.
    pub steps: i32,
    /// The weights that are trained.
    pub weights: Weights,
    /// Their average, where the settings ask for one.
    pub average: Option<Weights>,
    /// What lies beside them.
    pub state: Weights,
}

impl Saved {
    /// What is remembered of a tensor under the name of a memory, if anything.
    pub(crate) fn memory(&self, memory: &str, tensor: &str) -> Result<Option<Vec<f32>>> {
        let name = format!("{memory}/{tensor}");
        let found = self.state.get(&name).map(|found| found.numbers::<f32>(&name)).transpose()?;
        Ok(found.map(std::borrow::Cow::into_owned))
    }
}

/// What a step gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stepped {
    /// Mean loss.
    pub loss: f32,
    /// Images whose largest score was their label's.
    pub correct: usize,
    /// Images, of all ranks.
    pub images: usize,
}

impl Stepped {
    /// Together with the outcome of a batch that is `share` of the step's images.
    fn with(self, other: Self, share: f64) -> Self {
        let loss = if share == 1.0 { other.loss } else { self.loss + (f64::from(other.loss) * share) as f32 };
        Self { loss, correct: self.correct + other.correct, images: self.images + other.images }
    }
}

/// The share that each batch has of a step's images.
fn shares(batches: &[Batch]) -> impl Iterator<Item = (&Batch, f64)> {
    let images: usize = batches.iter().map(|batch| batch.indices.len()).sum();
    batches.iter().map(move |batch| (batch, batch.indices.len() as f64 / images as f64))
}

/// What a batch's outputs are measured against.
fn targets(batch: &Batch, smoothing: f64) -> cnn_plan::Targets<'_> {
    let mixed = batch.mixed.as_ref().map(|mixed| (mixed.labels.as_slice(), mixed.share));
    cnn_plan::Targets { labels: &batch.labels, mixed, smoothing }
}
