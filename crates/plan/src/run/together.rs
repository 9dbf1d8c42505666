//! Training passes over several shards of a batch that have one batch normalisation, as if the batch were whole.
//!
//! The passes go on side by side, a stage at a time. Where a batch normalisation needs sums over the batch, those of all shards
//! are added: forward for each channel the number, the sum and the sum of squares of what is normalised; backward the sums
//! that the gradient of the mean and of the variance need. torch's `SyncBatchNorm` adds the same.

use super::back::AllSums;
use super::loss::OutputGradients;
use super::maps::check_batch;
use super::training::TrainingRun;
use crate::error::Error;
use crate::instances::Real;
use crate::parameters::Parameters;
use crate::plan::{MapWork, Stage, Statistics, TrainingPlan, Turn, Work};
use cnn_kernels::LANES;

/// Adds up, over the shards of everybody, vectors of one length, of which it gets those of the shards that are here; the sum
/// is of that length.
pub type Share<'a, E> = dyn FnMut(Vec<Vec<f64>>) -> Result<Vec<f64>, E> + 'a;

/// Gets a gradient: the shard, the tensor's position, its gradient.
pub type ReceiveOfShard<'a, T> = dyn FnMut(usize, usize, &[T]) + 'a;

/// Forward passes over shards that have been run: their outputs, and the one backward pass that belongs to them.
#[derive(Debug)]
#[must_use = "forward passes are for their outputs or their backward passes"]
pub struct Together<'r, T = f32> {
    runs: &'r mut [TrainingRun<T>],
    parameters: &'r mut Parameters<T>,
    /// The images of each shard.
    shards: Vec<&'r [T]>,
    /// How many each has.
    batches: Vec<usize>,
    /// Images of all shards, those elsewhere too.
    images: usize,
}

impl<T: Real> TrainingRun<T> {
    /// Forward passes over shards, each by a run of its own of one plan, in training mode: the running statistics are moved
    /// once, by those of all shards. A shard may be empty; `share` is called as often as where it is not.
    ///
    /// # Errors
    ///
    /// As [`TrainingRun::forward`], but a shard may be a single image where all shards together have more; those of `share`,
    /// and sums of it that are not one for each number that it was given; no run, more or fewer runs than shards, a run of another plan.
    pub fn forward_together<'r, E: From<Error>>(
        runs: &'r mut [Self],
        parameters: &'r mut Parameters<T>,
        shards: &[&'r [T]],
        share: &mut Share<'_, E>,
    ) -> Result<Together<'r, T>, E> {
        check_runs(runs, shards.len())?;
        let mut batches = Vec::new();
        for (run, images) in runs.iter_mut().zip(shards) {
            batches.push(if images.is_empty() { 0 } else { run.plan.batch_of(images.len())? });
            T::plan_check(parameters, &run.plan)?;
        }
        for (run, batch) in runs.iter_mut().zip(&batches) {
            T::plan_prepare(&mut run.workspace, &run.plan, *batch)?;
        }
        let plan = runs[0].plan.clone();
        let mut images = batches.iter().sum();
        for (index, stage) in plan.lowered.stages.iter().enumerate() {
            for ((run, pixels), batch) in runs.iter_mut().zip(shards).zip(&batches).filter(|(_, batch)| **batch > 0) {
                T::plan_stage(&mut run.pass(pixels, *batch), index, parameters);
            }
            if matches!(stage.work, Work::Fill(_)) && plan.lowered.stores[stage.output.store].normalised {
                images = share_moments(stage, runs, &batches, share)?;
                check_batch(&plan, images)?;
            }
        }
        // The moments of all shards are the same, also where a shard is empty.
        if images > 0 {
            T::plan_move_statistics(&plan, &runs[0].workspace, images, parameters);
        }
        runs.iter_mut().for_each(|run| run.dropout.passes += 1);
        Ok(Together { runs, parameters, shards: shards.to_vec(), batches, images })
    }
}

/// Refuses runs that are not one for each shard, by one plan.
fn check_runs<T>(runs: &[TrainingRun<T>], shards: usize) -> crate::Result<()> {
    let Some(first) = runs.first().filter(|_| runs.len() == shards) else {
        return Err(Error::Shards { what: "runs", expected: shards, found: runs.len() });
    };
    match runs.iter().position(|run| !run.plan.is(&first.plan)) {
        None => Ok(()),
        Some(shard) => Err(Error::ShardPlan { network: first.plan.network().name().to_string(), shard }),
    }
}

/// Replaces the moments of each shard by those of all, and tells how many images these have.
fn share_moments<T: Real, E: From<Error>>(
    stage: &Stage,
    runs: &mut [TrainingRun<T>],
    batches: &[usize],
    share: &mut Share<'_, E>,
) -> Result<usize, E> {
    let output = &stage.output;
    let channels = output.first_block * LANES..output.first_block * LANES + output.channels;
    let sums = |(run, batch): (&TrainingRun<T>, &usize)| {
        let mut sums = vec![*batch as f64];
        let normalised = run.workspace.normalised[output.store].as_ref().filter(|_| *batch > 0);
        for at in channels.clone() {
            let (mean, variance) = normalised.map_or((0.0, 0.0), |moments| (moments.mean[at], moments.variance[at]));
            sums.extend([*batch as f64 * mean, *batch as f64 * (variance + mean * mean)]);
        }
        sums
    };
    let all = shared(runs.iter().zip(batches).map(sums).collect(), share)?;
    let images = all[0];
    for run in runs {
        let Some(normalised) = &mut run.workspace.normalised[output.store] else { continue };
        for (at, sums) in channels.clone().zip(all[1..].chunks_exact(2)).filter(|_| images > 0.0) {
            let mean = sums[0] / images;
            normalised.mean[at] = mean;
            normalised.variance[at] = (sums[1] / images - mean * mean).max(0.0);
        }
    }
    Ok(images as usize)
}

