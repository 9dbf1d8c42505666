//! How to train.

use crate::average::{Averaging, Lookahead};
use crate::class_weights::ClassWeights;
use crate::error::{Error, Result};
use crate::group::{Decay, Group};
use crate::limits;
use crate::rule::Rule;
use crate::schedule::{Schedule, WarmUp};
use crate::test_time::TestTime;
use crate::whitening::Whitening;
use cnn_data::Augmentation;
use cnn_distributed::Wire;
use cnn_figures::number;
use cnn_plan::Numeric;
use serde::{Deserialize, Serialize};

/// Everything that decides how a network is trained; with the data and the machine it decides every bit of the result.
///
/// It is the table `[training]` of a [`Recipe`](crate::Recipe): what a recipe leaves out is as in [`Settings::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images that go through the network together.
    pub batch_size: usize,
    /// Parts of a batch that go through the network one by one, each with batch statistics of its own: a power of two. Ranks
    /// share them out, and their gradients are added in one order, so that the bits do not depend on the number of ranks.
    #[serde(skip_serializing_if = "is_one")]
    pub shards: usize,
    /// Whether all shards of a batch have one batch normalisation, as if the batch were whole: torch's `SyncBatchNorm`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sync_batch_norm: bool,
    /// The format in which the gradients of shards are added and travel between ranks.
    #[serde(skip_serializing_if = "is_whole")]
    pub wire: Wire,
    /// Batches whose gradients are averaged for one step.
    pub accumulate: usize,
    /// The learning rate, at the end of the warm-up where there is one.
    pub learning_rate: f64,
    /// Where initialisation, dropout, shuffling and augmentation begin.
    pub seed: u64,
    /// Which weights the rule's weight decay pulls at.
    pub decay: Decay,
    /// Share of the target that is spread over all classes (Szegedy et al. 2016, section 7).
    pub label_smoothing: f64,
    /// What an image counts in the loss by its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Whether an epoch shows every class as often as any other: see [`cnn_data::Loader::balanced`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub balance: bool,
    /// How a gradient becomes a step.
    pub optimizer: Rule,
    /// How the learning rate goes on.
    pub schedule: Schedule,
    /// A rise to the learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUp>,
    /// A limit to gradients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Judge and keep a moving average of the weights, statistics included: the share of it that stays at each step.
    /// Over the first steps it is lower, (1 + n) / (10 + n) after n of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Judge and keep slow weights, which the trained ones return to every few steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookahead: Option<Lookahead>,
    /// Begin with a first convolution that whitens the images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whitening: Option<Whitening>,
    /// Tensors with a learning rate and a weight decay of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The views of an image by which it is judged.
    #[serde(skip_serializing_if = "TestTime::is_plain")]
    pub test_time: TestTime,
    /// Stop after this many epochs in a row without a new best test accuracy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Tensors whose names are so, or go on so behind a dot, stay as they are, their layers as in evaluation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// Compute again in the backward pass what would take memory to keep.
    pub recompute: bool,
    /// What is multiplied.
    pub precision: Precision,
    /// What is done to training images.
    pub augmentation: Augmentation,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 64,
            shards: 1,
            sync_batch_norm: false,
            wire: Wire::F32,
            accumulate: 1,
            learning_rate: 0.02,
            seed: 1,
            decay: Decay::All,
            label_smoothing: 0.0,
            class_weights: None,
            balance: false,
            optimizer: Rule::sgd(0.9),
            schedule: Schedule::Cosine,
            warm_up: None,
            clip: None,
            average: None,
            lookahead: None,
            whitening: None,
            groups: Vec::new(),
            test_time: TestTime::Plain,
            patience: None,
            freeze: Vec::new(),
            recompute: false,
            precision: Precision::F32,
            augmentation: Augmentation::default(),
        }
    }
}

fn is_one(shards: &usize) -> bool {
    *shards == 1
}

fn is_whole(wire: &Wire) -> bool {
    *wire == Wire::F32
}

