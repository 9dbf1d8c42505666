//! One operation of any strength.

use super::draws::Draws;
use crate::Picture;
use crate::operations::{self, Affine};
use serde::{Deserialize, Serialize};

/// One operation, drawn evenly from fourteen, of a strength drawn evenly (Müller and Hutter 2021, *TrivialAugment*, the
/// wide space of its Table 1, with torchvision's strengths). It has nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrivialAugment {}

/// Strengths an operation has, the first none.
const STRENGTHS: usize = 31;

impl TrivialAugment {
    pub(super) fn apply(self, picture: &mut Picture<'_>, draws: &mut Draws) {
        let (operation, strength, negative) = (draws.below(14), draws.below(STRENGTHS), draws.chance(0.5));
        operate(picture, operation, strength, if negative { -1.0 } else { 1.0 });
    }
}

/// Operation `operation` of 14 with `strength` of 31; `sign` is the way of those that have two.
pub(super) fn operate(picture: &mut Picture<'_>, operation: usize, strength: usize, sign: f64) {
    let most = |most: f32| sign * evenly([0.0, most], strength);
    let lean = |lean: f64| lean.atan().to_degrees();
    match operation {
        0 => {}
        1 => {
            let shear = [lean(most(0.99)), 0.0];
            operations::warp(picture, &Affine { shear, centre: Some([0.0; 2]), ..Affine::IDENTITY });
        }
        2 => {
            let shear = [0.0, lean(most(0.99))];
            operations::warp(picture, &Affine { shear, centre: Some([0.0; 2]), ..Affine::IDENTITY });
        }
        3 => operations::warp(picture, &Affine { shift: [most(32.0).trunc(), 0.0], ..Affine::IDENTITY }),
        4 => operations::warp(picture, &Affine { shift: [0.0, most(32.0).trunc()], ..Affine::IDENTITY }),
        5 => operations::rotate(picture, most(135.0)),
        6 => operations::brightness(picture, 1.0 + most(0.99)),
        7 => operations::saturation(picture, 1.0 + most(0.99)),
        8 => operations::contrast(picture, 1.0 + most(0.99)),
        9 => operations::sharpness(picture, 1.0 + most(0.99)),
        10 => operations::posterize(picture, 8 - ((strength + 2) / 5) as u32),
        11 => operations::solarize(picture, evenly([255.0, 0.0], strength)),
        12 => operations::autocontrast(picture),
        _ => operations::equalize(picture),
    }
}

/// Strength `index` between two ends, in f32 and from the nearer end, as torch spaces numbers: shifts are cut to whole
/// pixels, so the last bit counts.
fn evenly([first, last]: [f32; 2], index: usize) -> f64 {
    let step = (last - first) / (STRENGTHS - 1) as f32;
    f64::from(match index < STRENGTHS / 2 {
        true => step.mul_add(index as f32, first),
        false => (-step).mul_add((STRENGTHS - 1 - index) as f32, last),
    })
}
