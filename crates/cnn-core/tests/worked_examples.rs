//! The examples that courses and books work out by hand.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use cnn_core::definition::*;
use cnn_core::shape::Pair;
use cnn_core::{Model, Network};
use std::collections::HashMap;

type Failure = Box<dyn std::error::Error>;

/// A network of one labelled block, and its model with the given weights.
fn model(block: impl Into<Block>, input: [usize; 3], weights: &[(&str, &Tensor)]) -> Result<Model, Failure> {
    let net = chain().then("it", block).named("example", input).at_usual_input()?;
    let weights: HashMap<String, Tensor> = weights.iter().map(|(k, v)| (format!("it.{k}"), (*v).clone())).collect();
    Ok(Model::new(&net, VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu))?)
}

fn network(block: impl Into<Block>, input: [usize; 3]) -> Result<Network, Failure> {
    Ok(chain().then("it", block).named("example", input).at_usual_input()?)
}

fn random(dims: &[usize]) -> Result<Tensor, Failure> {
    let init = cnn_core::initialisation::Init::Normal { std: 1.0 };
    Ok(Tensor::from_vec(init.draw(1, "example", dims.iter().product()), dims, &Device::Cpu)?)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> Result<f32, Failure> {
    Ok((a - b)?.abs()?.flatten_all()?.max(D::Minus1)?.to_scalar()?)
}

#[test]
fn a_convolution_by_hand() -> Result<(), Failure> {
    let image: [[f32; 5]; 5] =
        [[3., 4., 6., 5., 7.], [2., 4., 6., 8., 2.], [1., 6., 7., 8., 4.], [9., 7., 4., 6., 2.], [3., 7., 5., 4., 1.]];
    let image = Tensor::new(&image, &Device::Cpu)?.reshape((1, 1, 5, 5))?;
    let kernel = Tensor::arange(1f32, 10., &Device::Cpu)?.reshape((1, 1, 3, 3))?;
    let block = conv(3).out(1).stride(2).pad(1).no_bias();
    let output = model(block, [1, 5, 5], &[("weight", &kernel)])?.evaluation().forward(&image)?;
    let expected: [[f32; 3]; 3] = [[91., 224., 127.], [192., 282., 122.], [96., 110., 31.]];
    assert_eq!(output.reshape((3, 3))?.to_vec2::<f32>()?, expected);
    Ok(())
}

#[test]
fn a_pool_by_hand() -> Result<(), Failure> {
    let image: [[f32; 4]; 4] = [[3., 4., 6., 5.], [2., 4., 6., 8.], [1., 6., 7., 8.], [9., 7., 4., 6.]];
    let image = Tensor::new(&image, &Device::Cpu)?.reshape((1, 1, 4, 4))?;
    let output = model(max_pool(2), [1, 4, 4], &[])?.evaluation().forward(&image)?;
    assert_eq!(output.reshape((2, 2))?.to_vec2::<f32>()?, [[4., 8.], [9., 8.]]);
    Ok(())
}

#[test]
fn five_channels_to_ten() -> Result<(), Failure> {
    let net = network(conv(3).out(10), [5, 100, 100])?;
    assert_eq!(net.node(net.find("it")?).shape.dims(), [10, 98, 98]);
    let weight = net.tensors().next().ok_or("no tensor")?;
    assert_eq!((weight.name.as_str(), weight.dims.as_slice()), ("it.weight", [10, 5, 3, 3].as_slice()));
    let net = network(conv([5, 3]).out(10), [5, 100, 100])?;
    assert_eq!(net.node(net.find("it")?).shape.dims(), [10, 96, 98]);
    Ok(())
}

#[test]
fn stacked_small_kernels_see_what_a_large_one_sees() -> Result<(), Failure> {
    let stacked = |n: usize| chain().and_all((0..n).map(|_| conv(3).out(4)));
    for (n, kernel) in [(2, 5), (3, 7)] {
        let (small, large) = (network(stacked(n), [4, 20, 20])?, network(conv(kernel).out(4), [4, 20, 20])?);
        let sees = |net: &Network| net.summary().nodes.last().map(|node| node.receptive_field.size);
        assert_eq!(sees(&small), Some(Pair::from(kernel)));
        assert_eq!(sees(&small), sees(&large));
        assert!(small.summary().parameters < large.summary().parameters);
    }
    // 3·9·C² against 49·C² weights.
    let weights = |net: &Network| net.tensors().filter(|t| t.dims.len() == 4).map(|t| t.elements()).sum::<usize>();
    assert_eq!(weights(&network(stacked(3), [4, 20, 20])?), 27 * 16);
    assert_eq!(weights(&network(conv(7).out(4), [4, 20, 20])?), 49 * 16);
    Ok(())
}

#[test]
fn a_1x1_convolution_is_a_linear_layer_at_every_pixel() -> Result<(), Failure> {
    let (weight, bias) = (random(&[6, 3, 1, 1])?, random(&[6])?);
    let image = random(&[2, 3, 4, 5])?;
    let weights = [("weight", &weight), ("bias", &bias)];
    let output = model(conv(1).out(6), [3, 4, 5], &weights)?.evaluation().forward(&image)?;
    let pixels = image.permute((0, 2, 3, 1))?.contiguous()?.reshape((2 * 4 * 5, 3))?;
    let linear = Linear::new(weight.reshape((6, 3))?, Some(bias)).forward(&pixels)?;
    let linear = linear.reshape((2, 4, 5, 6))?.permute((0, 3, 1, 2))?.contiguous()?;
    assert!(largest_difference(&output, &linear)? < 1e-6);
    Ok(())
}

#[test]
fn moving_the_image_moves_the_map() -> Result<(), Failure> {
    let weight = random(&[4, 2, 3, 3])?;
    let block = conv(3).out(4).no_bias();
    let image = random(&[1, 2, 8, 9])?;
    let (down, right) = (2, 1);
    let moved = image.pad_with_zeros(2, down, 0)?.pad_with_zeros(3, right, 0)?;
    let map = model(block.clone(), [2, 8, 9], &[("weight", &weight)])?.evaluation().forward(&image)?;
    let moved_map = model(block, [2, 10, 10], &[("weight", &weight)])?.evaluation().forward(&moved)?;
    let back = moved_map.narrow(2, down, 6)?.narrow(3, right, 7)?.contiguous()?;
    assert!(largest_difference(&map, &back)? < 1e-6);
    Ok(())
}

#[test]
fn a_dense_block_and_its_transition() -> Result<(), Failure> {
    // Dense block: 3 + 2·10 channels; the transition to 10 halves height and width.
    let layer = || concat().branch(chain()).branch(chain().and(batch_norm()).relu().and(conv(3).out(10).pad(1)));
    let transition = chain().and(batch_norm()).relu().and(conv(1).out(10)).and(avg_pool(2));
    let net = network(
        chain().then("block", chain().then(1, layer()).then(2, layer())).then("transition", transition),
        [3, 8, 8],
    )?;
    assert_eq!(net.node(net.find("it.block")?).shape.dims(), [23, 8, 8]);
    assert_eq!(net.node(net.find("it.transition")?).shape.dims(), [10, 4, 4]);
    Ok(())
}
