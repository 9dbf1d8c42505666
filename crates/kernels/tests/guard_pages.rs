//! No kernel reads or writes beside the memory it is given: every buffer ends at a page that may not be touched, or
//! begins behind one, so a single number too far ends the test.

#![cfg(all(unix, not(miri)))]

use crate::common;
use crate::common::guarded::{Guarded, Side};
use crate::common::{Kernel, Kind, Maps, Seen, batch, cast, channels, many, one_of, region, size};
use cnn_kernels::activation::{Activation, multiply};
use cnn_kernels::copy::{Channels, concat, copy, gather, sum};
use cnn_kernels::flatten::{flatten, unflatten};
use cnn_kernels::loss::{CrossEntropy, Targets};
use cnn_kernels::moments::{channel_sums, moments};
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::update::{AdamW, RmsProp, Sgd, Update};
use cnn_kernels::{
    Algorithm, Arrival, Conv, Element, InstructionSet, Linear, Lrn, Map, Moments, Pull, Region, Sink, Store, Sums,
    View, from_blocks, to_blocks,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A random view, all of whose memory is guarded.
struct Held<T> {
    data: Guarded<T>,
    region: Region,
    entries: Vec<Guarded<T>>,
    other: Option<(Guarded<T>, Region)>,
    planar: bool,
}

impl<T: Element> Held<T> {
    fn random(rng: &mut ChaCha8Rng, side: Side, shape: [usize; 4]) -> Self {
        Self::new(Seen::random(rng, shape), side)
    }

    fn new(seen: Seen<T>, side: Side) -> Self {
        let guard = |entries: &[Vec<T>; 3]| entries.iter().map(|entries| Guarded::new(entries, side)).collect();
        let (entries, other) = match &seen.kind {
            Kind::Identity | Kind::Planar => (Vec::new(), None),
            Kind::Affine(entries) => (guard(entries), None),
            Kind::Mix { entries, other, region } => (guard(entries), Some((Guarded::new(other, side), *region))),
        };
        let planar = matches!(seen.kind, Kind::Planar);
        Self { data: Guarded::new(&seen.data, side), region: seen.region, entries, other, planar }
    }

    fn view(&self) -> View<'_, T> {
        let map = match (&*self.entries, &self.other) {
            ([scale, other_scale, shift], Some((other, other_region))) => {
                Map::Mix { scale, other, other_region: *other_region, other_scale, shift }
            }
            ([scale, shift, floor], None) => Map::Affine { scale, shift, floor },
            _ if self.planar => Map::Planar,
            _ => Map::Identity,
        };
        View { data: &self.data, region: self.region, map }
    }
}