/// What is multiplied; weights, their updates, sums, batch normalisation and the loss are of f32 throughout. What is judged
/// by the engine plan is computed in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// The upper 16 of them: by the engine plan in convolutions, on CPUs with AVX512_BF16; by candle in all maps, on devices
    /// that compute with them.
    Bf16,
}

impl Precision {
    /// What a plan calls it.
    pub(crate) fn numeric(self) -> Numeric {
        match self {
            Self::F32 => Numeric::F32,
            Self::Bf16 => Numeric::Bf16,
        }
    }
}

/// A limit to gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Clip {
    /// All gradients together are scaled down to this Euclidean norm (Pascanu et al. 2013).
    Norm(f64),
    /// Each number is cut off at plus and minus this.
    Value(f64),
}

impl Settings {
    /// Whether other weights are kept beside those that are trained: a moving average, or slow ones.
    pub(crate) fn averages(&self) -> bool {
        self.average.is_some() || self.lookahead.is_some()
    }

    /// The most images of a batch that are all normalised alone, one batch normalisation for each shard or for all.
    pub(crate) fn alone(&self) -> usize {
        if self.sync_batch_norm { 1 } else { self.shards }
    }

    /// Whether a step needs the gradients of all tensors at once. Where it does not, each tensor is updated as soon as its
    /// gradient is there, and no two gradients are in memory together.
    pub(crate) fn gathers(&self) -> bool {
        self.accumulate > 1 || self.shards > 1 || self.clip.is_some()
    }

    /// The most epochs, images of a batch, batches of a step, and epochs to wait.
    pub const LARGEST_COUNT: usize = limits::LARGEST_COUNT;

    /// The largest factor of a group's learning rate or weight decay, and the largest weight of a class.
    pub const LARGEST_FACTOR: f64 = limits::LARGEST_FACTOR;

    /// Whether the numbers can be meant.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn check(&self) -> Result<()> {
        let require = |setting, holds: bool, problem: String| match holds {
            true => Ok(()),
            false => Err(Error::Setting { setting, problem }),
        };
        let count = |setting, value: usize| {
            require(setting, value > 0, "must be at least 1".to_string())?;
            let most = Self::LARGEST_COUNT;
            require(setting, value <= most, format!("{value} must be at most {most}"))
        };
        count("epochs", self.epochs)?;
        count("batch size", self.batch_size)?;
        count("accumulate", self.accumulate)?;
        let shards = self.shards;
        let whole = shards.is_power_of_two() && shards <= self.batch_size;
        require("shards", whole, format!("{shards} must be a power of two, and at most the batch size"))?;
        count("patience", self.patience.unwrap_or(1))?;
        // TOML has no larger numbers, and every run writes its recipe.
        let largest = i64::MAX as u64;
        require("seed", self.seed <= largest, format!("{} must be at most {largest}", self.seed))?;
        let rate = self.learning_rate;
        let finite = rate.is_finite() && rate >= 0.0 && rate.is_sign_positive();
        require("learning rate", finite, format!("{} must be a number from 0 up", number(rate)))?;
        let smoothing = self.label_smoothing;
        require(
            "label smoothing",
            (0.0..1.0).contains(&smoothing),
            format!("{} must be in [0, 1)", number(smoothing)),
        )?;
        Averaging::check(self.average, self.lookahead)?;
        self.groups.iter().try_for_each(Group::check)?;
        self.whitening.iter().try_for_each(Whitening::check)?;
        if let Some(Clip::Norm(limit) | Clip::Value(limit)) = self.clip {
            let holds = (limit as f32).is_finite() && limit as f32 > 0.0;
            require("clip", holds, format!("{} must be a number above 0, in 32 bits too", number(limit)))?;
        }
        self.optimizer.check()?;
        self.schedule.check(self.warm_up)?;
        if let Schedule::Plateau { patience, .. } = self.schedule {
            // None at all is right here: the learning rate then falls at the first epoch that is not better.
            count("schedule patience", patience.max(1))?;
        }
        Ok(self.augmentation.check()?)
    }
}
