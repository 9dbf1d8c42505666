//! What is trained.

use crate::checkpoint::{Extent, Position};
use crate::classify::{Classify, input};
use crate::cross_entropy::SoftmaxCrossEntropy;
use crate::engine::{Engine, Lesson};
use crate::epoch::Epoch;
use crate::error::{Error, Result};
use crate::freeze::{frozen, of as of_freeze};
use crate::group::{Pace, check_frozen, paces};
use crate::loss::LossFunction;
use crate::memory::{bytes, check_fits, least_bytes, tensor_bytes};
use crate::metric::Metric;
use crate::settings::{Precision, Settings};
use crate::stopping::{Patience, StoppingRule};
use crate::whitening::Whitening;
use cnn_core::device::Device;
use cnn_core::{Network, Op};
use cnn_data::Card;
use cnn_data::{Dataset, Preparation, Transform};
use cnn_distributed::{Ranks, shards_of};
use cnn_plan::{Recompute, TrainingOptions, TrainingPlan, instructions};
use cnn_weights::Start;
use std::sync::Arc;

/// What is trained, on what, and how.
///
/// ```
/// use cnn_core::definition::{chain, linear};
/// use cnn_data::{DigitsConfig, Preparation, digits};
/// use cnn_train::{Settings, Silent, Task, Top, train};
///
/// let dataset = digits(DigitsConfig { train: 200, test: 50, seed: 1 })?;
/// let network = chain().flatten().then("fc", linear(10)).named("softmax", [1, 28, 28]).at_usual_input()?;
/// let task = Task {
///     settings: Settings { epochs: 2, ..Settings::default() },
///     metrics: vec![&Top(3)],
///     ..Task::new(&network, &dataset, Preparation::mnist())
/// };
/// let outcome = train(&task, None, &mut Silent)?;
/// assert!(outcome.epochs[1].metrics["top-3"] > outcome.epochs[1].test_accuracy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The network, elaborated for prepared images of the data set.
    pub network: &'a Network,
    /// Images to train on, and to test on after each epoch.
    pub dataset: &'a Dataset,
    /// How an image becomes an input.
    pub preparation: Preparation,
    /// How to train.
    pub settings: Settings,
    /// Where to compute.
    pub device: Device,
    /// What computes a step.
    pub engine: Engine,
    /// Weights to start from; without them the network is freshly initialised.
    pub start: Option<Start>,
    /// What is made small.
    pub loss: &'a dyn LossFunction,
    /// Changes to training images of one's own, after those of the settings' augmentation.
    pub transforms: Vec<Arc<dyn Transform>>,
    /// Figures beside loss and accuracy.
    pub metrics: Vec<&'a dyn Metric>,
    /// What ends the run before its last epoch, beside the settings' patience.
    pub stopping: Vec<&'a dyn StoppingRule>,
    /// The other ranks of this training, if there are any. Rank 0 alone has a folder.
    pub ranks: Option<&'a Ranks>,
}

/// How a learner is taught, beside its settings.
pub(crate) struct Taught<'a> {
    /// What is made small.
    pub(crate) loss: &'a dyn LossFunction,
    /// For each tensor whether it stays as it is.
    pub(crate) frozen: &'a [bool],
}

impl<'a> Task<'a> {
    /// The task with the usual settings, by the usual loss, on the CPU.
    pub fn new(network: &'a Network, dataset: &'a Dataset, preparation: Preparation) -> Self {
        Self {
            network,
            dataset,
            preparation,
            settings: Settings::default(),
            device: Device::Cpu,
            engine: Engine::Plan,
            start: None,
            loss: &SoftmaxCrossEntropy,
            transforms: Vec::new(),
            metrics: Vec::new(),
            stopping: Vec::new(),
            ranks: None,
        }
    }

