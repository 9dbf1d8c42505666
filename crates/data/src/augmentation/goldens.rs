//! Operations held to `tests/goldens/augmentation.py`: the same bytes as PIL's.

use super::random_resized_crop::cut;
use super::trivial_augment::operate;
use crate::operations::{self, Affine};
use crate::resample::{Resample, Window};
use crate::{Fit, Images, Interpolation, Picture, Preparation};
use safetensors::SafeTensors;
use std::collections::HashMap;

fn goldens() -> HashMap<String, Picture<'static>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/augmentation.safetensors");
    let bytes = std::fs::read(file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let pictures = tensors.iter().map(|(name, tensor)| {
        let shape: [usize; 3] = tensor.shape().try_into().unwrap();
        (name.to_string(), Picture { shape, pixels: tensor.data().to_vec().into() })
    });
    pictures.collect()
}

/// What the operation of that name makes of `picture`.
fn made(picture: &Picture<'_>, operation: &str, parameter: &str) -> Picture<'static> {
    let mut made = Picture { shape: picture.shape, pixels: picture.pixels.to_vec().into() };
    let number = || parameter.parse::<f64>().unwrap();
    let affine = |angle, shift, scale, shear| Affine { angle, shift, scale, shear, centre: None };
    match operation {
        "brightness" => operations::brightness(&mut made, number()),
        "contrast" => operations::contrast(&mut made, number()),
        "saturation" => operations::saturation(&mut made, number()),
        "sharpness" => operations::sharpness(&mut made, number()),
        "hue" => operations::hue(&mut made, number()),
        "posterize" => operations::posterize(&mut made, number() as u32),
        "solarize" => operations::solarize(&mut made, number()),
        "rotate" => operations::rotate(&mut made, number()),
        "affine" => {
            let affine = match parameter {
                "turned" => affine(25.0, [0.0, 0.0], 1.0, [0.0, 0.0]),
                "moved" => affine(0.0, [3.0, -2.0], 1.0, [0.0, 0.0]),
                "scaled" => affine(0.0, [0.0, 0.0], 0.7, [0.0, 0.0]),
                "sheared" => affine(0.0, [0.0, 0.0], 1.0, [20.0, 0.0]),
                _ => affine(-12.0, [-1.0, 4.0], 1.3, [7.0, -11.0]),
            };
            operations::warp(&mut made, &affine);
        }
        "resized_crop" => {
            let [top, left, height, width] = match parameter {
                "smaller" => [2, 3, 11, 17],
                "larger" => [4, 5, 6, 7],
                _ => [0, 0, picture.shape[1], picture.shape[2]],
            };
            let piece = cut(picture, Window { top, left, height, width });
            let whole = Window { top: 0, left: 0, height: 9, width: 13 };
            made = piece.resampled(&Resample::new([height, width], [9, 13], whole, Interpolation::Bilinear));
        }
        "centre" => {
            let (height, width) = match parameter {
                "12" => (11, 8),
                "9" => (9, 9),
                _ => (21, 24),
            };
            let short = parameter.parse().unwrap();
            let fit = Fit::Crop { short, height, width, interpolation: Interpolation::Bilinear };
            let statistics = vec![0.0; picture.shape[0]];
            let preparation = Preparation { fit, mean: statistics.clone(), std: vec![1.0 / 255.0; statistics.len()] };
            let images = Images::new(picture.shape, picture.pixels.to_vec(), vec![0]).unwrap();
            let numbers = preparation.apply(&images, &[0]).unwrap();
            let pixels: Vec<u8> = numbers.iter().map(|number| number.round() as u8).collect();
            made = Picture { shape: [picture.shape[0], height, width], pixels: pixels.into() };
        }
        "trivial" => {
            let numbers: Vec<&str> = parameter.split('.').collect();
            operate(&mut made, numbers[0].parse().unwrap(), numbers[1].parse().unwrap(), numbers[2].parse().unwrap());
        }
        other => panic!("no operation {other}"),
    }
    made
}

#[test]
fn operations_make_the_bytes_that_pil_makes() {
    let goldens = goldens();
    let (mut tried, mut wrong) = (0, Vec::new());
    for (name, expected) in &goldens {
        let mut words = name.splitn(3, '.');
        let (image, Some(operation), Some(parameter)) = (words.next().unwrap(), words.next(), words.next()) else {
            continue;
        };
        let found = made(&goldens[image], operation, parameter);
        let differ = found.pixels.iter().zip(expected.pixels.iter()).filter(|(a, b)| a != b).count();
        if found.shape != expected.shape || differ > 0 {
            wrong.push(format!("{name}: {differ} of {} bytes, {:?}", expected.pixels.len(), found.shape));
        }
        tried += 1;
    }
    wrong.sort_unstable();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 200, "only {tried} goldens");
}
