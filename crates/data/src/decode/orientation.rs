//! Turning a picture upright.

use image::metadata::Orientation;

/// Height and width after turning.
pub(super) fn size([height, width]: [usize; 2], turn: Orientation) -> [usize; 2] {
    match turn {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => [height, width],
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            [width, height]
        }
    }
}

/// Planes of `size` (height, width), each turned.
pub(super) fn turned(planes: Vec<u8>, from: [usize; 2], turn: Orientation) -> Vec<u8> {
    if turn == Orientation::NoTransforms {
        return planes;
    }
    let [height, width] = from;
    let [rows, columns] = size(from, turn);
    let mut out = vec![0; planes.len()];
    let plane = (height * width).max(1);
    for (out, plane) in out.chunks_exact_mut(plane).zip(planes.chunks_exact(plane)) {
        for (row, line) in (0..rows).zip(out.chunks_exact_mut(columns)) {
            for (column, out) in line.iter_mut().enumerate() {
                let (from_row, from_column) = match turn {
                    Orientation::NoTransforms => (row, column),
                    Orientation::FlipHorizontal => (row, width - 1 - column),
                    Orientation::Rotate180 => (height - 1 - row, width - 1 - column),
                    Orientation::FlipVertical => (height - 1 - row, column),
                    Orientation::Rotate90FlipH => (column, row),
                    Orientation::Rotate90 => (height - 1 - column, row),
                    Orientation::Rotate270FlipH => (height - 1 - column, width - 1 - row),
                    Orientation::Rotate270 => (column, width - 1 - row),
                };
                *out = plane[from_row * width + from_column];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ImageOps.exif_transpose` of Pillow makes of a picture of two rows by its tag, 1 to 8.
    #[test]
    fn every_note_of_a_camera_is_followed_as_pillow_does() {
        let expected: [[u8; 6]; 8] = [
            [1, 2, 3, 4, 5, 6],
            [3, 2, 1, 6, 5, 4],
            [6, 5, 4, 3, 2, 1],
            [4, 5, 6, 1, 2, 3],
            [1, 4, 2, 5, 3, 6],
            [4, 1, 5, 2, 6, 3],
            [6, 3, 5, 2, 4, 1],
            [3, 6, 2, 5, 1, 4],
        ];
        for (tag, expected) in (1..).zip(expected) {
            let turn = Orientation::from_exif(tag).unwrap();
            assert_eq!(turned(vec![1, 2, 3, 4, 5, 6], [2, 3], turn), expected, "{tag}");
            assert_eq!(size([2, 3], turn), if tag < 5 { [2, 3] } else { [3, 2] }, "{tag}");
        }
    }
}
