//! Learning with the planned step.

use super::gathered::Gathered;
use super::sharded::Sharding;
use super::sums::{Counts, Sums};
use super::{Learner, Lesson, Saved, Stepped, Updates, shares, targets};
use crate::average::{Averaging, Move};
use crate::classify::Classify;
use crate::error::{Error, Result};
use crate::evaluate::count_correct;
use crate::loss::{LossFunction, Output};
use crate::settings::Clip;
use cnn_core::Network;
use cnn_data::Batch;
use cnn_kernels::elementwise::average;
use cnn_plan::{
    Dropout, Evaluation, EvaluationPlan, Forward, OutputGradients, Parameters, Receive, Recompute, Targets,
    TrainingOptions, TrainingPlan, TrainingRun,
};
use cnn_weights::BorrowedWeights;

pub(crate) struct PlannedLearner<'a> {
    pub(super) network: Network,
    pub(super) loss: &'a dyn LossFunction,
    /// One for each shard that goes through the network side by side with others.
    pub(super) runs: Vec<TrainingRun>,
    pub(super) parameters: Parameters,
    pub(super) updates: Updates,
    pub(super) smoothing: f64,
    clip: Option<Clip>,
    /// Where steps need all gradients at once.
    pub(super) gathered: Option<Gathered>,
    average: Option<Average>,
    evaluation: Evaluation,
    /// Where batches come in shards.
    pub(super) sharding: Option<Sharding<'a>>,
}

/// An average of the weights, and how it moves.
struct Average {
    averaging: Averaging,
    parameters: Parameters,
}

impl<'a> PlannedLearner<'a> {
    pub(super) fn new(lesson: Lesson<'a>) -> Result<Self> {
        let Lesson { network, settings, loss, frozen, passes, taken, steps, .. } = lesson;
        let recompute = if settings.recompute { Recompute::Segments } else { Recompute::Nothing };
        let numeric = settings.precision.numeric();
        let plan = TrainingPlan::new(network, TrainingOptions { frozen, recompute, numeric, nodes: &[] })?;
        let parameters = Parameters::new(network, &lesson.beginning())?;
        let sharding = Sharding::of(&lesson)?;
        let side_by_side = sharding.as_ref().map_or(1, Sharding::side_by_side);
        let run = || TrainingRun::new(&plan, Dropout { seed: settings.seed, passes });
        Ok(Self {
            loss,
            runs: (0..side_by_side).map(|_| run()).collect(),
            updates: Updates::new(settings.optimizer).paced(network, settings)?,
            smoothing: settings.label_smoothing,
            clip: settings.clip,
            gathered: settings.gathers().then(Gathered::default),
            average: Averaging::of(settings, taken, steps)
                .map(|averaging| Average { averaging, parameters: parameters.clone() }),
            sharding,
            evaluation: Evaluation::new(&EvaluationPlan::new(network)?),
            network: network.clone(),
            parameters,
        })
    }

    /// The parameters that are judged and kept.
    fn best_known(&self) -> &Parameters {
        self.average.as_ref().map_or(&self.parameters, |average| &average.parameters)
    }

    fn update_gathered(&mut self) -> Result<()> {
        let Some(gathered) = &mut self.gathered else { return Ok(()) };
        if let Some(clip) = self.clip {
            clip.apply(gathered)?;
        }
        for (tensor, gradient) in gathered.iter() {
            self.updates.receive(tensor, self.parameters.value_mut(tensor), gradient);
        }
        Ok(())
    }

    /// A step whose batches come in shards, those of other ranks elsewhere.
    fn step_in_shards(&mut self, batches: &[Batch], learning_rate: f64) -> Result<Stepped> {
        let Self { sharding, gathered, runs, parameters, .. } = self;
        let (Some(sharding), Some(gathered)) = (sharding, gathered) else { return Err(Error::own("no shards")) };
        self.updates.next(learning_rate);
        sharding.begin(parameters);
        let mut sums = Sums::new(sharding);
        for (number, shard) in sharding.own().enumerate() {
            sharding.restore(parameters);
            let mut counts = Counts::default();
            let mut own = batches.iter().filter(|batch| batch.shard == shard && !batch.indices.is_empty()).peekable();
            if own.peek().is_none() {
                sums.tell(counts, parameters);
            }
            while let Some(batch) = own.next() {
                let last = own.peek().is_none();
                runs[0].go_on_from(sharding.pass(batches, batch.number, shard));
                let forward = runs[0].forward(parameters, &batch.images)?;
                let targets = targets(batch, self.smoothing);
                let (one, gradients) = measured(&self.network, self.loss, &forward, &targets)?;
                counts.add(one);
                if last {
                    sums.tell(counts, forward.parameters());
                }
                if one.loss.is_finite() {
                    forward.backward(&gradients, &mut sums.of_shard(number, one.images as f32, last))?;
                }
            }
            sums.close(number);
        }
        sharding.restore(parameters);
        let (stepped, total) = sums.finish()?;
        if let Some(total) = total {
            total.give(sharding, gathered, parameters)?;
        }
        self.end_sharded(batches, stepped)
    }

