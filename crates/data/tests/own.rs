//! Sources and transforms of one's own.

use cnn_data::{
    Augmentation, Dataset, Draws, Error, Fit, Flip, ImageSource, Images, Loader, Picture, Preparation,
    RandomResizedCrop, Step, Transform,
};

/// Image `i` has every pixel `i`, in as many channels as it says; some fail, some have other channels.
#[derive(Debug)]
struct Numbered {
    count: usize,
    failing: Option<usize>,
    odd: Option<usize>,
}

impl Numbered {
    fn of(count: usize) -> Self {
        Self { count, failing: None, odd: None }
    }
}

impl ImageSource for Numbered {
    fn labels(&self) -> Vec<u32> {
        (0..self.count as u32).collect()
    }

    fn shape(&self) -> [usize; 3] {
        [2, 2, 3]
    }

    fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
        if self.failing == Some(index) {
            return Err(Error::own(format!("record {index} is gone")));
        }
        let channels = if self.odd == Some(index) { 1 } else { 2 };
        Picture::new([channels, 2, 3], vec![index as u8; channels * 6])
    }
}

fn plain() -> Preparation {
    Preparation { fit: Fit::None, mean: vec![0.0; 2], std: vec![1.0 / 255.0; 2] }
}

fn passes(images: &Images, ahead: usize) -> Vec<(Vec<usize>, Vec<f32>)> {
    let loader = Loader::new(images, plain(), 5).unwrap().ahead(ahead).transformed(Shifted);
    let batches = loader.epoch(3, 1).map(|batch| batch.unwrap());
    batches.map(|batch| (batch.indices, batch.images)).collect()
}

/// Adds what is drawn to every pixel.
#[derive(Debug)]
struct Shifted;

impl Transform for Shifted {
    fn apply(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) -> Result<(), Error> {
        assert_eq!(target, [2, 3]);
        let more = draws.below(100) as u8;
        picture.pixels_mut().iter_mut().for_each(|pixel| *pixel += more);
        Ok(())
    }
}

#[test]
fn a_source_gives_what_the_same_images_in_memory_give() {
    let pixels = (0..23).flat_map(|index| [index; 12]).collect();
    let memory = Images::new([2, 2, 3], pixels, (0..23).collect()).unwrap();
    let own = Images::from_source(Numbered::of(23)).unwrap();
    assert!(!own.in_memory() && own.have_one_size());
    assert_eq!((own.labels(), own.shape()), (memory.labels(), memory.shape()));
    assert_eq!(Preparation::of(&own).unwrap(), Preparation::of(&memory).unwrap());
    for ahead in [0, 2] {
        assert_eq!(passes(&own, ahead), passes(&memory, 0));
    }
    let some = [7, 0, 7, 22];
    let [own, memory] = [own, memory].map(|images| images.select(&some).unwrap().select(&[3, 0]).unwrap());
    assert_eq!(own.labels(), [22, 7]);
    assert_eq!(own.picture(0).unwrap(), memory.picture(0).unwrap());
}

#[test]
fn transforms_come_after_the_steps_and_change_training_images_alone() {
    let own = Images::from_source(Numbered::of(8)).unwrap();
    let always = Augmentation { steps: vec![Step::Flip(Flip { probability: 1.0 })], ..Augmentation::default() };
    let loader = Loader::new(&own, plain(), 8).unwrap().augmented(always).unwrap().transformed(Shifted);
    let numbers = |batch: cnn_data::Batch| batch.images;
    let epoch = |epoch| numbers(loader.epoch(1, epoch).next().unwrap().unwrap());
    assert_eq!(epoch(0), epoch(0));
    assert_ne!(epoch(0), epoch(1));
    let expected: Vec<f32> = (0..8).flat_map(|index| [index as f32; 12]).collect();
    let found = numbers(loader.in_order().next().unwrap().unwrap());
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4));
}

/// Another picture of one colour, of a shape of its own.
#[derive(Debug)]
struct Replaced([usize; 3]);

impl Transform for Replaced {
    fn apply(&self, picture: &mut Picture<'_>, _: [usize; 2], _: &mut Draws) -> Result<(), Error> {
        *picture = Picture::new(self.0, vec![9; self.0.iter().product()])?;
        Ok(())
    }
}

#[test]
fn a_transform_keeps_the_channels_and_the_size_that_nothing_changes_any_more() {
    let images = Images::from_source(Numbered::of(4)).unwrap();
    let resized =
        Augmentation { steps: vec![Step::RandomResizedCrop(RandomResizedCrop::default())], ..Default::default() };
    let found = |fit: Fit, augmentation: &Augmentation, shape: [usize; 3]| {
        let loader = Loader::new(&images, plain().fitted(fit), 4).unwrap().augmented(augmentation.clone()).unwrap();
        loader.transformed(Replaced(shape)).epoch(1, 0).next().unwrap().map(|batch| batch.images.len())
    };
    let (stretched, none) = (Fit::resize([4, 5]), Augmentation::default());
    assert_eq!(found(stretched, &resized, [2, 4, 5]).unwrap(), 4 * 2 * 4 * 5);
    // Taller, wider, smaller; fewer channels, more.
    for shape in [[2, 6, 5], [2, 4, 6], [2, 2, 3], [1, 4, 5], [3, 4, 5]] {
        let error = found(stretched, &resized, shape).unwrap_err().to_string();
        let [channels, height, width] = shape;
        let shape = format!("{channels}×{height}×{width}");
        let expected = format!("the preparation does not suit images of {shape}: expected 2×4×5, found {shape}");
        assert_eq!(error, expected);
    }
    // A fit still stretches what no step has, but gives nothing other channels; without one nothing is stretched.
    assert_eq!(found(stretched, &none, [2, 9, 9]).unwrap(), 4 * 2 * 4 * 5);
    for (fit, augmentation, shape) in [
        (stretched, &none, [1, 4, 5]),
        (Fit::None, &none, [2, 3, 3]),
        (Fit::None, &resized, [2, 3, 3]),
        (Fit::Pad { height: 4, width: 4 }, &resized, [2, 5, 3]),
    ] {
        assert!(matches!(found(fit, augmentation, shape), Err(Error::Preparation { .. })), "{fit}");
    }
}

#[test]
fn what_a_source_says_is_wrong_is_told() {
    let failing = Images::from_source(Numbered { failing: Some(1), ..Numbered::of(3) }).unwrap();
    let error = Loader::new(&failing, plain(), 3).unwrap().in_order().next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "record 1 is gone");
    let odd = Images::from_source(Numbered { odd: Some(2), ..Numbered::of(3) }).unwrap();
    let error = Loader::new(&odd, plain(), 3).unwrap().in_order().next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "image 2 is [1, 2, 3] (channels, height, width), expected 2 channels as its source says"
    );
    let classes = ["a", "b"].map(str::to_string).to_vec();
    let three = || Images::from_source(Numbered::of(3)).unwrap();
    assert!(matches!(Dataset::new("own", classes, three(), three()), Err(Error::Label { label: 2, .. })));
}

#[test]
fn a_source_is_the_same_as_itself() {
    let own = Images::from_source(Numbered::of(3)).unwrap();
    assert_eq!(own, own.clone());
    assert_eq!(own.select(&[0, 2]).unwrap(), own.select(&[0, 2]).unwrap());
    assert_ne!(own.select(&[0, 2]).unwrap(), own.select(&[2, 0]).unwrap());
    assert_ne!(own, Images::from_source(Numbered::of(3)).unwrap());
}
