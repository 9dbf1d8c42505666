//! An operation in words, for tables and pictures.

use crate::op::Op;
use crate::shape::{Pair, Shape, Window};

/// An operation with its numbers, defaults left out.
pub(crate) struct Description {
    /// What it is, with the numbers that are never left out: `conv 7×7, 64`.
    head: String,
    /// What changes the maps beyond that: stride and groups.
    numbers: Vec<String>,
    /// Everything else: padding, dilation, bias.
    details: Vec<String>,
}

impl Description {
    /// Everything: `conv 7×7, 64, stride 2, pad 3, no bias`.
    pub(crate) fn full(self) -> String {
        [vec![self.head], self.numbers, self.details].concat().join(", ")
    }

    /// Without the details: `conv 7×7, 64, stride 2`.
    pub(crate) fn brief(self) -> String {
        [vec![self.head], self.numbers].concat().join(", ")
    }
}

/// `op` in words, for an output of this shape.
pub(crate) fn describe(op: &Op, output: Shape) -> Description {
    let (mut numbers, mut details) = (Vec::new(), Vec::new());
    let head = match op {
        Op::Conv(conv) => {
            slide(&conv.window, 1.into(), &mut numbers, &mut details);
            if conv.groups != 1 {
                numbers.push(format!("{} groups", conv.groups));
            }
            if let Some(table) = &conv.connections {
                details.push(format!("{} connections", table.iter().map(Vec::len).sum::<usize>()));
            }
            if !conv.bias {
                details.push("no bias".to_string());
            }
            format!("conv {}, {}", conv.window.kernel, output.channels())
        }
        Op::Linear(linear) => {
            if !linear.bias {
                details.push("no bias".to_string());
            }
            format!("linear {}", linear.out_features)
        }
        Op::BatchNorm(norm) => {
            details.push(format!("ε {:e}", norm.eps));
            "batch norm".to_string()
        }
        Op::Lrn(lrn) => {
            details.push(format!("{} channels", lrn.size));
            "LRN".to_string()
        }
        Op::Relu => "relu".to_string(),
        Op::Sigmoid => "sigmoid".to_string(),
        Op::Softmax => "softmax".to_string(),
        Op::Tanh { amplitude, slope } => {
            details.push(format!("{amplitude:.4} · tanh({slope:.4} x)"));
            "tanh".to_string()
        }
        Op::MaxPool(window) => {
            slide(window, window.kernel, &mut numbers, &mut details);
            format!("max pool {}", window.kernel)
        }
        Op::AvgPool(pool) => {
            slide(&pool.window, pool.window.kernel, &mut numbers, &mut details);
            if !pool.count_padding {
                details.push("padding not counted".to_string());
            }
            format!("avg pool {}", pool.window.kernel)
        }
        Op::AdaptiveAvgPool { output } if *output == 1.into() => "global avg pool".to_string(),
        Op::AdaptiveAvgPool { output } => format!("avg pool to {output}"),
        Op::Flatten => "flatten".to_string(),
        Op::Dropout { rate } => format!("dropout {rate}"),
        Op::Scale { factor } => format!("× {factor}"),
        Op::ZeroChannels { before, after } => format!("{before} + {after} zero channels"),
        Op::ChannelAffine { .. } => "a·x + b by channel".to_string(),
        Op::InputAffine { .. } => "input affine".to_string(),
        Op::RadialBasis { centres } => format!("radial basis, {}", centres.len()),
        Op::Input => "input".to_string(),
        Op::Add => "add".to_string(),
        Op::Concat => "cat".to_string(),
    };
    Description { head, numbers, details }
}

/// What of a window differs from stride `usual`, no padding, no dilation.
fn slide(window: &Window, usual: Pair, numbers: &mut Vec<String>, details: &mut Vec<String>) {
    let one = |pair: Pair| if pair.height == pair.width { pair.height.to_string() } else { pair.to_string() };
    if window.stride != usual {
        numbers.push(format!("stride {}", one(window.stride)));
    }
    if window.padding != 0.into() {
        details.push(format!("pad {}", one(window.padding)));
    }
    if window.dilation != 1.into() {
        details.push(format!("dilation {}", one(window.dilation)));
    }
    if window.ceil {
        details.push("ceil".to_string());
    }
}