    /// Updates by what all shards came to, if it can be.
    pub(super) fn end_sharded(&mut self, batches: &[Batch], stepped: Stepped) -> Result<Stepped> {
        self.sharding.iter_mut().for_each(|sharding| sharding.count_passes(batches));
        if stepped.loss.is_finite() {
            self.update_gathered()?;
            self.move_average();
        }
        Ok(stepped)
    }

    fn move_average(&mut self) {
        let Some(Average { averaging, parameters }) = &mut self.average else { return };
        let Some(moved) = averaging.step() else { return };
        let (Move::Follow(stays) | Move::Meet(stays)) = moved;
        for (tensor, new) in self.parameters.values().enumerate() {
            average(parameters.value_mut(tensor), new, stays);
        }
        if let Move::Meet(_) = moved {
            for (tensor, slow) in parameters.values().enumerate() {
                self.parameters.value_mut(tensor).copy_from_slice(slow);
            }
        }
    }
}

/// What a pass lost, and where its backward pass begins.
fn measured(
    network: &Network,
    loss: &dyn LossFunction,
    forward: &Forward<'_>,
    targets: &Targets<'_>,
) -> Result<(Stepped, OutputGradients)> {
    let values = (0..network.outputs().len()).map(|output| forward.output(output)).collect();
    let (stepped, gradients) = lost(network, loss, values, targets)?;
    let gradients: Vec<Option<&[f32]>> = gradients.iter().map(Option::as_deref).collect();
    Ok((stepped, forward.gradients(&gradients)?))
}

/// What outputs lost, and the gradient of each.
pub(super) fn lost(
    network: &Network,
    loss: &dyn LossFunction,
    values: Vec<Vec<f32>>,
    targets: &Targets<'_>,
) -> Result<(Stepped, Vec<Option<Vec<f32>>>)> {
    let outputs = network.outputs().iter().zip(&values);
    let outputs: Vec<Output<'_>> =
        outputs.map(|(output, values)| Output { values, weight: output.loss_weight }).collect();
    let lost = loss.loss(&outputs, targets)?;
    let correct = count_correct(&values[0], targets.labels);
    let stepped = Stepped { loss: lost.value as f32, correct, images: targets.labels.len() };
    Ok((stepped, lost.gradients))
}

impl Learner for PlannedLearner<'_> {
    fn step(&mut self, batches: &[Batch], learning_rate: f64) -> Result<Stepped> {
        match &self.sharding {
            Some(sharding) if sharding.together() => return self.step_together(batches, learning_rate),
            Some(_) => return self.step_in_shards(batches, learning_rate),
            None => {}
        }
        let mut stepped = Stepped::default();
        self.gathered.iter_mut().for_each(Gathered::clear);
        self.updates.next(learning_rate);
        for (batch, share) in shares(batches) {
            let forward = self.runs[0].forward(&mut self.parameters, &batch.images)?;
            let targets = targets(batch, self.smoothing);
            let (one, gradients) = measured(&self.network, self.loss, &forward, &targets)?;
            stepped = stepped.with(one, share);
            if !one.loss.is_finite() {
                return Ok(stepped);
            }
            match &mut self.gathered {
                None => forward.backward(&gradients, &mut self.updates)?,
                Some(gathered) => forward.backward(&gradients, gathered.next(share))?,
            }
        }
        self.update_gathered()?;
        self.move_average();
        Ok(stepped)
    }

    fn judged(&self) -> Result<Box<dyn Classify + '_>> {
        Ok(Box::new(Planned { evaluation: &self.evaluation, parameters: self.best_known() }))
    }

    fn weights(&self) -> Result<BorrowedWeights<'_>> {
        named(&self.network, &self.parameters)
    }

    fn average(&self) -> Result<Option<BorrowedWeights<'_>>> {
        self.average.as_ref().map(|average| named(&self.network, &average.parameters)).transpose()
    }

    fn state(&self) -> Result<BorrowedWeights<'_>> {
        let specs: Vec<_> = self.network.tensors().collect();
        let mut state = BorrowedWeights::new();
        for (memory, tensor, values) in self.updates.memory() {
            state.insert(format!("{memory}/{}", specs[tensor].name), &specs[tensor].dims, values)?;
        }
        Ok(state)
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        self.parameters = Parameters::new(&self.network, &saved.weights)?;
        if let Some((average, saved)) = self.average.as_mut().zip(saved.average.as_ref()) {
            average.parameters = Parameters::new(&self.network, saved)?;
        }
        self.updates.restore(saved, &self.network)
    }
}

fn named<'a>(network: &Network, parameters: &'a Parameters) -> Result<BorrowedWeights<'a>> {
    let mut named = BorrowedWeights::new();
    for (spec, values) in network.tensors().zip(parameters.values()) {
        named.insert(spec.name.clone(), &spec.dims, values)?;
    }
    Ok(named)
}

/// An evaluation with the weights as they are now.
struct Planned<'a> {
    evaluation: &'a Evaluation,
    parameters: &'a Parameters,
}

impl Classify for Planned<'_> {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        Ok(self.evaluation.outputs(self.parameters, images)?.swap_remove(0))
    }

    fn gives_probabilities(&self) -> bool {
        let plan = self.evaluation.plan();
        plan.network().gives_probabilities(plan.targets()[0])
    }
}