    /// Whether any tensor moves at a learning rate above 0: one that is trained, not frozen, and in no group that stays.
    ///
    /// # Errors
    ///
    /// Names of tensors that the network does not have.
    pub fn moves(&self) -> Result<bool> {
        let frozen = frozen(self.network, &self.settings.freeze)?;
        let paces = paces(self.network, &self.settings.groups, self.settings.decay)?;
        let mut tensors = self.network.tensors().zip(frozen).zip(paces);
        Ok(tensors.any(|((spec, frozen), pace)| spec.trained() && !frozen && pace.learning_rate > 0.0))
    }

    /// Whether it can be done: settings that can be meant, on a device that can, with data for the network's classes.
    ///
    /// # Errors
    ///
    /// The first thing that stands against it.
    pub fn check(&self) -> Result<()> {
        self.settings.check()?;
        let instructions = instructions()?;
        if self.engine == Engine::Candle && !cfg!(feature = "candle") {
            return Err(Error::CandleFeature);
        }
        let frozen = frozen(self.network, &self.settings.freeze)?;
        let paces = paces(self.network, &self.settings.groups, self.settings.decay)?;
        check_frozen(self.network, &self.settings.groups, &frozen)?;
        self.check_anew(&frozen, &paces)?;
        self.check_whitening()?;
        if self.settings.recompute && self.engine == Engine::Candle {
            let problem = "belongs to the engine plan, which computes on the CPU".to_string();
            return Err(Error::Setting { setting: "recompute", problem });
        }
        shards_of(0, self.ranks.map_or(1, Ranks::world), self.settings.shards)?;
        if self.settings.shards > 1 && self.engine == Engine::Candle {
            let problem = "and several ranks belong to the engine plan, which computes on the CPU".to_string();
            return Err(Error::Setting { setting: "shards", problem });
        }
        if self.engine == Engine::Plan && !self.device.is_cpu() {
            return Err(Error::Setting { setting: "engine", problem: "plan computes on the CPU only".to_string() });
        }
        if self.settings.precision == Precision::Bf16 && self.device.is_cpu() {
            let available = match self.engine {
                Engine::Plan => self.settings.precision.numeric().available(instructions),
                Engine::Candle => Err("on the CPU it belongs to the engine plan".to_string()),
            };
            available.map_err(|why| {
                let problem = format!("bf16: {why}; f32 is trained on every CPU");
                Error::Setting { setting: "precision", problem }
            })?;
        }
        for (images, to) in [(self.dataset.train(), "train on"), (self.dataset.test(), "judge")] {
            if images.is_empty() {
                return Err(Error::NoImages { to });
            }
        }
        self.loss.check(self.network, self.dataset)?;
        self.trained_loss()?;
        let Extent { images, steps, .. } = self.extent();
        let batch_size = self.settings.batch_size.min(images);
        let shards = if self.settings.sync_batch_norm { 1 } else { self.settings.shards };
        let normalised_together = batch_size / shards;
        if let Some(path) = self.single_valued(&frozen).filter(|_| normalised_together <= 1) {
            let problem = match shards {
                1 => format!("1 gives {path} a single value per channel, which cannot be normalised: 2 can"),
                shards => format!(
                    "{batch_size} in {shards} shards gives {path} a single value per channel, which cannot be \
                     normalised: {} can",
                    2 * shards
                ),
            };
            return Err(Error::Setting { setting: "batch size", problem });
        }
        // Optimisers count steps in an i32.
        if self.settings.epochs.checked_mul(steps).is_none_or(|all| i32::try_from(all).is_err()) {
            let problem = format!("{} of {steps} steps are more than {} steps", self.settings.epochs, i32::MAX);
            return Err(Error::Setting { setting: "epochs", problem });
        }
        self.check_memory(batch_size)?;
        // Last, since whoever reads it may build another program.
        match self.settings.whitening {
            Some(_) if !cfg!(feature = "whitening") => Err(Error::WhiteningFeature),
            _ => Ok(()),
        }
    }