impl<T: Real> Together<'_, T> {
    /// Output number `output` of a shard, as [`Forward::output`](crate::Forward::output).
    ///
    /// # Panics
    ///
    /// Where there is no such output or shard.
    pub fn output(&self, shard: usize, output: usize) -> Vec<T> {
        let run = &self.runs[shard];
        T::plan_output(&run.workspace, &run.plan, output, self.batches[shard])
    }

    /// The gradients of a loss of a shard, as [`Forward::gradients`](crate::Forward::gradients).
    ///
    /// # Errors
    ///
    /// More gradients than outputs, or one of another length than its output.
    ///
    /// # Panics
    ///
    /// Where there is no such shard.
    pub fn gradients(&self, shard: usize, of_outputs: &[Option<&[T]>]) -> crate::Result<OutputGradients<T>> {
        T::plan_output_gradients(&self.runs[shard].plan, self.batches[shard], of_outputs)
    }

    /// The parameters, with the statistics that the passes have moved.
    pub fn parameters(&self) -> &Parameters<T> {
        self.parameters
    }

    /// The backward passes, of a gradient for each shard that is not empty: all of one loss, which is a sum over the shards.
    ///
    /// # Errors
    ///
    /// Those of `share`, and sums of it that are not one for each that it was given; gradients that are not one for each shard
    /// with images, or that are of another pass.
    pub fn backward<E: From<Error>>(
        self,
        gradients: &[Option<OutputGradients<T>>],
        receiver: &mut ReceiveOfShard<'_, T>,
        share: &mut Share<'_, E>,
    ) -> Result<(), E> {
        let Self { runs, parameters, shards, batches, images } = self;
        let given = |shard: usize| gradients.get(shard).is_some_and(Option::is_some);
        if gradients.len() != runs.len() || batches.iter().enumerate().any(|(at, batch)| given(at) != (*batch > 0)) {
            let expected = batches.iter().filter(|batch| **batch > 0).count();
            return Err(Error::Shards { what: "gradients", expected, found: gradients.iter().flatten().count() }.into());
        }
        let plan: TrainingPlan = runs[0].plan.clone();
        for ((run, batch), gradients) in runs.iter().zip(&batches).zip(gradients) {
            gradients.as_ref().map_or(Ok(()), |gradients| gradients.check(&run.plan, *batch))?;
        }
        for ((run, batch), gradients) in runs.iter_mut().zip(&batches).zip(gradients) {
            if let Some(gradients) = gradients {
                T::plan_begin_back(&mut run.pass(&[], *batch), gradients);
            }
        }
        for turn in &plan.schedule.turns {
            let all = match *turn {
                Turn::Back(index) => match shared_tally(&plan.lowered.stages[index]) {
                    Some(tally) => {
                        let all = share_tally(tally, runs, share)?;
                        Some(AllSums { sums: all, images })
                    }
                    None => None,
                },
                Turn::Again(_) => None,
            };
            let of_shards = runs.iter_mut().zip(shards.iter().zip(&batches)).enumerate();
            for (shard, (run, (pixels, batch))) in of_shards.filter(|(_, (_, (_, batch)))| **batch > 0) {
                let mut receive = |tensor: usize, _: &mut [T], gradient: &[T]| receiver(shard, tensor, gradient);
                T::plan_turn(&mut run.pass(pixels, *batch), *turn, parameters, &mut receive, all.as_ref());
            }
        }
        Ok(())
    }
}

/// The tally of a normalisation by the batch.
fn shared_tally(stage: &Stage) -> Option<usize> {
    match &stage.work {
        Work::Map(MapWork::Norm { tally, statistics: Statistics::Batch { .. }, .. }) => *tally,
        _ => None,
    }
}

/// The sums of a tally over all shards.
fn share_tally<T: Real, E: From<Error>>(
    tally: usize,
    runs: &[TrainingRun<T>],
    share: &mut Share<'_, E>,
) -> Result<Vec<f64>, E> {
    let sums = |run: &TrainingRun<T>| {
        let tally = &run.workspace.tallies[tally];
        tally.gradient.iter().zip(&tally.product).flat_map(|(gradient, product)| [*gradient, *product]).collect()
    };
    shared(runs.iter().map(sums).collect(), share)
}

/// The sums of all shards.
///
/// # Errors
///
/// Those of `share`; not a sum for each number of a shard.
fn shared<E: From<Error>>(of_shards: Vec<Vec<f64>>, share: &mut Share<'_, E>) -> Result<Vec<f64>, E> {
    let expected = of_shards.first().map_or(0, Vec::len);
    let all = share(of_shards)?;
    match all.len() == expected {
        true => Ok(all),
        false => Err(Error::Sums { expected, found: all.len() }.into()),
    }
}
