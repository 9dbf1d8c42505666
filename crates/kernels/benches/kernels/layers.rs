//! Everything beside convolutions.

use crate::maps::{Maps, POSITIONS, Terms, numbers, random};
use crate::report::{Report, Run, Work};
use cnn_kernels::copy::{copy, sum};
use cnn_kernels::elementwise;
use cnn_kernels::loss::{CrossEntropy, Targets};
use cnn_kernels::moments::moments;
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::update::{Sgd, Update};
use cnn_kernels::{Buffer, InstructionSet, Linear, Map, Region, View};
use rand::Rng;

/// Bytes of numbers.
fn bytes(numbers: &[usize]) -> usize {
    numbers.iter().product::<usize>() * size_of::<f32>()
}

pub fn all(report: &mut Report<'_>) {
    pools(report);
    copies(report);
    for (name, batch, linear) in [
        ("vgg 25088-4096 batch 8", 8, Linear { in_features: 25088, out_features: 4096 }),
        ("vgg 4096-1000 batch 64", 64, Linear { in_features: 4096, out_features: 1000 }),
        ("resnet 2048-1000 batch 1", 1, Linear { in_features: 2048, out_features: 1000 }),
    ] {
        layer(report, name, batch, linear);
    }
    rest(report);
}

/// A max pool and the winners of its forward pass.
#[derive(Clone, Copy)]
struct MaxPool {
    name: &'static str,
    shape: [usize; 4],
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl MaxPool {
    fn max(&self) -> Max {
        Max { kernel: [self.kernel; 2], stride: [self.stride; 2], padding: [self.padding; 2], dilation: [1; 2] }
    }

    fn output(&self) -> [usize; 4] {
        let [batch, channels, height, width] = self.shape;
        let windows = |length: usize| (length + 2 * self.padding - self.kernel) / self.stride + 1;
        [batch, channels, windows(height), windows(width)]
    }

    /// The first maximum of a window, and its position.
    fn winner(&self, input: &Maps, [n, c, row, column]: [usize; 4]) -> (f64, [usize; 4]) {
        let mut best = (f64::NEG_INFINITY, [n, c, 0, 0]);
        for tap in 0..self.kernel * self.kernel {
            let y = (row * self.stride + tap / self.kernel).wrapping_sub(self.padding);
            let x = (column * self.stride + tap % self.kernel).wrapping_sub(self.padding);
            if y < self.shape[2] && x < self.shape[3] && input.at([n, c, y, x]) > best.0 {
                best = (input.at([n, c, y, x]), [n, c, y, x]);
            }
        }
        best
    }

    /// The pool with its operands, after a forward pass.
    fn forward(self) -> (Maps, Maps, Vec<u8>) {
        let (rng, to) = (&mut random(), self.output());
        let (input, mut output) = (Maps::random(rng, self.shape), Maps::zeros(to));
        let mut winners = vec![0; output.region.len()];
        self.max().forward(InstructionSet::chosen(), &input.view(), output.sink(), &mut winners);
        output.check(rng, |at| Terms::one(self.winner(&input, at).0));
        (input, output, winners)
    }

    fn run_forward(self) -> Run {
        let (input, mut output, mut winners) = self.forward();
        Box::new(move || self.max().forward(InstructionSet::chosen(), &input.view(), output.sink(), &mut winners))
    }

    fn run_backward(self) -> Run {
        let (rng, (input, _, winners)) = (&mut random(), self.forward());
        let (gradient, mut back) = (Maps::random(rng, self.output()), Maps::zeros(self.shape));
        self.max().backward(InstructionSet::chosen(), &gradient.view(), &winners, back.sink());
        back.check(rng, |at| {
            let mut terms = Terms::default();
            let windows = |position: usize, count: usize| {
                let last = (position + self.padding) / self.stride;
                last.saturating_sub(self.kernel)..(last + 1).min(count)
            };
            for row in windows(at[2], self.output()[2]) {
                for column in windows(at[3], self.output()[3]) {
                    let window = [at[0], at[1], row, column];
                    if self.winner(&input, window).1 == at {
                        terms.add(gradient.at(window));
                    }
                }
            }
            terms
        });
        Box::new(move || self.max().backward(InstructionSet::chosen(), &gradient.view(), &winners, back.sink()))
    }
}

fn pools(report: &mut Report<'_>) {
    for pool in [
        MaxPool { name: "resnet max 3x3s2 64@112", shape: [4, 64, 112, 112], kernel: 3, stride: 2, padding: 1 },
        MaxPool { name: "vgg max 2x2s2 64@224", shape: [2, 64, 224, 224], kernel: 2, stride: 2, padding: 0 },
    ] {
        let (from, to) = (bytes(&pool.shape), bytes(&pool.output()));
        // A winner is a byte.
        let forward = Work::Bytes { read: from, written: to + to / 4 };
        report.case("pool forward", pool.name, forward, || pool.run_forward());
        let backward = Work::Bytes { read: to + to / 4, written: from };
        report.case("pool backward", pool.name, backward, || pool.run_backward());
    }
    let global = Average::global([7, 7]);
    average(report, "resnet mean 2048@7", [16, 2048, 7, 7], global);
    let spans: Vec<Span> =
        (0..28usize).map(|o| Span { start: o.saturating_sub(1), end: (o + 2).min(28), divisor: 3 }).collect();
    average(report, "inception mean 3x3 192@28", [4, 192, 28, 28], Average { spans: [spans.clone(), spans] });
}

fn average(report: &mut Report<'_>, name: &str, shape: [usize; 4], average: Average) {
    let to = [shape[0], shape[1], average.spans[0].len(), average.spans[1].len()];
    let (from_bytes, to_bytes) = (bytes(&shape), bytes(&to));
    let set = InstructionSet::chosen();
    let pool = &average;
    report.case("pool forward", name, Work::Bytes { read: from_bytes, written: to_bytes }, || {
        let (rng, average) = (&mut random(), pool.clone());
        let (input, mut output) = (Maps::random(rng, shape), Maps::zeros(to));
        average.forward(set, &input.view(), output.sink());
        output.check(rng, |[n, c, row, column]| {
            let (down, right) = (average.spans[0][row], average.spans[1][column]);
            let mut terms = Terms::default();
            for y in down.start..down.end {
                for x in right.start..right.end {
                    terms.add(input.at([n, c, y, x]) / (down.divisor * right.divisor) as f64);
                }
            }
            terms
        });
        Box::new(move || average.forward(set, &input.view(), output.sink()))
    });
    report.case("pool backward", name, Work::Bytes { read: to_bytes, written: from_bytes }, || {
        let (rng, average) = (&mut random(), pool.clone());
        let (gradient, mut back) = (Maps::random(rng, to), Maps::zeros(shape));
        average.backward(set, &gradient.view(), back.sink());
        back.check(rng, |[n, c, y, x]| {
            let mut terms = Terms::default();
            let covers = |span: &Span, position: usize| (span.start..span.end).contains(&position);
            for (row, down) in average.spans[0].iter().enumerate().filter(|(_, span)| covers(span, y)) {
                for (column, right) in average.spans[1].iter().enumerate().filter(|(_, span)| covers(span, x)) {
                    terms.add(gradient.at([n, c, row, column]) / (down.divisor * right.divisor) as f64);
                }
            }
            terms
        });
        Box::new(move || average.backward(set, &gradient.view(), back.sink()))
    });
}

/// Scale, shift and floor of a batch normalisation followed by ReLU.
struct Norm([Buffer<f32>; 3]);

impl Norm {
    fn random(rng: &mut rand_chacha::ChaCha8Rng, channels: usize) -> Self {
        Self([numbers(rng, channels), numbers(rng, channels), Buffer::zeros(channels)])
    }

