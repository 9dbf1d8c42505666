//! Laws of the drawn digits.

use cnn_data::{DigitsConfig, digits};

#[test]
fn a_sample_is_a_function_of_seed_split_and_index() {
    let few = digits(DigitsConfig { seed: 7, train: 30, test: 20 }).unwrap();
    let many = digits(DigitsConfig { seed: 7, train: 64, test: 25 }).unwrap();
    for index in 0..30 {
        assert_eq!(few.train().image(index), many.train().image(index));
    }
    for index in 0..20 {
        assert_eq!(few.test().image(index), many.test().image(index));
        assert_ne!(few.test().image(index), few.train().image(index), "the splits must differ");
    }
    let other = digits(DigitsConfig { seed: 8, train: 30, test: 20 }).unwrap();
    assert_ne!(few.train().pixels(), other.train().pixels());
}

#[test]
fn the_digits_do_not_depend_on_the_number_of_threads() {
    let config = DigitsConfig { seed: 1, train: 200, test: 50 };
    let draw = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| digits(config).unwrap())
    };
    assert_eq!(draw(1), draw(5));
}

#[test]
fn classes_are_balanced_and_samples_distinct() {
    let data = digits(DigitsConfig { seed: 0, train: 1003, test: 0 }).unwrap();
    let mut counts = [0; 10];
    for label in data.train().labels() {
        counts[*label as usize] += 1;
    }
    assert_eq!(counts, [101, 101, 101, 100, 100, 100, 100, 100, 100, 100]);
    assert_eq!((data.classes().len(), data.train().shape(), data.test().len()), (10, [1, 28, 28], 0));
    let mut images: Vec<_> = (0..1003).map(|index| data.train().image(index).unwrap()).collect();
    images.sort_unstable();
    images.dedup();
    assert_eq!(images.len(), 1003);
}

#[test]
fn ink_is_as_mnist_has_it() {
    let data = digits(DigitsConfig { seed: 0, train: 2000, test: 0 }).unwrap();
    let found = cnn_data::Preparation::of(data.train()).unwrap();
    assert!((found.mean[0] - 0.1307).abs() < 0.02, "mean {}", found.mean[0]);
    assert!((found.std[0] - 0.3081).abs() < 0.02, "deviation {}", found.std[0]);
}

#[test]
fn more_digits_than_memory_is_an_error() {
    let error = digits(DigitsConfig { seed: 0, train: usize::MAX, test: 0 }).unwrap_err().to_string();
    assert!(error.ends_with("images of 784 bytes each do not fit into memory"), "{error}");
}
