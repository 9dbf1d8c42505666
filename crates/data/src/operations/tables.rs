//! Operations that replace each value of a channel by another.

use crate::Picture;

/// Replaces the values of each channel by a table made from the channel's histogram.
fn replace(picture: &mut Picture<'_>, table: impl Fn(&[usize; 256]) -> Option<[u8; 256]>) {
    let area = picture.shape[1] * picture.shape[2];
    for plane in picture.pixels.to_mut().chunks_exact_mut(area) {
        let mut counts = [0; 256];
        plane.iter().for_each(|pixel| counts[usize::from(*pixel)] += 1);
        if let Some(table) = table(&counts) {
            plane.iter_mut().for_each(|pixel| *pixel = table[usize::from(*pixel)]);
        }
    }
}

fn map(picture: &mut Picture<'_>, value: impl Fn(u8) -> u8) {
    picture.pixels.to_mut().iter_mut().for_each(|pixel| *pixel = value(*pixel));
}

/// Keeps the highest `bits` of each byte, 1 to 8.
pub(crate) fn posterize(picture: &mut Picture<'_>, bits: u32) {
    let mask = 0xff_u8 << (8 - bits.clamp(1, 8));
    map(picture, |pixel| pixel & mask);
}

/// Turns values at and above `threshold` round, like a photograph exposed too long.
pub(crate) fn solarize(picture: &mut Picture<'_>, threshold: f64) {
    map(picture, |pixel| if f64::from(pixel) < threshold { pixel } else { 255 - pixel });
}

/// Spreads each channel so that its lowest value becomes 0 and its highest 255.
pub(crate) fn autocontrast(picture: &mut Picture<'_>) {
    replace(picture, |counts| {
        let low = counts.iter().position(|count| *count > 0)?;
        let high = counts.iter().rposition(|count| *count > 0)?;
        let scale = (high > low).then(|| 255.0 / (high - low) as f64)?;
        let offset = -(low as f64) * scale;
        Some(std::array::from_fn(|value| (value as f64 * scale + offset) as u8))
    });
}

/// Replaces values so that each channel's are spread evenly.
pub(crate) fn equalize(picture: &mut Picture<'_>) {
    replace(picture, |counts| {
        let highest = *counts.iter().rfind(|count| **count > 0)?;
        let step = (counts.iter().sum::<usize>() - highest) / 255;
        if step == 0 {
            return None;
        }
        let mut sum = step / 2;
        Some(counts.map(|count| {
            let value = (sum / step).min(255) as u8;
            sum += count;
            value
        }))
    });
}
