//! What `at` accepts, every way of computing it agrees with the oracle on.

#[path = "../../network/tests/hostile/draw.rs"]
mod draw;

use candle_core::{DType, Device, Tensor};
use candle_nn::{ModuleT, VarBuilder};
use cnn_core::definition::chain;
use cnn_core::initialisation::Init;
use cnn_core::oracle::{self, Batch, Mode, Weights};
use cnn_core::{Model, Network, seed};
use draw::{TRIED, block, input};
use std::collections::HashMap;

type Failure = Box<dyn std::error::Error>;

#[test]
fn what_is_a_network_is_computed_by_every_way_as_by_the_oracle() -> Result<(), Failure> {
    let mut rng = seed::stream(8, "hostile definitions");
    let mut computed = 0;
    for _ in 0..TRIED / 10 {
        let definition = chain().and(block(&mut rng, 2)).named("hostile", input(&mut rng)).without_dropout();
        let Ok(network) = definition.at_usual_input() else { continue };
        let summary = network.summary();
        if summary.training_memory + summary.weights_memory > 1 << 20 || summary.macs_with_heads > 1 << 20 {
            continue;
        }
        compare(&network)?;
        computed += 1;
    }
    assert!(computed > TRIED / 100, "{computed} computed");
    Ok(())
}

fn compare(network: &Network) -> Result<(), Failure> {
    let draw = |name: &str, count: usize| -> Vec<f64> {
        let drawn = Init::Uniform { bound: 1.0 }.draw(3, name, count);
        drawn.into_iter().map(f64::from).collect()
    };
    let mut weights = Weights::new();
    for spec in network.tensors() {
        let positive = spec.name.ends_with("running_var");
        let drawn = draw(&spec.name, spec.elements()).into_iter().map(|v| if positive { v.abs() + 0.5 } else { v });
        weights.insert(spec.name.clone(), drawn.collect());
    }
    let batch = Batch { shape: network.input(), values: draw("input", 2 * network.input().elements()) };
    let logits = network.outputs()[0].node;
    let values = oracle::run(network, &weights, &batch, Mode::Evaluation, &[logits])?;
    let expected = &values[logits.index()].as_ref().ok_or("no output")?.values;
    let tensors = network.tensors().map(|spec| {
        let tensor = Tensor::from_slice(&weights[&spec.name], spec.dims.as_slice(), &Device::Cpu)?;
        Ok((spec.name.clone(), tensor))
    });
    let tensors = tensors.collect::<candle_core::Result<HashMap<_, _>>>()?;
    let dims = [vec![2], network.input().dims()].concat();
    let x = Tensor::from_slice(&batch.values, dims, &Device::Cpu)?;
    for way in [|model: Model| model, Model::without_kernels] {
        let variables = VarBuilder::from_tensors(tensors.clone(), DType::F64, &Device::Cpu);
        let found = way(Model::new(network, variables)?).forward_t(&x, false)?.flatten_all()?.to_vec1::<f64>()?;
        assert_eq!(found.len(), expected.len(), "{}", network.summary());
        let scale = expected.iter().filter(|v| v.is_finite()).fold(1.0f64, |largest, v| largest.max(v.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let same = (found - expected).abs() <= 1e-9 * scale || found.to_bits() == expected.to_bits();
            assert!(same || found.is_nan() && expected.is_nan(), "{found} for {expected}\n{}", network.summary());
        }
    }
    Ok(())
}
