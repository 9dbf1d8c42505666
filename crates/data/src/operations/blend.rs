//! An image between itself and a degenerate of itself: black, a constant, its greys, a smoothed copy.

use crate::Picture;

/// `degenerate + factor · (image − degenerate)`, cut off to 0 to 255 and rounded down: in f32, as PIL computes it.
fn blend(degenerate: u8, pixel: u8, factor: f32) -> u8 {
    let base = f32::from(degenerate);
    // A cast saturates and rounds towards zero.
    (base + factor * (f32::from(pixel) - base)) as u8
}

/// Darker below 1, brighter above; 0 is black.
pub(crate) fn brightness(picture: &mut Picture<'_>, factor: f64) {
    picture.pixels.to_mut().iter_mut().for_each(|pixel| *pixel = blend(0, *pixel, factor as f32));
}

/// Flatter below 1, stronger above; 0 is the mean grey value.
pub(crate) fn contrast(picture: &mut Picture<'_>, factor: f64) {
    let greys = picture.grey().into_owned();
    let sum: u64 = greys.iter().map(|value| u64::from(*value)).sum();
    let mean = (sum as f64 / greys.len() as f64 + 0.5) as u8;
    picture.pixels.to_mut().iter_mut().for_each(|pixel| *pixel = blend(mean, *pixel, factor as f32));
}

/// Greyer below 1, more colourful above; 0 is grey. A grey image stays as it is.
pub(crate) fn saturation(picture: &mut Picture<'_>, factor: f64) {
    if picture.shape[0] != 3 {
        return;
    }
    let greys = picture.grey().into_owned();
    for plane in picture.pixels.to_mut().chunks_exact_mut(greys.len()) {
        plane.iter_mut().zip(&greys).for_each(|(pixel, grey)| *pixel = blend(*grey, *pixel, factor as f32));
    }
}

/// Softer below 1, sharper above; 0 is smoothed by a 3×3 window that weighs its centre 5 of 13. The border stays.
pub(crate) fn sharpness(picture: &mut Picture<'_>, factor: f64) {
    let [height, width] = picture.size();
    let before = picture.pixels.to_vec();
    for (plane, out) in
        before.chunks_exact(height * width).zip(picture.pixels.to_mut().chunks_exact_mut(height * width))
    {
        for row in 1..height.saturating_sub(1) {
            for column in 1..width.saturating_sub(1) {
                let at = row * width + column;
                let line =
                    |start: usize| plane[start - 1..=start + 1].iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
                let sum = line(at - width) + line(at) + line(at + width) + 4 * u32::from(plane[at]);
                out[at] = blend(((2 * sum + 13) / 26) as u8, plane[at], factor as f32);
            }
        }
    }
}
