//! Convolutions, forward and backward.

use crate::maps::{Maps, POSITIONS, Terms, numbers, random};
use crate::report::{Report, Run, Work};
use cnn_kernels::narrow::bf16_available;
use cnn_kernels::{Algorithm, Conv, InstructionSet};
use rand::Rng;

/// A convolution of a network, at a batch size it is met with.
pub struct Layer {
    pub name: &'static str,
    batch: usize,
    pub channels: [usize; 2],
    groups: usize,
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
}

const fn layer(name: &'static str, batch: usize, channels: [usize; 2], size: usize, window: [usize; 3]) -> Layer {
    let [kernel, stride, padding] = window;
    Layer { name, batch, channels, groups: 1, size, kernel, stride, padding }
}

pub const LAYERS: &[Layer] = &[
    layer("resnet 7x7s2 3-64@224", 1, [3, 64], 224, [7, 2, 3]),
    layer("resnet 3x3 64@56", 4, [64, 64], 56, [3, 1, 1]),
    layer("resnet 3x3 128@28", 4, [128, 128], 28, [3, 1, 1]),
    layer("resnet 3x3 256@14", 4, [256, 256], 14, [3, 1, 1]),
    layer("resnet 3x3 512@7", 4, [512, 512], 7, [3, 1, 1]),
    layer("resnet 3x3s2 128-256@28", 4, [128, 256], 28, [3, 2, 1]),
    layer("resnet 1x1 256-64@56", 4, [256, 64], 56, [1, 1, 0]),
    layer("resnet 1x1 512-2048@7", 4, [512, 2048], 7, [1, 1, 0]),
    layer("resnet 1x1s2 256-512@56", 4, [256, 512], 56, [1, 2, 0]),
    layer("vgg 3x3 3-64@224", 1, [3, 64], 224, [3, 1, 1]),
    layer("vgg 3x3 512@28", 1, [512, 512], 28, [3, 1, 1]),
    layer("alexnet 11x11s4 3-64@224", 4, [3, 64], 224, [11, 4, 2]),
    layer("alexnet 5x5 64-192@27", 4, [64, 192], 27, [5, 1, 2]),
    layer("densenet 3x3 128-32@28", 4, [128, 32], 28, [3, 1, 1]),
    Layer { groups: 32, ..layer("resnext 3x3 128@56 in 32 groups", 4, [128, 128], 56, [3, 1, 1]) },
    layer("cifar 3x3 16@32", 64, [16, 16], 32, [3, 1, 1]),
    layer("lenet 5x5 6-16@14", 64, [6, 16], 14, [5, 1, 0]),
];

impl Layer {
    pub fn conv(&self) -> Conv {
        Conv {
            in_channels: self.channels[0],
            out_channels: self.channels[1],
            groups: self.groups,
            kernel: [self.kernel; 2],
            stride: [self.stride; 2],
            padding: [self.padding; 2],
            dilation: [1; 2],
        }
    }

    /// Shapes of the input and of the output.
    pub fn shapes(&self) -> [[usize; 4]; 2] {
        let [rows, columns] = self.conv().output([self.size; 2]).expect("the kernel fits");
        [[self.batch, self.channels[0], self.size, self.size], [self.batch, self.channels[1], rows, columns]]
    }

    /// Channels of either side in a group.
    pub fn group(&self) -> [usize; 2] {
        self.channels.map(|channels| channels / self.groups)
    }

    /// The position of the input that a tap of an output's window reads, along one axis.
    pub fn reads(&self, output: usize, tap: usize) -> Option<usize> {
        (output * self.stride + tap).checked_sub(self.padding).filter(|position| *position < self.size)
    }

    /// Taps of the kernel.
    pub fn taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let kernel = self.kernel;
        (0..kernel).flat_map(move |y| (0..kernel).map(move |x| [y, x]))
    }

    pub fn weight(&self, output: usize, input: usize, [y, x]: [usize; 2]) -> usize {
        ((output * self.group()[0] + input % self.group()[0]) * self.kernel + y) * self.kernel + x
    }

    /// By the definition; what an algorithm saves counts for it. Products with zeros between groups do not count.
    pub fn operations(&self) -> usize {
        let [_, [batch, outs, rows, columns]] = self.shapes();
        2 * batch * outs * rows * columns * self.group()[0] * self.kernel * self.kernel
    }

    fn work(&self) -> Work {
        Work::Flops(self.operations())
    }
}

