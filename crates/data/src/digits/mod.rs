//! Digits drawn on the spot: a real task of ten classes that needs no file and no network.
//!
//! Each sample is a handwritten-looking digit in MNIST's own format: 28×28 grey values, white on black, the digit fitted
//! into 20×20 and moved so that its centre of mass is the centre. Curves per way of writing are jittered, slanted, turned,
//! stretched, warped and drawn with pens of different widths.

mod glyphs;
mod hand;
mod pen;

use crate::{Dataset, Error, Images, Name};
use cnn_network::seed;
use cnn_system::{Bytes, memory};
use rayon::prelude::*;

/// Height and width of a digit in pixels.
const SIDE: usize = 28;
/// Pixels of a digit.
const PIXELS: usize = SIDE * SIDE;
/// The side of the box that the drawn digit is fitted into, in pixels, as MNIST's makers did.
const BOX: usize = 20;

/// How many digits to draw, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitsConfig {
    /// The seed that, with the split and the index, decides every sample.
    pub seed: u64,
    /// Number of images to train on.
    pub train: usize,
    /// Number of images to test on.
    pub test: usize,
}

impl Default for DigitsConfig {
    /// 12,000 digits to train on and 2,000 to test on, from seed 0.
    fn default() -> Self {
        Self { seed: 0, train: 12_000, test: 2_000 }
    }
}

/// Draws the digits of `config`: one channel of 28×28, ten classes, as evenly as the counts allow (the label of sample
/// `i` is `i mod 10`).
///
/// A sample depends on the seed, the split and its index alone: more images leave the first ones as they were, and the
/// number of threads changes nothing.
///
/// # Errors
/// [`Error::TooMany`] or [`Error::Memory`] where the digits do not fit into memory.
pub fn digits(config: DigitsConfig) -> Result<Dataset, Error> {
    let classes = Name::Digits.class_names();
    Dataset::new("digits", classes, draw(config.seed, "train", config.train)?, draw(config.seed, "test", config.test)?)
}

fn draw(seed: u64, split: &str, count: usize) -> Result<Images, Error> {
    let too_many = || Error::TooMany { count, bytes: PIXELS };
    let bytes = count.checked_mul(PIXELS).ok_or_else(too_many)?;
    let asked = memory::ask(Bytes::of(bytes));
    asked.map_err(|shortage| Error::Memory { what: format!("{count} digits"), shortage, way_out: "draw fewer" })?;
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(bytes).map_err(|_| too_many())?;
    pixels.resize(bytes, 0);
    pixels.par_chunks_exact_mut(PIXELS).enumerate().for_each(|(index, image)| {
        let mut rng = seed::stream(seed, &format!("digits {split} {index}"));
        image.copy_from_slice(&hand::write(index % 10, &mut rng));
    });
    Images::new([1, SIDE, SIDE], pixels, (0..count).map(|index| (index % 10) as u32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_fits_the_box_and_has_ink() {
        let data = digits(DigitsConfig { seed: 3, train: 300, test: 0 }).unwrap();
        for index in 0..data.train().len() {
            let image = data.train().image(index).unwrap();
            let ink: u32 = image.iter().map(|value| u32::from(*value)).sum();
            assert!((20 * 255..450 * 255).contains(&ink), "digit {index} holds ink {ink}");
            let lit = |axis: fn(usize) -> usize| {
                let lines: Vec<usize> = (0..PIXELS).filter(|pixel| image[*pixel] > 0).map(axis).collect();
                lines.iter().max().unwrap() - lines.iter().min().unwrap() + 1
            };
            // The soft edge and the swelling of the pen may reach a pixel beyond the box on each side.
            assert!(lit(|pixel| pixel / SIDE) <= BOX + 3 && lit(|pixel| pixel % SIDE) <= BOX + 3, "digit {index}");
        }
    }
}
