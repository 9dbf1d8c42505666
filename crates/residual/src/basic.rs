//! The basic unit: two 3×3 convolutions.

use crate::shortcut::Shortcut;
use crate::stage::UnitPosition;
use cnn_core::definition::*;
use cnn_core::op::Conv;

/// `ReLU(x + F(x))` where `F` is two 3×3 convolutions with batch normalisation (He et al. 2015, figure 5, left).
///
/// The paper's and torchvision's networks project only where there is a stride: [`UnitPosition::identity_or`].
pub fn basic(at: UnitPosition, shortcut: Shortcut) -> Chain {
    of_kernel(at, shortcut, conv(3).pad(1).no_bias())
}

/// [`basic`] as the book has it, with biases on the convolutions, and [`Shortcut::Convolution`] where there is a stride.
pub fn basic_d2l(at: UnitPosition) -> Chain {
    of_kernel(at, at.identity_or(Shortcut::Convolution), conv(3).pad(1))
}

fn of_kernel(at: UnitPosition, shortcut: Shortcut, kernel: Conv) -> Chain {
    let main = chain()
        .then("conv1", kernel.clone().out(at.width).stride(at.stride))
        .then("bn1", batch_norm())
        .relu()
        .then("conv2", kernel.out(at.width))
        .then("bn2", batch_norm());
    shortcut.around(main, at).relu()
}
