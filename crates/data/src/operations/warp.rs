//! Pixels moved by an affine map, to the nearest pixel; what comes from outside is black.

use crate::Picture;

/// Rotation, shift, scale and shear about a centre.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    /// Degrees, clockwise.
    pub(crate) angle: f64,
    /// Pixels to the right and down.
    pub(crate) shift: [f64; 2],
    /// Enlargement.
    pub(crate) scale: f64,
    /// Degrees by which vertical and horizontal lines lean.
    pub(crate) shear: [f64; 2],
    /// Column and row that stay; the image's middle where there is none.
    pub(crate) centre: Option<[f64; 2]>,
}

impl Affine {
    /// Nothing is moved.
    pub(crate) const IDENTITY: Self = Self { angle: 0.0, shift: [0.0; 2], scale: 1.0, shear: [0.0; 2], centre: None };

    /// Where the pixel of a column and row of the new image comes from in one of `size` (height, width):
    /// (m₀·x + m₁·y + m₂, m₃·x + m₄·y + m₅). The inverse of shift · centre · rotation · shear · scale · centre⁻¹.
    fn inverse(&self, size: [usize; 2]) -> [f64; 6] {
        let [x, y] = self.centre.unwrap_or([size[1] as f64 * 0.5, size[0] as f64 * 0.5]);
        let (turn, [lean, tilt]) = (self.angle.to_radians(), self.shear.map(f64::to_radians));
        let a = (turn - tilt).cos() / tilt.cos();
        let b = -(turn - tilt).cos() * lean.tan() / tilt.cos() - turn.sin();
        let c = (turn - tilt).sin() / tilt.cos();
        let d = -(turn - tilt).sin() * lean.tan() / tilt.cos() + turn.cos();
        let mut matrix = [d, -b, 0.0, -c, a, 0.0].map(|entry| entry / self.scale);
        let from = [-x - self.shift[0], -y - self.shift[1]];
        matrix[2] += matrix[0] * from[0] + matrix[1] * from[1] + x;
        matrix[5] += matrix[3] * from[0] + matrix[4] * from[1] + y;
        matrix
    }
}

/// Moves an image.
pub(crate) fn warp(picture: &mut Picture<'_>, affine: &Affine) {
    let matrix = affine.inverse(picture.size());
    pull(picture, matrix);
}

/// Turns an image about its middle, by degrees anticlockwise.
pub(crate) fn rotate(picture: &mut Picture<'_>, degrees: f64) {
    let [height, width] = picture.size();
    let centre = [width as f64 / 2.0, height as f64 / 2.0];
    let turn = -degrees.rem_euclid(360.0).to_radians();
    // To 15 digits, so that quarter turns are exact.
    let [cos, sin] = [turn.cos(), turn.sin()].map(|value| (value * 1e15).round() / 1e15);
    let mut matrix = [cos, sin, 0.0, -sin, cos, 0.0];
    matrix[2] = cos * -centre[0] + sin * -centre[1] + centre[0];
    matrix[5] = -sin * -centre[0] + cos * -centre[1] + centre[1];
    pull(picture, matrix);
}

/// Fetches each pixel from where `matrix` says: with 16 binary places, or, where nothing turns, in full.
fn pull(picture: &mut Picture<'_>, matrix: [f64; 6]) {
    let [height, width] = picture.size();
    let mut out = vec![0; picture.pixels.len()];
    let mut places: Vec<(usize, usize)> = Vec::with_capacity(height * width);
    let inside = |column: i64, row: i64| -> Option<usize> {
        let column = usize::try_from(column).ok().filter(|column| *column < width)?;
        usize::try_from(row).ok().filter(|row| *row < height).map(|row| row * width + column)
    };
    if matrix[1] == 0.0 && matrix[3] == 0.0 {
        let whole = |value: f64| if value < 0.0 { -1 } else { value as i64 };
        let mut row_at = matrix[5] + matrix[4] * 0.5;
        for row in 0..height {
            let mut column_at = matrix[2] + matrix[0] * 0.5;
            for column in 0..width {
                places.extend(inside(whole(column_at), whole(row_at)).map(|from| (row * width + column, from)));
                column_at += matrix[0];
            }
            row_at += matrix[4];
        }
    } else {
        let fix = |value: f64| (value * 65_536.0 + 0.5).floor() as i64;
        let [a, b, c, d] = [fix(matrix[0]), fix(matrix[1]), fix(matrix[3]), fix(matrix[4])];
        let mut start =
            [fix(matrix[2] + matrix[0] * 0.5 + matrix[1] * 0.5), fix(matrix[5] + matrix[3] * 0.5 + matrix[4] * 0.5)];
        for row in 0..height {
            let mut at = start;
            for column in 0..width {
                places.extend(inside(at[0] >> 16, at[1] >> 16).map(|from| (row * width + column, from)));
                at = [at[0] + a, at[1] + c];
            }
            start = [start[0] + b, start[1] + d];
        }
    }
    for (plane, out) in picture.planes().zip(out.chunks_exact_mut(height * width)) {
        for (to, from) in &places {
            out[*to] = plane[*from];
        }
    }
    picture.pixels = out.into();
}
