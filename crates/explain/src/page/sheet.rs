//! The channels of a node on one sheet.

use super::picture::indexed;
use crate::error::Result;
use crate::maps::Maps;
use serde::Serialize;

/// Pixels between two maps of a sheet.
const GAP: usize = 1;

/// Maps side by side, and how to find a number in them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sheet {
    #[serde(skip)]
    pub(crate) address: String,
    /// Pixels of the sheet.
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Maps in a row.
    pub(crate) columns: usize,
    /// Height and width of a map on the sheet.
    pub(crate) cell: [usize; 2],
    pub(crate) gap: usize,
    /// Which channels are shown.
    pub(crate) channels: Vec<usize>,
    /// Each pixel is the mean of so many rows and columns.
    pub(crate) reduced: usize,
    /// What the darkest and the brightest colour stand for.
    pub(crate) range: [f32; 2],
}

/// A sheet of at most `most` pixels: all channels if they fit, else some of those that vary most, reduced.
pub(crate) fn sheet(maps: &Maps, most: usize) -> Result<Sheet> {
    let [height, width] = maps.size();
    let vector = height * width == 1;
    // A vector is one map of a row.
    let all: Vec<&[f32]> = if vector { vec![&maps.numbers] } else { maps.channels().collect() };
    let [height, width] = if vector { [1, maps.numbers.len()] } else { [height, width] };
    let (mut reduced, mut shown) = (1, all.len());
    let pixels =
        |reduced: usize, shown: usize| shown * (height.div_ceil(reduced) + GAP) * (width.div_ceil(reduced) + GAP);
    // First fewer channels, down to sixteen; then coarser ones.
    while pixels(reduced, shown) > most {
        if shown > 16 {
            shown = (shown / 2).max(16);
        } else if height.min(width) / (reduced + 1) >= 8 || vector && width / (reduced + 1) >= 64 {
            reduced += 1;
        } else if shown > 4 {
            shown /= 2;
        } else {
            break;
        }
    }
    let extent = |channel: &[f32]| {
        let (least, greatest) = ends(channel);
        greatest - least
    };
    let mut channels: Vec<usize> = (0..all.len()).collect();
    if shown < all.len() {
        channels.sort_by(|a, b| extent(all[*b]).total_cmp(&extent(all[*a])));
        channels.truncate(shown);
        channels.sort_unstable();
    }
    let chosen: Vec<Vec<f32>> = channels.iter().map(|channel| coarser(all[*channel], width, reduced)).collect();
    let cell = [height.div_ceil(reduced), width.div_ceil(reduced)];
    // About twice as wide as high.
    let wanted = (2.0 * (chosen.len() * cell[0]) as f64 / cell[1] as f64).sqrt().round() as usize;
    let columns = wanted.clamp(1, chosen.len().max(1));
    let rows = chosen.len().div_ceil(columns);
    let (sheet_width, sheet_height) = (columns * (cell[1] + GAP), rows * (cell[0] + GAP));
    let (least, greatest) = chosen
        .iter()
        .map(|map| ends(map))
        .fold((f32::INFINITY, f32::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let factor = if greatest > least { 255.0 / (greatest - least) } else { 0.0 };
    let mut places = vec![0u8; sheet_width * sheet_height];
    for (number, map) in chosen.iter().enumerate() {
        let (top, left) = (number / columns * (cell[0] + GAP), number % columns * (cell[1] + GAP));
        for (row, numbers) in map.chunks_exact(cell[1]).enumerate() {
            let start = (top + row) * sheet_width + left;
            for (place, x) in places[start..start + cell[1]].iter_mut().zip(numbers) {
                *place = (factor * (x - least)).round() as u8;
            }
        }
    }
    Ok(Sheet {
        address: indexed(&places, sheet_width)?,
        width: sheet_width,
        height: sheet_height,
        columns,
        cell,
        gap: GAP,
        channels,
        reduced,
        range: [least, greatest],
    })
}

fn ends(numbers: &[f32]) -> (f32, f32) {
    numbers.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), x| (least.min(*x), most.max(*x)))
}

/// The means of squares of `by` places.
fn coarser(map: &[f32], width: usize, by: usize) -> Vec<f32> {
    if by == 1 {
        return map.to_vec();
    }
    let height = map.len() / width;
    let mut means = Vec::new();
    for top in (0..height).step_by(by) {
        for left in (0..width).step_by(by) {
            let rows = top..(top + by).min(height);
            let columns = left..(left + by).min(width);
            let count = rows.len() * columns.len();
            let sum: f32 = rows.map(|row| map[row * width..][columns.clone()].iter().sum::<f32>()).sum();
            means.push(sum / count as f32);
        }
    }
    means
}

impl Sheet {
    /// What is shown of how many channels, for a reader; empty where all of them are, as they are.
    pub(crate) fn left_out(&self, channels: usize) -> String {
        let mut parts = Vec::new();
        if self.channels.len() < channels && channels > 1 {
            parts.push(format!("the {} of {channels} channels that vary most", self.channels.len()));
        }
        if self.reduced > 1 {
            parts.push(format!("reduced {} times", self.reduced));
        }
        parts.join(", ")
    }
}
