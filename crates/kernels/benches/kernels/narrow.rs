//! Convolutions of narrow numbers.

use crate::convolution::{LAYERS, Layer};
use crate::maps::{Maps, Terms, random};
use crate::report::{Report, Run, Work};
use cnn_kernels::narrow::{Finish, Format, Source, Stored, Target, Weights, bf16};
use cnn_kernels::{Buffer, InstructionSet, LANES, peak};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// All layers, in both formats.
pub fn all(report: &mut Report<'_>) {
    for layer in LAYERS {
        let work = Work::Narrow(layer.operations(), peak::products::<bf16>);
        report.case("bf16", layer.name, work, || forward::<bf16>(layer));
    }
    for layer in LAYERS {
        let work = Work::Narrow(layer.operations(), peak::products::<u8>);
        report.case("int8", layer.name, work, || forward::<u8>(layer));
    }
}

/// What a case needs of a format.
trait Random: Format {
    fn number(rng: &mut ChaCha8Rng) -> Self;
    fn value(self) -> f64;
    /// Weights, and what they stand for.
    fn weights(rng: &mut ChaCha8Rng, layer: &Layer) -> (Weights<Self>, Vec<f64>);
}

impl Random for bf16 {
    fn number(rng: &mut ChaCha8Rng) -> Self {
        Self::from_f32(rng.random_range(-1.0..1.0))
    }
    fn value(self) -> f64 {
        self.to_f64()
    }
    fn weights(rng: &mut ChaCha8Rng, layer: &Layer) -> (Weights<Self>, Vec<f64>) {
        let conv = layer.conv();
        let weights: Vec<f32> = (0..conv.weights()).map(|_| Self::number(rng).to_f32()).collect();
        let packed = Weights::<Self>::new(&conv, InstructionSet::chosen(), &weights);
        (packed, weights.into_iter().map(f64::from).collect())
    }
}

impl Random for u8 {
    fn number(rng: &mut ChaCha8Rng) -> Self {
        rng.random()
    }
    fn value(self) -> f64 {
        f64::from(self)
    }
    fn weights(rng: &mut ChaCha8Rng, layer: &Layer) -> (Weights<Self>, Vec<f64>) {
        let conv = layer.conv();
        let weights: Vec<i8> = (0..conv.weights()).map(|_| rng.random_range(-127..=127)).collect();
        let packed = Weights::<Self>::new(&conv, InstructionSet::chosen(), &weights);
        (packed, weights.into_iter().map(f64::from).collect())
    }
}

/// Narrow maps go in and out; what is checked goes out as `f32`.
fn forward<F: Random + Stored>(layer: &'static Layer) -> Run {
    let (rng, [from, to]) = (&mut random(), layer.shapes());
    let (weights, values) = F::weights(rng, layer);
    let (region, mut wide) = (Maps::zeros(from).region, Maps::zeros(to));
    let mut input = Buffer::<F>::zeros(region.len());
    input.iter_mut().for_each(|x| *x = F::number(rng));
    let mut workspace = Buffer::<f32>::zeros(weights.workspace(&region));
    let (at, finish) = (wide.region, Finish { floor: Some(0.0), ..Finish::default() });
    weights.convolve(Source::plain(&input, region), Target::Wide(&mut wide.data, at), &finish, &mut workspace);
    wide.check(rng, |[n, out, row, column]| {
        let mut terms = Terms::default();
        let [ins, outs] = layer.group();
        for c in out / outs * ins..(out / outs + 1) * ins {
            for tap in layer.taps() {
                if let (Some(y), Some(x)) = (layer.reads(row, tap[0]), layer.reads(column, tap[1])) {
                    let x = input[region.at(n, c / LANES, y, x) + c % LANES].value();
                    terms.add(x * values[layer.weight(out, c, tap)]);
                }
            }
        }
        terms.at_least(0.0)
    });
    let mut output = Buffer::<F>::zeros(at.len());
    Box::new(move || {
        let (source, target) = (Source::plain(&input, region), Target::Narrow(&mut output, at));
        weights.convolve(source, target, &finish, &mut workspace);
    })
}