    /// Refuses tensors that the weights to begin with leave to be drawn, and that would stay as they are drawn.
    fn check_anew(&self, frozen: &[bool], paces: &[Pace]) -> Result<()> {
        let Some(start) = &self.start else { return Ok(()) };
        let tensors = self.network.tensors().zip(frozen.iter().zip(paces));
        let mut anew = tensors.filter(|(spec, _)| spec.trained() && start.anew.contains(&spec.name));
        let still = anew.find(|(_, (frozen, pace))| **frozen || pace.learning_rate == 0.0);
        let Some((spec, (frozen, _))) = still else { return Ok(()) };
        let (setting, prefix, way_out) = match frozen {
            true => ("freeze", of_freeze(&self.settings.freeze, &spec.name), "leave it out of what is frozen"),
            false => ("groups", spec.name.as_str(), "give it a learning rate above 0"),
        };
        let problem = format!("{prefix}: {} begins anew and would never learn: {way_out}", spec.name);
        Err(Error::Setting { setting, problem })
    }

    fn check_whitening(&self) -> Result<()> {
        if self.settings.whitening.is_none() {
            return Ok(());
        }
        let (node, _) = Whitening::layer(self.network)?;
        let name = &node.tensors[0].name;
        if self.start.as_ref().is_some_and(|start| start.weights.get(name).is_some()) {
            let problem = format!("sets {name}, which the weights to begin with bring: leave out one of the two");
            return Err(Error::Setting { setting: "whitening", problem });
        }
        Ok(())
    }

    /// What the weights begin with where they are not drawn.
    pub(crate) fn beginning(&self) -> Result<Option<Start>> {
        let Some(whitening) = self.settings.whitening else { return Ok(self.start.clone()) };
        let (node, _) = Whitening::layer(self.network)?;
        let spec = &node.tensors[0];
        let drawn = spec.init.draw(self.settings.seed, &spec.name, spec.elements());
        let (name, tensor) = whitening.weights(self.network, self.dataset.train(), &self.preparation, &drawn)?;
        let mut start = self.start.clone().unwrap_or_default();
        start.weights.insert(name, tensor);
        Ok(Some(start))
    }

    fn check_memory(&self, batch_size: usize) -> Result<()> {
        let network = self.network;
        let copies = tensor_bytes(network).saturating_mul(self.copies());
        let what = format!("training {} with batches of {batch_size}", network.name());
        let needed = least_bytes(network, batch_size).saturating_add(copies);
        check_fits(&what, needed, "a smaller batch size, smaller images or a smaller network may fit")
    }

    /// Bytes of memory that a step takes, about: the weights and what is kept beside them, the maps and their gradients, what
    /// is in memory of the gradients of tensors, the images. Only the engine `plan` knows before its first step.
    ///
    /// # Errors
    ///
    /// A network that cannot be planned.
    pub fn step_memory(&self) -> Result<Option<u64>> {
        if self.engine != Engine::Plan {
            return Ok(None);
        }
        let frozen = frozen(self.network, &self.settings.freeze)?;
        let recompute = if self.settings.recompute { Recompute::Segments } else { Recompute::Nothing };
        let options = TrainingOptions { frozen: &frozen, recompute, ..TrainingOptions::default() };
        let plan = TrainingPlan::new(self.network, options)?;
        let batch = self.settings.batch_size.min(self.dataset.train().len());
        let gathers = self.settings.gathers();
        let images = bytes(input(self.network).iter().product(), batch);
        let copies = 1 + self.copies() + self.gradients();
        // Shards go through the network one by one, but for those that have one batch normalisation.
        let together = if self.settings.sync_batch_norm { batch } else { batch.div_ceil(self.settings.shards) };
        let parts = [tensor_bytes(self.network).saturating_mul(copies), plan.step_bytes(together, gathers), images];
        Ok(Some(parts.into_iter().fold(0, u64::saturating_add)))
    }

    /// How many gradients of every weight are in memory at once, at most, where one process has all shards: what they are
    /// gathered in; and of shards the partial sums of a tree, or all of them where they go through the network together.
    fn gradients(&self) -> u64 {
        let settings = &self.settings;
        let of_shards = match settings.shards {
            0 | 1 => 0,
            shards if settings.sync_batch_norm => shards as u64,
            shards => u64::from(shards.ilog2()) + 1,
        };
        u64::from(settings.gathers()) + of_shards
    }

