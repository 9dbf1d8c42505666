//! Maps: scale, shift and floor per channel, computed once per pass; and the running statistics.

use super::pass::Pass;
use super::workspace::{Channels, RunWorkspace};
use crate::error::{Error, Result};
use crate::operation::norm::{Moments, moved, scale_and_shift, unbiased};
use crate::parameters::Parameters;
use crate::plan::{MapWork, Plan, Stage, Statistics, Value, Work};
use cnn_kernels::{Element, LANES};

impl<T: Element> Pass<'_, T> {
    /// Computes the map of a stage's output.
    pub(super) fn map(&mut self, stage: &Stage, work: &MapWork, parameters: &Parameters<T>) {
        let Some(map) = stage.output.map else { return };
        let channels = stage.output.channels;
        match work {
            MapWork::Norm { eps, statistics, parameter, tally } => {
                let moments = self.moments(stage, *statistics, *parameter, parameters);
                let [weight, bias] = [0, 1].map(|i| &parameters.values[parameter + i]);
                let Channels { scale, shift, .. } = &mut self.workspace.maps[map];
                for (c, moments) in moments.iter().enumerate() {
                    (scale[c], shift[c]) = scale_and_shift(weight[c], bias[c], *moments, *eps);
                }
                if let Some(tally) = tally {
                    let centre = moments.into_iter().map(|moments| moments.mean).collect();
                    self.workspace.tallies[*tally].centre = centre;
                }
            }
            MapWork::ChannelAffine { parameter, .. } => {
                let Channels { scale, shift, .. } = &mut self.workspace.maps[map];
                scale[..channels].copy_from_slice(&parameters.values[*parameter]);
                shift[..channels].copy_from_slice(&parameters.values[parameter + 1]);
            }
            MapWork::Constant { scale: factors, shift: addends } => {
                let Channels { scale, shift, .. } = &mut self.workspace.maps[map];
                for c in 0..channels {
                    (scale[c], shift[c]) = (T::from_f64(factors[c]), T::from_f64(addends[c]));
                }
            }
            MapWork::Floor => {
                self.workspace.join(map, &stage.inputs);
                self.workspace.maps[map].floor[..channels].fill(T::ZERO);
            }
            MapWork::Join => self.workspace.join(map, &stage.inputs),
        }
    }

    /// The mean and variance of each channel that a batch normalisation uses.
    fn moments(
        &self,
        stage: &Stage,
        statistics: Statistics,
        parameter: usize,
        parameters: &Parameters<T>,
    ) -> Vec<Moments> {
        let Value { channels, store, .. } = stage.inputs[0];
        match (statistics, &self.workspace.normalised[store]) {
            (Statistics::Batch { .. }, Some(normalised)) => {
                let first = stage.inputs[0].first_block * LANES;
                (first..first + channels)
                    .map(|at| Moments { mean: normalised.mean[at], variance: normalised.variance[at] })
                    .collect()
            }
            _ => {
                let [means, variances] = [2, 3].map(|i| &parameters.values[parameter + i]);
                let running = means.iter().zip(variances.iter());
                running.map(|(mean, variance)| Moments { mean: mean.to_f64(), variance: variance.to_f64() }).collect()
            }
        }
    }
}

/// Refuses a batch that a normalisation cannot train on: a single value per channel has no variance.
pub(super) fn check_batch(plan: &Plan, batch: usize) -> Result<()> {
    for (stage, _, _) in normalised_by_batch(plan) {
        let Value { channels, size: [height, width], .. } = stage.inputs[0];
        if batch * height * width == 1 {
            let shape = format!("{channels}×{height}×{width}");
            return Err(Error::SingleValue { path: stage.path.clone(), shape });
        }
    }
    Ok(())
}

/// Moves the running statistics towards those of the last pass; the running variance is the unbiased one.
pub(crate) fn move_statistics<T: Element>(
    plan: &Plan,
    workspace: &RunWorkspace<T>,
    batch: usize,
    parameters: &mut Parameters<T>,
) {
    for (stage, parameter, momentum) in normalised_by_batch(plan) {
        let Value { channels, size: [height, width], first_block, store, .. } = stage.inputs[0];
        let Some(normalised) = &workspace.normalised[store] else { continue };
        for c in 0..channels {
            let (mean, variance) =
                (normalised.mean[first_block * LANES + c], normalised.variance[first_block * LANES + c]);
            let variance = unbiased(variance, batch * height * width);
            for (tensor, new) in [(parameter + 2, mean), (parameter + 3, variance)] {
                let running = &mut parameters.values[tensor][c];
                *running = moved(*running, new, momentum);
            }
        }
    }
}

/// The normalisations that use the batch's moments: stage, first parameter, momentum.
fn normalised_by_batch(plan: &Plan) -> impl Iterator<Item = (&Stage, usize, f64)> {
    plan.lowered.stages.iter().filter_map(|stage| match &stage.work {
        Work::Map(MapWork::Norm { statistics: Statistics::Batch { momentum }, parameter, .. }) => {
            Some((stage, *parameter, *momentum))
        }
        _ => None,
    })
}

impl<T: Element> RunWorkspace<T> {
    /// Concatenates the maps of values.
    fn join(&mut self, map: usize, values: &[Value]) {
        let empty = Channels { scale: Vec::new(), shift: Vec::new(), floor: Vec::new() };
        let mut joined = std::mem::replace(&mut self.maps[map], empty);
        let mut first = 0;
        for value in values {
            let channels = first..first + value.channels;
            match value.map {
                Some(from) => {
                    let from = &self.maps[from];
                    joined.scale[channels.clone()].copy_from_slice(&from.scale[..value.channels]);
                    joined.shift[channels.clone()].copy_from_slice(&from.shift[..value.channels]);
                    joined.floor[channels].copy_from_slice(&from.floor[..value.channels]);
                }
                None => {
                    joined.scale[channels.clone()].fill(T::ONE);
                    joined.shift[channels.clone()].fill(T::ZERO);
                    joined.floor[channels].fill(T::NAN);
                }
            }
            first += value.channels;
        }
        self.maps[map] = joined;
    }
}
