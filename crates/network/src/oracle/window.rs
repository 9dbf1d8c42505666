//! The oracle's own reading of a sliding window: which real input position a tap of a window lies on.

use crate::shape::Window;

/// Row and column of the input under tap `(ky, kx)` of the window at `(oy, ox)`, or `None` on padding.
pub(super) fn under(
    window: &Window,
    [oy, ox]: [usize; 2],
    [ky, kx]: [usize; 2],
    [h, w]: [usize; 2],
) -> Option<(usize, usize)> {
    let along = |o: usize, stride: usize, k: usize, dilation: usize, padding: usize, n: usize| {
        (o * stride + k * dilation).checked_sub(padding).filter(|at| *at < n)
    };
    let Window { stride, padding, dilation, .. } = window;
    Some((
        along(oy, stride.height, ky, dilation.height, padding.height, h)?,
        along(ox, stride.width, kx, dilation.width, padding.width, w)?,
    ))
}
