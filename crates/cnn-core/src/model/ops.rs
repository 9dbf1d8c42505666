//! One operation of a network on candle tensors.

use super::dropout::Pass;
use super::{activation, conv, kernels, norm, pool};
use crate::model_error::{ModelError, Result};
use crate::network::Node;
use crate::op::Op;
use candle_core::{D, Tensor};
use std::borrow::Cow;

/// A node with its tensors, and the training pass it is part of, if it is training.
pub(super) struct Place<'a> {
    pub(super) node: &'a Node,
    pub(super) tensors: &'a [Tensor],
    pub(super) pass: Option<&'a Pass>,
    /// Whether the kernels compute; else candle's operations do.
    pub(super) kernels: bool,
}

/// The node's output for its inputs' values. Where an operation has two ways, they part here.
///
/// Inputs may be of less precision than the node's tensors. Then batch normalisation computes with that of its tensors,
/// everything else with that of its inputs.
pub(super) fn compute(place: &Place<'_>, inputs: &[Tensor]) -> Result<Tensor> {
    let precise = place.tensors.first().map_or(inputs[0].dtype(), Tensor::dtype);
    if precise != inputs[0].dtype() && matches!(place.node.op, Op::BatchNorm(_)) {
        let y = compute(place, &[inputs[0].to_dtype(precise)?])?;
        return Ok(y.to_dtype(inputs[0].dtype())?);
    }
    let Place { node, pass, kernels, .. } = place;
    let tensors = &*match precise == inputs[0].dtype() {
        true => Cow::Borrowed(place.tensors),
        false => place.tensors.iter().map(|tensor| tensor.to_dtype(inputs[0].dtype())).collect::<Result<_, _>>()?,
    };
    let x = &inputs[0];
    let affine = if *kernels { kernels::affine } else { norm::affine };
    Ok(match &node.op {
        Op::Input => x.clone(),
        op if *kernels && kernels::has(op) => kernels::operation(node, x, tensors)?,
        Op::Conv(op) => conv::conv(op, x, &conv::dense(op, x, &tensors[0])?, tensors.get(1))?,
        Op::Linear(_) => {
            let y = x.matmul(&tensors[0].t()?)?;
            match tensors.get(1) {
                Some(bias) => y.broadcast_add(bias)?,
                None => y,
            }
        }
        Op::BatchNorm(op) if pass.is_some() => {
            if x.elem_count() == node.shape.channels() {
                return Err(ModelError::SingleValue { path: node.path.clone(), shape: node.shape });
            }
            let normalise = if *kernels { kernels::batch_norm } else { norm::batch_norm };
            let (y, mean, variance) = normalise(op, x, &tensors[0], &tensors[1])?;
            norm::move_statistics(op, x, tensors, &mean, &variance)?;
            y
        }
        Op::BatchNorm(op) => {
            let (scale, shift) = norm::running(op, tensors)?;
            affine(x, &scale, &shift)?
        }
        Op::Lrn(op) => norm::local_response(op, x)?,
        Op::Relu if *kernels => kernels::relu(x)?,
        Op::Relu => activation::relu(x)?,
        Op::Sigmoid => candle_nn::ops::sigmoid(x)?,
        Op::Tanh { amplitude, slope } => ((x * *slope)?.tanh()? * *amplitude)?,
        Op::Softmax => candle_nn::ops::softmax(x, 1)?,
        Op::MaxPool(window) => pool::max_pool(window, x)?,
        Op::AvgPool(op) => pool::avg_pool(op, x)?,
        Op::AdaptiveAvgPool { output } => pool::adaptive_avg_pool(*output, x)?,
        Op::Flatten => x.flatten_from(1)?,
        Op::Dropout { rate } => match pass {
            Some(pass) if *rate > 0.0 => pass.drop(x, *rate, &node.path)?,
            _ => x.clone(),
        },
        Op::Scale { factor } => (x * *factor)?,
        Op::ZeroChannels { before, after } => x.pad_with_zeros(1, *before, *after)?,
        Op::ChannelAffine { .. } => affine(x, &tensors[0], &tensors[1])?,
        Op::InputAffine { scale, shift } => {
            let constant = |values: &Vec<f64>| Tensor::new(values.as_slice(), x.device())?.to_dtype(x.dtype());
            affine(x, &constant(scale)?, &constant(shift)?)?
        }
        Op::RadialBasis { centres } => {
            let flat: Vec<f64> = centres.concat();
            let centres = Tensor::from_vec(flat, (1, centres.len(), centres[0].len()), x.device())?;
            let away = x.unsqueeze(1)?.broadcast_sub(&centres.to_dtype(x.dtype())?)?;
            away.sqr()?.sum(D::Minus1)?.neg()?
        }
        Op::Add => {
            let mut total = x.clone();
            for other in &inputs[1..] {
                total = (total + other)?;
            }
            total
        }
        Op::Concat => Tensor::cat(inputs, 1)?,
    })
}
