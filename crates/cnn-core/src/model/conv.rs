//! Convolution from candle operations whose gradients are right.
//!
//! candle's own takes one stride and one padding for both axes, and its gradient fails where the windows leave rows
//! over. So the input is padded, and cropped to what the windows cover, before candle sees it; dilated kernels are
//! spread out with zeros; and where strides differ per axis, the outputs of stride 1 are thinned out.

use crate::op::Conv;
use crate::shape::{Axis, Pair};
use candle_core::{Result, Tensor};

/// The weights `(out, in / groups, height, width)`, whether or not they are stored one a connection.
pub(super) fn dense(op: &Conv, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    match &op.connections {
        Some(table) => connected(table, x.dim(1)?, weight),
        None => Ok(weight.clone()),
    }
}

/// The convolution of `x` `(N, C, H, W)` with dense weights.
pub(super) fn conv(op: &Conv, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let weight = spread(weight, op.window.dilation)?;
    let mut x = x.clone();
    for (axis, window) in op.window.axes().into_iter().enumerate() {
        x = cover(&x, 2 + axis, &window)?;
    }
    let Pair { height, width } = op.window.stride;
    // What candle strides by, and what is left to thin out.
    let (stride, thin) = if height == width { (height, [1, 1]) } else { (1, [height, width]) };
    let y = if op.groups == 1 && op.window.kernel.area() == 1 {
        let x = every(&every(&x, 2, stride)?, 3, stride)?;
        pointwise(&x, &weight)?
    } else {
        x.conv2d(&weight, 0, stride, 1, op.groups)?
    };
    let y = every(&every(&y, 2, thin[0])?, 3, thin[1])?;
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
        None => Ok(y),
    }
}

/// A 1×1 convolution: one matrix product per image.
fn pointwise(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let out = weight.dim(0)?;
    let x = x.reshape((n, c, h * w))?;
    weight.reshape((1, out, c))?.broadcast_as((n, out, c))?.matmul(&x)?.reshape((n, out, h, w))
}

/// `x` padded along `dim` and cropped to the positions that windows cover.
fn cover(x: &Tensor, dim: usize, axis: &Axis) -> Result<Tensor> {
    let padded = x.pad_with_zeros(dim, axis.padding, axis.padding)?;
    let windows = axis.output(x.dim(dim)?).unwrap_or(0);
    let covered = windows.saturating_sub(1) * axis.stride + axis.extent();
    padded.narrow(dim, 0, covered)
}

/// Every `step`-th position along `dim`, the first included.
pub(super) fn every(x: &Tensor, dim: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let positions: Vec<u32> = (0..x.dim(dim)? as u32).step_by(step).collect();
    x.contiguous()?.index_select(&Tensor::new(positions, x.device())?, dim)
}

/// A kernel with `dilation − 1` zeros between its taps.
fn spread(weight: &Tensor, dilation: Pair) -> Result<Tensor> {
    let mut weight = weight.clone();
    for (axis, step) in dilation.axes().into_iter().enumerate().filter(|(_, step)| *step > 1) {
        let dim = 2 + axis;
        let mut dims = weight.dims().to_vec();
        let extent = (dims[dim] - 1) * step + 1;
        dims[dim] *= step;
        weight = weight.unsqueeze(dim + 1)?.pad_with_zeros(dim + 1, 0, step - 1)?.reshape(dims)?;
        weight = weight.narrow(dim, 0, extent)?.contiguous()?;
    }
    Ok(weight)
}

/// The dense weights of a convolution with a connection table: zeros where nothing is connected.
fn connected(table: &[Vec<usize>], channels: usize, weight: &Tensor) -> Result<Tensor> {
    let (connections, kh, kw) = weight.dims3()?;
    let places = table.iter().enumerate().flat_map(|(o, row)| row.iter().map(move |i| (o * channels + i) as u32));
    let places = Tensor::new(places.collect::<Vec<u32>>(), weight.device())?;
    let pairs = table.len() * channels;
    Tensor::zeros((pairs, kh * kw), weight.dtype(), weight.device())?
        .index_add(&places, &weight.reshape((connections, kh * kw))?, 0)?
        .reshape((table.len(), channels, kh, kw))
}
