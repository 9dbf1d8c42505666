//! What a model's loss takes, and which tensors move while others are frozen.

use candle_core::{DType, Device, Tensor};
use cnn_core::definition::*;
use cnn_core::model::Targets;
use cnn_core::plan::{Dropout, Parameters, TrainingOptions, TrainingPlan, TrainingRun};
use cnn_core::{Model, Network, Weights};

type Failure = Box<dyn std::error::Error>;

fn model(network: &Network) -> Result<Model, Failure> {
    Ok(Model::from_weights(network, &Weights::initialised(network, 7), DType::F32, &Device::Cpu)?)
}

#[test]
fn a_loss_is_of_all_outputs_and_of_shares() -> Result<(), Failure> {
    let head = chain().global_avg_pool().then("scores", linear(3));
    let body = chain().then("conv", conv(1).out(4)).tap("aux", 0.3, head).global_avg_pool().then("fc", linear(3));
    let network = body.named("headed", [2, 4, 4]).at_usual_input()?;
    let model = model(&network)?;
    let images = Tensor::ones((2, 2, 4, 4), DType::F32, &Device::Cpu)?;
    let labels = Tensor::new(&[0u32, 2], &Device::Cpu)?;
    let outputs = model.outputs_t(&images, true)?;
    let said = |outputs: &[Tensor], targets: Targets<'_>| model.loss(outputs, targets).map_err(|e| e.to_string());
    let usual = Targets::from(&labels);
    assert!(said(&outputs, usual).is_ok());
    for few in [&outputs[..0], &outputs[..1]] {
        let message = said(few, usual).err().ok_or("a loss without heads")?;
        assert!(message.starts_with("headed: a loss takes all 2 outputs of Model::outputs_t"), "{message}");
    }
    for smoothing in [-0.1, 2.0, f64::NAN] {
        let message = said(&outputs, Targets { smoothing, ..usual }).err();
        assert_eq!(message, Some(format!("headed: smoothing is a share from 0 to 1, not {smoothing}")));
        let message = said(&outputs, Targets { mixed: Some((&labels, smoothing)), ..usual }).err();
        assert_eq!(message, Some(format!("headed: a label's own part is a share from 0 to 1, not {smoothing}")));
    }
    Ok(())
}

#[test]
fn a_softmax_at_the_end_has_no_cross_entropy() -> Result<(), Failure> {
    let network = chain().flatten().then("fc", linear(3)).softmax().named("ends", [1, 2, 2]).at_usual_input()?;
    let model = model(&network)?;
    let outputs = model.outputs_t(&Tensor::ones((1, 1, 2, 2), DType::F32, &Device::Cpu)?, true)?;
    let message = model.loss(&outputs, &Tensor::new(&[1u32], &Device::Cpu)?).err().map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.starts_with("ends: output logits is a softmax")));
    Ok(())
}

#[test]
fn statistics_move_whatever_a_list_says_of_them_alone() -> Result<(), Failure> {
    let network = chain().then("bn", batch_norm()).named("normalised", [1, 1, 2]).at_usual_input()?;
    let images = [1.0f32, 2.0, 3.0, 6.0];
    let batch = Tensor::from_slice(&images, (2, 1, 1, 2), &Device::Cpu)?;
    for (frozen, moved) in [([false, false, true, true], true), ([false, true, true, false], true), ([true; 4], false)]
    {
        let model = model(&network)?.freeze(&frozen)?;
        model.outputs_t(&batch, true)?;
        let candles = model.to_weights()?;
        let plan = TrainingPlan::new(&network, TrainingOptions { frozen: &frozen, ..TrainingOptions::default() })?;
        let mut run = TrainingRun::new(&plan, Dropout::default());
        let mut parameters = Parameters::new(&network, &Weights::initialised(&network, 7))?;
        let plans = run.forward(&mut parameters, &images)?.parameters().to_weights(&network);
        for (name, before, after) in [("bn.running_mean", 0.0, 0.3), ("bn.running_var", 1.0, 0.9 + 1.4 / 3.0)] {
            let expected: f32 = if moved { after } else { before };
            for weights in [&candles, &plans] {
                let found = weights.numbers_of::<f32>(&network, name)?[0];
                assert!((found - expected).abs() < 1e-6, "{name}, {frozen:?}: {found}, not {expected}");
            }
        }
    }
    Ok(())
}
