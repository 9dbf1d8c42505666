//! A small network with every operation, in every way that the file spells it differently, and its weights.

use cnn_network::definition::*;
use cnn_network::tensors::Role;
use cnn_network::{Network, op};
use cnn_onnx::{About, Export, Pixels};
use cnn_weights::{Tensor, Weights};

/// Result of a test or an example.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The network. Its maps are odd and even, and get small where a window would hang over the edge.
pub fn network() -> Outcome<Network> {
    let table = vec![vec![0, 2], vec![1], vec![3], vec![0, 1, 2, 3]];
    let shortcut = chain().and(max_pool(1).stride(2)).and(zero_channels(1, 3));
    let branch = |block: Chain| chain().and(conv(1).out(4)).and(block);
    let pools = concat()
        .branch(branch(chain().and(avg_pool(3).stride(2).pad(1))))
        .branch(branch(chain().and(avg_pool(3).stride(2).pad(1).ceil())))
        .branch(branch(chain().and(avg_pool(3).stride(2).pad(1).ceil().without_padding())))
        .branch(branch(chain().and(max_pool(3).stride(2).pad(1).ceil())));
    let body = chain()
        .then("affine", input_affine(&[1.5, 0.5], &[0.25, -0.125]))
        .then("stem", conv([3, 2]).out(4).pad([2, 1]).no_bias())
        .then("stem_norm", batch_norm())
        .then("activation", tanh(1.7159, 2.0 / 3.0))
        .then("table", conv(3).pad(1).connections(table))
        .then("table_norm", batch_norm().eps(1e-3))
        .and(tanh(1.0, 1.0))
        .then("lrn_odd", op::Lrn { size: 3, alpha: 0.2, beta: 0.75, k: 2.0 })
        .then("lrn_even", op::Lrn { size: 4, alpha: 0.3, beta: 0.5, k: 1.0 })
        .then(
            "block",
            sum()
                .branch(
                    chain().then("conv", conv(3).out(8).stride(2).pad(1).groups(4)).then("norm", batch_norm()).relu(),
                )
                .branch(shortcut),
        )
        .then("dilated", conv([1, 3]).dilation([1, 2]).pad([0, 2]).depthwise_by(2))
        .sigmoid()
        .and(sum().branch(chain()).branch(chain().and(scale(0.5))).branch(chain().and(conv(1))))
        .dropout(0.3)
        .then("pools", pools)
        .and(max_pool(2).stride(3))
        .then("even", adaptive_avg_pool([1, 4]))
        .then("shares", adaptive_avg_pool([3, 3]))
        .then("subsampling", channel_affine(0.25))
        .and(chain().and(scale(0.3)).softmax().and(scale(10.0)))
        .then("maps_norm", batch_norm())
        .and(concat().branch(chain().and(adaptive_avg_pool(1))).branch(chain().and(avg_pool(3)).relu()))
        .flatten()
        .then("hidden", linear(12).no_bias())
        .then("hidden_norm", batch_norm())
        .and(tanh(1.0, 0.0625))
        .then("widened", zero_channels(1, 0))
        .then("code", linear(6))
        .and(chain().flatten().dropout(0.5))
        .then(
            "scores",
            radial_basis((0..5).map(|class| (0..6).map(|bit| f64::from(class >> (bit % 3) & 1)).collect()).collect()),
        );
    Ok(body.named("every_operation", [2, 23, 17]).at_usual_input()?)
}

/// Its weights: those before training, times 4, so that the scores depend on the image; and statistics, scales and shifts
/// that do something.
pub fn weights(network: &Network) -> Outcome<Weights> {
    let mut weights = Weights::initialised(network, 7);
    for (number, spec) in network.tensors().enumerate() {
        let cycle = |at: usize| f32::from(((at * 5 + number * 3) % 7) as u8) / 10.0 - 0.3;
        let drawn = weights.get(&spec.name).ok_or("it was drawn")?.numbers::<f32>(&spec.name)?;
        let values: Vec<f32> = match (spec.role, spec.dims.len()) {
            (Role::Weight, 2..) => drawn.iter().map(|value| value * 4.0).collect(),
            (Role::Bias, _) => (0..spec.elements()).map(cycle).collect(),
            (Role::Statistic, _) if spec.name.ends_with("mean") => (0..spec.elements()).map(cycle).collect(),
            (Role::Weight | Role::Statistic, _) => (0..spec.elements()).map(|at| 1.0 + cycle(at)).collect(),
        };
        weights.insert(&spec.name, Tensor::new(&spec.name, &spec.dims, values)?);
    }
    Ok(weights)
}

/// What is exported, by name.
pub fn exports() -> [(&'static str, Export); 2] {
    let about = About {
        classes: ["zero", "one", "two", "the \"third\"", "four"].map(str::to_string).to_vec(),
        mean: vec![0.5, 0.25],
        std: vec![0.25, 0.5],
        resize: Some(26),
        crop: Some([23, 17]),
        interpolation: Some("bilinear".to_string()),
        source: Some("a test".to_string()),
        more: [("dataset", "none"), ("network", "another")].map(|(k, v)| (k.to_string(), v.to_string())).into(),
    };
    let folded = Export { fold: true, probabilities: true, normalise: Some(Pixels::Bytes), about };
    [("plain", Export::default()), ("folded", folded)]
}
