//! What a golden keeps of a tensor, and distances. NaN is infinitely far from everything.

use crate::rule::Rule;

/// What is kept of a tensor.
pub(super) struct Fingerprint {
    pub(super) mean: f64,
    pub(super) norm: f64,
    /// The largest magnitude.
    pub(super) largest: f64,
    pub(super) samples: Vec<f64>,
}

impl Fingerprint {
    pub(super) fn of(values: &[f64], name: &str, samples: Samples) -> Self {
        let Samples { rule, count } = samples;
        Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            norm: values.iter().map(|v| v * v).sum::<f64>().sqrt(),
            largest: values.iter().map(|v| v.abs()).fold(0.0, larger),
            samples: rule.positions(name, values.len(), count).into_iter().map(|at| values[at]).collect(),
        }
    }

    /// The largest difference from a node's row of mean, norm and samples, relative to the largest entry of its
    /// `elements`. The norm sums up all of them: it counts by one over the root of their number.
    pub(super) fn error_of_node(&self, row: &[f64], elements: usize) -> f64 {
        let mean = (self.mean - row[0]).abs();
        let norm = (self.norm - row[1]).abs() / (elements as f64).sqrt();
        [distance(&row[2..], &self.samples), mean, norm].into_iter().fold(0.0, larger) / self.largest
    }

    /// The largest difference from a gradient's row of norm, largest magnitude and samples, relative to the largest
    /// magnitude. The norm counts where `norm` says so, relative to itself.
    pub(super) fn error_of_gradient(&self, row: &[f64], norm: Norm) -> f64 {
        let norm = match norm {
            Norm::Compared => ((self.norm - row[0]) / row[0]).abs(),
            Norm::Left => 0.0,
        };
        let largest = (self.largest - row[1]).abs() / row[1];
        [distance(&row[2..], &self.samples) / row[1], largest, norm].into_iter().fold(0.0, larger)
    }
}

/// How many elements are sampled, and by which rule.
#[derive(Clone, Copy)]
pub(super) struct Samples {
    pub(super) rule: Rule,
    pub(super) count: usize,
}

/// Whether the norm of a gradient is compared.
#[derive(Clone, Copy)]
pub(super) enum Norm {
    Compared,
    /// Every element is compared instead.
    Left,
}

/// The larger of two magnitudes; infinite if either is NaN.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::INFINITY } else { a.max(b) }
}

/// Largest difference; infinite where the lengths differ or something is NaN.
pub(super) fn distance(expected: &[f64], found: &[f64]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    expected.iter().zip(found).map(|(a, b)| (a - b).abs()).fold(0.0, larger)
}
