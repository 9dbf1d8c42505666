//! What is done with gradients and averages beside an optimiser's step, number by number and in place, on all threads. Bound
//! by memory: each number is read once and written once. The same bits whatever the threads.

use crate::buffer::Shared;
use crate::rule;
use crate::threads::{CHUNK, for_each, for_each_range};
use std::ops::Range;

/// Sums of a range that do not wait for each other.
const CHAINS: usize = 16;

/// Sets all to zero.
pub fn clear(values: &mut [f32]) {
    in_parts(values, |part, _| part.fill(0.0));
}

/// Multiplies all by `factor`.
pub fn scale(values: &mut [f32], factor: f32) {
    in_parts(values, |part, _| part.iter_mut().for_each(|value| *value *= factor));
}

/// Divides all by `divisor`.
pub fn divide(values: &mut [f32], divisor: f32) {
    in_parts(values, |part, _| part.iter_mut().for_each(|value| *value /= divisor));
}

/// Brings what is farther than `limit` from zero back to there. NaN stays NaN.
pub fn clamp(values: &mut [f32], limit: f32) {
    let near = |value: f32| if value.abs() > limit { limit.copysign(value) } else { value };
    in_parts(values, |part, _| part.iter_mut().for_each(|value| *value = near(*value)));
}

/// `sum + factor · addend`.
///
/// # Panics
///
/// Where lengths differ.
pub fn add_scaled(sum: &mut [f32], factor: f32, addend: &[f32]) {
    assert_eq!(addend.len(), sum.len());
    in_parts(sum, |part, range| {
        part.iter_mut().zip(&addend[range]).for_each(|(sum, addend)| *sum += factor * addend);
    });
}

/// A moving average after other values: `stays` of it, the rest of them.
///
/// # Panics
///
/// Where lengths differ.
pub fn average(average: &mut [f32], values: &[f32], stays: f64) {
    assert_eq!(values.len(), average.len());
    in_parts(average, |part, range| {
        part.iter_mut().zip(&values[range]).for_each(|(average, value)| {
            *average = rule::average(average, value, stays);
        });
    });
}

/// The sum of all squares.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = vec![0.0; values.len().div_ceil(CHUNK)];
    let shared = Shared::new(&mut sums);
    for_each_range(values.len(), |range| {
        let own = range.start / CHUNK;
        let square = |value: &f32| f64::from(*value) * f64::from(*value);
        let (whole, rest) = values[range].as_chunks::<CHAINS>();
        let mut chains = [0.0; CHAINS];
        for values in whole {
            chains.iter_mut().zip(values).for_each(|(chain, value)| *chain += square(value));
        }
        // SAFETY: each range has its own number.
        let sum = unsafe { shared.part(own..own + 1) };
        sum[0] = chains.iter().sum::<f64>() + rest.iter().map(square).sum::<f64>();
    });
    sums.iter().sum()
}

/// Turns each row of `width` numbers round.
///
/// # Panics
///
/// Where there are no whole rows.
pub fn mirror(values: &mut [f32], width: usize) {
    let length = values.len();
    if length == 0 {
        return;
    }
    assert!(width > 0 && length.is_multiple_of(width), "{length} numbers in rows of {width}");
    let of_task = width * (CHUNK / width).max(1);
    let values = Shared::new(values);
    for_each(length.div_ceil(of_task), |task| {
        let start = task * of_task;
        // SAFETY: the tasks' rows are disjoint.
        let part = unsafe { values.part(start..(start + of_task).min(length)) };
        part.chunks_exact_mut(width).for_each(<[f32]>::reverse);
    });
}

/// Calls `body` with each part of `values` and where it lies.
fn in_parts(values: &mut [f32], body: impl Fn(&mut [f32], Range<usize>) + Sync) {
    let length = values.len();
    let values = Shared::new(values);
    for_each_range(length, |range| {
        // SAFETY: the ranges are disjoint.
        body(unsafe { values.part(range.clone()) }, range);
    });
}
