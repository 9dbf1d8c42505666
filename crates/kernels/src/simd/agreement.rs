//! Each operation of each vector, but stores past the caches, against plain Rust, to the last bit, where numbers are infinite, none, zeros of either sign, or
//! halfway between two others.

use super::dispatch::Baseline;
use super::portable::Portable;
use super::vector::{Kernel, LANES, Vector};
use crate::element::Element;
use half::bf16;

const NUMBERS: [f64; LANES] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    0.5,
    1.5,
    2.5,
    254.5,
    255.5,
    -0.5,
    1e30,
    std::f64::consts::PI,
    -7.25,
];

/// Bits of `f32` that rounding to 16 bits is hard for: just below, at and above a half, with an even and an odd place before it;
/// the largest; NaN but in its lower half.
const HARD: [u32; LANES] = [
    0x3f80_7fff,
    0x3f80_8000,
    0x3f80_8001,
    0x3f81_7fff,
    0x3f81_8000,
    0x3f81_8001,
    0x7f7f_ffff,
    0xff7f_8000,
    0x7f80_0000,
    0xff80_0000,
    0x7f80_0001,
    0xffc0_0000,
    0x0000_0001,
    0x8000_ffff,
    0x0000_8000,
    0x0001_8000,
];

/// All that the operations give, one number behind the other.
struct All;

impl<T: Element> Kernel<T> for All {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) -> Vec<f64> {
        let mut all = Vec::new();
        for (turn, number) in NUMBERS.into_iter().enumerate() {
            let turned = |by: usize| -> [T; LANES] { std::array::from_fn(|i| T::from_f64(NUMBERS[(i + by) % LANES])) };
            let [a, b, c, d] = [turned(0), turned(turn), turned(3 * turn + 1), turned(5 * turn + 2)];
            let whole: [[T; LANES]; 3] =
                [1, 5, 11].map(|by| std::array::from_fn(|i| T::from_f64(((i * by + turn) % 37) as f64 - 18.0)));
            // SAFETY: arrays of sixteen.
            unsafe {
                let [a, b, c, d] = [V::load(a.as_ptr()), V::load(b.as_ptr()), V::load(c.as_ptr()), V::load(d.as_ptr())];
                push(&mut all, a.add(b));
                push(&mut all, a.sub(b));
                push(&mut all, a.mul(b));
                push(&mut all, a.div(b));
                push(&mut all, b.sqrt());
                push(&mut all, a.at_least(b));
                push(&mut all, a.unless_at_most(b, c));
                push(&mut all, a.select_above(b, c, d));
                push(&mut all, a.where_equal(b, b.at_least(c)));
                push(&mut all, V::splat(T::from_f64(number)));
                // Of whole numbers, since some vectors round once and others twice.
                let [x, y, z] = [V::load(whole[0].as_ptr()), V::load(whole[1].as_ptr()), V::load(whole[2].as_ptr())];
                push(&mut all, x.mul_add(y, z));
                let mut rows = [V::zero(); LANES];
                for (row, vector) in rows.iter_mut().enumerate() {
                    *vector = if row % 2 == 0 { x.add(V::splat(T::from_f64(row as f64))) } else { y.mul(z) };
                }
                V::transpose(&mut rows);
                for row in rows {
                    push(&mut all, row);
                }
                let lanes: [i32; LANES] = std::array::from_fn(|i| ((i * 7 + turn) % LANES) as i32);
                push(&mut all, x.permute(&lanes));
                let mut bytes = [[0u8; LANES]; 6];
                x.mul(x).at_least(V::zero()).store_rounded(bytes[0].as_mut_ptr());
                b.store_rounded(bytes[1].as_mut_ptr());
                V::store_four_rounded::<false>([a, b, c, d], bytes[2..].as_mut_ptr().cast());
                all.extend(bytes.as_flattened().iter().map(|byte| f64::from(*byte)));
                let own: [u8; LANES] = std::array::from_fn(|i| (i * 16 + turn) as u8);
                let read = V::load_bytes(own.as_ptr());
                push(&mut all, read);
                let mut back = [0u8; LANES];
                read.store_bytes(back.as_mut_ptr());
                assert_eq!(back, own);
                let integers: [i32; LANES] = std::array::from_fn(|i| (i as i32 - 8) * 0x0765_4321 + turn as i32);
                push(&mut all, V::load_integers(integers.as_ptr()));
            }
        }
        // SAFETY: arrays of sixteen.
        unsafe {
            let hard = HARD.map(|bits| T::from_f64(f64::from(f32::from_bits(bits))));
            let mut halves = [bf16::ZERO; LANES];
            V::load(hard.as_ptr()).store_bf16(halves.as_mut_ptr());
            all.extend(halves.map(bf16::to_f64));
            push(&mut all, V::load_bf16(halves.as_ptr()));
        }
        all
    }
}

#[inline(always)]
fn push<V: Vector>(all: &mut Vec<f64>, vector: V) {
    let mut numbers = [V::Element::ZERO; LANES];
    // SAFETY: an array of sixteen.
    unsafe { vector.store(numbers.as_mut_ptr()) }
    all.extend(numbers.map(Element::to_f64));
}

#[track_caller]
fn same(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        assert!(same, "number {at}: {found:?}, not {expected:?}");
    }
}

#[test]
fn every_vector_of_f32_computes_as_plain_rust_does() {
    let expected = All.run::<Portable<f32>>();
    same(&All.run::<Baseline>(), &expected);
    #[cfg(target_arch = "x86_64")]
    if let Some(cpu) = super::avx2::Avx2::new() {
        same(&cpu.run(All), &expected);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(cpu) = super::avx512::Avx512::new() {
        same(&cpu.run(All), &expected);
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = super::neon_cpu::Neon::new() {
        same(&cpu.run(All), &expected);
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn f64_on_avx2_computes_as_plain_rust_does() {
    if let Some(cpu) = super::avx2::Avx2::new() {
        same(&cpu.run_f64(All), &All.run::<Portable<f64>>());
    }
}
