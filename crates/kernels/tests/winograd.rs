//! Winograd's algorithm against the definition of a convolution, in `f64`, through all views and sinks.

use crate::common::{Maps, Seen, fewer, on_threads, one_of};
use cnn_kernels::{
    Algorithm, Arrival, Buffer, Conv, Element, InstructionSet, LANES, Map, Moments, Pull, Region, Sink, Store, Sums,
    View, from_blocks, to_blocks,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Random = ChaCha8Rng;

/// Taps along an axis of the kernels there is an algorithm for.
const KERNELS: [usize; 2] = [3, 5];

/// A convolution in one direction, in numbers every type can hold.
struct Problem {
    conv: Conv,
    backward: bool,
    batch: usize,
    /// Size of what is read, and of what is written.
    sizes: [[usize; 2]; 2],
    /// Blocks before and behind in the buffers that are read and written.
    around: [[usize; 2]; 2],
    read: Vec<f64>,
    weights: Vec<f64>,
    /// `max(scale · x + shift, floor)` for the channels that are read.
    affine: Option<[Vec<f64>; 3]>,
    sink: Kind,
}

enum Kind {
    Store { bias: Option<Vec<f64>>, floor: Option<f64> },
    Pull { old: Option<Vec<f64>>, factor: Option<Vec<f64>>, through: Option<Through> },
}

struct Through {
    z: Vec<f64>,
    affine: [Vec<f64>; 3],
    centre: Vec<f64>,
}

/// What comes out, and the sums that were asked for.
struct Outcome {
    written: Vec<f64>,
    sums: [Vec<f64>; 2],
    /// The largest number on the way.
    largest: f64,
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| most.max(x.abs()))
}

fn random(rng: &mut Random, count: usize) -> Vec<f64> {
    // Numbers that `f32` holds exactly.
    (0..count).map(|_| f64::from(rng.random_range(-1.0f32..1.0))).collect()
}

fn random_affine(rng: &mut Random, channels: usize) -> [Vec<f64>; 3] {
    let floors = [0.0, -0.25, f64::NAN];
    [random(rng, channels), random(rng, channels), (0..channels).map(|_| floors[rng.random_range(0..3)]).collect()]
}

/// `max(x, floor)`, where a floor of NaN is none.
fn at_least(x: f64, floor: f64) -> f64 {
    if floor > x { floor } else { x }
}

impl Problem {
    /// One with outputs; most are small, and few sizes are multiples of anything.
    fn random(rng: &mut Random) -> Self {
        loop {
            let channels = |rng: &mut Random| match rng.random_range(0..6) {
                0 => 16 * rng.random_range(1..5),
                1 => rng.random_range(30..100),
                _ => rng.random_range(1..40),
            };
            let conv = Conv {
                in_channels: channels(rng),
                out_channels: channels(rng),
                groups: 1,
                kernel: [one_of(rng, &KERNELS); 2],
                stride: [1; 2],
                padding: [rng.random_range(0..5), rng.random_range(0..5)],
                dilation: [1; 2],
            };
            let length = |rng: &mut Random| match rng.random_range(0..8) {
                0 => 4 * rng.random_range(1usize..6),
                1 => rng.random_range(16..40),
                _ => rng.random_range(0..12),
            };
            let input = [length(rng), length(rng)];
            let batch = if rng.random_range(0..20) == 0 { 0 } else { rng.random_range(1..6) };
            let Some(output) = conv.output(input) else { continue };
            return Self::of(rng, conv, batch, [input, output]);
        }
    }

    fn of(rng: &mut Random, conv: Conv, batch: usize, [input, output]: [[usize; 2]; 2]) -> Self {
        let backward = rng.random_bool(0.5);
        let sizes = if backward { [output, input] } else { [input, output] };
        let [ins, outs] = match backward {
            true => [conv.out_channels, conv.in_channels],
            false => [conv.in_channels, conv.out_channels],
        };
        let [read, written] = [batch * ins * sizes[0][0] * sizes[0][1], batch * outs * sizes[1][0] * sizes[1][1]];
        let sink = if rng.random_bool(0.5) {
            let bias = rng.random_bool(0.5).then(|| random(rng, outs));
            Kind::Store { bias, floor: rng.random_bool(0.5).then_some(0.125) }
        } else {
            let old = rng.random_bool(0.5).then(|| random(rng, written));
            let factor = rng.random_bool(0.5).then(|| random(rng, outs));
            let through = rng.random_bool(0.7).then(|| Through {
                z: random(rng, written),
                affine: random_affine(rng, outs),
                centre: random(rng, outs),
            });
            Kind::Pull { old, factor, through }
        };
        let mut around = || [rng.random_range(0..3), rng.random_range(0..3)];
        Self {
            around: [around(), around()],
            conv,
            backward,
            batch,
            sizes,
            read: random(rng, read),
            weights: random(rng, conv.weights()),
            affine: rng.random_bool(0.5).then(|| random_affine(rng, ins)),
            sink,
        }
    }

