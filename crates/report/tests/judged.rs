//! Images whose predictions are known, and what is counted of them.

use cnn_data::{Images, Loader, Preparation};
use cnn_report::{Judged, Judgement, Report, Run, Whose, so_far};
use cnn_train::{Classify, Epoch, MacroF1, Metric, Predictions, predict};

pub type Failure = Box<dyn std::error::Error>;

/// The pixels are the logits.
struct Pixels;

impl Classify for Pixels {
    fn logits(&self, images: &[f32]) -> cnn_train::Result<Vec<f32>> {
        Ok(images.to_vec())
    }
}

/// Images of 1 × `classes` pixels; the brightest pixel is the class they are taken for.
pub fn images(classes: usize, taken: &[(usize, u32)]) -> Result<Images, Failure> {
    let mut pixels = vec![0; classes * taken.len()];
    for (image, (brightest, _)) in taken.iter().enumerate() {
        pixels[image * classes + brightest] = 255 - image as u8;
    }
    Ok(Images::new([1, 1, classes], pixels, taken.iter().map(|(_, label)| *label).collect())?)
}

pub fn predictions(images: &Images) -> Result<Predictions, Failure> {
    // 255 becomes 2.55.
    let preparation = Preparation { fit: Default::default(), mean: vec![0.0], std: vec![1.0 / 2.55] };
    Ok(predict(&Pixels, &Loader::new(images, preparation, 4)?)?)
}

/// What the best weights say of a run's own images.
pub fn of_run<'a>(images: &'a Images, classes: &'a [String], predictions: &'a Predictions) -> Judged<'a> {
    Judged { images, classes, predictions, weights: "best.safetensors", whose: &Whose::Run }
}

/// Class 2 has an image that is taken for class 0 and is no answer: its F1 is 0. Class 3 has none and is none.
#[test]
fn the_mean_of_the_f1_of_classes_is_macro_f1() -> Result<(), Failure> {
    let images = images(4, &[(0, 0), (0, 0), (1, 0), (1, 1), (0, 2)])?;
    let predictions = predictions(&images)?;
    let f1 = Judgement::of(&predictions).classes().iter().map(|figures| figures.f1).collect::<Vec<_>>();
    assert_eq!(f1, [Some(4.0 / 6.0), Some(2.0 / 3.0), Some(0.0), None]);

    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("config.json"), "{}")?;
    let names = ["a", "b", "c", "d"].map(str::to_string);
    let judged = of_run(&images, &names, &predictions);
    let run = Run::read(folder.path())?;
    Report { run: &run, cost: None, judged: Some(judged), held_out: None }.write()?;
    let table = std::fs::read_to_string(folder.path().join("report/classes.csv"))?;
    let column = table.lines().skip(1).filter_map(|line| line.rsplit(',').next());
    let column: Vec<f64> = column.filter(|f1| !f1.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
    assert_eq!(column.len(), 3, "{table}");
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    assert!((mean - MacroF1.value(&predictions)).abs() < 1e-12, "{table}");
    Ok(())
}

/// Of epochs that are equally good the first is the best one, on the page while a run goes on as well.
#[test]
fn the_first_of_equal_epochs_is_marked() -> Result<(), Failure> {
    let images = images(2, &[(0, 0), (1, 1)])?;
    let (names, predictions) = (["a", "b"].map(str::to_string), predictions(&images)?);
    let judged = Judged { weights: "epoch 3", ..of_run(&images, &names, &predictions) };
    let epoch = |(epoch, test_accuracy): (usize, f64)| Epoch { epoch, test_accuracy, ..Epoch::default() };
    let epochs: Vec<Epoch> = [(1, 0.5), (2, 0.75), (3, 0.75)].map(epoch).to_vec();
    let page = so_far(&epochs, &judged)?;
    assert!(page.contains(">best epoch, 2<"), "{page}");
    Ok(())
}

/// Neither the images that were judged after each epoch nor those that were held out are said to be judged here.
#[test]
fn a_page_of_changed_images_says_so() -> Result<(), Failure> {
    let images = images(2, &[(0, 0), (1, 1)])?;
    let (names, predictions) = (["a", "b"].map(str::to_string), predictions(&images)?);
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("config.json"), "{}")?;
    let run = Run::read(folder.path())?;
    let page = |whose: &Whose| -> Result<String, Failure> {
        let judged = Some(Judged { weights: "w", whose, ..of_run(&images, &names, &predictions) });
        Ok(std::fs::read_to_string(Report { run: &run, cost: None, judged, held_out: judged }.write()?)?)
    };
    let of_run = ["images that were judged after each epoch", "took part in no choice and were judged once"];
    let (own, changed) = (page(&Whose::Run)?, page(&Whose::Changed("a file <b> is gone".to_string()))?);
    for said in of_run {
        assert!(own.contains(said) && !changed.contains(said), "{said}: {changed}");
    }
    assert!(changed.contains("on the 2 images to judge as they are now (a file &lt;b&gt; is gone): "), "{changed}");
    assert!(changed.contains("were judged by <code>w</code>; a file &lt;b&gt; is gone."), "{changed}");
    Ok(())
}
