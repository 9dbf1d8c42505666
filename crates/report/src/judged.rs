//! What a model says of images, and the part of the page that tells it.

use crate::error::{Error, Result};
use crate::html::{self, Columns};
use crate::judgement::{Judgement, Mistake};
use crate::output::{CALIBRATION, CLASSES, CONFUSION, CONFUSIONS, HELD_OUT, MISTAKEN, Output};
use crate::{confusion, picture, tables};
use cnn_data::Images;
use cnn_figures::svg::escaped;
use cnn_figures::{count, fixed, percent};
use cnn_train::{BalancedAccuracy, MacroF1, Metric, Predictions};
use std::path::PathBuf;

/// So many mistakes are shown.
const SHOWN: usize = 24;
/// And so many pairs of classes.
const PAIRS: usize = 10;

/// Whose images are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those that the run itself set aside to be judged.
    Run,
    /// Those that lie in the place of the run's, which changed since it was trained: how, in a clause without a full stop.
    Changed(String),
    /// Others, by what they are called.
    Others(String),
}

/// A model's predictions, with what they are of.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The images, in the order of the predictions.
    pub images: &'a Images,
    /// Names of the classes.
    pub classes: &'a [String],
    /// What the model says of them.
    pub predictions: &'a Predictions,
    /// Which weights it had, for the reader: `best.safetensors`.
    pub weights: &'a str,
    /// Whose images they are.
    pub whose: &'a Whose,
}

