//! The report of one run.

use crate::chart::{self, Panel, Series};
use crate::error::{Error, Result};
use crate::html::{self, Columns};
use crate::judgement::{Judgement, Mistake};
use crate::output::{CALIBRATION, CLASSES, CONFUSION, CONFUSIONS, CURVES, EPOCHS, HELD_OUT, MISTAKEN, Output, PAGE};
use crate::run::Run;
use crate::{confusion, picture, tables};
use cnn_core::Summary;
use cnn_data::Images;
use cnn_figures::axis::Unit;
use cnn_figures::svg::escaped;
use cnn_figures::{bytes, count, duration, fixed, percent, rate};
use cnn_train::{BalancedAccuracy, Epoch, MacroF1, Metric, Predictions, RunFolder, best_epoch};
use std::path::PathBuf;

/// The folder of a report within its run's.
pub(crate) const FOLDER: &str = RunFolder::REPORT;

/// So many mistakes are shown.
const SHOWN: usize = 24;
/// And so many pairs of classes.
const PAIRS: usize = 10;

/// What a network costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Trained numbers, auxiliary heads included.
    pub parameters: usize,
    /// Multiply-accumulates of evaluating one image.
    pub macs: usize,
}

impl From<&Summary> for Cost {
    fn from(summary: &Summary) -> Self {
        Self { parameters: summary.parameters, macs: summary.macs }
    }
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
}

/// A report to be written.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The run.
    pub run: &'a Run,
    /// What its network costs, where that is known.
    pub cost: Option<Cost>,
    /// Predictions on the test images, where there are any.
    pub judged: Option<Judged<'a>>,
    /// Predictions on images that took part in no choice, where there are any.
    pub held_out: Option<Judged<'a>>,
}

impl Report<'_> {
    /// Writes `report/` in the run's folder: a page, and its pictures as files. Each file replaces the one before whole;
    /// then what an earlier report left there and this one lacks is removed. Gives the page's path.
    ///
    /// # Errors
    ///
    /// A run's folder that is gone or cannot be written, predictions that do not fit their images.
    pub fn write(&self) -> Result<PathBuf> {
        for judged in [&self.judged, &self.held_out].into_iter().flatten() {
            judged.check()?;
        }
        let mut output = Output::within(&self.run.path, FOLDER)?;
        let mut body = self.overview();
        if !self.run.epochs.is_empty() {
            let curves =
                chart::draw("Curves of a run", &curves(&self.run.epochs), self.run.best().map(|best| best.epoch));
            output.write(CURVES, curves.as_bytes())?;
            body += &format!("<h2>Curves</h2>\n<div class=\"wide\">{curves}</div>\n");
            output.write(EPOCHS, &tables::epochs(&self.run.epochs)?)?;
        }
        if let Some(held_out) = &self.held_out {
            body += &held_out.held_out(&mut output)?;
        }
        if let Some(judged) = &self.judged {
            body += &judged.write(&mut output)?;
        }
        body += "<h2>Settings</h2>\n";
        let settings = self.run.settings().into_iter().map(|(name, value)| vec![name, value]);
        body += &html::table(&settings.collect::<Vec<_>>(), Columns { header: false, numbers: false });
        let title = format!("{} on {}", self.run.network(), self.run.dataset());
        let page = output.write(PAGE, html::page(&title, &body).as_bytes())?;
        output.remove_others()?;
        Ok(page)
    }

    fn overview(&self) -> String {
        let run = self.run;
        let mut values: Vec<(&str, String)> = vec![("folder", run.name())];
        if let Some(cost) = self.cost {
            values.push(("parameters", count(cost.parameters)));
            values.push(("multiply-accumulates an image", count(cost.macs)));
        }
        if let (Some(best), Some(last)) = (run.best(), run.epochs.last()) {
            let of = format!("{} after epoch {}", percent(best.test_accuracy), best.epoch);
            values.push(("best test accuracy", of));
            values.push(("test accuracy at the end", percent(last.test_accuracy)));
            values.push(("training accuracy at the end", percent(last.train_accuracy)));
            values.push(("epochs", run.epochs.len().to_string()));
            values.push(("time", duration(run.seconds())));
            values.push(("time of an epoch", duration(run.seconds() / run.epochs.len() as f64)));
            values.push(("training images per second", rate(run.images_per_second())));
        } else {
            values.push(("epochs", "none was finished".to_string()));
        }
        if let Some(peak) = run.peak_memory() {
            values.push(("peak memory", bytes(peak)));
        }
        let rows: Vec<Vec<String>> = values.into_iter().map(|(name, value)| vec![name.to_string(), value]).collect();
        html::table(&rows, Columns { header: false, numbers: false })
    }
}

