//! Stretching bytes to bytes, as the Python Imaging Library does: bilinear, antialiased, first across, then down, with 22
//! binary places and rounded after each.

use crate::Picture;

/// Binary places of a weight.
const PLACES: u32 = 22;

/// A part of the stretched image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// A stretch worked out for images of one size, and cut to a window.
pub(crate) struct Resample {
    rows: Vec<Taps>,
    columns: Vec<Taps>,
}

/// The pixels of a line that make one new pixel.
struct Taps {
    start: usize,
    weights: Vec<i32>,
}

impl Resample {
    /// From `from` to `to` (heights and widths), of which `window` is kept.
    pub(crate) fn new(from: [usize; 2], to: [usize; 2], window: Window) -> Self {
        let taps = |line: Stretch, first: usize, count: usize| -> Vec<Taps> {
            let fixed = |weight: f64| (weight * f64::from(1 << PLACES) + 0.5) as i32;
            let taps = |index| {
                let (start, weights) = weights(line, index);
                Taps { start, weights: weights.into_iter().map(fixed).collect() }
            };
            (first..first + count).map(taps).collect()
        };
        Self {
            rows: taps(Stretch { from: from[0], to: to[0] }, window.top, window.height),
            columns: taps(Stretch { from: from[1], to: to[1] }, window.left, window.width),
        }
    }

    /// The window of one stretched channel, whose rows are `width` long before.
    pub(crate) fn plane(&self, plane: &[u8], width: usize) -> Vec<u8> {
        let across = self.columns.len();
        let first = self.rows.iter().map(|taps| taps.start).min().unwrap_or(0);
        let end = self.rows.iter().map(|taps| taps.start + taps.weights.len()).max().unwrap_or(0);
        let wide: Vec<u8> = plane[first * width..end * width]
            .chunks_exact(width)
            .flat_map(|line| self.columns.iter().map(|taps| sum(taps, line[taps.start..].iter())))
            .collect();
        let mut out = Vec::with_capacity(self.rows.len() * across);
        for taps in &self.rows {
            let top = (taps.start - first) * across;
            out.extend((0..across).map(|column| sum(taps, wide[top + column..].iter().step_by(across))));
        }
        out
    }

    /// The window of a stretched image.
    pub(crate) fn picture(&self, picture: &Picture<'_>) -> Picture<'static> {
        let width = picture.shape[2];
        let pixels: Vec<u8> = picture.planes().flat_map(|plane| self.plane(plane, width)).collect();
        Picture { shape: [picture.shape[0], self.rows.len(), self.columns.len()], pixels: pixels.into() }
    }
}

fn sum<'a>(taps: &Taps, pixels: impl Iterator<Item = &'a u8>) -> u8 {
    let half = 1 << (PLACES - 1);
    let sum = taps.weights.iter().zip(pixels).fold(half, |sum, (weight, pixel)| sum + weight * i32::from(*pixel));
    (sum >> PLACES).clamp(0, 255) as u8
}

/// A line of `from` pixels that becomes one of `to`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// What makes new pixel `index` of a line: the first old pixel, and the weights from there on, which sum to 1. They are a
/// triangle around the new pixel's centre, one old pixel to each side or, shrinking, one new pixel.
pub(crate) fn weights(line: Stretch, index: usize) -> (usize, Vec<f64>) {
    let scale = line.from as f64 / line.to as f64;
    let support = scale.max(1.0);
    let centre = (index as f64 + 0.5) * scale;
    let start = (centre - support + 0.5).max(0.0) as usize;
    let end = ((centre + support + 0.5) as usize).min(line.from);
    let weight = |pixel: usize| (1.0 - ((pixel as f64 + 0.5 - centre) / support).abs()).max(0.0);
    let total: f64 = (start..end).map(weight).sum();
    (start, (start..end).map(|pixel| weight(pixel) / total).collect())
}
