//! The loss. Small beside everything else; bound by `exp`.

use crate::buffer::Shared;
use crate::element::Element;
use crate::flatten::ReadVector;
use crate::region::Region;
use crate::simd::{InstructionSet, dispatch};
use crate::threads::for_each;
use crate::view::View;

/// What vectors of logits should say: for each sample the probabilities `t` of its classes. They are `1 − smoothing` at
/// the label plus `smoothing / classes` everywhere. Of a sample that two images were mixed to, `share` of the
/// `1 − smoothing` is at its own label, the rest at the other image's (Zhang et al. 2018, equation 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets<'a> {
    /// One class for each sample.
    pub labels: &'a [u32],
    /// The label of the image that each sample was mixed with, and the share of the sample's own label, from 0 to 1.
    pub mixed: Option<(&'a [u32], f64)>,
    /// The share of the target spread over all classes.
    pub smoothing: f64,
}

impl<'a> Targets<'a> {
    /// The labels alone.
    pub fn new(labels: &'a [u32]) -> Self {
        Self { labels, mixed: None, smoothing: 0.0 }
    }

    /// A sample's classes, and how much of what is not spread each of them gets; the second gets nothing where nothing
    /// is mixed.
    fn of(&self, sample: usize) -> [(usize, f64); 2] {
        let own = self.labels[sample] as usize;
        match self.mixed {
            None => [(own, 1.0), (own, 0.0)],
            Some((others, share)) => [(own, share), (others[sample] as usize, 1.0 - share)],
        }
    }
}

/// Softmax cross-entropy of vectors of logits: `weight` times the mean over the samples of `−Σ t · ln p`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropy {
    /// Factor of the loss.
    pub weight: f64,
}

impl CrossEntropy {
    /// Gives the loss, weighted, and writes its gradient: rows of [`Region::padded_channels`] numbers. No samples lose
    /// nothing.
    ///
    /// # Panics
    ///
    /// Where the logits are not vectors, lengths do not fit, or a label is no class.
    pub fn run<T: Element>(
        &self,
        set: InstructionSet,
        logits: &View<'_, T>,
        targets: &Targets<'_>,
        gradient: &mut [T],
    ) -> f64 {
        T::cross_entropy(self, set, logits, targets, gradient)
    }

    pub(crate) fn compute<T: Element>(
        &self,
        set: InstructionSet,
        logits: &View<'_, T>,
        targets: &Targets<'_>,
        gradient: &mut [T],
    ) -> f64 {
        logits.check();
        let Region { batch, channels, height, width, .. } = logits.region;
        let row = logits.region.padded_channels();
        let others = targets.mixed.map_or(targets.labels, |(others, _)| others);
        assert_eq!([height, width, gradient.len()], [1, 1, batch * row]);
        assert_eq!([targets.labels.len(), others.len()], [batch; 2]);
        let mut labels = targets.labels.iter().chain(others);
        assert!(labels.all(|label| (*label as usize) < channels), "a label is no class");
        let factor = self.weight / batch.max(1) as f64;
        let mut losses = vec![0.0; batch];
        let (rows, each) = (Shared::new(gradient), Shared::new(&mut losses));
        for_each(batch, |image| {
            // SAFETY: each task has a row of its own.
            let (row, loss) = unsafe { (rows.part(image * row..(image + 1) * row), each.part(image..image + 1)) };
            dispatch(set, ReadVector { view: logits, image, row: &mut *row });
            loss[0] = sample(&mut row[..channels], targets.of(image), targets.smoothing, factor);
        });
        losses.iter().sum::<f64>() * factor
    }
}

/// Loss of one sample; its logits become the gradient, times `factor`. `1 − smoothing` of the target is at `classes`.
fn sample<T: Element>(row: &mut [T], classes: [(usize, f64); 2], smoothing: f64, factor: f64) -> f64 {
    let mut greatest = T::NEG_INFINITY;
    for x in row.iter() {
        greatest = if *x > greatest { *x } else { greatest };
    }
    let even = smoothing / row.len() as f64;
    let (mut sum, mut spread) = (0.0, 0.0);
    // What has no share is left out: times zero, what is infinite would be NaN.
    let shares =
        classes.map(|(class, share)| (class, (1.0 - smoothing) * share)).into_iter().filter(|(_, t)| *t != 0.0);
    let own: f64 = shares.clone().map(|(class, share)| share * (row[class] - greatest).to_f64()).sum();
    for x in row.iter_mut() {
        let away = *x - greatest;
        *x = away.exp();
        sum += x.to_f64();
        if even > 0.0 {
            spread += away.to_f64();
        }
    }
    for (class, x) in row.iter_mut().enumerate() {
        let target = shares.clone().filter(|(own, _)| *own == class).fold(even, |target, (_, share)| target + share);
        *x = T::from_f64((x.to_f64() / sum - target) * factor);
    }
    // The targets add up to 1.
    sum.ln() - own - even * spread
}
