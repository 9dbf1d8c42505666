//! The channels of a node on one sheet.

use super::picture::indexed;
use crate::error::Result;
use crate::maps::Maps;
use cnn_network::Shape;
use serde::Serialize;
use std::borrow::Cow;

/// Pixels between two maps of a sheet.
const GAP: usize = 1;

/// Maps side by side, and how to find a number in them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sheet {
    /// The drawn sheet as an address; one that a script draws has none.
    #[serde(skip)]
    pub(crate) address: Option<String>,
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
    /// What the darkest and the brightest colour stand for, of a drawn sheet.
    #[serde(skip)]
    pub(crate) range: [f32; 2],
}

impl Sheet {
    /// Where maps of a shape go, on at most `most` pixels: all channels if they fit, else those that `choose` chooses of so
    /// many as do, reduced.
    pub(crate) fn new(shape: Shape, most: usize, choose: impl FnOnce(usize) -> Vec<usize>) -> Self {
        let maps = shape.size().filter(|size| size.area() > 1);
        let vector = maps.is_none();
        // A vector is one map of a row.
        let ([height, width], all) = maps.map_or(([1, shape.elements()], 1), |size| (size.axes(), shape.channels()));
        let (mut reduced, mut shown) = (1, all);
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
        let channels = if shown < all { choose(shown) } else { (0..all).collect() };
        let cell = [height.div_ceil(reduced), width.div_ceil(reduced)];
        // About twice as wide as high.
        let wanted = (2.0 * (channels.len() * cell[0]) as f64 / cell[1] as f64).sqrt().round() as usize;
        let columns = wanted.clamp(1, channels.len().max(1));
        let rows = channels.len().div_ceil(columns);
        let (width, height) = (columns * (cell[1] + GAP), rows * (cell[0] + GAP));
        Self { address: None, width, height, columns, cell, gap: GAP, channels, reduced, range: [0.0; 2] }
    }

    /// A sheet of some maps, drawn: where not all channels fit, those that vary most.
    pub(crate) fn drawn(maps: &Maps, most: usize) -> Result<Self> {
        let all = channels(maps);
        let extent = |channel: &usize| {
            let (least, greatest) = ends(all[*channel]);
            greatest - least
        };
        let mut sheet = Self::new(maps.shape, most, |shown| {
            let mut channels: Vec<usize> = (0..all.len()).collect();
            channels.sort_by(|a, b| extent(b).total_cmp(&extent(a)));
            channels.truncate(shown);
            channels.sort_unstable();
            channels
        });
        let (range, cells) = sheet.places(maps);
        let mut places = vec![0u8; sheet.width * sheet.height];
        let [height, width] = sheet.cell;
        for (number, cell) in cells.chunks_exact(height * width).enumerate() {
            let (top, left) = (number / sheet.columns * (height + GAP), number % sheet.columns * (width + GAP));
            for (row, numbers) in cell.chunks_exact(width).enumerate() {
                places[(top + row) * sheet.width + left..][..width].copy_from_slice(numbers);
            }
        }
        sheet.address = Some(indexed(&places, sheet.width)?);
        sheet.range = range;
        Ok(sheet)
    }

    /// The least and the greatest number of the channels that are shown, and for each of their places, cell by cell, where
    /// between these two it lies, from 0 to 255.
    pub(crate) fn places(&self, maps: &Maps) -> ([f32; 2], Vec<u8>) {
        let all = channels(maps);
        let width = if maps.size() == [1, 1] { maps.numbers.len() } else { maps.size()[1] };
        let chosen: Vec<Cow<'_, [f32]>> =
            self.channels.iter().map(|channel| coarser(all[*channel], width, self.reduced)).collect();
        let (least, greatest) = chosen
            .iter()
            .map(|map| ends(map))
            .fold((f32::INFINITY, f32::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let factor = if greatest > least { 255.0 / (greatest - least) } else { 0.0 };
        let places = chosen.iter().flat_map(|map| map.iter().map(|x| (factor * (x - least)).round() as u8)).collect();
        ([least, greatest], places)
    }
}

/// The maps; a vector is one map of a row.
fn channels(maps: &Maps) -> Vec<&[f32]> {
    match maps.size() {
        [1, 1] => vec![&maps.numbers],
        _ => maps.channels().collect(),
    }
}

fn ends(numbers: &[f32]) -> (f32, f32) {
    numbers.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), x| (least.min(*x), most.max(*x)))
}

/// The means of squares of `by` places.
fn coarser(map: &[f32], width: usize, by: usize) -> Cow<'_, [f32]> {
    if by == 1 {
        return Cow::Borrowed(map);
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
    Cow::Owned(means)
}

impl Sheet {
    /// What is shown of how many channels, for a reader; empty where all of them are, as they are.
    pub(crate) fn left_out(&self, channels: usize) -> String {
        let mut parts = Vec::new();
        if self.channels.len() < channels && channels > 1 {
            parts.push(match self.address {
                Some(_) => format!("the {} of {channels} channels that vary most", self.channels.len()),
                None => format!("{} of {channels} channels, evenly chosen", self.channels.len()),
            });
        }
        if self.reduced > 1 {
            parts.push(format!("reduced {} times", self.reduced));
        }
        parts.join(", ")
    }
}
