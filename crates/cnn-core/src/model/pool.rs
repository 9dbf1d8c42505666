//! Pooling from candle operations whose gradients are right; candle's own pools are not used (see `docs/decisions/`).

use crate::op::AvgPool;
use crate::shape::{Axis, Pair, Span, Window, adaptive_spans};
use candle_core::{D, Device, Result, Tensor};

/// Maximum under a window. The whole gradient goes to the first maximum in row-major order, as in torch.
pub(super) fn max_pool(window: &Window, x: &Tensor) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let [vertical, horizontal] = window.axes();
    let (oh, ow) = (vertical.output(h).unwrap_or(0), horizontal.output(w).unwrap_or(0));
    let Pair { height: kh, width: kw } = window.kernel;
    let x = lay_out(&lay_out(x, 2, &vertical, oh)?, 3, &horizontal, ow)?;
    let windows = x.reshape((n, c, oh, kh, ow, kw))?.permute((0, 1, 2, 4, 3, 5))?.contiguous()?;
    let windows = windows.reshape((n * c * oh * ow, kh * kw))?;
    let known = windows.detach();
    // candle's argmax passes over NaN; as +∞ it wins, and is what the window gives.
    let infinity = Tensor::full(f32::INFINITY, known.shape(), x.device())?.to_dtype(x.dtype())?;
    let first_maximum = known.eq(&known)?.where_cond(&known, &infinity)?.argmax_keepdim(D::Minus1)?;
    windows.gather(&first_maximum, D::Minus1)?.reshape((n, c, oh, ow))
}

/// `x` with the windows along `dim` laid end to end: `out · kernel` positions, −∞ where a window lies on padding.
fn lay_out(x: &Tensor, dim: usize, axis: &Axis, out: usize) -> Result<Tensor> {
    let n = x.dim(dim)?;
    if axis.stride == axis.kernel && axis.padding == 0 && out * axis.kernel <= n {
        return x.narrow(dim, 0, out * axis.kernel);
    }
    let positions = (0..out).flat_map(|o| (0..axis.kernel).map(move |k| axis.start(o) + k as isize));
    let inside = |position: isize| (0..n as isize).contains(&position);
    let from: Vec<u32> = positions.clone().map(|position| position.clamp(0, n as isize - 1) as u32).collect();
    let laid_out = x.contiguous()?.index_select(&Tensor::new(from, x.device())?, dim)?;
    if positions.clone().all(inside) {
        return Ok(laid_out);
    }
    let real: Vec<u8> = positions.map(|position| u8::from(inside(position))).collect();
    let mut dims = vec![1; x.rank()];
    dims[dim] = real.len();
    let real = Tensor::from_vec(real, dims, x.device())?.broadcast_as(laid_out.shape())?.contiguous()?;
    let padding = Tensor::full(f32::NEG_INFINITY, laid_out.shape(), x.device())?.to_dtype(x.dtype())?;
    real.where_cond(&laid_out, &padding)
}

/// Mean under a window.
pub(super) fn avg_pool(op: &AvgPool, x: &Tensor) -> Result<Tensor> {
    let [vertical, horizontal] = op.window.axes();
    let spans = |axis: Axis, n: usize| (0..axis.output(n).unwrap_or(0)).map(|o| axis.span(o, n)).collect::<Vec<_>>();
    let (h, w) = (x.dim(2)?, x.dim(3)?);
    means(x, &spans(vertical, h), &spans(horizontal, w), op.count_padding)
}

/// Mean over windows that divide the input.
pub(super) fn adaptive_avg_pool(output: Pair, x: &Tensor) -> Result<Tensor> {
    if output == 1.into() {
        return x.mean_keepdim(3)?.mean_keepdim(2);
    }
    let (h, w) = (x.dim(2)?, x.dim(3)?);
    means(x, &adaptive_spans(h, output.height), &adaptive_spans(w, output.width), false)
}

/// Means over rectangles: a window's mean is a product of a vertical and a horizontal mean, hence `A x Bᵀ` with
/// constant matrices, whatever the windows.
fn means(x: &Tensor, rows: &[Span], columns: &[Span], count_padding: bool) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let across = matrix(columns, w, count_padding, x.device())?.to_dtype(x.dtype())?;
    let down = matrix(rows, h, count_padding, x.device())?.to_dtype(x.dtype())?;
    let x = x.reshape((n * c * h, w))?.matmul(&across.t()?)?.reshape((n * c, h, columns.len()))?;
    let down = down.unsqueeze(0)?.broadcast_as((n * c, rows.len(), h))?;
    down.matmul(&x)?.reshape((n, c, rows.len(), columns.len()))
}

/// Row `o` holds 1/length at the positions of span `o`.
fn matrix(spans: &[Span], n: usize, count_padding: bool, device: &Device) -> Result<Tensor> {
    let mut values = vec![0.0; spans.len() * n];
    for (o, span) in spans.iter().enumerate() {
        let length = if count_padding { span.padded } else { span.end - span.start };
        values[o * n + span.start..o * n + span.end].fill(1.0 / length as f64);
    }
    Tensor::from_vec(values, (spans.len(), n), device)
}