    fn channels(&self) -> [usize; 2] {
        match self.backward {
            true => [self.conv.out_channels, self.conv.in_channels],
            false => [self.conv.in_channels, self.conv.out_channels],
        }
    }

    fn region(&self, side: usize) -> Region {
        let region = Region::new(self.batch, self.channels()[side], self.sizes[side]);
        let [before, behind] = self.around[side];
        Region { first_block: before, buffer_blocks: before + region.blocks() + behind, ..region }
    }

    /// The convolution alone, as it is defined.
    fn correlate(&self) -> Vec<f64> {
        let ([ins, outs], [from, to]) = (self.channels(), self.sizes);
        let mut read = self.read.clone();
        if let Some([scale, shift, floor]) = &self.affine {
            for (i, x) in read.iter_mut().enumerate() {
                let channel = i / (from[0] * from[1]) % ins;
                *x = at_least(scale[channel] * *x + shift[channel], floor[channel]);
            }
        }
        let mut written = Vec::new();
        for i in 0..self.batch * outs * to[0] * to[1] {
            let (column, row, out, image) =
                (i % to[1], i / to[1] % to[0], i / (to[0] * to[1]) % outs, i / (to[0] * to[1] * outs));
            let mut sum = 0.0;
            let [kernel, taps] = [self.conv.kernel[1], self.conv.kernel[0] * self.conv.kernel[1]];
            for tap in 0..taps {
                let at = |position: usize, tap: usize, axis: usize| {
                    let padding = self.conv.padding[axis];
                    let at = match self.backward {
                        true => (position + padding).checked_sub(tap),
                        false => (position + tap).checked_sub(padding),
                    };
                    at.filter(|at| *at < from[axis])
                };
                if let (Some(y), Some(x)) = (at(row, tap / kernel, 0), at(column, tap % kernel, 1)) {
                    for input in 0..ins {
                        let weight = if self.backward { input * outs + out } else { out * ins + input };
                        let pixel = ((image * ins + input) * from[0] + y) * from[1] + x;
                        sum += read[pixel] * self.weights[weight * taps + tap];
                    }
                }
            }
            written.push(sum);
        }
        written
    }

    fn expected(&self) -> Outcome {
        let mut written = self.correlate();
        let before = largest(&written);
        let (outs, pixels) = (self.channels()[1], self.sizes[1][0] * self.sizes[1][1]);
        let mut sums = [vec![0.0; outs], vec![0.0; outs]];
        let channel = |i: usize| i / pixels % outs;
        match &self.sink {
            Kind::Store { bias, floor } => {
                let count = (self.batch * pixels) as f64;
                for (i, x) in written.iter_mut().enumerate() {
                    *x = at_least(*x + bias.as_ref().map_or(0.0, |b| b[channel(i)]), floor.unwrap_or(f64::NAN));
                    sums[0][channel(i)] += *x / count;
                }
                for (i, x) in written.iter().enumerate() {
                    sums[1][channel(i)] += (x - sums[0][channel(i)]).powi(2) / count;
                }
            }
            Kind::Pull { old, factor, through } => {
                for (i, g) in written.iter_mut().enumerate() {
                    let c = channel(i);
                    if let Some(Through { z, affine: [scale, shift, floor], centre }) = through {
                        if scale[c] * z[i] + shift[c] <= floor[c] {
                            *g = 0.0;
                        }
                        sums[0][c] += *g;
                        sums[1][c] += *g * (z[i] - centre[c]);
                    }
                    *g = *g * factor.as_ref().map_or(1.0, |f| f[c]) + old.as_ref().map_or(0.0, |old| old[i]);
                }
            }
        }
        let largest = before.max(largest(&written)).max(1.0);
        Outcome { written, sums, largest }
    }