/// Gives a kernel each kind of sink over guarded memory; `moments` says whether it takes those of what it stores.
fn sinks<T: Element>(
    rng: &mut ChaCha8Rng,
    side: Side,
    shape: [usize; 4],
    moments: bool,
    mut kernel: impl FnMut(Sink<'_, T>),
) {
    each_sink(rng, side, shape, moments, &mut kernel);
}

fn each_sink<T: Element>(rng: &mut ChaCha8Rng, side: Side, shape: [usize; 4], moments: bool, kernel: Kernel<'_, T>) {
    let region = region(rng, shape);
    let empty = vec![T::NAN; region.len()];
    let mut data = Guarded::new(&empty, side);
    let bias = rng.random_bool(0.5).then(|| Guarded::new(&cast::<T>(&many(rng, shape[1])), side));
    let floor = rng.random_bool(0.3).then_some(T::ZERO);
    let mut sums = (moments && rng.random_bool(0.5)).then(Moments::default);
    kernel(Sink::Store(Store { data: &mut data, region, bias: bias.as_deref(), floor, moments: sums.as_mut() }));
    for n in 0..region.batch {
        let image = &data[region.at(n, 0, 0, 0)..][..region.blocks() * region.pixels() * cnn_kernels::LANES];
        assert!(image.iter().all(|x| !x.to_f64().is_nan()), "{region:?}: not all is written");
    }

    let raw = Maps::zeros(shape);
    let mut data = Guarded::new(&common::lay::<T>(&region, &raw), side);
    let factor = rng.random_bool(0.5).then(|| Guarded::new(&vec![T::ONE; region.padded_channels()], side));
    let through = rng.random_bool(0.7).then(|| Held::<T>::random(rng, side, shape));
    let mut sums = through.as_ref().map(|_| Sums { centre: many(rng, shape[1]), ..Sums::default() });
    let sink = Sink::Pull(Pull {
        data: &mut data,
        region,
        arrival: one_of(rng, &[Arrival::Replace, Arrival::Add, Arrival::Finish, Arrival::Count]),
        factor: factor.as_deref(),
        through: through.as_ref().map(Held::view),
        sums: sums.as_mut(),
    });
    // A gradient passes back through no view that mixes two buffers, nor through pictures.
    match through.as_ref().is_some_and(|held| held.other.is_some() || held.planar) {
        true => assert!(catch_unwind(AssertUnwindSafe(|| kernel(sink))).is_err(), "no way back"),
        false => kernel(sink),
    }
}

/// Numbers for a kernel to overwrite.
fn blank<T: Element>(len: usize, side: Side) -> Guarded<T> {
    Guarded::new(&vec![T::NAN; len], side)
}

fn weights<T: Element>(rng: &mut ChaCha8Rng, len: usize, side: Side) -> Guarded<T> {
    Guarded::new(&cast(&many(rng, len)), side)
}

fn shape(rng: &mut ChaCha8Rng) -> [usize; 4] {
    let [height, width] = size(rng);
    [batch(rng), channels(rng), height, width]
}

fn pair(rng: &mut ChaCha8Rng, values: &[usize]) -> [usize; 2] {
    [one_of(rng, values), one_of(rng, values)]
}

fn convolutions<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let groups = one_of(rng, &[1, 1, 1, 2, 5]);
    let (ins, outs) = match groups {
        1 => (channels(rng), channels(rng)),
        _ => (groups * rng.random_range(1..9), groups * rng.random_range(1..9)),
    };
    // Half of them as networks have them: three by three, by one.
    let plain = rng.random_bool(0.5);
    let kernel = if plain { one_of(rng, &[[3, 3], [3, 3], [1, 1]]) } else { pair(rng, &[1, 2, 3, 5]) };
    let conv = Conv {
        in_channels: ins,
        out_channels: outs,
        groups,
        kernel,
        stride: if plain { [1, 1] } else { pair(rng, &[1, 2, 3]) },
        padding: if plain { [kernel[0] / 2; 2] } else { pair(rng, &[0, 1, 2, 6]) },
        dilation: if plain { [1, 1] } else { pair(rng, &[1, 1, 2]) },
    };
    let (batch, size) = (batch(rng), size(rng));
    let Some([rows, columns]) = conv.output(size) else { return };
    let (from, to) = ([batch, ins, size[0], size[1]], [batch, outs, rows, columns]);
    let (input, gradient) = (Held::<T>::random(rng, side, from), Held::<T>::random(rng, side, to));
    let w = weights(rng, conv.weights(), side);
    let one_phase = conv.stride == [1, 1];
    let winograd = [conv.groups, conv.kernel[0]] == [1, conv.kernel[1]]
        && [3, 5].contains(&kernel[0])
        && [conv.stride, conv.dilation] == [[1, 1]; 2];
    let narrow = [Some(Algorithm::DirectBf16), winograd.then_some(Algorithm::WinogradBf16)];
    for how in [Algorithm::Auto].into_iter().chain(narrow.into_iter().flatten()) {
        sinks(rng, side, to, true, |sink| conv.forward_by(how, set, &input.view(), &w, sink));
        sinks(rng, side, from, one_phase, |sink| conv.backward_input_by(how, set, &gradient.view(), &w, sink));
        let mut sums = blank(conv.weights(), side);
        conv.backward_weights_by(how, set, &input.view(), &gradient.view(), &mut sums);
    }
}