/// All layers, forward and backward, and once more with products of `bf16`, as steps of training may have them; what those
/// compute is held against plain loops in `tests/bf16.rs`. What is said of speed is flops of the definition, so Winograd's
/// algorithm can come to more than the peak, which is that of `f32`.
pub fn all(report: &mut Report<'_>) {
    let bf16 = bf16_available(InstructionSet::chosen()).is_ok().then_some((" bf16", Algorithm::Bf16));
    for (numbers, how) in [("", Algorithm::Auto)].into_iter().chain(bf16) {
        for layer in LAYERS {
            report.case(&format!("forward{numbers}"), layer.name, layer.work(), || forward(layer, how));
        }
        // No network asks for the gradient of its images.
        for layer in LAYERS.iter().filter(|layer| layer.channels[0] > 3) {
            report.case(&format!("backward_input{numbers}"), layer.name, layer.work(), || backward_input(layer, how));
        }
        for layer in LAYERS {
            report
                .case(&format!("backward_weights{numbers}"), layer.name, layer.work(), || backward_weights(layer, how));
        }
    }
}

fn forward(layer: &'static Layer, how: Algorithm) -> Run {
    let (rng, conv, [from, to]) = (&mut random(), layer.conv(), layer.shapes());
    let (input, weights, mut output) = (Maps::random(rng, from), numbers(rng, conv.weights()), Maps::zeros(to));
    conv.forward(InstructionSet::chosen(), &input.view(), &weights, output.sink());
    output.check(rng, |[n, out, row, column]| {
        let mut terms = Terms::default();
        let [ins, outs] = layer.group();
        for c in out / outs * ins..(out / outs + 1) * ins {
            for tap in layer.taps() {
                if let (Some(y), Some(x)) = (layer.reads(row, tap[0]), layer.reads(column, tap[1])) {
                    terms.add(input.at([n, c, y, x]) * f64::from(weights[layer.weight(out, c, tap)]));
                }
            }
        }
        terms
    });
    Box::new(move || conv.forward_by(how, InstructionSet::chosen(), &input.view(), &weights, output.sink()))
}

fn backward_input(layer: &'static Layer, how: Algorithm) -> Run {
    let (rng, conv, [from, to]) = (&mut random(), layer.conv(), layer.shapes());
    let (gradient, weights, mut input) = (Maps::random(rng, to), numbers(rng, conv.weights()), Maps::zeros(from));
    conv.backward_input(InstructionSet::chosen(), &gradient.view(), &weights, input.sink());
    input.check(rng, |[n, c, y, x]| {
        // Outputs whose windows read a position, with the tap.
        let along = |position: usize, outputs: usize| -> Vec<[usize; 2]> {
            let pairs = (0..outputs).flat_map(|output| (0..layer.kernel).map(move |tap| [output, tap]));
            pairs.filter(|[output, tap]| layer.reads(*output, *tap) == Some(position)).collect()
        };
        let (rows, columns) = (along(y, to[2]), along(x, to[3]));
        let mut terms = Terms::default();
        let [ins, outs] = layer.group();
        for out in c / ins * outs..(c / ins + 1) * outs {
            for [row, down] in &rows {
                for [column, right] in &columns {
                    let weight = weights[layer.weight(out, c, [*down, *right])];
                    terms.add(gradient.at([n, out, *row, *column]) * f64::from(weight));
                }
            }
        }
        terms
    });
    Box::new(move || conv.backward_input_by(how, InstructionSet::chosen(), &gradient.view(), &weights, input.sink()))
}

fn backward_weights(layer: &'static Layer, how: Algorithm) -> Run {
    let (rng, conv, [from, to]) = (&mut random(), layer.conv(), layer.shapes());
    let (input, gradient, mut weights) = (Maps::random(rng, from), Maps::random(rng, to), numbers(rng, conv.weights()));
    conv.backward_weights(InstructionSet::chosen(), &input.view(), &gradient.view(), &mut weights);
    for _ in 0..POSITIONS {
        let out = rng.random_range(0..layer.channels[1]);
        let c = out / layer.group()[1] * layer.group()[0] + rng.random_range(0..layer.group()[0]);
        let tap = [rng.random_range(0..layer.kernel), rng.random_range(0..layer.kernel)];
        let mut terms = Terms::default();
        for n in 0..to[0] {
            for row in 0..to[2] {
                for column in 0..to[3] {
                    if let (Some(y), Some(x)) = (layer.reads(row, tap[0]), layer.reads(column, tap[1])) {
                        terms.add(input.at([n, c, y, x]) * gradient.at([n, out, row, column]));
                    }
                }
            }
        }
        terms.hold(f64::from(weights[layer.weight(out, c, tap)]), &[out, c, tap[0], tap[1]]);
    }
    Box::new(move || {
        conv.backward_weights_by(how, InstructionSet::chosen(), &input.view(), &gradient.view(), &mut weights);
    })
}
