//! Laws of the loader.

use cnn_data::{Augmentation, Batch, Erasing, Error, Fit, Flip, Images, Loader, Mix, PaddedCrop, Preparation, Step};

/// Image `i` of `count` has every pixel `i` and the label `i`.
fn numbered(count: u8) -> Images {
    let pixels = (0..count).flat_map(|index| [index; 6]).collect();
    Images::new([1, 2, 3], pixels, (0..u32::from(count)).collect()).unwrap()
}

fn plain() -> Preparation {
    Preparation { fit: Fit::None, mean: vec![0.0], std: vec![1.0 / 255.0] }
}

fn all(batches: cnn_data::Batches) -> Vec<Batch> {
    batches.map(|batch| batch.unwrap()).collect()
}

fn order(batches: &[Batch]) -> Vec<usize> {
    batches.iter().flat_map(|batch| batch.indices.clone()).collect()
}

fn values(batches: &[Batch]) -> Vec<f32> {
    batches.iter().flat_map(|batch| batch.images.clone()).collect()
}

#[test]
fn every_image_comes_once_with_its_label() {
    let images = numbered(23);
    let loader = Loader::new(&images, plain(), 5).unwrap();
    for batches in [all(loader.epoch(3, 0)), all(loader.in_order())] {
        assert_eq!(batches.iter().map(|batch| batch.indices.len()).collect::<Vec<_>>(), [5, 5, 5, 5, 3]);
        for batch in &batches {
            let count = batch.indices.len();
            assert_eq!((batch.images.len(), batch.labels.len(), batch.shape), (count * 6, count, [1, 2, 3]));
            let labels: Vec<u32> = batch.indices.iter().map(|index| *index as u32).collect();
            assert_eq!(batch.labels, labels);
            for (value, index) in values(std::slice::from_ref(batch)).chunks(6).zip(&batch.indices) {
                assert!(value.iter().all(|value| (value - *index as f32).abs() < 1e-4));
            }
        }
        let mut seen = order(&batches);
        seen.sort_unstable();
        assert_eq!(seen, (0..23).collect::<Vec<_>>());
    }
    assert_eq!(order(&all(loader.in_order())), (0..23).collect::<Vec<_>>());
}

#[test]
fn the_order_is_a_function_of_seed_and_epoch() {
    let images = numbered(50);
    let loader = Loader::new(&images, plain(), 8).unwrap();
    let pass = |seed, epoch| order(&all(loader.epoch(seed, epoch)));
    assert_eq!(pass(1, 2), pass(1, 2));
    assert_ne!(pass(1, 2), pass(1, 3));
    assert_ne!(pass(1, 2), pass(2, 2));
    assert_ne!(pass(1, 2), (0..50).collect::<Vec<_>>());
    // The size of a batch changes where the order is cut, not the order.
    let other = Loader::new(&images, plain(), 50).unwrap();
    assert_eq!(order(&all(other.epoch(1, 2))), pass(1, 2));
}

#[test]
fn a_partial_batch_can_be_left_out() {
    let images = numbered(23);
    let loader = Loader::new(&images, plain(), 5).unwrap();
    assert_eq!((loader.len(), loader.epoch(0, 0).len()), (5, 5));
    let loader = loader.whole_batches();
    assert_eq!((loader.len(), loader.epoch(0, 0).len(), all(loader.epoch(0, 0)).len()), (4, 4, 4));
    assert!(Loader::new(&numbered(3), plain(), 5).unwrap().whole_batches().is_empty());
}

#[test]
fn the_numbers_do_not_depend_on_the_number_of_threads() {
    let data = cnn_data::digits(cnn_data::DigitsConfig { seed: 0, train: 100, test: 0 }).unwrap();
    let preparation = Preparation::of(data.train()).unwrap().fitted(Fit::resize([61, 17]));
    let loader = Loader::new(data.train(), preparation, 64).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| values(&all(loader.epoch(0, 0))))
    };
    assert_eq!(run(1), run(7));
}

/// Moves, flips and mixes.
fn augmentation() -> Augmentation {
    let steps = vec![Step::PaddedCrop(PaddedCrop { padding: 2 }), Step::Flip(Flip::default())];
    Augmentation { steps, erasing: Some(Erasing::default()), mix: Mix { mixup: Some(0.4), cutmix: Some(1.0) } }
}

#[test]
fn augmented_numbers_depend_on_seed_epoch_and_image_alone() {
    let data = cnn_data::digits(cnn_data::DigitsConfig { seed: 0, train: 60, test: 0 }).unwrap();
    let preparation = Preparation::of(data.train()).unwrap();
    let pass = |batch_size, threads, augmentation: Augmentation, epoch| {
        let loader =
            Loader::new(data.train(), preparation.clone(), batch_size).unwrap().augmented(augmentation).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| values(&all(loader.epoch(3, epoch))))
    };
    assert_eq!(pass(16, 1, augmentation(), 0), pass(16, 7, augmentation(), 0));
    let alone = || Augmentation { mix: Mix::default(), ..augmentation() };
    // What is done to single images is the same whatever batch they are in.
    assert_eq!(pass(16, 2, alone(), 0), pass(60, 2, alone(), 0));
    assert_ne!(pass(16, 2, alone(), 0), pass(16, 2, alone(), 1));
    assert_ne!(pass(16, 2, alone(), 0), pass(16, 2, Augmentation::default(), 0));
}

#[test]
fn evaluation_is_never_augmented() {
    let data = cnn_data::digits(cnn_data::DigitsConfig { seed: 0, train: 20, test: 0 }).unwrap();
    let preparation = Preparation::of(data.train()).unwrap();
    let plain = Loader::new(data.train(), preparation, 8).unwrap();
    let augmented = plain.clone().augmented(augmentation()).unwrap();
    assert_eq!(values(&all(plain.in_order())), values(&all(augmented.in_order())));
    assert!(all(augmented.in_order()).iter().all(|batch| batch.mixed.is_none()));
}