    /// The result of an algorithm, whose neighbours in the buffer must be as before.
    fn computed<T: Element>(&self, algorithm: Algorithm, set: InstructionSet) -> Outcome {
        let [from, to] = [self.region(0), self.region(1)];
        let cast = |values: &[f64]| values.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>();
        let wide = |values: &[f64], region: &Region| {
            let mut values = cast(values);
            values.resize(region.padded_channels(), T::ZERO);
            values
        };
        let buffer = |values: &[f64], region: &Region| {
            let mut buffer = Buffer::<T>::zeros(region.len());
            buffer.fill(T::from_f64(7.0));
            to_blocks(&cast(values), &mut buffer, region);
            buffer
        };
        let affine = |affine: &[Vec<f64>; 3], region: &Region| [0, 1, 2].map(|i| wide(&affine[i], region));
        let (read, weights) = (buffer(&self.read, &from), cast(&self.weights));
        let read_affine = self.affine.as_ref().map(|a| affine(a, &from));
        let mut input = View::plain(&read, from);
        if let Some([scale, shift, floor]) = &read_affine {
            input.map = Map::Affine { scale, shift, floor };
        }
        let count = self.batch * to.channels * to.pixels();
        let nothing = vec![0.0; count];
        let run = |sink: Sink<'_, T>| match self.backward {
            true => self.conv.backward_input_by(algorithm, set, &input, &weights, sink),
            false => self.conv.forward_by(algorithm, set, &input, &weights, sink),
        };
        let (written, sums) = match &self.sink {
            Kind::Store { bias, floor } => {
                let mut data = buffer(&nothing, &to);
                let (bias, mut moments) = (bias.as_ref().map(|b| cast(b)), Moments::default());
                run(Sink::Store(Store {
                    data: &mut data,
                    region: to,
                    bias: bias.as_deref(),
                    floor: floor.map(T::from_f64),
                    moments: Some(&mut moments),
                }));
                (data, [moments.mean, moments.variance])
            }
            Kind::Pull { old, factor, through } => {
                let mut data = buffer(old.as_ref().unwrap_or(&nothing), &to);
                let factor = factor.as_ref().map(|f| wide(f, &to));
                let z = through.as_ref().map(|t| (buffer(&t.z, &to), affine(&t.affine, &to)));
                let mut sums =
                    Sums { centre: through.as_ref().map_or(vec![], |t| t.centre.clone()), ..Sums::default() };
                run(Sink::Pull(Pull {
                    data: &mut data,
                    region: to,
                    arrival: Arrival::adding(old.is_some()),
                    factor: factor.as_deref(),
                    through: z.as_ref().map(|(z, [scale, shift, floor])| View {
                        data: z,
                        region: to,
                        map: Map::Affine { scale, shift, floor },
                    }),
                    sums: through.is_some().then_some(&mut sums),
                }));
                (data, [sums.gradient, sums.product])
            }
        };
        for (plane, values) in written.chunks_exact((to.pixels() * LANES).max(1)).enumerate() {
            let block = (plane % to.buffer_blocks).checked_sub(to.first_block).filter(|block| *block < to.blocks());
            for (i, x) in values.iter().enumerate() {
                match block {
                    None => assert_eq!(x.to_f64(), 7.0, "written beside its region"),
                    // What is added to every channel is the caller's affair.
                    Some(block) if block * LANES + i % LANES >= to.channels && !self.lifts_floor() => {
                        assert_eq!(x.to_f64(), 0.0, "lanes beyond the channels");
                    }
                    Some(_) => {}
                }
            }
        }
        let mut maps = vec![T::ZERO; count];
        from_blocks(&written, &to, &mut maps);
        let written: Vec<f64> = maps.into_iter().map(T::to_f64).collect();
        Outcome { largest: largest(&written), written, sums }
    }

    /// Whether the sink makes zeros something else.
    fn lifts_floor(&self) -> bool {
        matches!(self.sink, Kind::Store { floor: Some(floor), .. } if floor > 0.0)
    }

    fn describe(&self) -> String {
        let sink = match &self.sink {
            Kind::Store { bias, floor } => format!("store, bias {}, floor {floor:?}", bias.is_some()),
            Kind::Pull { old, factor, through } => {
                format!("pull, old {}, factor {}, through {}", old.is_some(), factor.is_some(), through.is_some())
            }
        };
        let Self { conv, backward, batch, sizes, .. } = self;
        format!("{conv:?} backward {backward} batch {batch} sizes {sizes:?} affine {}, {sink}", self.affine.is_some())
    }

    fn check<T: Element>(&self, expected: &Outcome, set: InstructionSet, tolerance: f64) {
        let computed = self.computed::<T>(Algorithm::Winograd, set);
        // A sum that cancels is as exact as what was summed up.
        let size = expected.largest;
        let terms = (self.batch * self.sizes[1][0] * self.sizes[1][1]) as f64;
        let [first, second] = match &self.sink {
            Kind::Store { .. } => [size, size * size],
            Kind::Pull { .. } => [size * terms.max(1.0), 2.0 * size * terms.max(1.0)],
        };
        let close = |name: &str, expected: &[f64], computed: &[f64], scale: f64| {
            for (i, (e, c)) in expected.iter().zip(computed).enumerate() {
                let off = (e - c).abs() / scale;
                assert!(off <= tolerance, "{name} {i}: {c} for {e}, off by {off:.1e}; {set}: {}", self.describe());
            }
        };
        close("result", &expected.written, &computed.written, size);
        if terms > 0.0 {
            close("first sum", &expected.sums[0], &computed.sums[0], first);
            close("second sum", &expected.sums[1], &computed.sums[1], second);
        }
    }
}

