//! Each operation as the loops of its definition.

use super::window::under;
use super::{Batch, Mode};
use crate::op::{AvgPool, BatchNorm, Conv, Lrn, Op};
use crate::shape::{Shape, Window};

/// The values of `op` for a batch; `tensors` in the order of the node's specification.
pub(super) fn compute(op: &Op, inputs: &[&Batch], tensors: &[&[f64]], output: Shape, mode: Mode) -> Vec<f64> {
    let x = inputs[0];
    let each = |f: &dyn Fn(f64) -> f64| x.values.iter().map(|v| f(*v)).collect();
    let each_sample = |f: &dyn Fn(&[f64]) -> Vec<f64>| x.samples().flat_map(f).collect();
    match op {
        Op::Input | Op::Flatten | Op::Dropout { .. } => x.values.clone(),
        Op::Conv(conv) => each_sample(&|sample| convolution(conv, sample, x.shape, tensors, output)),
        Op::Linear(_) => each_sample(&|sample| linear(sample, tensors, output.elements())),
        Op::BatchNorm(norm) => batch_norm(norm, x, tensors, mode),
        Op::Lrn(lrn) => each_sample(&|sample| local_response(lrn, sample, x.shape)),
        Op::Relu => each(&|v| if v < 0.0 { 0.0 } else { v }),
        Op::Sigmoid => each(&|v| 1.0 / (1.0 + (-v).exp())),
        Op::Tanh { amplitude, slope } => each(&|v| amplitude * (slope * v).tanh()),
        Op::Softmax => each_sample(&|sample| softmax(sample, x.shape)),
        Op::MaxPool(window) => each_sample(&|sample| max_pool(window, sample, x.shape, output)),
        Op::AvgPool(pool) => each_sample(&|sample| avg_pool(pool, sample, x.shape, output)),
        Op::AdaptiveAvgPool { .. } => each_sample(&|sample| adaptive_avg_pool(sample, x.shape, output)),
        Op::Scale { factor } => each(&|v| v * factor),
        Op::ZeroChannels { before, after } => each_sample(&|sample| {
            let map = plane(output);
            [vec![0.0; before * map], sample.to_vec(), vec![0.0; after * map]].concat()
        }),
        Op::ChannelAffine { .. } => {
            each_sample(&|sample| per_channel(sample, x.shape, |c, v| v * tensors[0][c] + tensors[1][c]))
        }
        Op::InputAffine { scale, shift } => {
            each_sample(&|sample| per_channel(sample, x.shape, |c, v| v * scale[c] + shift[c]))
        }
        Op::RadialBasis { centres } => each_sample(&|sample| {
            let distance = |centre: &Vec<f64>| sample.iter().zip(centre).map(|(v, c)| (v - c).powi(2)).sum::<f64>();
            centres.iter().map(|centre| -distance(centre)).collect()
        }),
        Op::Add => (0..x.values.len()).map(|i| inputs.iter().map(|input| input.values[i]).sum()).collect(),
        Op::Concat => {
            let sample = |n: usize| {
                inputs.iter().flat_map(move |input| {
                    let elements = input.shape.elements();
                    input.values[n * elements..(n + 1) * elements].iter().copied()
                })
            };
            (0..x.len()).flat_map(sample).collect()
        }
    }
}

/// Elements of one map; 1 for a vector.
fn plane(shape: Shape) -> usize {
    shape.size().map_or(1, |size| size.area())
}

fn axes(shape: Shape) -> [usize; 2] {
    shape.size().map_or([1, 1], |size| size.axes())
}

fn per_channel(sample: &[f64], shape: Shape, f: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    sample.iter().enumerate().map(|(i, v)| f(i / plane(shape), *v)).collect()
}

/// Calls `f` with channel and position of every element of a map.
fn each_position(shape: Shape, mut f: impl FnMut(usize, [usize; 2]) -> f64) -> Vec<f64> {
    let [h, w] = axes(shape);
    let mut values = Vec::with_capacity(shape.elements());
    for c in 0..shape.channels() {
        for y in 0..h {
            for x in 0..w {
                values.push(f(c, [y, x]));
            }
        }
    }
    values
}

/// Calls `f` with tap and input position of every real element under a window.
fn each_tap(window: &Window, at: [usize; 2], [h, w]: [usize; 2], mut f: impl FnMut([usize; 2], usize)) {
    for ky in 0..window.kernel.height {
        for kx in 0..window.kernel.width {
            if let Some((y, x)) = under(window, at, [ky, kx], [h, w]) {
                f([ky, kx], y * w + x);
            }
        }
    }
}

fn convolution(conv: &Conv, sample: &[f64], input: Shape, tensors: &[&[f64]], output: Shape) -> Vec<f64> {
    let map = plane(input);
    let [kh, kw] = conv.window.kernel.axes();
    let (ic, oc) = (input.channels() / conv.groups, output.channels() / conv.groups);
    // For each output channel the pairs of input channel and kernel.
    let mut kernels: Vec<Vec<(usize, usize)>> = Vec::new();
    for o in 0..output.channels() {
        let first_kernel = kernels.iter().map(Vec::len).sum::<usize>();
        let seen: Vec<usize> = match &conv.connections {
            Some(table) => table[o].clone(),
            None => (0..ic).map(|i| o / oc * ic + i).collect(),
        };
        kernels.push(seen.into_iter().enumerate().map(|(k, i)| (i, first_kernel + k)).collect());
    }
    each_position(output, |o, at| {
        let mut sum = if conv.bias { tensors[1][o] } else { 0.0 };
        for (i, kernel) in &kernels[o] {
            each_tap(&conv.window, at, axes(input), |[ky, kx], position| {
                sum += sample[i * map + position] * tensors[0][(kernel * kh + ky) * kw + kx];
            });
        }
        sum
    })
}

