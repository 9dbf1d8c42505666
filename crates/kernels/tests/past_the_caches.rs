//! Results that are many are written past the caches: the same numbers as where they are few, and all of them there when a
//! loop has ended.

use crate::common::{alone, eighths, random, sets};
use cnn_kernels::{Arrival, Buffer, Conv, Map, Pull, Region, Sink, Store, View, copy, threads};

/// As many images as make results of 8 MiB.
const BATCH: usize = 4;
const CHANNELS: usize = 32;
const SIZE: [usize; 2] = [128, 128];

/// Random numbers, where the lines of a cache begin.
fn numbers(seed: u64, count: usize) -> Buffer<f32> {
    let mut rng = random(seed);
    let few: Vec<f32> = (0..4099).map(|_| eighths(&mut rng) as f32).collect();
    let mut all = Buffer::zeros(count);
    all.iter_mut().enumerate().for_each(|(at, x)| *x = few[at % few.len()]);
    all
}

/// Sends what it makes of some images to a region.
type Kernel<'k> = dyn Fn(Region, &[f32], &mut [f32]) + 'k;

/// What a kernel makes of images of this many numbers: of all at once, and of each alone.
fn many_and_few(kernel: &Kernel<'_>, images: &[f32]) -> [Buffer<f32>; 2] {
    let of = |batch| Region::new(batch, CHANNELS, SIZE);
    let (image, from) = (of(1).len(), images.len() / BATCH);
    let [mut many, mut few] = [(); 2].map(|()| Buffer::from_slice(&vec![f32::NAN; BATCH * image]));
    kernel(of(BATCH), images, &mut many);
    for (from, to) in images.chunks_exact(from).zip(few.chunks_exact_mut(image)) {
        kernel(of(1), from, to);
    }
    [many, few]
}

#[test]
#[cfg_attr(miri, ignore = "millions of numbers")]
fn many_results_are_those_of_few() {
    let _alone = alone();
    let before = threads::threads();
    let one = |kernel| Conv {
        in_channels: 16,
        out_channels: CHANNELS,
        groups: 1,
        kernel: [kernel; 2],
        stride: [1, 1],
        padding: [kernel / 2; 2],
        dilation: [1, 1],
    };
    let images = numbers(1, BATCH * Region::new(1, 16, SIZE).len());
    let gradients = numbers(2, BATCH * Region::new(1, CHANNELS, SIZE).len());
    let (scale, shift, floor) = (vec![0.5; CHANNELS], vec![0.25; CHANNELS], vec![0.0; CHANNELS]);
    for set in sets() {
        for count in [1, 2, 5] {
            threads::set_threads(count);
            for kernel in [1, 3] {
                let conv = one(kernel);
                let weights = numbers(3, conv.weights());
                let found = many_and_few(
                    &|region, from, to| {
                        let view = View::plain(from, Region::new(region.batch, 16, SIZE));
                        conv.forward(set, &view, &weights, Sink::Store(Store::plain(to, region)));
                    },
                    &images,
                );
                assert_same(&found, &format!("{kernel}×{kernel}, {set:?}, {count} threads"));
            }
            let pulled = many_and_few(
                &|region, from, to| {
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
                },
                &gradients,
            );
            assert_same(&pulled, &format!("pulled, {set:?}, {count} threads"));
        }
    }
    threads::set_threads(before);
}

fn assert_same([many, few]: &[Buffer<f32>; 2], what: &str) {
    let differs = many.iter().zip(few.iter()).position(|(many, few)| many.to_bits() != few.to_bits());
    assert_eq!(differs, None, "{what}");
    assert!(many.iter().all(|x| x.is_finite()) && many.iter().any(|x| *x != 0.0), "{what}");
}