fn sets() -> impl Iterator<Item = InstructionSet> {
    let forced = InstructionSet::forced().expect("CNN_INSTRUCTION_SET names a set this CPU has");
    InstructionSet::ALL.into_iter().filter(move |set| forced.map_or(set.available(), |forced| forced == *set))
}

#[test]
fn it_is_a_convolution() {
    let mut rng = Random::seed_from_u64(1);
    for _ in 0..fewer(300) {
        let problem = Problem::random(&mut rng);
        let expected = problem.expected();
        for set in sets() {
            problem.check::<f32>(&expected, set, 1e-5);
        }
        problem.check::<f64>(&expected, InstructionSet::Portable, 1e-14);
    }
}

/// Shapes of networks: those whose tiles are cut into many parts, and those whose tiles are taken at once.
#[test]
fn it_is_a_convolution_of_many_tiles() {
    let mut rng = Random::seed_from_u64(2);
    for (batch, ins, outs, size) in [
        (1, 16, 16, [70, 61]),
        (17, 16, 48, [8, 8]),
        (2, 48, 17, [30, 33]),
        (3, 16, 130, [13, 13]),
        (1, 200, 64, [5, 4]),
    ] {
        for _ in 0..4 {
            let kernel = one_of(&mut rng, &KERNELS);
            let problem = Problem::of(&mut rng, dense(kernel, ins, outs), batch, [size; 2]);
            problem.check::<f32>(&problem.expected(), InstructionSet::widest(), 1e-5);
        }
    }
}

