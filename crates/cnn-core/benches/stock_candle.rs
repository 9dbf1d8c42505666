//! A layer's forward and backward pass: candle's own convolution beside this crate's model, which computes by the
//! kernels inside the same autograd. Layers that candle can train: one stride and padding, windows that fit.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use cnn_core::definition::*;
use cnn_core::{Model, Network, model};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

/// Batch, channels, size, output channels, kernel.
const LAYERS: [[usize; 5]; 5] =
    [[64, 1, 28, 6, 5], [64, 6, 12, 16, 5], [8, 64, 56, 64, 3], [8, 256, 14, 256, 3], [8, 256, 56, 64, 1]];

type Failure = Box<dyn std::error::Error>;

fn network([_, channels, size, out, kernel]: [usize; 5]) -> Result<Network, Failure> {
    let layer = chain().then("conv", conv(kernel).out(out).pad(kernel / 2)).named("layer", [channels, size, size]);
    Ok(layer.at_usual_input()?)
}

/// The sum of the squares of a layer's output, and the gradients of input and weights.
fn gradients(output: &Tensor, input: &Var, weights: &Tensor) -> Result<[Tensor; 2], Failure> {
    let gradients = output.sqr()?.sum_all()?.backward()?;
    let of = |tensor: &Tensor| gradients.get(tensor).cloned().ok_or("no gradient");
    Ok([of(input)?, of(weights)?])
}

fn layers(criterion: &mut Criterion) -> Result<(), Failure> {
    let device = Device::Cpu;
    for layer in LAYERS {
        let [batch, channels, size, out, kernel] = layer;
        let network = network(layer)?;
        let map: VarMap = model::initialise(&network, 1, DType::F32, &device)?;
        let ours = Model::new(&network, VarBuilder::from_varmap(&map, DType::F32, &device))?;
        let input = Var::randn(0f32, 1f32, (batch, channels, size, size), &device)?;
        let weights = ours.tensors().next().ok_or("no weights")?.1.clone();
        let bias = ours.tensors().nth(1).ok_or("no bias")?.1.reshape((1, out, 1, 1))?;
        let by_candle = || -> Result<[Tensor; 2], Failure> {
            let output = input.conv2d(&weights, kernel / 2, 1, 1, 1)?.broadcast_add(&bias)?;
            gradients(&output, &input, &weights)
        };
        let by_kernels =
            || -> Result<[Tensor; 2], Failure> { gradients(&ours.outputs_t(&input, true)?[0], &input, &weights) };
        // Checked before they are timed.
        for (ours, stock) in by_kernels()?.iter().zip(by_candle()?) {
            let scale = stock.abs()?.max_all()?.to_scalar::<f32>()?;
            let away = (ours - &stock)?.abs()?.max_all()?.to_scalar::<f32>()? / scale;
            assert!(away < 1e-4, "{layer:?}: {away}");
        }
        let name = format!("b{batch} {channels}→{out} {kernel}×{kernel} @{size}");
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        group.bench_function(BenchmarkId::from_parameter("candle"), |b| b.iter(|| black_box(by_candle().is_ok())));
        group.bench_function(BenchmarkId::from_parameter("kernels"), |b| b.iter(|| black_box(by_kernels().is_ok())));
        group.finish();
    }
    Ok(())
}

fn bench(criterion: &mut Criterion) {
    if let Err(error) = layers(criterion) {
        panic!("{error}");
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
