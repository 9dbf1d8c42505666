//! Evaluation: loss and accuracy over a set of images.

use crate::error::Result;
use candle_core::{D, DType, Tensor};
use candle_nn::Module;
use candle_nn::loss::cross_entropy;
use cnn_core::model::Evaluation;
use cnn_data::Loader;
use std::convert::Infallible;
use std::ops::ControlFlow;

/// How a model does on a set of images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of images whose largest score is their label's, from 0 to 1.
    pub accuracy: f64,
}

/// Gives the logits of images, in evaluation mode.
pub trait Classify {
    /// The logits `(N, classes)` of images `(N, C, H, W)`.
    ///
    /// # Errors
    ///
    /// Those of the network.
    fn logits(&mut self, images: &Tensor) -> Result<Tensor>;
}

impl Classify for Evaluation {
    fn logits(&mut self, images: &Tensor) -> Result<Tensor> {
        Ok(self.forward(images)?)
    }
}

/// Evaluates on every image of `loader` once.
///
/// # Errors
///
/// Those of the network and the loader.
pub fn evaluate(model: &mut impl Classify, loader: &Loader<'_>) -> Result<Evaluated> {
    let ControlFlow::Continue(evaluated) =
        evaluate_while(model, loader, &mut |_| ControlFlow::<Infallible>::Continue(()))?;
    Ok(evaluated)
}

/// As [`evaluate`]; after each batch `goes_on` is told how many images are done, and may stop it.
///
/// # Errors
///
/// Those of the network and the loader.
pub(crate) fn evaluate_while<B>(
    model: &mut impl Classify,
    loader: &Loader<'_>,
    goes_on: &mut dyn FnMut(usize) -> ControlFlow<B>,
) -> Result<ControlFlow<B, Evaluated>> {
    if loader.is_empty() {
        return Err(cnn_data::Error::NoImages.into());
    }
    let (mut loss, mut correct, mut images) = (0.0, 0, 0);
    for batch in loader.in_order() {
        let batch = batch?;
        let logits = model.logits(&batch.images)?;
        let n = batch.indices.len();
        loss += f64::from(cross_entropy(&logits, &batch.labels)?.to_dtype(DType::F32)?.to_scalar::<f32>()?) * n as f64;
        correct += count_correct(&logits, &batch.labels)?;
        images += n;
        if let ControlFlow::Break(reason) = goes_on(images) {
            return Ok(ControlFlow::Break(reason));
        }
    }
    let evaluated = Evaluated { loss: loss / images as f64, accuracy: correct as f64 / images as f64 };
    Ok(ControlFlow::Continue(evaluated))
}

/// How many rows of `logits` are largest at their label.
pub(crate) fn count_correct(logits: &Tensor, labels: &Tensor) -> Result<usize> {
    let correct = logits.argmax(D::Minus1)?.eq(labels)?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
    Ok(correct as usize)
}
