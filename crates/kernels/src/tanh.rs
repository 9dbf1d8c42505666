//! The hyperbolic tangent and the sigmoid in `f32`, without a branch or a call, so that a loop over numbers becomes one over
//! vectors.

/// From here on `1 − 2 / (e²ˣ + 1)`, below it a polynomial: the difference would lose what `x` is near 0.
const SMALL: f32 = 0.625;
/// From here on the tangent is 1 in `f32`.
const FLAT: f32 = 9.5;
/// From here on `e⁻ˣ` is 0 in `f32`.
const NOTHING: f32 = 110.0;
/// From here on `e⁻ˣ` is computed times 2⁶⁴: it may be too small for the power of two in it to be a number.
const TINY: f32 = 64.0;
/// 2⁻⁶⁴.
const TINY_SCALE: f32 = f32::from_bits((127 - 64) << 23);
/// `(tanh(√z) / √z − 1) / z` for `z` up to `SMALL²`, the coefficients of the smallest relative error.
const TANH: [f32; 5] = [-0.333_333_28, 0.133_326, -0.053_826_045, 0.020_883_506, -0.005_937_257];
/// `(eʳ − 1 − r) / r²` for `r` up to `½ ln 2` on either side of 0.
const EXP: [f32; 5] = [0.5, 0.166_665_73, 0.041_666_86, 0.008_363_74, 0.001_390_153_2];
/// `ln 2` in two parts, the first of so few bits that its multiples are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// What leaves a sum's whole part in its last bits.
const WHOLE: f32 = 12_582_912.0;

/// `tanh(x)`, at most 1.3 units of the last place off. NaN stays NaN.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let size = f32::from_bits(x.to_bits() & 0x7fff_ffff);
    let size = if size > FLAT { FLAT } else { size };
    let z = size * size;
    let small = size + size * z * polynomial(TANH, z);
    let large = 1.0 - 2.0 / (exp(size + size, 0) + 1.0);
    let found = if size < SMALL { small } else { large };
    f32::from_bits(found.to_bits() | (x.to_bits() & 0x8000_0000))
}

/// `1 / (1 + e⁻ˣ)`, at most 2.5 units of the last place off, or of the smallest number's. NaN stays NaN.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let size = f32::from_bits(x.to_bits() & 0x7fff_ffff);
    let size = if size > NOTHING { NOTHING } else { size };
    // A power of a negative number: nothing overflows, and nothing is lost where the result is small.
    let tiny = size > TINY;
    let z = exp(-size, if tiny { 64 } else { 0 }) * if tiny { TINY_SCALE } else { 1.0 };
    let above = if x < 0.0 { z } else { 1.0 };
    above / (1.0 + z)
}

/// `eˣ` times 2 to the power of `shift`, where that is neither 0 nor infinite.
#[inline(always)]
fn exp(x: f32, shift: u32) -> f32 {
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let whole = shifted - WHOLE;
    let r = x - whole * LN_2[0] - whole * LN_2[1];
    let power = f32::from_bits((shifted.to_bits().wrapping_add(shift) << 23).wrapping_add(1.0f32.to_bits()));
    (polynomial(EXP, r) * (r * r) + r + 1.0) * power
}

#[inline(always)]
fn polynomial(of: [f32; 5], x: f32) -> f32 {
    (((of[4] * x + of[3]) * x + of[2]) * x + of[1]) * x + of[0]
}

#[cfg(test)]
mod tests {
    use super::{sigmoid, tanh};

    #[test]
    fn it_is_the_tangent_to_the_last_place_but_one() {
        let far = (0..400_000).map(|i| (i as f32 - 200_000.0) / 15_000.0);
        let near = (0..4000).map(|i| 2f32.powf(-(i as f32) / 40.0));
        for x in far.chain(near) {
            let expected = f64::from(x).tanh();
            let place = f64::from((expected.abs() as f32).next_up() - expected.abs() as f32);
            let off = (f64::from(tanh(x)) - expected).abs() / place;
            assert!(off <= 1.3, "tanh({x}) is {off} places off");
        }
    }

    #[test]
    fn its_ends_and_its_zero_are_those_of_the_library() {
        for x in [0.0f32, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-40, -1e-40, 100.0, f32::MIN] {
            assert_eq!(tanh(x).to_bits(), x.tanh().to_bits(), "{x}");
        }
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn the_sigmoid_has_its_digits_far_below_zero() {
        let far = (0..400_000).map(|i| (i as f32 - 200_000.0) / 1_800.0);
        let near = (0..4000).flat_map(|i| [1.0, -1.0].map(|sign: f32| sign * 2f32.powf(-(i as f32) / 40.0)));
        for x in far.chain(near) {
            let expected = 1.0 / (1.0 + f64::from(-x).exp());
            let place = f64::from((expected as f32).next_up() - expected as f32);
            let off = (f64::from(sigmoid(x)) - expected).abs() / place;
            assert!(off <= 2.5, "sigmoid({x}) is {off} places off");
        }
    }

    #[test]
    fn the_sigmoid_has_its_ends_and_its_middle() {
        let ends =
            [(0.0, 0.5), (-0.0, 0.5), (f32::INFINITY, 1.0), (f32::NEG_INFINITY, 0.0), (f32::MIN, 0.0), (1e-40, 0.5)];
        ends.iter().for_each(|(x, y)| assert_eq!(sigmoid(*x).to_bits(), f32::to_bits(*y), "{x}"));
        assert!(sigmoid(f32::NAN).is_nan());
    }
}
