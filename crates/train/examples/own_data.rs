//! Trains on images in memory, tests on a stream of them: `cargo run -p cnn-train --example own_data`

use cnn_core::definition::{chain, conv, linear};
use cnn_data::{Dataset, Error, ImageSource, Images, Picture, Preparation};
use cnn_train::{Silent, Task, train};

/// A bright stripe, lying for label 0 and standing for label 1.
fn stripe(index: usize) -> Vec<u8> {
    let at = 3 + index / 2 % 10;
    let bright = |pixel: usize| if index.is_multiple_of(2) { pixel / 16 == at } else { pixel % 16 == at };
    (0..256).map(|pixel| if bright(pixel) { 250 } else { 10 }).collect()
}

#[derive(Debug)]
struct Stripes(usize);

impl ImageSource for Stripes {
    fn labels(&self) -> Vec<u32> {
        (0..self.0).map(|index| (index % 2) as u32).collect()
    }
    fn shape(&self) -> [usize; 3] {
        [1, 16, 16]
    }
    fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
        Picture::new(self.shape(), stripe(index))
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (pixels, labels) = ((0..200).flat_map(stripe).collect(), (0..200).map(|index| index % 2).collect());
    let train_images = Images::new([1, 16, 16], pixels, labels)?;
    let classes = ["lying", "standing"].map(str::to_string).to_vec();
    let dataset = Dataset::new("stripes", classes, train_images, Images::from_source(Stripes(50))?)?;
    let network =
        chain().and(conv(5).out(4)).relu().flatten().and(linear(2)).named("small", [1, 16, 16]).at_usual_input()?;
    let task = Task::new(&network, &dataset, Preparation::of(dataset.train())?);
    let epochs = train(&task, None, &mut Silent)?.epochs;
    assert!(epochs.iter().any(|epoch| epoch.test_accuracy > 0.9), "{epochs:?}");
    Ok(())
}