fn linear(sample: &[f64], tensors: &[&[f64]], outputs: usize) -> Vec<f64> {
    let row = |o: usize| &tensors[0][o * sample.len()..(o + 1) * sample.len()];
    let bias = |o: usize| tensors.get(1).map_or(0.0, |bias| bias[o]);
    (0..outputs).map(|o| bias(o) + row(o).iter().zip(sample).map(|(w, v)| w * v).sum::<f64>()).collect()
}

fn batch_norm(norm: &BatchNorm, x: &Batch, tensors: &[&[f64]], mode: Mode) -> Vec<f64> {
    let (map, channels) = (plane(x.shape), x.shape.channels());
    let channel = |i: usize| i / map % channels;
    let count = (x.len() * map) as f64;
    let (mean, variance) = match mode {
        Mode::Evaluation => (tensors[2].to_vec(), tensors[3].to_vec()),
        Mode::Training => {
            let mut mean = vec![0.0; channels];
            x.values.iter().enumerate().for_each(|(i, v)| mean[channel(i)] += v / count);
            let mut variance = vec![0.0; channels];
            let square = |i: usize, v: f64| (v - mean[channel(i)]).powi(2) / count;
            x.values.iter().enumerate().for_each(|(i, v)| variance[channel(i)] += square(i, *v));
            (mean, variance)
        }
    };
    let normalised = |(i, v): (usize, &f64)| {
        let c = channel(i);
        (v - mean[c]) / (variance[c] + norm.eps).sqrt() * tensors[0][c] + tensors[1][c]
    };
    x.values.iter().enumerate().map(normalised).collect()
}

fn local_response(lrn: &Lrn, sample: &[f64], shape: Shape) -> Vec<f64> {
    let map = plane(shape);
    per_channel(sample, shape, |_, v| v)
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let (c, position) = (i / map, i % map);
            // `size` channels, the extra one of an even size before the centre.
            let first = c.saturating_sub(lrn.size / 2);
            let last = (c + (lrn.size - 1) / 2).min(shape.channels() - 1);
            let sum: f64 = (first..=last).map(|other| sample[other * map + position].powi(2)).sum();
            v / (lrn.k + lrn.alpha * sum).powf(lrn.beta)
        })
        .collect()
}

fn softmax(sample: &[f64], shape: Shape) -> Vec<f64> {
    let map = plane(shape);
    let over_channels = |position: usize| (0..shape.channels()).map(move |c| sample[c * map + position]);
    let largest = |position| over_channels(position).fold(f64::NEG_INFINITY, f64::max);
    let total = |position| over_channels(position).map(|v| (v - largest(position)).exp()).sum::<f64>();
    sample.iter().enumerate().map(|(i, v)| (v - largest(i % map)).exp() / total(i % map)).collect()
}

fn max_pool(window: &Window, sample: &[f64], input: Shape, output: Shape) -> Vec<f64> {
    each_position(output, |c, at| {
        let mut largest = f64::NEG_INFINITY;
        each_tap(window, at, axes(input), |_, position| {
            let v = sample[c * plane(input) + position];
            // NaN stays, as in torch.
            if v > largest || v.is_nan() {
                largest = v;
            }
        });
        largest
    })
}

fn avg_pool(pool: &AvgPool, sample: &[f64], input: Shape, output: Shape) -> Vec<f64> {
    let [h, w] = axes(input);
    let [padded_h, padded_w] = [h + pool.window.padding.height, w + pool.window.padding.width];
    each_position(output, |c, [oy, ox]| {
        let (mut sum, mut real) = (0.0, 0usize);
        each_tap(&pool.window, [oy, ox], [h, w], |_, position| {
            sum += sample[c * plane(input) + position];
            real += 1;
        });
        // Positions of the window, counted from the first padding, that are inside the input or its padding.
        let inside = |o: usize, stride: usize, kernel: usize, padding: usize, end: usize| {
            (0..kernel).filter(|k| o * stride + k < end + padding).count()
        };
        let Window { kernel, stride, padding, .. } = pool.window;
        let covered = inside(oy, stride.height, kernel.height, padding.height, padded_h)
            * inside(ox, stride.width, kernel.width, padding.width, padded_w);
        sum / if pool.count_padding { covered } else { real } as f64
    })
}

fn adaptive_avg_pool(sample: &[f64], input: Shape, output: Shape) -> Vec<f64> {
    let ([h, w], [oh, ow]) = (axes(input), axes(output));
    let share = |o: usize, n: usize, out: usize| o * n / out..((o + 1) * n).div_ceil(out);
    each_position(output, |c, [oy, ox]| {
        let (rows, columns) = (share(oy, h, oh), share(ox, w, ow));
        let count = (rows.len() * columns.len()) as f64;
        let row_sum = |y: usize| columns.clone().map(|x| sample[(c * h + y) * w + x]).sum::<f64>();
        rows.map(row_sum).sum::<f64>() / count
    })
}
