//! Cross-entropy, and what it is measured against.

use candle_core::{Result, Tensor};
use candle_nn::loss::nll;
use candle_nn::ops::log_softmax;
use cnn_network::Network;

/// What the outputs of a batch should be.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// The class of each sample, `(N)`.
    pub labels: &'a Tensor,
    /// Where other samples were mixed in: their classes, `(N)`, and the share of the samples' own.
    pub mixed: Option<(&'a Tensor, f64)>,
    /// The share of the target that is spread over all classes (Szegedy et al. 2016, section 7).
    pub smoothing: f64,
}

impl<'a> From<&'a Tensor> for Targets<'a> {
    /// One class for each sample and nothing else.
    fn from(labels: &'a Tensor) -> Self {
        Self { labels, mixed: None, smoothing: 0.0 }
    }
}

impl Targets<'_> {
    /// Whether the outputs of a network have a cross-entropy against these.
    pub(super) fn check(&self, network: &Network) -> cnn_plan::Result<()> {
        cnn_plan::check_cross_entropy(network, self.mixed.map_or(1.0, |(_, share)| share), self.smoothing)
    }

    /// Mean cross-entropy of logits `(N, classes)`: `−Σ t · ln p` with `t` as the targets say.
    pub(super) fn cross_entropy(&self, logits: &Tensor) -> Result<Tensor> {
        let log = log_softmax(logits, 1)?;
        let mut loss = nll(&log, self.labels)?;
        if let Some((others, share)) = self.mixed {
            loss = ((loss * share)? + (nll(&log, others)? * (1.0 - share))?)?;
        }
        if self.smoothing > 0.0 {
            let spread = log.mean_all()?.neg()?;
            loss = ((loss * (1.0 - self.smoothing))? + (spread * self.smoothing)?)?;
        }
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// `torch.nn.functional.cross_entropy(x, t, label_smoothing=0.1)` in f64 with x = [[1, 2, 0.5], [0.1, -1, 3]], for
    /// t = [1, 2], for t = [0, 2], and the first's 0.7 with the second's 0.3.
    #[test]
    fn smoothing_and_mixing_are_torchs() {
        let logits = Tensor::new(&[[1.0, 2.0, 0.5], [0.1, -1.0, 3.0]], &Device::Cpu).unwrap();
        let [labels, others] = [[1u32, 2], [0, 2]].map(|labels| Tensor::new(&labels, &Device::Cpu).unwrap());
        let loss = |labels, mixed| {
            let targets = Targets { labels, mixed, smoothing: 0.1 };
            targets.cross_entropy(&logits).unwrap().to_scalar::<f64>().unwrap()
        };
        let found = [loss(&labels, None), loss(&others, None), loss(&labels, Some((&others, 0.7)))];
        for (found, torchs) in found.into_iter().zip([0.4242381682008848, 0.8742381682008848, 0.5592381682008848]) {
            assert!((found - torchs).abs() < 1e-12, "{found} {torchs}");
        }
    }
}