/// The largest error compared to the largest result, with as many channels as networks have.
#[test]
fn its_errors_are_small() {
    let mut rng = Random::seed_from_u64(3);
    for (kernel, channels, limit) in [(3, 64, 4e-6), (3, 512, 8e-6), (5, 64, 4e-6), (5, 512, 8e-6)] {
        let conv = dense(kernel, channels, 32);
        let mut problem = Problem::of(&mut rng, conv, 1, [[16, 16]; 2]);
        (problem.backward, problem.affine) = (false, None);
        problem.read = random(&mut rng, channels * 256);
        problem.sink = Kind::Store { bias: None, floor: None };
        let expected = problem.expected().written;
        for set in sets() {
            let error = |algorithm: Algorithm| {
                let computed = problem.computed::<f32>(algorithm, set).written;
                let off: Vec<f64> = expected.iter().zip(&computed).map(|(e, c)| e - c).collect();
                largest(&off) / largest(&expected)
            };
            let (direct, winograd) = (error(Algorithm::Direct), error(Algorithm::Winograd));
            println!("{kernel}x{kernel}, {channels} channels, {set}: direct {direct:.1e}, Winograd {winograd:.1e}");
            assert!(winograd < limit, "{winograd:.1e}");
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let mut rng = Random::seed_from_u64(4);
    let mut problems: Vec<Problem> = (0..20).map(|_| Problem::random(&mut rng)).collect();
    for (kernel, size) in [(3, [9, 9]), (3, [40, 40]), (5, [3, 150]), (5, [19, 18])] {
        problems.push(Problem::of(&mut rng, dense(kernel, 40, 70), 3, [size; 2]));
    }
    for problem in problems {
        let outcomes = [1, 2, 3, 7].map(|count| {
            let _threads = on_threads(count);
            [Algorithm::Auto, Algorithm::Winograd].map(|algorithm| {
                let Outcome { written, sums, .. } = problem.computed::<f32>(algorithm, InstructionSet::chosen());
                let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                (bits(written), sums.map(bits))
            })
        });
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{}", problem.describe());
    }
}

/// A gradient of the weights: its input, the gradient of its output, and the result by its definition.
struct WeightGradient<T> {
    conv: Conv,
    sides: [Seen<T>; 2],
    expected: Vec<f64>,
}

impl<T: Element> WeightGradient<T> {
    fn random(rng: &mut Random) -> Self {
        let Problem { conv, batch, backward, mut sizes, .. } = Problem::random(rng);
        if backward {
            sizes.reverse();
        }
        Self::of(rng, conv, batch, sizes)
    }

    fn of(rng: &mut Random, conv: Conv, batch: usize, sizes: [[usize; 2]; 2]) -> Self {
        let channels = [conv.in_channels, conv.out_channels];
        Self::new(conv, [0, 1].map(|i| Seen::random(rng, [batch, channels[i], sizes[i][0], sizes[i][1]])))
    }

    fn new(conv: Conv, sides: [Seen<T>; 2]) -> Self {
        let [input, gradient] = &sides;
        let [batch, ins, ..] = input.maps.shape;
        let [_, outs, rows, columns] = gradient.maps.shape;
        let mut expected = vec![0.0; conv.weights()];
        // Pixel by pixel of both, with all their channels: `[in][out]` for each tap.
        let [kernel, count] = [conv.kernel[1], conv.kernel[0] * conv.kernel[1]];
        let mut taps = vec![vec![0.0; ins * outs]; count];
        let channels = |maps: &Maps, [image, y, x]: [usize; 3]| -> Vec<f64> {
            (0..maps.shape[1]).map(|channel| maps.at([image, channel, y, x])).collect()
        };
        for at in 0..batch * rows * columns {
            let [image, y, x] = [at / (rows * columns), at / columns % rows, at % columns];
            let g = channels(&gradient.maps, [image, y, x]);
            for (tap, sums) in taps.iter_mut().enumerate() {
                let [y, x] = [y + tap / kernel, x + tap % kernel];
                let [Some(y), Some(x)] = [y.checked_sub(conv.padding[0]), x.checked_sub(conv.padding[1])] else {
                    continue;
                };
                if y < input.maps.shape[2] && x < input.maps.shape[3] {
                    let i = channels(&input.maps, [image, y, x]);
                    for (row, i) in sums.chunks_exact_mut(outs).zip(i) {
                        row.iter_mut().zip(&g).for_each(|(sum, g)| *sum += i * g);
                    }
                }
            }
        }
        for (tap, sums) in taps.iter().enumerate() {
            for (i, sum) in sums.iter().enumerate() {
                expected[(i % outs * ins + i / outs) * count + tap] = *sum;
            }
        }
        Self { conv, sides, expected }
    }

    fn computed(&self, algorithm: Algorithm, set: InstructionSet) -> Vec<f64> {
        let [input, gradient] = &self.sides;
        let mut weights = vec![T::NAN; self.conv.weights()];
        self.conv.backward_weights_by(algorithm, set, &input.view(), &gradient.view(), &mut weights);
        weights.into_iter().map(T::to_f64).collect()
    }

    /// The largest error compared to the largest result.
    fn error(&self, algorithm: Algorithm, set: InstructionSet) -> f64 {
        let computed = self.computed(algorithm, set);
        assert!(computed.iter().all(|x| x.is_finite()), "{set} {}", self.describe());
        let off: Vec<f64> = self.expected.iter().zip(&computed).map(|(e, c)| e - c).collect();
        // Sums may cancel.
        largest(&off) / largest(&self.expected).max(1.0)
    }

    fn check(&self, set: InstructionSet, tolerance: f64) {
        let error = self.error(Algorithm::Winograd, set);
        assert!(error <= tolerance, "off by {error:.1e}; {set} {}", self.describe());
    }

    fn describe(&self) -> String {
        format!("{:?} of {:?}", self.conv, self.sides[0].region)
    }
}

/// A convolution that keeps the size.
fn dense(kernel: usize, in_channels: usize, out_channels: usize) -> Conv {
    let (kernel, padding) = ([kernel; 2], [kernel / 2; 2]);
    Conv { in_channels, out_channels, groups: 1, kernel, stride: [1; 2], padding, dilation: [1; 2] }
}

/// Shapes whose tiles are cut into slices, into several groups, whose sums are transformed as they are made, and of which
/// some outputs or some inputs are held at a time.
const LARGE: [(usize, usize, usize, [usize; 2]); 7] = [
    (5, 16, 20, [50, 51]),
    (1, 64, 40, [90, 79]),
    (9, 1, 1000, [21, 25]),
    (2, 200, 257, [6, 9]),
    (3, 40, 70, [3, 41]),
    (7, 150, 180, [22, 25]),
    (7, 600, 40, [22, 21]),
];

#[test]
fn the_gradient_of_the_weights_is_that_of_its_definition() {
    let mut rng = Random::seed_from_u64(5);
    for _ in 0..fewer(150) {
        let problem = WeightGradient::<f32>::random(&mut rng);
        for set in sets() {
            problem.check(set, 1e-5);
        }
        let problem = WeightGradient::<f64>::random(&mut rng);
        problem.check(InstructionSet::Portable, 1e-14);
    }
    let large = || LARGE.into_iter().take(fewer(LARGE.len() as u64) as usize);
    for (kernel, (batch, ins, outs, size)) in
        KERNELS.into_iter().flat_map(|kernel| large().map(move |large| (kernel, large)))
    {
        let problem = WeightGradient::<f32>::of(&mut rng, dense(kernel, ins, outs), batch, [size; 2]);
        for set in sets() {
            problem.check(set, 1e-5);
        }
    }
}

#[test]
fn errors_of_the_gradient_of_the_weights_are_small() {
    let mut rng = Random::seed_from_u64(6);
    for (kernel, batch, channels, size, limit) in
        [(3, 4, 64, 28, 4e-6), (3, 2, 256, 7, 4e-6), (5, 4, 64, 27, 4e-6), (5, 2, 256, 7, 4e-6)]
    {
        let sides = [channels, 32].map(|channels| {
            let mut maps = Maps::zeros([batch, channels, size, size]);
            maps.data = random(&mut rng, maps.data.len());
            Seen::<f32>::plain(&mut rng, maps)
        });
        let problem = WeightGradient::new(dense(kernel, channels, 32), sides);
        for set in sets() {
            let [direct, winograd] =
                [Algorithm::Direct, Algorithm::Winograd].map(|algorithm| problem.error(algorithm, set));
            println!("{kernel}x{kernel}, {channels} channels, {set}: direct {direct:.1e}, Winograd {winograd:.1e}");
            assert!(winograd < limit, "{winograd:.1e}");
        }
    }
}

#[test]
fn the_gradient_of_the_weights_does_not_depend_on_the_number_of_threads() {
    let mut rng = Random::seed_from_u64(7);
    let mut problems: Vec<_> = (0..fewer(20)).map(|_| WeightGradient::<f32>::random(&mut rng)).collect();
    for (number, (batch, ins, outs, size)) in LARGE.into_iter().take(fewer(LARGE.len() as u64) as usize).enumerate() {
        problems.push(WeightGradient::of(&mut rng, dense(KERNELS[number % 2], ins, outs), batch, [size; 2]));
    }
    for problem in problems {
        let outcomes = [1, 2, 3, 7].map(|count| {
            let _threads = on_threads(count);
            [Algorithm::Auto, Algorithm::Winograd].map(|algorithm| {
                let weights = problem.computed(algorithm, InstructionSet::chosen());
                weights.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            })
        });
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{}", problem.describe());
    }
}

#[test]
#[should_panic(expected = "no Winograd algorithm")]
fn it_refuses_other_kernels() {
    let conv = Conv {
        in_channels: 1,
        out_channels: 1,
        groups: 1,
        kernel: [3; 2],
        stride: [2; 2],
        padding: [1; 2],
        dilation: [1; 2],
    };
    let region = Region::new(1, 1, [4, 4]);
    let (read, mut written) = (Buffer::<f32>::zeros(region.len()), Buffer::zeros(4 * LANES));
    let sink = Sink::store(&mut written, Region::new(1, 1, [2, 2]));
    conv.forward_by(Algorithm::Winograd, InstructionSet::chosen(), &View::plain(&read, region), &[0.0; 9], sink);
}
