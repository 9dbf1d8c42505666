//! Normalisation, and the scale and shift per channel it ends in.

use crate::op::{BatchNorm, Lrn};
use candle_core::{Result, Tensor, Var};

/// `x · weight + bias`, one of each per channel (dimension 1).
pub(super) fn affine(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.broadcast_mul(&along_channels(weight, x)?)?.broadcast_add(&along_channels(bias, x)?)
}

/// Scale and shift that normalise by the running statistics.
pub(super) fn running(op: &BatchNorm, tensors: &[Tensor]) -> Result<(Tensor, Tensor)> {
    let [weight, bias, mean, variance] = [&tensors[0], &tensors[1], &tensors[2].detach(), &tensors[3].detach()];
    let scale = (weight / (variance + op.eps)?.sqrt()?)?;
    let shift = (bias - (mean * &scale)?)?;
    Ok((scale, shift))
}

/// `x` normalised by its own mean and (biased) variance, which come along.
pub(super) fn batch_norm(
    op: &BatchNorm,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
) -> Result<(Tensor, Tensor, Tensor)> {
    let mean = channel_mean(x)?;
    let centred = x.broadcast_sub(&along_channels(&mean, x)?)?;
    let variance = channel_mean(&centred.sqr()?)?;
    let scale = (weight / (&variance + op.eps)?.sqrt()?)?;
    Ok((affine(&centred, &scale, bias)?, mean, variance))
}

/// Moves the running statistics towards those of a batch `x`; the running variance is the unbiased one, as in torch.
pub(super) fn move_statistics(
    op: &BatchNorm,
    x: &Tensor,
    tensors: &[Tensor],
    mean: &Tensor,
    variance: &Tensor,
) -> Result<()> {
    let count = (x.elem_count() / tensors[0].elem_count()) as f64;
    move_towards(&tensors[2], &mean.detach(), op.momentum)?;
    move_towards(&tensors[3], &(variance.detach() * (count / (count - 1.0)))?, op.momentum)
}

fn move_towards(running: &Tensor, new: &Tensor, momentum: f64) -> Result<()> {
    let moved = ((running.detach() * (1.0 - momentum))? + (new * momentum)?)?;
    Var::from_tensor(running)?.set(&moved)
}

/// `y = x / (k + α Σ x²)^β` across channels.
pub(super) fn local_response(op: &Lrn, x: &Tensor) -> Result<Tensor> {
    let channels = x.dim(1)?;
    let squares = x.sqr()?.pad_with_zeros(1, op.size / 2, (op.size - 1) / 2)?;
    let mut sum = squares.narrow(1, 0, channels)?;
    for neighbour in 1..op.size {
        sum = (sum + squares.narrow(1, neighbour, channels)?)?;
    }
    x * sum.affine(op.alpha, op.k)?.powf(-op.beta)?
}

/// Mean over everything but the channels, innermost dimension first.
fn channel_mean(x: &Tensor) -> Result<Tensor> {
    let mut mean = x.clone();
    while mean.rank() > 2 {
        mean = mean.mean(mean.rank() - 1)?;
    }
    mean.mean(0)
}

fn along_channels(values: &Tensor, x: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; x.rank()];
    dims[1] = values.elem_count();
    values.reshape(dims)
}
