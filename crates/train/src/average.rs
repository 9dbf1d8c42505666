//! A moving average of the weights.

use cnn_kernels::rule;

/// The share of an average that stays when a new value comes in, after `steps` of them: `share`, but less in the
/// beginning, so that the freshly initialised weights are soon forgotten (as in TensorFlow's moving average).
pub(crate) fn staying(share: f64, steps: i32) -> f64 {
    let steps = f64::from(steps);
    share.min((1.0 + steps) / (10.0 + steps))
}

/// Moves an average towards new values.
pub(crate) fn move_towards(average: &mut [f32], new: &[f32], stays: f64) {
    average.iter_mut().zip(new).for_each(|(average, new)| *average = rule::average(average, new, stays));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_forgets_its_beginning() {
        assert_eq!([staying(0.9, 0), staying(0.9, 1), staying(0.9, 1000)], [0.1, 2.0 / 11.0, 0.9]);
        let mut average = [1.0, 2.0];
        move_towards(&mut average, &[3.0, 2.0], 0.75);
        assert_eq!(average, [1.5, 2.0]);
    }
}