fn layers<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let length = |rng: &mut ChaCha8Rng| if rng.random_bool(0.2) { rng.random_range(250..530) } else { channels(rng) };
    let linear = Linear { in_features: length(rng), out_features: length(rng) };
    let batch = one_of(rng, &[0, 1, 2, 3, 7, 65]);
    let (from, to) = ([batch, linear.in_features, 1, 1], [batch, linear.out_features, 1, 1]);
    let (input, gradient) = (Held::<T>::random(rng, side, from), Held::<T>::random(rng, side, to));
    let mut w = weights(rng, linear.weights(), side);
    sinks(rng, side, to, true, |sink| linear.forward(set, &input.view(), &w, sink));
    sinks(rng, side, from, true, |sink| linear.backward_input(set, &gradient.view(), &w, sink));
    linear.backward_weights(set, &input.view(), &gradient.view(), &mut blank(w.len(), side));
    linear.backward_bias(set, &gradient.view(), &mut blank(linear.out_features, side));
    let update = rule(rng);
    let [mut first, mut second] = update.needs().map(|needed| blank(if needed { w.len() } else { 0 }, side));
    let memory = [&mut *first, &mut *second];
    linear.backward_weights_with(set, &input.view(), &gradient.view(), &mut w, memory, &|w, memory, gradient| {
        update.step_part(set, w, gradient, memory);
    });
}

fn rule(rng: &mut ChaCha8Rng) -> Update {
    let momentum = one_of(rng, &[0.0, 0.9]);
    match rng.random_range(0..4) {
        0 => {
            Update::AdamW(AdamW { learning_rate: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-3, weight_decay: 0.1, step: 1 })
        }
        1 => Update::RmsProp(RmsProp { learning_rate: 0.01, alpha: 0.9, eps: 1e-3, momentum, weight_decay: 0.1 }),
        _ => Update::Sgd(Sgd { learning_rate: 0.1, momentum, nesterov: true, weight_decay: 0.1 }),
    }
}

fn pools<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let from = shape(rng);
    let max = Max {
        kernel: pair(rng, &[1, 2, 3, 5]),
        stride: pair(rng, &[1, 2, 3]),
        padding: pair(rng, &[0, 1, 2]),
        dilation: pair(rng, &[1, 1, 2]),
    };
    let windows = |axis: usize| (from[axis + 2] + 2 * max.padding[axis]).div_ceil(max.stride[axis]);
    let to = [from[0], from[1], windows(0), windows(1)];
    let (input, gradient) = (Held::<T>::random(rng, side, from), Held::<T>::random(rng, side, to));
    let own = Region::new(to[0], to[1], [to[2], to[3]]);
    let mut winners = Guarded::new(&vec![0xffu8; own.len()], side);
    sinks(rng, side, to, false, |sink| max.forward(set, &input.view(), sink, &mut winners));
    sinks(rng, side, from, true, |sink| max.backward(set, &gradient.view(), &winners, sink));

    let counts = [rng.random_range(1..6), rng.random_range(1..6)];
    let average = match rng.random_bool(0.3) {
        true => Average::global([from[2], from[3]]),
        false => Average {
            spans: [0, 1].map(|axis| {
                let (length, count) = (from[axis + 2], counts[axis]);
                let bounds = |o: usize| (o * length / count, ((o + 1) * length).div_ceil(count));
                (0..count).map(bounds).map(|(start, end)| Span { start, end, divisor: end - start }).collect()
            }),
        },
    };
    let to = [from[0], from[1], average.spans[0].len(), average.spans[1].len()];
    let gradient = Held::<T>::random(rng, side, to);
    sinks(rng, side, to, true, |sink| average.forward(set, &input.view(), sink));
    sinks(rng, side, from, true, |sink| average.backward(set, &gradient.view(), sink));
}

fn copies<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let shape = shape(rng);
    let [batch, _, height, width] = shape;
    let inputs: Vec<_> = (0..3).map(|_| Held::<T>::random(rng, side, shape)).collect();
    let views: Vec<_> = inputs.iter().map(Held::view).collect();
    sinks(rng, side, shape, true, |sink| copy(set, &views[0], sink));
    let count = rng.random_range(1..4);
    sinks(rng, side, shape, true, |sink| sum(set, &views[..count], sink));

    let other = [batch, channels(rng), height, width];
    let more = Held::<T>::random(rng, side, other);
    let all = [batch, shape[1] + other[1], height, width];
    sinks(rng, side, all, true, |sink| concat(set, &[views[0], more.view()], sink));
    let count = rng.random_range(0..=shape[1].min(other[1]));
    let (from, to) = (rng.random_range(0..=shape[1] - count), rng.random_range(0..=other[1] - count));
    let range = Channels { view: views[1], from, to, count };
    sinks(rng, side, other, true, |sink| gather(set, &[range], sink));

    let own = Region::new(batch, shape[1], [height, width]);
    let mask = weights::<T>(rng, own.len(), side);
    sinks(rng, side, shape, true, |sink| multiply(set, &views[0], &mask, sink));

    let vectors = [batch, shape[1] * height * width, 1, 1];
    let region = region(rng, vectors);
    flatten(set, &views[0], &mut blank(region.len(), side), &region);
    let gradient = Held::<T>::random(rng, side, vectors);
    sinks(rng, side, shape, true, |sink| unflatten(set, &gradient.view(), sink));

    let maps = weights::<T>(rng, shape.iter().product(), side);
    let mut blocks = blank(own.len(), side);
    to_blocks(&maps, &mut blocks, &own);
    let mut back = blank(maps.len(), side);
    from_blocks(&blocks, &own, &mut back);
    assert_eq!(*maps, *back);
}

