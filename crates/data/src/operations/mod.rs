//! What is done to the bytes of an image, once it is decided how much: the Python Imaging Library's operations, byte for
//! byte, since the augmentation policies were tuned with it.

mod blend;
mod hue;
mod tables;
mod warp;

pub(crate) use blend::{brightness, contrast, saturation, sharpness};
pub(crate) use hue::hue;
pub(crate) use tables::{autocontrast, equalize, posterize, solarize};
pub(crate) use warp::{Affine, rotate, warp};

use crate::Picture;

/// The grey value of each pixel, as ITU-R 601-2 weighs red, green and blue, in 16-bit fixed point; of other than three
/// channels, the bytes as they are.
fn grey(picture: &Picture<'_>) -> Vec<u8> {
    let mut planes = picture.planes();
    match (picture.shape[0], planes.next(), planes.next(), planes.next()) {
        (3, Some(red), Some(green), Some(blue)) => {
            let pixels = red.iter().zip(green).zip(blue);
            let weigh = |((red, green), blue): ((&u8, &u8), &u8)| {
                (u32::from(*red) * 19_595 + u32::from(*green) * 38_470 + u32::from(*blue) * 7_471 + 0x8000) >> 16
            };
            pixels.map(|pixel| weigh(pixel) as u8).collect()
        }
        _ => picture.pixels.to_vec(),
    }
}
