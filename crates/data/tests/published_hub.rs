//! The published files of the hub, in a cache.

use cnn_data::hub::Hub;
use cnn_data::{Dataset, Name, Preparation};
use cnn_testing::{Data, Tests};
use std::path::Path;

fn main() {
    let mnist = Data::HUB_MNIST.find();
    let tests = Tests::new().needing(&mnist, "mnist_is_what_everyone_says_it_is", mnist_is_what_everyone_says_it_is);
    #[cfg(feature = "candle")]
    let cifar = Data::HUB_CIFAR10.find();
    #[cfg(feature = "candle")]
    let tests = tests.needing(&cifar, "candle_has_the_same_cifar_on_its_side", candle_has_the_same_cifar_on_its_side);
    tests.run()
}

fn load(home: &Path, name: Name) -> Dataset {
    Hub::new().with_cache(home.join("hub")).offline().load(name).unwrap()
}

fn mnist_is_what_everyone_says_it_is(home: &Path) {
    let data = load(home, Name::Mnist);
    assert_eq!((data.train().len(), data.test().len()), (60_000, 10_000));
    assert_eq!(data.train().labels()[..5], [5, 0, 4, 1, 9]);
    let found = Preparation::of(data.train()).unwrap();
    assert!((found.mean[0] - 0.1307).abs() < 1e-4 && (found.std[0] - 0.3081).abs() < 1e-4, "{found:?}");
}

/// Candle's own loader reads the same cache, height and width exchanged. It looks only where `HF_HOME` says.
#[cfg(feature = "candle")]
fn candle_has_the_same_cifar_on_its_side(home: &Path) {
    let data = load(home, Name::Cifar10);
    let candle = candle_datasets::vision::cifar::load().unwrap();
    let count = data.test().len().min(200);
    let theirs = candle.test_images.narrow(0, 0, count).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (index, theirs) in theirs.chunks(3 * 32 * 32).enumerate() {
        let ours = data.test().image(index).unwrap();
        for (place, value) in theirs.iter().enumerate() {
            let (channel, row, column) = (place / 1024, place / 32 % 32, place % 32);
            let upright = f32::from(ours[(channel * 32 + column) * 32 + row]) / 255.0;
            assert!((value - upright).abs() < 1e-6, "image {index}, {channel} {row} {column}");
        }
    }
}