#[test]
fn a_pass_can_go_on_in_the_middle() {
    let data = cnn_data::digits(cnn_data::DigitsConfig { seed: 0, train: 50, test: 0 }).unwrap();
    let preparation = Preparation::of(data.train()).unwrap();
    let loader = Loader::new(data.train(), preparation, 8).unwrap().augmented(augmentation()).unwrap();
    let whole = all(loader.epoch(5, 2));
    for from in [0, 1, 4, 6] {
        let rest = all(loader.epoch(5, 2).skip_to(from));
        assert_eq!((order(&rest), values(&rest)), (order(&whole[from..]), values(&whole[from..])));
    }
    assert_eq!(loader.epoch(5, 2).skip_to(5).len(), 2);
    assert_eq!(loader.epoch(5, 2).skip_to(99).count(), 0);
}

#[test]
fn mixing_is_a_weighted_sum_of_images_and_labels() {
    // Large enough that a rectangle has pixels.
    let pixels = (0..40).flat_map(|index| [index; 64]).collect();
    let images = Images::new([1, 8, 8], pixels, (0..40).collect()).unwrap();
    for mix in [Mix { mixup: Some(0.7), cutmix: None }, Mix { mixup: None, cutmix: Some(0.7) }] {
        let loader = Loader::new(&images, plain(), 8).unwrap();
        let loader = loader.augmented(Augmentation { mix, ..Augmentation::default() }).unwrap();
        let mut shares = Vec::new();
        for batch in all(loader.epoch(1, 1)) {
            let mixed = batch.mixed.clone().unwrap();
            let (own, other) = (batch.labels.clone(), mixed.labels);
            assert_eq!(other, [&own[7..], &own[..7]].concat());
            for ((value, own), other) in values(std::slice::from_ref(&batch)).chunks(64).zip(&own).zip(&other) {
                // A pixel of image i is i: the mean says how much of each is there.
                let mean = value.iter().sum::<f32>() / 64.0;
                let expected = mixed.share * f64::from(*own) + (1.0 - mixed.share) * f64::from(*other);
                assert!((f64::from(mean) - expected).abs() < 1e-3, "{mix:?}: {mean} {expected}");
            }
            shares.push(mixed.share);
        }
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(shares.iter().any(|share| *share != shares[0]));
    }
}

#[test]
fn an_alternating_flip_shows_both_sides_in_two_epochs() {
    let pixels = (0..40).flat_map(|_| [1, 2, 3]).collect();
    let images = Images::new([1, 1, 3], pixels, (0..40).collect()).unwrap();
    let augmentation = "alternating-flip".parse().unwrap();
    let loader = Loader::new(&images, plain(), 7).unwrap().augmented(augmentation).unwrap();
    let turned = |epoch| {
        let mut turned = vec![false; 40];
        for batch in all(loader.epoch(3, epoch)) {
            for (index, value) in batch.indices.iter().zip(batch.images.chunks(3)) {
                assert!((value[1] - 2.0).abs() < 1e-5);
                turned[*index] = value[0] > value[2];
            }
        }
        turned
    };
    let [first, second, third] = [1, 2, 3].map(turned);
    assert!(first.iter().zip(&second).all(|(one, other)| one != other));
    assert_eq!(first, third);
    // A coin for each: neither all nor none.
    assert!((8..32).contains(&first.iter().filter(|turned| **turned).count()));
}

#[test]
fn bad_input_is_an_error() {
    let images = numbered(3);
    assert!(matches!(Loader::new(&images, plain(), 0), Err(Error::BatchSize)));
    assert!(matches!(Loader::new(&images, Preparation::imagenet(), 1), Err(Error::Preparation { .. })));
    let small = plain().fitted(Fit::Pad { height: 1, width: 9 });
    assert!(matches!(Loader::new(&images, small, 1), Err(Error::Preparation { .. })));
    let loader = Loader::new(&images, plain(), 2).unwrap();
    let never = Augmentation { steps: vec![Step::Flip(Flip { probability: 2.0 })], ..Augmentation::default() };
    let error = loader.clone().augmented(never).unwrap_err().to_string();
    assert_eq!(error, "augmentation flip: expected a probability from 0 to 1, found 2");
    assert!(matches!(loader.batch(&[0, 3]), Err(Error::Index { index: 3, count: 3 })));
    let empty = Images::new([1, 2, 3], vec![], vec![]).unwrap();
    assert_eq!(Loader::new(&empty, plain(), 2).unwrap().epoch(0, 0).count(), 0);
}

#[test]
fn batches_made_ahead_are_the_same() {
    let data = cnn_data::digits(cnn_data::DigitsConfig { seed: 0, train: 50, test: 0 }).unwrap();
    let preparation = Preparation::of(data.train()).unwrap();
    let loader = Loader::new(data.train(), preparation, 8).unwrap().augmented(augmentation()).unwrap();
    let here = all(loader.epoch(5, 2).skip_to(2));
    for depth in [1, 2, 100] {
        let ahead = all(loader.clone().ahead(depth).epoch(5, 2).skip_to(2));
        assert_eq!((order(&ahead), values(&ahead)), (order(&here), values(&here)));
        let mut begun = loader.clone().ahead(depth).epoch(5, 2);
        assert_eq!(begun.next().unwrap().unwrap().indices.len(), 8);
        assert_eq!(begun.len(), 6);
        // Dropping it here waits for the thread to end.
    }
}
