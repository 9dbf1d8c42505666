//! Whether two contestants computed the same, before anybody takes their time.

use crate::cli::Mode;
use anyhow::{Context, Result, bail, ensure};
use cnn_core::Weights;
use std::path::Path;

/// Largest difference of two logits, as a part of the range of them all: in `f32`, in 16 bits, and in 8 bits, where each
/// side has scales of its own and the network is not trained.
const LOGITS: f64 = 1e-4;
const LOGITS_BF16: f64 = 5e-2;
const LOGITS_INT8: f64 = 0.25;
/// Relative difference of the loss.
pub const LOSS: f64 = 1e-4;
/// Length of the difference of all tensors' changes in a step, as a part of the length of the change.
pub const STEP: f64 = 1e-2;
/// The same of each tensor alone: a pool or a ReLU near its kink may fall to either side in f32.
pub const TENSOR: f64 = 0.1;
/// Relative difference of the loss in bf16, and of the length of all tensors' changes. Their directions say nothing there:
/// in an untrained `resnet50` torch's own change in bf16 is 1.3 times its length away from the one in f32.
const BF16: [f64; 2] = [1e-2, 0.5];
/// What of a tensor's own length is not asked for in its change: f32 rounds where the change is added.
const ROUNDING: f64 = 2e-7;
/// What of the whole change's length is not asked for in any tensor's: gradients that are 0 but for rounding.
const NOTHING: f64 = 1e-4;

/// The tensors that a contestant wrote.
pub struct Written(Weights);

impl Written {
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self(Weights::read(path)?))
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.0.get(name).with_context(|| format!("the tensor {name} is missing"))?;
        Ok(tensor.numbers(name)?.into_owned())
    }
}

/// The distance of their logits from ours.
pub fn logits(ours: &Written, theirs: &Written, precision: Mode) -> Result<f64> {
    let allowed = match precision {
        Mode::F32 => LOGITS,
        Mode::Bf16 => LOGITS_BF16,
        Mode::Int8 => LOGITS_INT8,
    };
    let (ours, theirs) = (ours.values("logits")?, theirs.values("logits")?);
    ensure!(ours.len() == theirs.len(), "{} logits, not {}", theirs.len(), ours.len());
    let range = ours.iter().fold(f32::MIN, |a, b| a.max(*b)) - ours.iter().fold(f32::MAX, |a, b| a.min(*b));
    let apart = ours.iter().zip(&theirs).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, largest);
    within(apart / f64::from(range), allowed, "the logits")
}

/// The distance of the change that one step of theirs made from the change that ours made.
pub fn step(start: &Written, ours: &Written, theirs: &Written, precision: Mode) -> Result<f64> {
    let [a, b] = [ours, theirs].map(|written| written.values("loss"));
    let (a, b) = (f64::from(a?[0]), f64::from(b?[0]));
    let of_loss = if precision == Mode::Bf16 { BF16[0] } else { LOSS };
    let distance = within((a - b).abs() / a.abs(), of_loss, "the loss")?;
    let mut tensors = Vec::new();
    for (name, _) in start.0.iter() {
        let (from, a, b) = (start.values(name)?, ours.values(name)?, theirs.values(name)?);
        ensure!(a.len() == from.len() && b.len() == from.len(), "{name} has another size");
        let [mut length, mut change, mut other, mut apart] = [0.0; 4];
        for ((from, a), b) in from.into_iter().zip(a).zip(b) {
            let [from, a, b] = [from, a, b].map(f64::from);
            length += a * a;
            change += (a - from).powi(2);
            other += (b - from).powi(2);
            apart += (a - b).powi(2);
        }
        tensors.push((name, length.sqrt(), [change, other, apart]));
    }
    let [change, other, apart] =
        [0, 1, 2].map(|which| tensors.iter().map(|(_, _, squares)| squares[which]).sum::<f64>().sqrt());
    if precision == Mode::Bf16 {
        within((change - other).abs() / change, BF16[1], "the length of the change of all tensors in one step")?;
        return Ok(distance);
    }
    for (name, length, [own, _, apart]) in &tensors {
        let beyond = (apart.sqrt() - ROUNDING * length - NOTHING * change).max(0.0);
        within(beyond / own.sqrt().max(f64::MIN_POSITIVE), TENSOR, &format!("the change of {name} in one step"))?;
    }
    within(apart / change, STEP, "the change of all tensors in one step")
}

fn within(distance: f64, allowed: f64, what: &str) -> Result<f64> {
    if distance <= allowed {
        return Ok(distance);
    }
    bail!("{what} differs by {distance:.1e}, and {allowed:.0e} is allowed")
}

/// Unlike `f64::max`, keeps NaN.
fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tensors: &[(&str, &[f32])]) -> Written {
        let mut weights = Weights::new();
        for (name, values) in tensors {
            weights.insert(*name, cnn_core::weights::Tensor::new(name, &[values.len()], values.to_vec()).unwrap());
        }
        Written(weights)
    }

    #[test]
    fn logits_are_compared_by_their_range() {
        let ours = written(&[("logits", &[0.0, 10.0])]);
        assert!(logits(&ours, &written(&[("logits", &[0.0, 10.0005])]), Mode::F32).is_ok());
        assert!(logits(&ours, &written(&[("logits", &[0.0, 10.01])]), Mode::F32).is_err());
        assert!(logits(&ours, &written(&[("logits", &[f32::NAN, 10.0])]), Mode::F32).is_err());
        assert!(logits(&ours, &written(&[("logits", &[1.0])]), Mode::F32).is_err());
    }

    #[test]
    fn a_step_is_compared_by_its_change() {
        let start = written(&[("a", &[1.0, 2.0]), ("b", &[1.0])]);
        let after = |a: f32, b: f32, loss: f32| written(&[("a", &[a, 2.0]), ("b", &[b]), ("loss", &[loss])]);
        let ours = after(1.1, 1.01, 3.0);
        assert!(step(&start, &ours, &after(1.1, 1.01, 3.0), Mode::F32).is_ok());
        assert!(step(&start, &ours, &after(1.1, 1.01, 3.1), Mode::F32).is_err(), "another loss");
        assert!(step(&start, &ours, &after(1.12, 1.01, 3.0), Mode::F32).is_err(), "another change");
        assert!(step(&start, &ours, &after(1.1, 1.0, 3.0), Mode::F32).is_err(), "one tensor stayed");
        assert!(step(&start, &ours, &after(1.12, 1.01, 3.01), Mode::Bf16).is_ok());
        assert!(step(&start, &ours, &after(1.1, 1.01, 3.1), Mode::Bf16).is_err(), "another loss");
        assert!(step(&start, &ours, &after(1.2, 1.01, 3.0), Mode::Bf16).is_err(), "twice the change");
        assert!(step(&start, &ours, &after(f32::NAN, 1.01, 3.0), Mode::Bf16).is_err(), "no number");
    }
}
