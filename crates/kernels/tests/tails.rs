//! Functions where their results are small: relative errors, against `f64`.

use cnn_kernels::activation::Activation;
use cnn_kernels::{Element, InstructionSet, LANES, Region, Sink, View};
use rand_chacha::ChaCha8Rng;

/// What a function gives for numbers, and what its gradient is where the gradient of the output is 1.
fn both<T: Element>(set: InstructionSet, function: Activation, numbers: &[f64]) -> [Vec<f64>; 2] {
    let region = Region::new(1, LANES, [1, numbers.len() / LANES]);
    let x: Vec<T> = numbers.iter().map(|x| T::from_f64(*x)).collect();
    let (mut y, mut back) = (vec![T::NAN; region.len()], vec![T::NAN; region.len()]);
    function.forward(set, &View::plain(&x, region), Sink::store(&mut y, region));
    let ones = vec![T::ONE; region.len()];
    function.backward(set, &View::plain(&y, region), &View::plain(&ones, region), Sink::store(&mut back, region));
    [y, back].map(|found| found.iter().map(|x| x.to_f64()).collect())
}

#[track_caller]
fn near<T: Element>(found: f64, expected: f64, what: &str) {
    let most = if size_of::<T>() == 4 { 5e-7 } else { 5e-15 };
    assert!((found - expected).abs() <= most * expected.abs(), "{what}: {found:e}, not {expected:e}");
}

fn sigmoid<T: Element>(set: InstructionSet, _: &mut ChaCha8Rng) {
    let most = if size_of::<T>() == 4 { 80.0 } else { 700.0 };
    // As both have them.
    let numbers: Vec<f64> = (0..4000).map(|i| f64::from((most * (f64::from(i) / 2000.0 - 1.0)) as f32)).collect();
    let [outputs, gradients] = both::<T>(set, Activation::Sigmoid, &numbers);
    for ((x, y), gradient) in numbers.iter().zip(outputs).zip(gradients) {
        let expected = 1.0 / (1.0 + (-x).exp());
        near::<T>(y, expected, &format!("{set}: sigmoid({x})"));
        // Near 1 the output alone no longer says what is left to it.
        let derivative = if *x < 0.0 { expected * (1.0 - expected) } else { y * (1.0 - y) };
        near::<T>(gradient, derivative, &format!("{set}: sigmoid'({x})"));
    }
}

fn tangent<T: Element>(set: InstructionSet, _: &mut ChaCha8Rng) {
    let numbers: Vec<f64> =
        (0..1600).map(|i| f64::from((-1_f32).powi(i) * 2_f32.powf(2.0 - i as f32 / 20.0))).collect();
    let function = Activation::Tanh { amplitude: 1.75, slope: 0.625 };
    for (x, y) in numbers.iter().zip(&both::<T>(set, function, &numbers)[0]) {
        near::<T>(*y, 1.75 * (0.625 * x).tanh(), &format!("{set}: tanh({x})"));
    }
}

#[test]
fn the_sigmoid_and_its_derivative_keep_their_digits() {
    on_all!(1, sigmoid);
}

#[test]
fn the_tangent_keeps_its_digits_near_zero() {
    on_all!(1, tangent);
}