    /// How many numbers are kept beside each weight.
    fn copies(&self) -> u64 {
        let settings = &self.settings;
        let memories = settings.optimizer.memories().iter().flatten().count();
        (memories + usize::from(settings.averages())) as u64
    }

    /// What an epoch has, at most.
    pub(crate) fn extent(&self) -> Extent {
        Extent::of(self.dataset.train().len(), &self.settings)
    }

    /// The loss that is trained, where it is another than the one that is judged: classes may have weights.
    ///
    /// # Errors
    ///
    /// Weights that are not the classes', a loss that knows no classes.
    pub(crate) fn trained_loss(&self) -> Result<Option<Box<dyn LossFunction>>> {
        let Some(weights) = &self.settings.class_weights else { return Ok(None) };
        let problem = || "belong to a loss that knows classes, such as the cross-entropy".to_string();
        let weighted = self.loss.weighted(weights.of(self.dataset)?);
        weighted.map(Some).ok_or_else(|| Error::Setting { setting: "class weights", problem: problem() })
    }

    /// What a learner begins with where the run is at `position`.
    pub(crate) fn lesson<'b>(&'b self, start: Option<&'b Start>, how: Taught<'b>, position: &Position) -> Lesson<'b> {
        let Self { network, settings, device, .. } = self;
        let Taught { loss, frozen } = how;
        let (passes, taken) = (position.passes, position.updates);
        let left_out = self.single_valued(frozen).is_some() && self.ends_alone();
        // Epochs that are over may have had other numbers of steps.
        let epochs = (settings.epochs + 1).saturating_sub(position.epoch);
        let to_come =
            (self.extent().steps - usize::from(left_out)).saturating_mul(epochs).saturating_sub(position.steps);
        let steps = taken + to_come;
        Lesson { network, settings, loss, device, start, frozen, passes, taken, steps, ranks: self.ranks }
    }

    /// Whether the last step of an epoch has no images but such as are normalised alone.
    fn ends_alone(&self) -> bool {
        let Settings { batch_size, accumulate, .. } = self.settings;
        let (whole, rest) = (self.dataset.train().len() / batch_size, self.dataset.train().len() % batch_size);
        (1..=self.settings.alone()).contains(&rest) && whole.is_multiple_of(accumulate)
    }

    /// What judges as these settings say, by a network that answers.
    pub(crate) fn judging<'b>(&self, model: Box<dyn Classify + 'b>) -> Box<dyn Classify + 'b> {
        self.settings.test_time.judging(model, input(self.network)[2])
    }

    /// The first batch normalisation that trains on a single value per channel of each image: its maps are 1×1, so a
    /// batch of one image has nothing to normalise.
    pub(crate) fn single_valued(&self, frozen: &[bool]) -> Option<String> {
        let mut first_tensor = 0;
        let single = self.network.nodes().iter().find(|node| {
            // Where its weight is frozen, a normalisation goes by its running statistics.
            let trains = matches!(node.op, Op::BatchNorm(_)) && !frozen[first_tensor];
            first_tensor += node.tensors.len();
            trains && node.shape.size().is_none_or(|size| size.area() == 1)
        });
        single.map(|node| node.path.clone())
    }

    pub(crate) fn card(&self) -> Card {
        let images = self.dataset.train();
        Card {
            network: self.network.name().to_string(),
            input: input(self.network),
            classes: self.dataset.classes().to_vec(),
            dataset: self.dataset.name().to_string(),
            images: images.have_one_size().then(|| [images.height(), images.width()]),
            upright: images.are_upright(),
            preparation: self.preparation.clone(),
        }
    }

    /// Whether the run is over after these epochs.
    pub(crate) fn is_over(&self, epochs: &[Epoch]) -> bool {
        let patience = self.settings.patience.map(Patience);
        patience.is_some_and(|patience| patience.is_over(epochs))
            || self.stopping.iter().any(|rule| rule.is_over(epochs))
    }
}
