//! The fixed codes of LeNet-5's output units: a bitmap of 7×12 cells for each digit, +1 for ink and −1 for paper.

use cnn_core::initialisation::Init;

/// Columns and rows of a bitmap.
const CELLS: usize = 7 * 12;

/// The most classes that have codes.
const MOST: usize = 1 << 20;

/// One code of 84 signs a class: the digits' bitmaps for ten classes, random signs otherwise, none for more than
/// [`MOST`].
pub(crate) fn codes(classes: usize) -> Vec<Vec<f64>> {
    if classes == DIGITS.len() {
        let sign = |cell: char| if cell == '#' { 1.0 } else { -1.0 };
        return DIGITS
            .iter()
            .map(|digit| digit.chars().filter(|cell| !cell.is_whitespace()).map(sign).collect())
            .collect();
    }
    let classes = if classes > MOST { 0 } else { classes };
    let noise = Init::Uniform { bound: 1.0 }.draw(0, "codes of LeNet-5", classes * CELLS);
    noise.chunks_exact(CELLS).map(|code| code.iter().map(|v| f64::from(v.signum())).collect()).collect()
}

const DIGITS: [&str; 10] = [
    "....... ..###.. .#...#. ##...## ##...## ##...## ##...## ##...## ##...## .#...#. ..###.. .......",
    "....... ...##.. ..###.. .####.. ...##.. ...##.. ...##.. ...##.. ...##.. ...##.. .###### .......",
    "....... .#####. ##...## .....## .....## ....##. ...##.. ..##... .##.... ##..... ####### .......",
    "....... ####### .....## ....##. ...##.. ..####. .....## .....## .....## ##...## .#####. .......",
    "....... .....#. ....##. ...###. ..#.##. .#..##. #...##. ####### ....##. ....##. ....##. .......",
    "....... ####### ##..... ##..... ##..... ######. .....## .....## .....## ##...## .#####. .......",
    "....... ..####. .##.... ##..... ##..... ######. ##...## ##...## ##...## ##...## .#####. .......",
    "####### ##...## .....## ....##. ....##. ...##.. ...##.. ..##... ..##... ..##... ..##... .......",
    "....... .#####. ##...## ##...## ##...## .#####. ##...## ##...## ##...## ##...## .#####. .......",
    "....... .#####. ##...## ##...## ##...## ##...## .###### .....## .....## ....##. .####.. .......",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_84_signs_and_no_two_are_near() {
        for classes in [10, 2, 37] {
            let codes = codes(classes);
            assert_eq!(codes.len(), classes);
            for (i, code) in codes.iter().enumerate() {
                assert_eq!(code.len(), CELLS);
                for other in &codes[..i] {
                    let differing = code.iter().zip(other).filter(|(a, b)| a != b).count();
                    assert!(differing >= 4, "{classes} classes: codes {differing} cells apart");
                }
            }
        }
    }
}
