//! Which real number each narrow number stands for: for every store, and for every value that is read through a map.

use super::arrange::{filled_at_once, store_of};
use super::number::REAL;
use crate::error::{Error, Result};
use crate::inference::calibration::Calibration;
use crate::inference::lower::{Lowered, Step, Value, Work};
use crate::operation::Operation;
use cnn_kernels::inference::Affine;
use cnn_kernels::narrow::{Quantisation, Requantisation, requantise};
use cnn_network::{Network, Op};

/// What the narrow numbers of a plan stand for.
pub(super) struct Scales<'c> {
    network: &'c Network,
    /// None where numbers stand for themselves.
    calibration: Option<&'c Calibration>,
    /// Of each store.
    stores: Vec<Quantisation>,
}

impl<'c> Scales<'c> {
    pub(super) fn new(
        network: &'c Network,
        calibration: Option<&'c Calibration>,
        lowered: &Lowered,
        wide: &[bool],
    ) -> Result<Self> {
        let mut scales = Self { network, calibration, stores: vec![REAL; lowered.stores.len()] };
        if calibration.is_none() {
            return Ok(scales);
        }
        let mut known = wide.to_vec();
        for step in &lowered.steps {
            let Some(store) = store_of(&step.output).filter(|store| !known[*store]) else { continue };
            let from = step.inputs.first().and_then(store_of).filter(|from| !wide[*from] && known[*from]);
            scales.stores[store] = match from.filter(|_| keeps(step) && filled_at_once(lowered, store)) {
                Some(from) => scales.stores[from],
                None => scales.of_node(lowered.stores[store].node)?,
            };
            known[store] = true;
        }
        Ok(scales)
    }

    /// What the numbers of a store stand for.
    pub(super) fn of_store(&self, value: &Value) -> Quantisation {
        store_of(value).map_or(REAL, |store| self.stores[store])
    }

    /// What the numbers of a node stand for.
    pub(super) fn of_node(&self, node: usize) -> Result<Quantisation> {
        let Some(calibration) = self.calibration else { return Ok(REAL) };
        let mut node = &self.network.nodes()[node];
        while let (Op::Dropout { .. } | Op::Flatten, Some(input)) = (&node.op, node.inputs.first()) {
            node = self.network.node(*input);
        }
        match calibration.range(&node.path) {
            Some([low, high]) => Ok(Quantisation::of_range(low, high)),
            None => Err(Error::Calibration {
                network: self.network.name().to_string(),
                why: format!("they say nothing of node {}", node.path),
            }),
        }
    }
}

/// What the numbers of a value stand for once it is read, through its map where a kernel applies it.
pub(super) fn as_read(value: &Value, scales: &Scales<'_>, by_kernel: bool) -> Result<Quantisation> {
    if by_kernel && !value.map.is_none() { scales.of_node(value.node) } else { Ok(scales.of_store(value)) }
}

/// Whether a step's results are some of the numbers it reads.
fn keeps(step: &Step) -> bool {
    let of_one = step.inputs.len() == 1 && step.inputs[0].map.is_none();
    of_one && matches!(step.work, Work::Sum { relu: false } | Work::Other(Operation::MaxPool(_) | Operation::Flatten))
}

/// A map of real numbers as one from some narrow numbers to others.
pub(super) fn between(map: &Affine, from: Quantisation, to: Quantisation) -> Affine {
    let [own, zero, other, shifted] =
        [f64::from(from.scale), f64::from(from.zero), f64::from(to.scale), f64::from(to.zero)];
    let scale = |scale: &f32| f64::from(*scale) * own / other;
    let shifts = map.scale.iter().zip(&map.shift);
    let floor = if map.floor[0] == 0.0 { shifted as f32 } else { f32::NAN };
    Affine {
        scale: map.scale.iter().map(|own| scale(own) as f32).collect(),
        shift: shifts.map(|(own, shift)| (f64::from(*shift) / other - scale(own) * zero + shifted) as f32).collect(),
        floor: vec![floor; map.floor.len()],
    }
}

/// What takes numbers that are read, mapped if they are, to those of an output, not below 0 where the map or a ReLU says so.
pub(super) fn from_numbers(
    (from, map): (Quantisation, Option<&Affine>),
    channels: usize,
    added: Option<Quantisation>,
    to: Quantisation,
    relu: bool,
) -> Requantisation {
    let of =
        |channel: usize| map.map_or((1.0, 0.0), |map| (f64::from(map.scale[channel]), f64::from(map.shift[channel])));
    let scale: Vec<f32> = (0..channels).map(|channel| (of(channel).0 * f64::from(from.scale)) as f32).collect();
    let bias = (0..channels).map(|channel| {
        let (own, shift) = of(channel);
        (shift - own * f64::from(from.scale) * f64::from(from.zero)) as f32
    });
    let bias: Vec<f32> = bias.collect();
    let floored = relu || map.is_some_and(|map| map.floor[0] == 0.0);
    requantise(scale, Some(&bias), added, Some(to), floored)
}
