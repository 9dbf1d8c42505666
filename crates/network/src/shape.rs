//! Shapes of values, pairs of spatial numbers, and the arithmetic of sliding windows: the only place that knows it.

use std::fmt;

/// The shape of one sample's value at a node, without the batch dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Feature maps, `channels × height × width`.
    Map {
        /// Number of feature maps.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A vector of features.
    Vector {
        /// Number of entries.
        features: usize,
    },
}

impl Shape {
    /// Feature maps of the given channels and spatial size.
    pub fn map(channels: usize, size: Pair) -> Self {
        Self::Map { channels, height: size.height, width: size.width }
    }

    /// Channels of a map, features of a vector: the extent of dimension 1 of a batch.
    pub fn channels(&self) -> usize {
        match *self {
            Self::Map { channels, .. } => channels,
            Self::Vector { features } => features,
        }
    }

    /// Height and width of a map; `None` for a vector.
    pub fn size(&self) -> Option<Pair> {
        match *self {
            Self::Map { height, width, .. } => Some(Pair { height, width }),
            Self::Vector { .. } => None,
        }
    }

    /// The dimensions, outermost first: `[C, H, W]` or `[F]`.
    pub fn dims(&self) -> Vec<usize> {
        match *self {
            Self::Map { channels, height, width } => vec![channels, height, width],
            Self::Vector { features } => vec![features],
        }
    }

    /// Number of elements; [`usize::MAX`] if there are more.
    pub fn elements(&self) -> usize {
        self.size().map_or(1, |size| size.height.saturating_mul(size.width)).saturating_mul(self.channels())
    }

    /// The same spatial extent with another number of channels.
    pub(crate) fn with_channels(&self, channels: usize) -> Self {
        match *self {
            Self::Map { height, width, .. } => Self::Map { channels, height, width },
            Self::Vector { .. } => Self::Vector { features: channels },
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&times(&self.dims()))
    }
}

/// Numbers joined by the multiplication sign: `3×224×224`.
pub fn times(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

/// One number for each spatial axis. A single integer stands for both, an array for `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The number for the vertical axis.
    pub height: usize,
    /// The number for the horizontal axis.
    pub width: usize,
}

impl Pair {
    /// The two axes as `[height, width]`.
    pub fn axes(self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Product of both numbers; [`usize::MAX`] if it is more.
    pub fn area(self) -> usize {
        self.height.saturating_mul(self.width)
    }
}

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Self { height: both, width: both }
    }
}

impl From<[usize; 2]> for Pair {
    fn from([height, width]: [usize; 2]) -> Self {
        Self { height, width }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.height, self.width)
    }
}

/// A window sliding over a map: what convolutions and pools share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extent of the window in taps.
    pub kernel: Pair,
    /// Step between two windows.
    pub stride: Pair,
    /// Rows and columns added on either side.
    pub padding: Pair,
    /// Distance between two taps.
    pub dilation: Pair,
    /// Whether a last window may hang over the far edge (`ceil_mode`).
    pub ceil: bool,
}

impl Window {
    /// A dense window of this kernel: stride 1, no padding.
    pub fn new(kernel: Pair) -> Self {
        Self { kernel, stride: 1.into(), padding: 0.into(), dilation: 1.into(), ceil: false }
    }

    /// The vertical and the horizontal part.
    pub fn axes(&self) -> [Axis; 2] {
        let [kernel, stride, padding, dilation] =
            [self.kernel.axes(), self.stride.axes(), self.padding.axes(), self.dilation.axes()];
        [0, 1].map(|i| Axis {
            kernel: kernel[i],
            stride: stride[i],
            padding: padding[i],
            dilation: dilation[i],
            ceil: self.ceil,
        })
    }

    /// The output size for an input size; `None` where no window fits or the numbers are beyond counting.
    pub fn output(&self, input: Pair) -> Option<Pair> {
        let [vertical, horizontal] = self.axes();
        Some(Pair { height: vertical.output(input.height)?, width: horizontal.output(input.width)? })
    }
}

/// A [`Window`] along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Taps.
    pub kernel: usize,
    /// Step between two windows.
    pub stride: usize,
    /// Positions added on either side.
    pub padding: usize,
    /// Distance between two taps.
    pub dilation: usize,
    /// Whether a last window may hang over the far edge.
    pub ceil: bool,
}

