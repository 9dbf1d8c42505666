//! The shape an operation gives for the shapes it gets, and the conditions it puts on them.

use crate::error::{Error, Result};
use crate::numbers::require;
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
        | Op::Dropout { .. }
        | Op::ChannelAffine { .. }
        | Op::Scale { .. } => Ok(input),
        Op::Conv(conv) => {
            let out = slide(path, &conv.window, size()?)?;
            check_channels(path, conv, input.channels())?;
            Ok(Shape::map(conv.out_channels.unwrap_or(input.channels()), out))
        }
        Op::Linear(linear) => {
            vector()?;
            Ok(Shape::Vector { features: linear.out_features })
        }
        Op::Lrn(_) => {
            size()?;
            Ok(input)
        }
        Op::MaxPool(window) => Ok(Shape::map(input.channels(), slide(path, window, size()?)?)),
        Op::AvgPool(pool) => Ok(Shape::map(input.channels(), slide(path, &pool.window, size()?)?)),
        Op::AdaptiveAvgPool { output } => {
            size()?;
            Ok(Shape::map(input.channels(), *output))
        }
        Op::Flatten => Ok(Shape::Vector { features: input.elements() }),
        Op::ZeroChannels { before, after } => stacked(path, input, &[*before, input.channels(), *after]),
        Op::InputAffine { scale, shift } => {
            for constants in [scale, shift] {
                let (found, channels) = (constants.len(), input.channels());
                require(found == channels, path, || format!("{found} constants for {channels} input channels"))?;
            }
            Ok(input)
        }
        Op::RadialBasis { centres } => {
            let features = vector()?;
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
            None => stacked(path, input, &inputs.iter().map(Shape::channels).collect::<Vec<_>>()),
        },
    }
}

/// `input` with the sum of these channels.
fn stacked(path: &str, input: Shape, channels: &[usize]) -> Result<Shape> {
    match channels.iter().try_fold(0usize, |sum, channels| sum.checked_add(*channels)) {
        Some(sum) => Ok(input.with_channels(sum)),
        None => Err(invalid(path, format!("{} channels cannot be counted", listed(channels)))),
    }
}

fn listed(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ")
}

fn slide(path: &str, window: &Window, input: Pair) -> Result<Pair> {
    window.output(input).ok_or_else(|| {
        let padded = |n: usize, padding: usize| n.saturating_add(padding.saturating_mul(2));
        let [vertical, horizontal] = window.axes();
        Error::Window {
            path: path.to_string(),
            kernel: Pair { height: vertical.extent(), width: horizontal.extent() },
            padded: Pair {
                height: padded(input.height, window.padding.height),
                width: padded(input.width, window.padding.width),
            },
            input,
        }
    })
}

fn check_channels(path: &str, conv: &Conv, channels: usize) -> Result<()> {
    let out = conv.out_channels.unwrap_or(channels);
    let divided = channels.is_multiple_of(conv.groups) && out.is_multiple_of(conv.groups);
    require(divided, path, || format!("{} groups do not divide {channels} channels in, {out} out", conv.groups))?;
    let Some(table) = &conv.connections else { return Ok(()) };
    let rows = table.len();
    require(rows == out, path, || format!("a connection table of {rows} rows for {out} output channels"))?;
    // Plain candle operations address the dense weights by 32 bits.
    let addressable = out.checked_mul(channels).is_some_and(|pairs| u32::try_from(pairs).is_ok());
    require(addressable, path, || format!("a connection table between {channels} and {out} channels is too large"))?;
    for (output, row) in table.iter().enumerate() {
        let ascending = row.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = row.last().is_some_and(|last| *last < channels);
        require(ascending && inside, path, || {
            format!("output channel {output} is connected to {row:?}, not to some of 0..{channels} in order")
        })?;
    }
    Ok(())
}

fn invalid(path: &str, problem: String) -> Error {
    Error::Invalid { path: path.to_string(), problem }
}

fn join_error(path: &str, op: &Op, left: Shape, right: Shape) -> Error {
    Error::Join { path: path.to_string(), op: op.name(), left, right }
}
