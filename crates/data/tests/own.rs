//! Sources and transforms of one's own.

use cnn_data::{
    Augmentation, Dataset, Draws, Error, Fit, Flip, ImageSource, Images, Loader, Picture, Preparation, Step, Transform,
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