impl Axis {
    /// Positions from the first tap to the last, both included; [`usize::MAX`] if there are more.
    pub fn extent(&self) -> usize {
        self.kernel.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1)
    }

    /// The number of windows over `n` positions: `⌊(n − f + 2p)/s⌋ + 1`, or with `ceil` the same rounded up as long
    /// as the last window still starts inside the input or its leading padding. `None` where no window fits or the
    /// numbers are beyond counting.
    pub fn output(&self, n: usize) -> Option<usize> {
        if self.kernel == 0 || self.stride == 0 || self.dilation == 0 {
            return None;
        }
        let padded = n.checked_add(self.padding.checked_mul(2)?)?;
        if !self.ceil {
            return Some(padded.checked_sub(self.extent())? / self.stride + 1);
        }
        // One step more to go, so that what is left over makes a window; even the first may hang over.
        let out = padded.checked_add(self.stride - 1)?.checked_sub(self.extent())? / self.stride + 1;
        Some(if (out - 1) * self.stride >= n + self.padding { out - 1 } else { out })
    }

    /// Where window `o` starts; negative inside the leading padding.
    pub fn start(&self, o: usize) -> isize {
        signed(o.saturating_mul(self.stride)) - signed(self.padding)
    }

    /// The real positions among `0..n` that the undilated window `o` covers, and how many positions it covers when
    /// padding counts (but never what `ceil` lets hang over the padding).
    pub fn span(&self, o: usize, n: usize) -> Span {
        let start = self.start(o);
        let end = start.saturating_add(signed(self.kernel)).min(signed(n.saturating_add(self.padding)));
        let clip = |at: isize| usize::try_from(at).map_or(0, |at| at.min(n));
        Span { start: clip(start), end: clip(end), padded: usize::try_from(end - start).unwrap_or(0) }
    }
}

/// `n` as a position; the last one if it lies beyond.
fn signed(n: usize) -> isize {
    isize::try_from(n).unwrap_or(isize::MAX)
}

/// The positions under one window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First real position.
    pub start: usize,
    /// One past the last real position.
    pub end: usize,
    /// Positions covered when padding counts.
    pub padded: usize,
}

/// The windows of adaptive pooling from `n` positions to `out`: window `o` covers `⌊o·n/out⌋ .. ⌈(o+1)·n/out⌉`.
pub fn adaptive_spans(n: usize, out: usize) -> Vec<Span> {
    // At most n, whatever the product on the way.
    let share = |o: usize, round_up: bool| {
        let product = o as u128 * n as u128;
        (if round_up { product.div_ceil(out as u128) } else { product / out as u128 }) as usize
    };
    (0..out)
        .map(|o| {
            let (start, end) = (share(o, false), share(o + 1, true));
            Span { start, end, padded: end - start }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(kernel: usize, stride: usize, padding: usize, ceil: bool) -> Axis {
        Axis { kernel, stride, padding, dilation: 1, ceil }
    }

    #[test]
    fn the_size_formula() {
        for (n, f, p, s, expected) in [(5, 3, 1, 2, 3), (224, 7, 3, 2, 112), (227, 11, 0, 4, 55), (100, 3, 0, 1, 98)] {
            assert_eq!(axis(f, s, p, false).output(n), Some(expected));
            assert_eq!((n - f + 2 * p) / s + 1, expected);
        }
        assert_eq!(axis(7, 1, 1, false).output(4), None);
        assert_eq!(Axis { dilation: 2, ..axis(3, 1, 0, false) }.output(5), Some(1));
    }

    #[test]
    fn a_ceil_window_starts_inside() {
        assert_eq!(axis(3, 2, 0, true).output(112), Some(56));
        assert_eq!(axis(3, 2, 0, false).output(112), Some(55));
        // The third window would start at position 4 = n + p: dropped.
        assert_eq!(axis(2, 2, 1, true).output(3), Some(2));
        assert_eq!(axis(1, 3, 0, true).output(3), Some(1));
        // The only window may hang over, by less than a step.
        assert_eq!((axis(3, 2, 0, true).output(2), axis(3, 2, 0, true).output(1)), (Some(1), None));
    }

    #[test]
    fn spans_stop_at_the_padding() {
        assert_eq!(axis(3, 2, 1, false).span(0, 5), Span { start: 0, end: 2, padded: 3 });
        assert_eq!(axis(3, 2, 0, true).span(2, 6), Span { start: 4, end: 6, padded: 2 });
        assert_eq!(adaptive_spans(7, 3).iter().map(|s| (s.start, s.end)).collect::<Vec<_>>(), [(0, 3), (2, 5), (4, 7)]);
    }
}
