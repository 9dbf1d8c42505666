//! Which numbers an operation can have, whatever its input: checked when a definition is elaborated.
//!
//! The upper bounds keep every product of the kernels, of candle's operations and of a summary in range, and lie far
//! beyond any network that can be computed.

use crate::error::{Error, Result};
use crate::initialisation::Init;
use crate::op::{Conv, Op};
use crate::shape::{Pair, Window};
use crate::tensors::TensorSpec;

/// The largest kernel, stride, padding and dilation along an axis: a tap's position (kernel times dilation) then fits
/// 32 bits.
const LARGEST_STEP: usize = 1 << 16;

/// The largest height times width of a convolution's stride: the gradient of its input takes one sweep for each.
const LARGEST_STRIDE_AREA: usize = 1 << 20;

/// The largest number of channels in a local response: they are added up one by one.
const LARGEST_RESPONSE: usize = 1 << 12;

/// Refuses an operation with a number it cannot have.
pub(crate) fn check_numbers(op: &Op, path: &str) -> Result<()> {
    let number = |what: &str, value: f64| finite(path, what, value);
    match op {
        Op::Conv(conv) => check_conv(conv, path),
        Op::MaxPool(window) => check_pool(window, path),
        Op::AvgPool(pool) => check_pool(&pool.window, path),
        Op::Linear(linear) => positive(path, "output features", linear.out_features),
        Op::BatchNorm(norm) => {
            number("ε", norm.eps)?;
            not_negative(path, "ε", norm.eps)?;
            let problem = || format!("momentum {} is not between 0 and 1", norm.momentum);
            require((0.0..=1.0).contains(&norm.momentum), path, problem)
        }
        Op::Lrn(lrn) => {
            positive(path, "channels in the sum", lrn.size)?;
            at_most(path, "channels in the sum", lrn.size, LARGEST_RESPONSE)?;
            for (what, value) in [("α", lrn.alpha), ("β", lrn.beta), ("k", lrn.k)] {
                number(what, value)?;
                not_negative(path, what, value)?;
            }
            require(lrn.k as f32 > 0.0, path, || format!("k {} divides channels of zeros by 0", lrn.k))
        }
        Op::Tanh { amplitude, slope } => {
            number("amplitude", *amplitude)?;
            number("slope", *slope)
        }
        Op::AdaptiveAvgPool { output } => positive(path, "output positions", output.height.min(output.width)),
        Op::Dropout { rate } => {
            // A rate that rounds to 1 in f32 would divide by 0.
            let possible = (0.0..1.0).contains(rate) && (*rate as f32) < 1.0;
            require(possible, path, || format!("dropout rate {rate} is not in [0, 1)"))
        }
        Op::Scale { factor } => number("factor", *factor),
        Op::ChannelAffine { coefficient } => number("coefficient", *coefficient),
        Op::InputAffine { scale, shift } => {
            scale.iter().try_for_each(|scale| number("scale", *scale))?;
            shift.iter().try_for_each(|shift| number("shift", *shift))
        }
        Op::RadialBasis { centres } => {
            positive(path, "centres", centres.len())?;
            centres.iter().flatten().try_for_each(|centre| number("a centre's entry", *centre))
        }
        Op::Input => require(false, path, || "the input stands at the beginning of a network alone".to_string()),
        Op::Relu | Op::Sigmoid | Op::Softmax | Op::Flatten | Op::ZeroChannels { .. } | Op::Add | Op::Concat => Ok(()),
    }
}

/// Refuses a tensor that would begin with numbers that are not finite, or with a negative spread.
pub(crate) fn check_init(tensor: &TensorSpec) -> Result<()> {
    let spread = |what: &str, value: f64| {
        finite(&tensor.name, what, value)?;
        not_negative(&tensor.name, what, value)
    };
    match tensor.init {
        Init::Constant(value) => finite(&tensor.name, "initial value", value),
        Init::Uniform { bound } | Init::PartialIdentity { bound, .. } => spread("initial bound", bound),
        Init::Normal { std } => spread("initial standard deviation", std),
        Init::TruncatedNormal { std, bound } => {
            spread("initial standard deviation", std)?;
            spread("initial bound", bound)
        }
    }
}

/// Refuses a loss weight of an auxiliary head that is not finite or is negative.
pub(crate) fn check_loss_weight(path: &str, weight: f64) -> Result<()> {
    finite(path, "loss weight", weight)?;
    not_negative(path, "loss weight", weight)
}

fn check_conv(conv: &Conv, path: &str) -> Result<()> {
    check_window(&conv.window, path)?;
    let Pair { height, width } = conv.window.stride;
    require(height * width <= LARGEST_STRIDE_AREA, path, || {
        format!("stride {} is more than {LARGEST_STRIDE_AREA} positions", conv.window.stride)
    })?;
    require(!conv.window.ceil, path, || "a convolution has no window that hangs over the edge".to_string())?;
    positive(path, "groups", conv.groups)?;
    if let Some(out) = conv.out_channels {
        positive(path, "output channels", out)?;
    }
    let alone = conv.connections.is_none() || (conv.groups == 1 && conv.depthwise.is_none());
    require(alone, path, || "a connection table and groups exclude each other".to_string())
}

/// A pool's window may not be padded by more than half of itself, or a window could see padding alone.
fn check_pool(window: &Window, path: &str) -> Result<()> {
    check_window(window, path)?;
    require(window.dilation == 1.into(), path, || format!("a pool has no dilation, not {}", window.dilation))?;
    let fits = window.axes().iter().all(|axis| 2 * axis.padding <= axis.kernel);
    require(fits, path, || format!("padding {} is more than half of kernel {}", window.padding, window.kernel))
}

fn check_window(window: &Window, path: &str) -> Result<()> {
    let numbers = [
        ("kernel", window.kernel),
        ("stride", window.stride),
        ("dilation", window.dilation),
        ("padding", window.padding),
    ];
    for (what, pair) in numbers {
        let fits = pair.height.max(pair.width) <= LARGEST_STEP;
        require(fits, path, || format!("{what} {pair} is more than {LARGEST_STEP} along an axis"))?;
    }
    positive(path, "kernel positions", window.kernel.area())?;
    positive(path, "stride", window.stride.area())?;
    positive(path, "dilation", window.dilation.area())
}

/// Networks compute in f32, so a number must be finite there.
fn finite(path: &str, what: &str, value: f64) -> Result<()> {
    require((value as f32).is_finite(), path, || format!("{what} {value} is not a finite number in f32"))
}

fn not_negative(path: &str, what: &str, value: f64) -> Result<()> {
    require(value >= 0.0, path, || format!("{what} {value} is negative"))
}

fn at_most(path: &str, what: &str, number: usize, most: usize) -> Result<()> {
    require(number <= most, path, || format!("{number} {what} are more than {most}"))
}

fn positive(path: &str, what: &str, number: usize) -> Result<()> {
    require(number > 0, path, || format!("{what} must be at least 1"))
}

/// Refuses the node at `path` with `problem` unless `holds`.
pub(crate) fn require(holds: bool, path: &str, problem: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Invalid { path: path.to_string(), problem: problem() }) }
}
