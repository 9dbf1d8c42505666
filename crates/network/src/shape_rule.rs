//! The shape an operation gives for the shapes it gets, and the conditions it puts on them.

use crate::error::{Error, Result};
use crate::op::{Conv, Op};
use crate::shape::{Pair, Shape, Window};

/// The output shape of `op` at `path`.
pub(crate) fn output_shape(op: &Op, path: &str, inputs: &[Shape]) -> Result<Shape> {
    let Some(&input) = inputs.first() else {
        return Err(invalid(path, format!("{} joins no branches", op.name())));
    };
    let size = || {
        let expected = "feature maps";
        input.size().ok_or_else(|| Error::Rank { path: path.to_string(), op: op.name(), expected, found: input })
    };
    let vector = || match input {
        Shape::Vector { features } => Ok(features),
        Shape::Map { .. } => {
            let expected = "a vector (flatten first)";
            Err(Error::Rank { path: path.to_string(), op: op.name(), expected, found: input })
        }
    };
    match op {
        Op::Input
        | Op::BatchNorm(_)
        | Op::Relu
        | Op::Sigmoid
        | Op::Tanh { .. }
        | Op::Softmax
        | Op::ChannelAffine { .. }
        | Op::Scale { .. } => Ok(input),
        Op::Conv(conv) => {
            let out = slide(path, &conv.window, size()?)?;
            check_channels(path, conv, input.channels())?;
            Ok(Shape::map(conv.out_channels.unwrap_or(input.channels()), out))
        }
        Op::Linear(linear) => {
            vector()?;
            positive(path, "output features", linear.out_features)?;
            Ok(Shape::Vector { features: linear.out_features })
        }
        Op::Lrn(lrn) => {
            size()?;
            positive(path, "channels in the sum", lrn.size)?;
            Ok(input)
        }
        Op::MaxPool(window) => Ok(Shape::map(input.channels(), pool(path, window, size()?)?)),
        Op::AvgPool(avg) => Ok(Shape::map(input.channels(), pool(path, &avg.window, size()?)?)),
        Op::AdaptiveAvgPool { output } => {
            size()?;
            positive(path, "output positions", output.area())?;
            Ok(Shape::map(input.channels(), *output))
        }
        Op::Flatten => Ok(Shape::Vector { features: input.elements() }),
        Op::Dropout { rate } if !(0.0..1.0).contains(rate) => {
            Err(invalid(path, format!("dropout rate {rate} is not in [0, 1)")))
        }
        Op::Dropout { .. } => Ok(input),
        Op::ZeroChannels { before, after } => Ok(input.with_channels(before + input.channels() + after)),
        Op::InputAffine { scale, shift } => {
            for constants in [scale, shift] {
                if constants.len() != input.channels() {
                    let problem = format!("{} constants for {} input channels", constants.len(), input.channels());
                    return Err(invalid(path, problem));
                }
            }
            Ok(input)
        }
        Op::RadialBasis { centres } => {
            let features = vector()?;
            positive(path, "centres", centres.len())?;
            match centres.iter().find(|centre| centre.len() != features) {
                Some(centre) => Err(invalid(path, format!("a centre of {} for {features} features", centre.len()))),
                None => Ok(Shape::Vector { features: centres.len() }),
            }
        }
        Op::Add => match inputs.iter().find(|shape| **shape != input) {
            Some(&right) => Err(join_error(path, op, input, right)),
            None => Ok(input),
        },
        Op::Concat => match inputs.iter().find(|shape| shape.size() != input.size()) {
            Some(&right) => Err(join_error(path, op, input, right)),
            None => Ok(input.with_channels(inputs.iter().map(Shape::channels).sum())),
        },
    }
}

/// More than this no machine computes, and sums over a whole network stay far from overflow.
const LARGEST: u128 = 1 << 48;

/// Whether the output, the weights and the multiply-accumulates of `op` can be counted.
pub(crate) fn check_size(op: &Op, path: &str, input: Shape, output: Shape) -> Result<()> {
    let elements =
        |shape: Shape| shape.dims().into_iter().fold(1, |product: u128, n| product.saturating_mul(n as u128));
    let fan_in = match op {
        Op::Conv(conv) => (conv.window.kernel.area() as u128).saturating_mul(input.channels() as u128),
        Op::Linear(_) | Op::RadialBasis { .. } => input.channels() as u128,
        _ => 1,
    };
    let (values, work) = (elements(output), elements(output).saturating_mul(fan_in));
    if values > LARGEST || work > LARGEST {
        let text = format!("{} of {input} to {output} is larger than anything that can be computed", op.name());
        return Err(invalid(path, text));
    }
    Ok(())
}

fn slide(path: &str, window: &Window, input: Pair) -> Result<Pair> {
    positive(path, "kernel positions", window.kernel.area())?;
    positive(path, "stride", window.stride.area())?;
    positive(path, "dilation", window.dilation.area())?;
    window.output(input).ok_or_else(|| {
        let [vertical, horizontal] = window.axes();
        Error::Window {
            path: path.to_string(),
            kernel: Pair { height: vertical.extent(), width: horizontal.extent() },
            padded: Pair {
                height: input.height + 2 * window.padding.height,
                width: input.width + 2 * window.padding.width,
            },
            input,
        }
    })
}

/// A pool's window may not be padded by more than half of itself, or a window could see padding alone.
fn pool(path: &str, window: &Window, input: Pair) -> Result<Pair> {
    if window.axes().iter().any(|axis| 2 * axis.padding > axis.kernel) {
        let problem = format!("padding {} is more than half of kernel {}", window.padding, window.kernel);
        return Err(invalid(path, problem));
    }
    slide(path, window, input)
}

fn check_channels(path: &str, conv: &Conv, channels: usize) -> Result<()> {
    let out = conv.out_channels.unwrap_or(channels);
    positive(path, "output channels", out)?;
    positive(path, "groups", conv.groups)?;
    if !channels.is_multiple_of(conv.groups) || !out.is_multiple_of(conv.groups) {
        return Err(invalid(path, format!("{} groups do not divide {channels} channels in, {out} out", conv.groups)));
    }
    let Some(table) = &conv.connections else { return Ok(()) };
    if conv.groups != 1 {
        return Err(invalid(path, "a connection table and groups exclude each other".to_string()));
    }
    for (output, row) in table.iter().enumerate() {
        let ascending = row.windows(2).all(|pair| pair[0] < pair[1]);
        if row.is_empty() || !ascending || row.last().is_some_and(|last| *last >= channels) {
            let problem =
                format!("output channel {output} is connected to {row:?}, not to some of 0..{channels} in order");
            return Err(invalid(path, problem));
        }
    }
    Ok(())
}

fn positive(path: &str, what: &str, number: usize) -> Result<()> {
    if number == 0 { Err(invalid(path, format!("{what} must be at least 1"))) } else { Ok(()) }
}

fn invalid(path: &str, problem: String) -> Error {
    Error::Invalid { path: path.to_string(), problem }
}

fn join_error(path: &str, op: &Op, left: Shape, right: Shape) -> Error {
    Error::Join { path: path.to_string(), op: op.name(), left, right }
}