impl Judged<'_> {
    /// Writes the pictures of what the predictions say; gives their part of the page.
    fn write(&self, output: &mut Output) -> Result<String> {
        let judgement = Judgement::of(self.predictions);
        let matrix = confusion::matrix(&judgement, self.classes);
        let calibration = confusion::calibration(&judgement);
        output.write(CONFUSION, matrix.as_bytes())?;
        output.write(CALIBRATION, calibration.as_bytes())?;
        output.write(CLASSES, &tables::classes(&judgement, self.classes)?)?;
        output.write(CONFUSIONS, &tables::confusion(&judgement, self.classes)?)?;
        output.write(MISTAKEN, &tables::mistakes(&judgement, self)?)?;
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
    fn so_far(&self) -> Result<String> {
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
    fn held_out(&self, output: &mut Output) -> Result<String> {
        let judgement = Judgement::of(self.predictions);
        output.write(HELD_OUT, &tables::classes(&judgement, self.classes)?)?;
        let images = count(judgement.images());
        let text = format!(
            "<h2>Held out</h2>\n<p>The {images} images of <code>test</code> took part in no choice and were judged once, \
             by <code>{}</code>.</p>\n",
            escaped(self.weights)
        );
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

    fn check(&self) -> Result<()> {
        let (predictions, classes) = (self.predictions.len(), self.predictions.classes());
        let (images, named) = (self.images.len(), self.classes.len());
        if predictions == images && classes == named {
            return Ok(());
        }
        Err(Error::Mismatch { predictions, classes, images, named })
    }

    fn sentence(&self, judgement: &Judgement) -> String {
        format!(
            "<p>What follows is of <code>{}</code> on the {} test images: {} right, {} wrong.</p>\n",
            escaped(self.weights),
            count(judgement.images()),
            percent(judgement.accuracy()),
            count(judgement.mistakes.len())
        )
    }

    pub(crate) fn name(&self, class: u32) -> &str {
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

/// The page of a run that is not over, in pieces: what does not change, with a script that listens to `events` of the server
/// it is from; and what [`so_far`] makes after every epoch.
pub fn live_page(title: &str) -> String {
    html::page(title, include_str!("live.html"))
}

/// The curves of the epochs so far, and what the network says of the test images, as HTML.
///
/// # Errors
///
/// Predictions that do not fit their images.
pub fn so_far(epochs: &[Epoch], judged: &Judged<'_>) -> Result<String> {
    let best = epochs.get(best_epoch(epochs)).map(|best| best.epoch);
    let curves = chart::draw("Curves of a run", &curves(epochs), best);
    Ok(format!("<h2>Curves</h2>\n<div class=\"wide\">{curves}</div>\n{}", judged.so_far()?))
}

/// Loss, accuracy and learning rate of one run.
fn curves(epochs: &[Epoch]) -> [Panel; 3] {
    let series = |name: &str, colour, of: fn(&Epoch) -> f64| Series {
        name: name.to_string(),
        colour,
        dotted: false,
        points: epochs.iter().map(|epoch| [epoch.epoch as f64, of(epoch)]).collect(),
        ring: None,
    };
    [
        Panel {
            title: "loss",
            unit: Unit::Number,
            series: vec![series("training", 0, |e| e.train_loss), series("test", 1, |e| e.test_loss)],
        },
        Panel {
            title: "accuracy",
            unit: Unit::Percent,
            series: vec![series("training", 0, |e| e.train_accuracy), series("test", 1, |e| e.test_accuracy)],
        },
        Panel {
            title: "learning rate",
            unit: Unit::Number,
            series: vec![series("learning rate", 2, |e| e.learning_rate)],
        },
    ]
}