fn functions<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let shape = shape(rng);
    let (input, gradient) = (Held::<T>::random(rng, side, shape), Held::<T>::random(rng, side, shape));
    let tanh = Activation::Tanh { amplitude: 1.7159, slope: 2.0 / 3.0 };
    for activation in [Activation::Sigmoid, tanh, Activation::Softmax] {
        sinks(rng, side, shape, true, |sink| activation.forward(set, &input.view(), sink));
        sinks(rng, side, shape, true, |sink| activation.backward(set, &input.view(), &gradient.view(), sink));
    }
    let lrn = Lrn { size: rng.random_range(1..8), alpha: 0.01, beta: one_of(rng, &[0.75, 0.5]), k: 2.0 };
    sinks(rng, side, shape, true, |sink| lrn.forward(set, &input.view(), sink));
    sinks(rng, side, shape, true, |sink| lrn.backward(set, &input.view(), &gradient.view(), sink));
    moments(set, &input.view());
    channel_sums(set, &input.view());

    let logits = Held::<T>::random(rng, side, [shape[0], shape[1], 1, 1]);
    let labels: Vec<u32> = (0..shape[0]).map(|_| rng.random_range(0..shape[1] as u32)).collect();
    let labels = Guarded::new(&labels, side);
    let mut seed = blank(shape[0] * logits.region.padded_channels(), side);
    let targets = Targets { labels: &labels, mixed: Some((&labels, 0.3)), smoothing: 0.1 };
    CrossEntropy { weight: 1.0 }.run(set, &logits.view(), &targets, &mut seed);

    let length = one_of(rng, &[0, 1, 15, 16, 17, 100, 16385]);
    let (mut w, g) = (weights::<T>(rng, length, side), weights::<T>(rng, length, side));
    let update = rule(rng);
    let [mut first, mut second] = update.needs().map(|needed| blank(if needed { length } else { 0 }, side));
    update.step(set, &mut w, &g, [&mut first, &mut second]);
}

/// On two threads, whatever the test before has left.
macro_rules! guarded {
    ($($test:ident $count:literal $problem:ident)*) => {
        $(#[test]
        fn $test() {
            let _threads = common::on_threads(2);
            on_all!($count, $problem);
        })*
    };
}

guarded! {
    convolutions_stay_within_their_memory 150 convolutions
    layers_stay_within_their_memory 60 layers
    pools_stay_within_their_memory 80 pools
    copies_stay_within_their_memory 60 copies
    functions_stay_within_their_memory 50 functions
}

/// What all of the above rests on: a step beside a buffer ends the process.
#[test]
fn the_guards_guard() {
    for (side, offset) in [(Side::End, 100), (Side::Start, -1)] {
        let buffer = Guarded::new(&[1.0f32; 100], side);
        // SAFETY: the child does nothing but read, and end; what it reads is meant to be out of bounds.
        let child = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                libc::signal(libc::SIGBUS, libc::SIG_DFL);
                std::hint::black_box(buffer.as_ptr().offset(offset).read_volatile());
                libc::_exit(0);
            }
            child
        };
        assert!(child > 0, "{}", std::io::Error::last_os_error());
        let mut status = 0;
        // SAFETY: a wait for our own child.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFSIGNALED(status), "{side:?}: a read beside the buffer went unnoticed");
    }
}
