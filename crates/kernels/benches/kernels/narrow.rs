//! Convolutions and pools of narrow numbers.

use crate::convolution::{LAYERS, Layer};
use crate::maps::{Maps, Terms, random};
use crate::report::{Report, Run, Work};
use cnn_kernels::narrow::{Finish, Format, Pool, Source, Stored, Target, Weights, bf16};
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::{Buffer, InstructionSet, LANES, Region, peak};
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
    for (name, channels, side, stride) in [
        // Name, channels, side of the map, stride.
        ("resnet max 3x3s2 64@112", 64, 112_usize, 2_usize),
        ("inception max 3x3 480@14", 480, 14, 1),
        ("inception mean 3x3 192@35", 192, 35, 1),
    ] {
        let output = side.div_ceil(stride);
        let (read, written) = (channels * side * side, channels * output * output);
        report.case("int8 pool", name, Work::Bytes { read, written }, || pool(name, channels, [side, output], stride));
    }
}

/// Windows of 3×3 with one pixel of padding, their maxima or means: bytes go in and out.
fn pool(name: &str, channels: usize, [side, output]: [usize; 2], stride: usize) -> Run {
    let (rng, mean) = (&mut random(), name.contains("mean"));
    let (from, mut wide) = (Region::new(1, channels, [side; 2]), Maps::zeros([1, channels, output, output]));
    let mut input = Buffer::<u8>::zeros(from.len());
    input.iter_mut().for_each(|x| *x = u8::number(rng));
    let span =
        move |o: usize| Span { start: (o * stride).saturating_sub(1), end: (o * stride + 2).min(side), divisor: 3 };
    let pool = if mean {
        let spans: Vec<Span> = (0..output).map(span).collect();
        Pool::average(&Average { spans: [spans.clone(), spans] }, [side; 2])
    } else {
        let max = Max { kernel: [3; 2], stride: [stride; 2], padding: [1; 2], dilation: [1; 2] };
        Pool::max(&max, [side; 2], [output; 2])
    };
    let pool = pool.expect("windows within the map");
    let (set, to, finish) = (InstructionSet::chosen(), wide.region, Finish::default());
    pool.run(set, Source::plain(&input, from), Target::Wide(&mut wide.data, to), &finish);
    wide.check(rng, |[n, c, row, column]| {
        let (down, right) = (span(row), span(column));
        let taps = (down.start..down.end).flat_map(|y| (right.start..right.end).map(move |x| [y, x]));
        let numbers = taps.map(|[y, x]| input[from.at(n, c / LANES, y, x) + c % LANES].value());
        let mut terms = Terms::default();
        match mean {
            true => numbers.for_each(|x| terms.add(x / 9.0)),
            false => terms.add(numbers.fold(0.0, f64::max)),
        }
        terms
    });
    let mut output = Buffer::<u8>::zeros(to.len());
    Box::new(move || pool.run(set, Source::plain(&input, from), Target::Narrow(&mut output, to), &finish))
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