impl<'a> Judged<'a> {
    /// What the images are called, where they are not the run's.
    pub(crate) fn others(&self) -> Option<&'a str> {
        match self.whose {
            Whose::Run | Whose::Changed(_) => None,
            Whose::Others(of) => Some(of),
        }
    }

    /// Writes the pictures of what the predictions say; gives their part of the page.
    pub(crate) fn write(&self, output: &mut Output) -> Result<String> {
        let judgement = Judgement::of(self.predictions);
        let matrix = confusion::matrix(&judgement, self.classes);
        let calibration = confusion::calibration(&judgement);
        output.write(CONFUSION, matrix.as_bytes())?;
        output.write(CALIBRATION, calibration.as_bytes())?;
        output.write(CLASSES, &tables::classes(&judgement, self.classes)?)?;
        output.write(CONFUSIONS, &tables::confusion(&judgement, self.classes)?)?;
        output.write(MISTAKEN, &tables::mistakes(&judgement, self.images, self.classes)?)?;
        for (place, (mistake, png)) in self.worst(&judgement)?.iter().enumerate() {
            output.write_mistake(place + 1, mistake.image, png)?;
        }
        let mut text = self.sentence(&judgement);
        text += &self.figures();
        text += &self.pairs(&judgement);
        text += &format!("<h2>Confusion</h2>\n<div class=\"wide\">{matrix}</div>\n<h2>Classes</h2>\n");
        text += &self.classes(&judgement);
        text += &format!(
            "<h2>Calibration</h2>\n<div class=\"wide\">{calibration}</div>\n<p class=\"faint\">Expected calibration \
             error {} over ten intervals.</p>\n",
            percent(judgement.calibration_error())
        );
        Ok(text + &self.mistakes(&judgement)?)
    }

    /// What the predictions say, for a page that is replaced after the next epoch.
    pub(crate) fn so_far(&self) -> Result<String> {
        self.check()?;
        let judgement = Judgement::of(self.predictions);
        let matrix = confusion::matrix(&judgement, self.classes);
        let mut text = self.sentence(&judgement);
        text += &format!("<h2>Confusion</h2>\n<div class=\"wide\">{matrix}</div>\n");
        text += &self.pairs(&judgement);
        Ok(text + &self.mistakes(&judgement)?)
    }

    /// The worst mistakes that are shown, with their pictures' files.
    fn worst<'j>(&self, judgement: &'j Judgement) -> Result<Vec<(&'j Mistake, Vec<u8>)>> {
        let shown = judgement.mistakes.iter().take(SHOWN);
        shown.map(|mistake| Ok((mistake, self.images.picture(mistake.image)?.png()?))).collect()
    }

    /// The part of the page that is of images which took part in no choice.
    pub(crate) fn held_out(&self, output: &mut Output) -> Result<String> {
        let judgement = Judgement::of(self.predictions);
        output.write(HELD_OUT, &tables::classes(&judgement, self.classes)?)?;
        let images = count(judgement.images());
        let weights = escaped(self.weights);
        let text = match self.whose {
            Whose::Changed(how) => format!(
                "The {images} images of <code>test</code>, as they are now, were judged by <code>{weights}</code>; {}.",
                escaped(how)
            ),
            Whose::Run | Whose::Others(_) => format!(
                "The {images} images of <code>test</code> took part in no choice and were judged once, by \
                 <code>{weights}</code>."
            ),
        };
        let text = format!("<h2>Held out</h2>\n<p>{text}</p>\n");
        Ok(text + &self.figures() + &self.pairs(&judgement))
    }

    /// The figures that say how good the network is.
    fn figures(&self) -> String {
        let mut values = vec![("accuracy", percent(self.predictions.top(1)))];
        if self.classes.len() > 5 {
            values.push(("right class among the first five", percent(self.predictions.top(5))));
        }
        values.push(("balanced accuracy, the mean of recall", percent(BalancedAccuracy.value(self.predictions))));
        values.push(("macro F1", fixed(MacroF1.value(self.predictions), 4)));
        let rows: Vec<Vec<String>> = values.into_iter().map(|(name, value)| vec![name.to_string(), value]).collect();
        html::table(&rows, Columns { header: false, numbers: true })
    }

    /// The pairs of classes that are confused most.
    fn pairs(&self, judgement: &Judgement) -> String {
        let pairs = judgement.pairs();
        if pairs.is_empty() {
            return String::new();
        }
        let header = ["true class", "taken for", "images"].map(str::to_string).to_vec();
        let rows = pairs.into_iter().take(PAIRS).map(|pair| {
            vec![self.name(pair.label).to_string(), self.name(pair.predicted).to_string(), count(pair.images)]
        });
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
        format!("<h2>Most confused</h2>\n{}", html::table(&rows, Columns { header: true, numbers: true }))
    }

    /// Refuses predictions that do not fit their images or classes.
    pub(crate) fn check(&self) -> Result<()> {
        let (predictions, classes) = (self.predictions.len(), self.predictions.classes());
        let (images, named) = (self.images.len(), self.classes.len());
        if predictions == images && classes == named {
            return Ok(());
        }
        Err(Error::Mismatch { predictions, classes, images, named })
    }

    fn sentence(&self, judgement: &Judgement) -> String {
        let images = count(judgement.images());
        let images = match self.whose {
            Whose::Run => format!("the {images} images that were judged after each epoch"),
            Whose::Changed(how) => format!("the {images} images to judge as they are now ({})", escaped(how)),
            Whose::Others(of) => format!("{images} images of {}, not the run's own", escaped(of)),
        };
        format!(
            "<p>What follows is of <code>{}</code> on {images}: {} right, {} wrong.</p>\n",
            escaped(self.weights),
            percent(judgement.accuracy()),
            count(judgement.mistakes.len())
        )
    }

    fn name(&self, class: u32) -> &str {
        self.classes.get(class as usize).map_or("?", String::as_str)
    }

    /// What an image is called: by the end of its file's path, or by its number.
    fn image(&self, image: usize) -> String {
        let file = self.images.file(image);
        let parts = file.as_deref().map(|file| file.components().rev().take(2).collect::<Vec<_>>());
        match parts {
            None => format!("image {image}"),
            Some(parts) => parts.into_iter().rev().collect::<PathBuf>().display().to_string(),
        }
    }

    fn classes(&self, judgement: &Judgement) -> String {
        let header = ["class", "images", "precision", "recall"].map(str::to_string).to_vec();
        let share = |share: Option<f64>| share.map_or_else(|| "–".to_string(), percent);
        let figures = judgement.classes();
        let rows = figures.iter().zip(self.classes).map(|(figures, name)| {
            vec![name.clone(), count(figures.images), share(figures.precision), share(figures.recall)]
        });
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
        html::table(&rows, Columns { header: true, numbers: true })
    }

    fn mistakes(&self, judgement: &Judgement) -> Result<String> {
        let mut text = "<h2>Worst mistakes</h2>\n".to_string();
        if judgement.mistakes.is_empty() {
            return Ok(text + "<p>There is none.</p>\n");
        }
        text += "<ul class=\"mistakes\">\n";
        for (mistake, png) in self.worst(judgement)? {
            let caption = format!(
                "{} taken for {} with {:.1} %, {}, loss {}",
                self.name(mistake.label),
                self.name(mistake.predicted),
                100.0 * mistake.probability,
                self.image(mistake.image),
                fixed(mistake.loss, 2)
            );
            let (address, caption) = (picture::address(&png), escaped(&caption));
            text += &format!(
                "<li><figure><img alt=\"{caption}\" src=\"{address}\"><figcaption>{caption}</figcaption></figure></li>\n"
            );
        }
        Ok(text + "</ul>\n")
    }
}
