//! The colour of the light changed.

use super::draws::Draws;
use super::range;
use crate::Picture;
use serde::{Deserialize, Serialize};

/// Adds multiples of the principal components of ImageNet's colours to every pixel, as AlexNet was trained (Krizhevsky
/// et al. 2012, section 4.1). The sum is rounded and cut off to bytes. A grey image stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lighting {
    /// Standard deviation of the multiples.
    pub deviation: f64,
}

impl Default for Lighting {
    /// The paper's 0.1.
    fn default() -> Self {
        Self { deviation: 0.1 }
    }
}

/// Eigenvalues of the covariance of ImageNet's red, green and blue on the scale 0 to 1.
const VALUES: [f64; 3] = [0.2175, 0.0188, 0.0045];
/// Their eigenvectors, a row for each of red, green and blue.
const VECTORS: [[f64; 3]; 3] = [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]];

impl Lighting {
    pub(super) fn check(&self) -> Result<(), String> {
        range("a deviation", self.deviation, [0.0, 100.0])
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, draws: &mut Draws) {
        if picture.shape[0] != 3 {
            return;
        }
        let multiples = VALUES.map(|value| value * self.deviation * draws.normal());
        let area = picture.shape[1] * picture.shape[2];
        for (plane, vector) in picture.pixels.to_mut().chunks_exact_mut(area).zip(VECTORS) {
            let shift: f64 = 255.0 * vector.iter().zip(multiples).map(|(part, multiple)| part * multiple).sum::<f64>();
            plane.iter_mut().for_each(|pixel| *pixel = (f64::from(*pixel) + shift).round() as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_components_are_at_right_angles_and_of_length_one() {
        for (i, j) in [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)] {
            let product: f64 = VECTORS.iter().map(|row| row[i] * row[j]).sum();
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!((product - expected).abs() < 1e-3, "{i} {j}: {product}");
        }
    }
}
