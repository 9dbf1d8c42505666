//! How far from torch a number may be: every bound of the comparison, once. `docs/numerics.md` gives the reasons.

/// Relative error of anything in f64.
pub const F64: f64 = 1e-8;
/// Relative error of anything in f32.
pub const F32: f64 = 1e-4;
/// How many times torch's own distance a number may be off where that is more: see [`in_f64`] and [`in_f32`].
pub const FACTOR: f64 = 4.0;
/// Error of the oracle's logits, relative to their separation.
pub const ORACLE: f64 = 1e-10;
/// Largest entry, in f64, of a gradient that is zero, relative to the largest entry of all gradients.
pub const ZERO: f64 = 1e-10;
/// The same in f32: eight roundings of a number as large as the largest entry.
pub const ZERO_F32: f64 = 8.0 * f32::EPSILON as f64;

/// The bound in f64, for a network whose gradients move by `moved` in torch when every weight moves by its last bit.
pub fn in_f64(moved: f64) -> f64 {
    F64.max(FACTOR * moved)
}

/// The bound in f32, for a number by which torch's own f32 is off by `torch`.
pub fn in_f32(torch: f64) -> f64 {
    F32.max(FACTOR * torch)
}

/// The bound in f32 of a gradient that is zero: `torch` is the largest entry of torch's own in f32, and both are
/// relative to the largest entry of all gradients.
pub fn of_zero_in_f32(torch: f64) -> f64 {
    ZERO_F32.max(FACTOR * torch)
}
