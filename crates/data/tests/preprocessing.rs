//! Preprocessing held to `tests/goldens/preprocessing.py`: torchvision's and timm's transforms on PIL images, to the bit.

use cnn_data::{Fit, Picture, Preparation};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A picture, a fit, and what became of the picture.
#[derive(Deserialize)]
struct Case {
    picture: u32,
    shape: [usize; 3],
    fit: Fit,
    bytes: u32,
    some: Vec<u8>,
    numbers: u32,
}

/// The picture of a number, by the formula of the script.
fn picture(number: u32, shape: [usize; 3]) -> Picture<'static> {
    let [channels, height, width] = shape.map(|side| side as u32);
    let byte = |channel: u32, row: u32, column: u32| {
        if !(row / 7 + column / 5).is_multiple_of(3) {
            return (row * (3 + channel) + column * (5 - channel)) as u8;
        }
        let x = number.wrapping_mul(2_654_435_761).wrapping_add(channel * 40_503);
        let x = x.wrapping_add(row.wrapping_mul(69_069)).wrapping_add(column.wrapping_mul(1_664_525));
        ((x.wrapping_mul(2_246_822_519) >> 15).wrapping_mul(3_266_489_917) >> 24) as u8
    };
    let rows = (0..channels).flat_map(|channel| (0..height).map(move |row| (channel, row)));
    let pixels = rows.flat_map(|(channel, row)| (0..width).map(move |column| byte(channel, row, column))).collect();
    Picture::new(shape, pixels).unwrap()
}

#[test]
fn a_hundred_pictures_are_prepared_to_the_bits_of_torchvision_and_timm() {
    let text = include_str!("../../../tests/goldens/preprocessing.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let (mut wrong, mut kinds) = (Vec::new(), BTreeSet::new());
    for Case { picture: number, shape, fit, bytes, some, numbers } in &cases {
        let picture = picture(*number, *shape);
        // The border's colour is the mean's, so the bytes are looked at behind the normalisation.
        let mut usual = Preparation::imagenet().fitted(*fit);
        usual.mean.truncate(shape[0]);
        usual.std.truncate(shape[0]);
        let prepared = usual.prepare(&picture).unwrap();
        let found = usual.bytes(&prepared, usual.shape(*shape).unwrap());
        let seen: Vec<u8> = (0..6).map(|place| found[place * (found.len() - 1) / 5]).collect();
        let little: Vec<u8> = prepared.iter().flat_map(|number| number.to_le_bytes()).collect();
        if (crc32fast::hash(&found), &seen, crc32fast::hash(&little)) != (*bytes, some, *numbers) {
            wrong.push(format!("{number}: {shape:?} {fit:?}: {seen:?}, expected {some:?}"));
        }
        kinds.insert((
            format!("{fit:?}").split(" {").next().map(str::to_string),
            fit.interpolation().map(|filter| filter.as_str()),
        ));
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 100 && kinds.len() > 25, "{} cases, {} kinds", cases.len(), kinds.len());
}
