//! Trains LeNet by a loop of one's own over plain candle: its optimiser, its loss, its variable map.
//!
//! ```sh
//! cargo run -p cnn-train --example own_loop
//! ```

use cnn_core::candle_core::{D, DType, Device};
use cnn_core::candle_nn::{AdamW, Module, ModuleT, Optimizer, ParamsAdamW, VarBuilder, loss::cross_entropy};
use cnn_core::{Model, model::initialise};
use cnn_data::{DigitsConfig, Loader, digits};
use cnn_lenet::lenet;
use cnn_train::{fit, tensors};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::Cpu;
    let dataset = digits(DigitsConfig { train: 2_000, test: 500, ..DigitsConfig::default() })?;
    let (network, preparation) = fit(&lenet(10), dataset.train(), None)?;

    // candle's own initialisation cannot be seeded, so the map is filled first.
    let variables = initialise(&network, 7, DType::F32, &device)?;
    let model = Model::new(&network, VarBuilder::from_varmap(&variables, DType::F32, &device))?;
    // `trainable` leaves the statistics of batch normalisation out, which `VarMap::all_vars` does not.
    let trained = model.trainable()?.into_iter().map(|(_, variable)| variable).collect();
    let mut optimiser = AdamW::new(trained, ParamsAdamW { lr: 2e-3, ..ParamsAdamW::default() })?;

    let loader = Loader::new(dataset.train(), preparation.clone(), 50)?;
    for epoch in 1..=3 {
        let mut last = 0.0;
        for batch in loader.epoch(7, epoch) {
            let (images, labels) = tensors(&batch?, &device)?;
            let logits = model.forward_t(&images, true)?;
            let loss = cross_entropy(&logits, &labels)?;
            optimiser.backward_step(&loss)?;
            last = loss.to_scalar::<f32>()?;
        }
        println!("epoch {epoch}  loss of its last batch {last:.3}");
    }

    let evaluation = model.evaluation();
    let mut correct = 0.0;
    for batch in Loader::new(dataset.test(), preparation, 100)?.in_order() {
        let (images, labels) = tensors(&batch?, &device)?;
        let right = evaluation.forward(&images)?.argmax(D::Minus1)?.eq(&labels)?;
        correct += right.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
    }
    println!("test accuracy {:.1} %", 100.0 * correct / dataset.test().len() as f32);
    variables.save(std::env::temp_dir().join("own-loop.safetensors"))?;
    Ok(())
}
