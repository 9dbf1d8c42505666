//! What leads around the convolutions of a unit.

use crate::stage::UnitPosition;
use cnn_core::definition::*;

/// What is added to the output of a unit's convolutions (He et al. 2015, section 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortcut {
    /// The unit's input.
    Identity,
    /// Option A, for a unit that doubles the channels: every `stride`-th pixel of the input, with half as many channels
    /// of zeros as it has itself on either side. No parameters; labelled `shortcut`.
    Zeros,
    /// Option B: a 1×1 convolution and its batch normalisation, labelled `downsample.0` and `downsample.1`.
    Projection,
    /// The book's: a 1×1 convolution with a bias and without normalisation, labelled `conv3`.
    Convolution,
    /// Nothing: the plain unit that the residual one is compared with.
    None,
}

impl UnitPosition {
    /// `bridge` for a unit with a stride, the identity for every other: the rule of [`basic`](crate::basic) units.
    pub fn identity_or(self, bridge: Shortcut) -> Shortcut {
        if self.stride == 1 { Shortcut::Identity } else { bridge }
    }
}

impl Shortcut {
    /// The sum of `main` and this shortcut. `at` has the stride of `main` and for a width its output channels.
    pub(crate) fn around(self, main: Chain, at: UnitPosition) -> Chain {
        let beside = sum().branch(main.clone());
        let projection = conv(1).out(at.width).stride(at.stride);
        let both = match self {
            Self::None => return main,
            Self::Identity => beside.branch(chain()),
            Self::Zeros => {
                let zeros = at.width / 4;
                let subsampled = chain().and(max_pool(1).stride(at.stride)).and(zero_channels(zeros, zeros));
                beside.labelled("shortcut", subsampled)
            }
            Self::Projection => {
                beside.labelled("downsample", chain().numbered().and(projection.no_bias()).and(batch_norm()))
            }
            Self::Convolution => beside.labelled("conv3", projection),
        };
        chain().and(both)
    }
}