    fn view<'a>(&'a self, maps: &'a Maps) -> View<'a, f32> {
        let [scale, shift, floor] = &self.0;
        View { map: Map::Affine { scale, shift, floor }, ..maps.view() }
    }

    fn at(&self, maps: &Maps, at: [usize; 4]) -> Terms {
        let [scale, shift, floor] = [0, 1, 2].map(|i| f64::from(self.0[i][at[1]]));
        let mut terms = Terms::one(maps.at(at) * scale);
        terms.add(shift);
        terms.at_least(floor)
    }
}

fn copies(report: &mut Report<'_>) {
    const SHAPE: [usize; 4] = [4, 256, 56, 56];
    const NAME: &str = "resnet 256@56";
    let (set, all) = (InstructionSet::chosen(), bytes(&SHAPE));
    report.case("copy", NAME, Work::Bytes { read: all, written: all }, || {
        let rng = &mut random();
        let (input, mut output) = (Maps::random(rng, SHAPE), Maps::zeros(SHAPE));
        copy(set, &input.view(), output.sink());
        output.check(rng, |at| Terms::one(input.at(at)));
        Box::new(move || copy(set, &input.view(), output.sink()))
    });
    report.case("copy through norm and relu", NAME, Work::Bytes { read: all, written: all }, || {
        let rng = &mut random();
        let (norm, input, mut output) = (Norm::random(rng, SHAPE[1]), Maps::random(rng, SHAPE), Maps::zeros(SHAPE));
        copy(set, &norm.view(&input), output.sink());
        output.check(rng, |at| norm.at(&input, at));
        Box::new(move || copy(set, &norm.view(&input), output.sink()))
    });
    report.case("sum of two, one through norm", NAME, Work::Bytes { read: 2 * all, written: all }, || {
        let rng = &mut random();
        let (norm, mut output) = (Norm::random(rng, SHAPE[1]), Maps::zeros(SHAPE));
        let (one, other) = (Maps::random(rng, SHAPE), Maps::random(rng, SHAPE));
        sum(set, &[norm.view(&one), other.view()], output.sink());
        output.check(rng, |at| {
            let mut terms = norm.at(&one, at);
            terms.add(other.at(at));
            terms
        });
        Box::new(move || sum(set, &[norm.view(&one), other.view()], output.sink()))
    });
    report.case("moments", NAME, Work::Bytes { read: all, written: 0 }, || {
        let (rng, [batch, channels, height, width]) = (&mut random(), SHAPE);
        let input = Maps::random(rng, SHAPE);
        let result = moments(set, &input.view());
        for _ in 0..10 {
            let c = rng.random_range(0..channels);
            let count = (batch * height * width) as f64;
            let each = || (0..batch * height * width).map(|i| [i / (height * width), c, i / width % height, i % width]);
            let mean = each().map(|at| input.at(at)).sum::<f64>() / count;
            let variance = each().map(|at| (input.at(at) - mean).powi(2)).sum::<f64>() / count;
            assert!((result.mean[c] - mean).abs() < 1e-6 && (result.variance[c] - variance).abs() < 1e-6, "{c}");
        }
        Box::new(move || _ = std::hint::black_box(moments(set, &input.view())))
    });
}

/// Few samples are bound by the weights' bytes, many by multiply-adds.
fn layer(report: &mut Report<'_>, name: &str, batch: usize, linear: Linear) {
    let Linear { in_features: ins, out_features: outs } = linear;
    let flops = Work::Flops(2 * batch * linear.weights());
    let reads = if batch >= 32 { flops } else { Work::Bytes { read: bytes(&[linear.weights()]), written: 0 } };
    let set = InstructionSet::chosen();
    report.case("linear forward", name, reads, || {
        let rng = &mut random();
        let (input, weights) = (Maps::random(rng, [batch, ins, 1, 1]), numbers(rng, linear.weights()));
        let mut output = Maps::zeros([batch, outs, 1, 1]);
        linear.forward(set, &input.view(), &weights, output.sink());
        output.check(rng, |[n, o, _, _]| {
            let mut terms = Terms::default();
            (0..ins).for_each(|i| terms.add(input.at([n, i, 0, 0]) * f64::from(weights[o * ins + i])));
            terms
        });
        Box::new(move || linear.forward(set, &input.view(), &weights, output.sink()))
    });
    report.case("linear backward_input", name, reads, || {
        let rng = &mut random();
        let (gradient, weights) = (Maps::random(rng, [batch, outs, 1, 1]), numbers(rng, linear.weights()));
        let mut input = Maps::zeros([batch, ins, 1, 1]);
        linear.backward_input(set, &gradient.view(), &weights, input.sink());
        input.check(rng, |[n, i, _, _]| {
            let mut terms = Terms::default();
            (0..outs).for_each(|o| terms.add(gradient.at([n, o, 0, 0]) * f64::from(weights[o * ins + i])));
            terms
        });
        Box::new(move || linear.backward_input(set, &gradient.view(), &weights, input.sink()))
    });
    let writes = if batch >= 32 { flops } else { Work::Bytes { read: 0, written: bytes(&[linear.weights()]) } };
    report.case("linear backward_weights", name, writes, || {
        let rng = &mut random();
        let (input, gradient) = (Maps::random(rng, [batch, ins, 1, 1]), Maps::random(rng, [batch, outs, 1, 1]));
        let mut weights = numbers(rng, linear.weights());
        linear.backward_weights(set, &input.view(), &gradient.view(), &mut weights);
        for _ in 0..POSITIONS {
            let (o, i) = (rng.random_range(0..outs), rng.random_range(0..ins));
            let mut terms = Terms::default();
            (0..batch).for_each(|n| terms.add(input.at([n, i, 0, 0]) * gradient.at([n, o, 0, 0])));
            terms.hold(f64::from(weights[o * ins + i]), &[o, i]);
        }
        Box::new(move || linear.backward_weights(set, &input.view(), &gradient.view(), &mut weights))
    });
}

fn rest(report: &mut Report<'_>) {
    let (set, batch, classes) = (InstructionSet::chosen(), 256, 1000);
    let all = bytes(&[batch, classes]);
    report.case("cross-entropy", "256 of 1000 classes", Work::Bytes { read: all, written: all }, || {
        let rng = &mut random();
        let logits = Maps::random(rng, [batch, classes, 1, 1]);
        let labels: Vec<u32> = (0..batch).map(|_| rng.random_range(0..classes as u32)).collect();
        let entropy = CrossEntropy { weight: 1.0 };
        let mut gradient = Maps::zeros([batch, classes, 1, 1]);
        entropy.run(set, &logits.view(), &smoothed(&labels), &mut gradient.data);
        gradient.check(rng, |[n, c, _, _]| {
            let total: f64 = (0..classes).map(|c| logits.at([n, c, 0, 0]).exp()).sum();
            let own = if labels[n] as usize == c { 0.9 } else { 0.0 };
            let mut terms = Terms::one(logits.at([n, c, 0, 0]).exp() / total / batch as f64);
            terms.add(-(own + 0.1 / classes as f64) / batch as f64);
            terms
        });
        Box::new(move || {
            let loss = entropy.run(set, &logits.view(), &smoothed(&labels), &mut gradient.data);
            std::hint::black_box(loss);
        })
    });

    let length = 1 << 22;
    let each = bytes(&[length]);
    let work = Work::Bytes { read: 3 * each, written: 2 * each };
    report.case("update", "sgd with momentum, 4 Mi weights", work, || {
        let rng = &mut random();
        let update = Update::Sgd(Sgd { learning_rate: 1e-3, momentum: 0.9, nesterov: false, weight_decay: 1e-4 });
        let (mut weights, gradient, mut velocity) = (numbers(rng, length), numbers(rng, length), numbers(rng, length));
        let before = [Buffer::from_slice(&weights), Buffer::from_slice(&velocity)];
        update.step(set, &mut weights, &gradient, [&mut velocity, &mut []]);
        for _ in 0..POSITIONS {
            let i = rng.random_range(0..length);
            let [w, v, g] = [before[0][i], before[1][i], gradient[i]].map(f64::from);
            let mut terms = Terms::one(w);
            terms.add(-1e-3 * (0.9 * v + g + 1e-4 * w));
            terms.hold(f64::from(weights[i]), &[i]);
        }
        Box::new(move || update.step(set, &mut weights, &gradient, [&mut velocity, &mut []]))
    });
    report.case("average", "4 Mi weights", Work::Bytes { read: 2 * each, written: each }, || {
        let rng = &mut random();
        let (mut slow, weights) = (numbers(rng, length), numbers(rng, length));
        let before = slow.clone();
        elementwise::average(&mut slow, &weights, 0.75);
        for _ in 0..POSITIONS {
            let i = rng.random_range(0..length);
            let mut terms = Terms::one(0.75 * f64::from(before[i]));
            terms.add(0.25 * f64::from(weights[i]));
            terms.hold(f64::from(slow[i]), &[i]);
        }
        Box::new(move || elementwise::average(&mut slow, &weights, 0.75))
    });
    report.case("squares", "4 Mi gradients", Work::Bytes { read: each, written: 0 }, || {
        let gradient = numbers(&mut random(), length);
        let plain: f64 = gradient.iter().map(|x| f64::from(*x).powi(2)).sum();
        let apart = (elementwise::sum_of_squares(&gradient) - plain).abs();
        assert!(apart <= 1e-12 * plain, "{apart} of {plain}");
        Box::new(move || {
            std::hint::black_box(elementwise::sum_of_squares(&gradient));
        })
    });
    let region = Region::new(8, 64, [112, 112]);
    let all = bytes(&[region.len()]);
    report.case("to_blocks", "64@112 batch 8", Work::Bytes { read: all, written: all }, || {
        let rng = &mut random();
        let maps = numbers(rng, region.len());
        let mut blocks = Maps::zeros([8, 64, 112, 112]);
        cnn_kernels::to_blocks(&maps, &mut blocks.data, &region);
        blocks.check(rng, |[n, c, y, x]| Terms::one(f64::from(maps[((n * 64 + c) * 112 + y) * 112 + x])));
        Box::new(move || cnn_kernels::to_blocks(&maps, &mut blocks.data, &region))
    });
}

fn smoothed(labels: &[u32]) -> Targets<'_> {
    Targets { smoothing: 0.1, ..Targets::new(labels) }
}
