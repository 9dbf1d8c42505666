//! Learning with candle's autograd.

use super::Stepped;
use crate::error::Result;
use crate::evaluate::count_correct;
use crate::optimiser::Optimiser;
use crate::settings::Settings;
use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use cnn_core::{Model, Network};
use cnn_data::Batch;

pub(crate) struct Learner {
    model: Model,
    optimiser: Optimiser,
}

impl Learner {
    pub(super) fn new(network: &Network, settings: &Settings, device: &Device) -> Result<Self> {
        let variables = cnn_core::model::initialise(network, settings.seed, DType::F32, device)?;
        let vb = VarBuilder::from_varmap(&variables, DType::F32, device);
        let model = Model::new(network, vb)?.with_dropout(settings.seed, 0);
        let optimiser = Optimiser::new(settings.rule, &model)?;
        Ok(Self { model, optimiser })
    }

    pub(super) fn step(&mut self, batch: &Batch, learning_rate: f64) -> Result<Stepped> {
        let outputs = self.model.outputs_t(&batch.images, true)?;
        let loss = self.model.loss(&outputs, &batch.labels)?;
        let value = loss.to_scalar::<f32>()?;
        if value.is_finite() {
            self.optimiser.step(&loss.backward()?, learning_rate)?;
        }
        Ok(Stepped { loss: value, correct: count_correct(&outputs[0], &batch.labels)? })
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    pub(super) fn into_model(self) -> Model {
        self.model
    }
}
