//! No narrow kernel reads or writes beside the memory it is given.

#![cfg(all(unix, not(miri)))]

use crate::common::guarded::{Guarded, Side};
use crate::common::narrow::{Number, lay_narrow, random_map};
use crate::common::{batch, channels, fewer, on_threads, one_of, random, region, sets, size};
use cnn_kernels::narrow::{Addend, Finish, Origin, Pool, ReadMap, Source, Target, bf16, transfer};
use cnn_kernels::pool::{Average, Max};
use cnn_kernels::{Conv, InstructionSet, Region, View};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Narrow maps all of whose memory is guarded.
struct Held<F> {
    data: Guarded<F>,
    region: Region,
    map: Option<(Guarded<f32>, Guarded<f32>, f32)>,
}

impl<F: Number> Held<F> {
    fn random(rng: &mut ChaCha8Rng, side: Side, shape: [usize; 4]) -> Self {
        let (region, maps) = (region(rng, shape), F::maps(rng, shape));
        let map = rng.random_bool(0.3).then(|| {
            let (scale, shift, floor) = random_map::<F>(rng, &region);
            (Guarded::new(&scale, side), Guarded::new(&shift, side), floor)
        });
        Self { data: Guarded::new(&lay_narrow(rng, &region, &maps), side), region, map }
    }

    fn source(&self) -> Source<'_, F> {
        let map = self.map.as_ref().map(|(scale, shift, floor)| ReadMap { scale, shift, floor: *floor });
        Source { data: &self.data, region: self.region, zero: F::default(), map }
    }
}

/// Gives a kernel both kinds of targets over guarded memory.
fn targets<F: Number>(
    rng: &mut ChaCha8Rng,
    side: Side,
    shape: [usize; 4],
    kernel: &dyn Fn(Target<'_, F>, &Finish<'_, F>),
) {
    let target = region(rng, shape);
    let entries = |rng: &mut ChaCha8Rng| Guarded::new(&F::scales(rng, shape[1]), side);
    let (scale, bias) = (entries(rng), entries(rng));
    let added = Held::<F>::random(rng, side, shape);
    let addend = Addend { data: &added.data, region: added.region, factor: 0.5 };
    let finish = Finish {
        scale: rng.random_bool(0.5).then_some(&*scale),
        bias: rng.random_bool(0.5).then_some(&*bias),
        addend: rng.random_bool(0.5).then_some(addend),
        floor: None,
    };
    kernel(Target::Narrow(&mut Guarded::new(&vec![F::default(); target.len()], side), target), &finish);
    kernel(Target::Wide(&mut Guarded::new(&vec![0.0; target.len()], side), target), &finish);
}

fn all<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let pair = |rng: &mut ChaCha8Rng, values: &[usize]| [one_of(rng, values), one_of(rng, values)];
    let groups = one_of(rng, &[1, 1, 1, 2, 5]);
    let (ins, outs) = match groups {
        1 => (channels(rng), channels(rng)),
        _ => (groups * rng.random_range(1..9), groups * rng.random_range(1..9)),
    };
    let plain = rng.random_bool(0.4);
    let conv = Conv {
        in_channels: ins,
        out_channels: outs,
        groups,
        kernel: if plain { [1, 1] } else { pair(rng, &[1, 2, 3, 5]) },
        stride: if plain { [1, 1] } else { pair(rng, &[1, 2, 3]) },
        padding: if plain { [0, 0] } else { pair(rng, &[0, 1, 2, 6]) },
        dilation: pair(rng, &[1, 1, 2]),
    };
    let (batch, size) = (batch(rng), size(rng));
    let from = [batch, ins, size[0], size[1]];
    let held = Held::<F>::random(rng, side, from);
    if let Some([rows, columns]) = conv.output(size) {
        let own: Vec<F::Weight> = (0..conv.weights()).map(|_| F::random_weight(rng)).collect();
        let weights = F::pack(&conv, set, &own);
        let needed = vec![f32::NAN; weights.workspace(&held.region)];
        targets::<F>(rng, side, [batch, outs, rows, columns], &|target, finish| {
            weights.convolve(held.source(), target, finish, &mut Guarded::new(&needed, side));
        });
    }
    let pool = Max {
        kernel: pair(rng, &[1, 2, 3]),
        stride: pair(rng, &[1, 2, 3]),
        padding: pair(rng, &[0, 1, 2]),
        dilation: pair(rng, &[1, 1, 2]),
    };
    // As many as begin in the map, of which the last may hold nothing, or as many as lie within it and its padding.
    let overhanging = rng.random_bool(0.5);
    let windows = [0, 1].map(|axis| {
        let (length, covered) = (size[axis] + 2 * pool.padding[axis], pool.dilation[axis] * (pool.kernel[axis] - 1));
        if overhanging {
            length.div_ceil(pool.stride[axis])
        } else {
            length.saturating_sub(covered).div_ceil(pool.stride[axis])
        }
    });
    targets::<F>(rng, side, [batch, ins, windows[0], windows[1]], &|target, finish| {
        Pool::max(&pool, size, windows).unwrap().run(set, held.source(), target, finish);
    });
    targets::<F>(rng, side, [batch, ins, 1, 1], &|target, finish| {
        Pool::average(&Average::global(size), size).unwrap().run(set, held.source(), target, finish);
    });
    targets::<F>(rng, side, from, &|target, finish| transfer(set, Origin::Narrow(held.source()), target, finish));
    let wide = region(rng, from);
    let numbers = Guarded::new(&vec![0.5; wide.len()], side);
    targets::<F>(rng, side, from, &|target, finish| {
        transfer(set, Origin::Wide(View::plain(&numbers, wide)), target, finish);
    });
}

#[test]
fn narrow_kernels_stay_within_their_memory() {
    let _threads = on_threads(2);
    for set in sets() {
        for seed in 0..fewer(100) {
            all::<bf16>(set, &mut random(seed));
            all::<u8>(set, &mut random(seed));
        }
    }
}
