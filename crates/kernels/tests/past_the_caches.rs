//! Results that are many are written past the caches: the same numbers as where they are few, or begin within a line, and all
//! of them there when a loop has ended.

use crate::common::{eighths, on_threads, random, sets, some};
use cnn_kernels::{Arrival, Buffer, Conv, Map, Moments, PAST, Pull, Region, Sink, Store, View, copy};

/// As many images as make results of 8 MiB.
const BATCH: usize = 4;
/// Not whole blocks.
const CHANNELS: usize = 24;
const SIZE: [usize; 2] = [128, 128];

/// Sends what it makes of some images to a region.
type Kernel<'k> = dyn Fn(Region, &[f32], &mut [f32]) + 'k;

/// Random numbers, where the lines of a cache begin.
fn numbers(seed: u64, count: usize) -> Buffer<f32> {
    let mut rng = random(seed);
    let few: Vec<f32> = (0..4099).map(|_| eighths(&mut rng) as f32).collect();
    let mut all = Buffer::zeros(count);
    all.iter_mut().enumerate().for_each(|(at, x)| *x = few[at % few.len()]);
    all
}

/// Holds what a kernel makes of many images at once to what it makes of each alone.
fn many_are_few(what: &str, images: &[f32], kernel: &Kernel<'_>) {
    let of = |batch| Region::new(batch, CHANNELS, SIZE);
    let (image, from) = (of(1).len(), images.len() / BATCH);
    let bytes = |batch: usize| batch * image * size_of::<f32>();
    assert!((bytes(1)..=bytes(BATCH)).contains(&PAST) && bytes(1) < PAST, "{PAST} is not between");
    let nothing = || Buffer::from_slice(&vec![f32::NAN; BATCH * image + 1]);
    let (mut few, mut many, mut within) = (nothing(), nothing(), nothing());
    for (from, to) in images.chunks_exact(from).zip(few.chunks_exact_mut(image)) {
        kernel(of(1), from, to);
    }
    assert!(many.as_ptr().addr().is_multiple_of(64));
    kernel(of(BATCH), images, &mut many[..BATCH * image]);
    kernel(of(BATCH), images, &mut within[1..]);
    let few = &few[..BATCH * image];
    for (found, how) in [(&many[..BATCH * image], "many"), (&within[1..], "within a line")] {
        let differs = found.iter().zip(few).position(|(found, few)| found.to_bits() != few.to_bits());
        assert_eq!(differs, None, "{what}, {how}");
    }
    assert!(few.iter().all(|x| x.is_finite()) && few.iter().any(|x| *x != 0.0), "{what}");
}

#[test]
#[cfg_attr(miri, ignore = "millions of numbers")]
fn many_results_are_those_of_few() {
    let conv = |kernel: usize, stride: usize, [in_channels, out_channels]: [usize; 2]| Conv {
        in_channels,
        out_channels,
        groups: 1,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [kernel / 2; 2],
        dilation: [1, 1],
    };
    let images = numbers(1, BATCH * Region::new(1, 16, SIZE).len());
    let strided = numbers(2, BATCH * Region::new(1, 16, SIZE.map(|length| length / 2)).len());
    let gradients = numbers(3, BATCH * Region::new(1, CHANNELS, SIZE).len());
    let [scale, shift, floor] = [0.5, 0.25, 0.0].map(|x| vec![x; CHANNELS.next_multiple_of(16)]);
    for set in sets() {
        for count in some(&[2, 5, 1]) {
            let _threads = on_threads(count);
            let said = |what: &str| format!("{what}, {set:?}, {count} threads");
            for kernel in [1, 3] {
                let conv = conv(kernel, 1, [16, CHANNELS]);
                let weights = numbers(4, conv.weights());
                many_are_few(&said(&format!("{kernel}×{kernel}")), &images, &|region, from, to| {
                    let view = View::plain(from, Region::new(region.batch, 16, SIZE));
                    let mut moments = Moments::default();
                    let store = Store { moments: Some(&mut moments), ..Store::plain(to, region) };
                    conv.forward(set, &view, &weights, Sink::Store(store));
                    assert!(moments.variance.len() == CHANNELS && moments.variance.iter().all(|x| *x > 0.0));
                });
            }
            let conv = conv(3, 2, [CHANNELS, 16]);
            let weights = numbers(5, conv.weights());
            many_are_few(&said("the way back of every other pixel"), &strided, &|region, from, to| {
                let view = View::plain(from, Region::new(region.batch, 16, SIZE.map(|length| length / 2)));
                conv.backward_input(set, &view, &weights, Sink::Store(Store::plain(to, region)));
            });
            many_are_few(&said("pulled"), &gradients, &|region, from, to| {
                let map = Map::Affine { scale: &scale, shift: &shift, floor: &floor };
                let pull = Pull {
                    data: to,
                    region,
                    arrival: Arrival::Replace,
                    factor: Some(&scale),
                    through: Some(View { data: from, region, map }),
                    sums: None,
                };
                copy::copy(set, &View::plain(from, region), Sink::Pull(pull));
            });
        }
    }
}
