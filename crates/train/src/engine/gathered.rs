//! Gradients that are gathered before a step: of several batches, or to be clipped together.

use super::gradients::Gradients;
use crate::error::Result;
use cnn_kernels::elementwise::{add_scaled, clamp, clear, scale, sum_of_squares};
use cnn_plan::Receive;

/// The gradients of a step, for each tensor that has one.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    gradients: Vec<Option<Vec<f32>>>,
    /// What the next batch's gradients count.
    share: f32,
}

impl Gathered {
    /// Begins a step.
    pub(crate) fn clear(&mut self) {
        self.gradients.iter_mut().flatten().for_each(|gradient| clear(gradient));
    }

    /// What the gradients of the next batch count.
    pub(crate) fn next(&mut self, share: f64) -> &mut Self {
        self.share = share as f32;
        self
    }

    /// Sets the gradient of a tensor.
    pub(crate) fn set(&mut self, tensor: usize, gradient: &[f32]) {
        if let Some(Some(old)) = self.gradients.get_mut(tensor) {
            old.copy_from_slice(gradient);
        } else {
            self.next(1.0).receive(tensor, &mut [], gradient);
        }
    }

    /// Every gradient with its tensor's position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let gradients = self.gradients.iter().enumerate();
        gradients.filter_map(|(tensor, gradient)| Some((tensor, gradient.as_deref()?)))
    }
}

impl Gradients for Gathered {
    fn squares(&self) -> Result<f64> {
        Ok(self.gradients.iter().flatten().map(|gradient| sum_of_squares(gradient)).sum())
    }

    fn scale(&mut self, factor: f64) -> Result<()> {
        self.gradients.iter_mut().flatten().for_each(|gradient| scale(gradient, factor as f32));
        Ok(())
    }

    fn clamp(&mut self, limit: f64) -> Result<()> {
        self.gradients.iter_mut().flatten().for_each(|gradient| clamp(gradient, limit as f32));
        Ok(())
    }
}

impl Receive<f32> for Gathered {
    fn receive(&mut self, tensor: usize, _weights: &mut [f32], gradient: &[f32]) {
        if self.gradients.len() <= tensor {
            self.gradients.resize(tensor + 1, None);
        }
        let sum = self.gradients[tensor].get_or_insert_with(|| vec![0.0; gradient.len()]);
        add_scaled(sum, self.share, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Clip;

    fn gathered(gradients: &[&[f32]]) -> Gathered {
        let mut gathered = Gathered::default();
        for (tensor, gradient) in gradients.iter().enumerate() {
            gathered.next(1.0).receive(2 * tensor, &mut [], gradient);
        }
        gathered
    }

    #[test]
    fn batches_are_averaged_by_their_images() {
        let mut gathered = gathered(&[&[1.0, 2.0]]);
        gathered.clear();
        gathered.next(0.75).receive(0, &mut [], &[4.0, 8.0]);
        gathered.next(0.25).receive(0, &mut [], &[-4.0, 0.0]);
        assert_eq!(gathered.iter().collect::<Vec<_>>(), [(0, &[2.0, 6.0][..])]);
    }

    #[test]
    fn all_gradients_share_one_norm() {
        let mut long = gathered(&[&[3.0], &[0.0, 4.0]]);
        Clip::Norm(1.0).apply(&mut long).unwrap();
        let found: Vec<(usize, f32)> = long.iter().map(|(i, g)| (i, g.iter().sum())).collect();
        assert!((found[0].1 - 0.6).abs() < 1e-6 && (found[1].1 - 0.8).abs() < 1e-6, "{found:?}");
        let mut short = gathered(&[&[0.3], &[0.4]]);
        Clip::Norm(1.0).apply(&mut short).unwrap();
        assert_eq!(short.iter().collect::<Vec<_>>(), [(0, &[0.3f32][..]), (2, &[0.4][..])]);
        let mut cut = gathered(&[&[3.0, -2.0, 0.5]]);
        Clip::Value(1.0).apply(&mut cut).unwrap();
        assert_eq!(cut.iter().next().unwrap().1, [1.0, -1.0, 0.5]);
    }
}
