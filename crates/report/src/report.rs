//! The report of one run.

use crate::chart::{self, Panel, Series};
use crate::error::{Error, Result};
use crate::html::{self, Columns};
use crate::judgement::Judgement;
use crate::output::{CALIBRATION, CONFUSION, CURVES, Output, PAGE};
use crate::run::Run;
use crate::{confusion, picture};
use cnn_core::Summary;
use cnn_data::Images;
use cnn_figures::axis::Unit;
use cnn_figures::svg::escaped;
use cnn_figures::{bytes, count, duration, fixed, percent};
use cnn_train::{Epoch, Predictions};
use std::path::PathBuf;

/// The folder of a report within its run's.
const FOLDER: &str = "report";

/// So many mistakes are shown.
const SHOWN: usize = 24;

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
}

impl Report<'_> {
    /// Writes `report/` in the run's folder: a page, and its pictures as files. Each file replaces the one before whole;
    /// then what an earlier report left there and this one lacks is removed. Gives the page's path.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written, predictions that do not fit their images.
    pub fn write(&self) -> Result<PathBuf> {
        if let Some(judged) = &self.judged {
            judged.check()?;
        }
        let mut output = Output::to(&self.run.path.join(FOLDER))?;
        let mut body = self.overview();
        if !self.run.epochs.is_empty() {
            let curves = chart::draw("Curves of a run", &curves(&self.run.epochs));
            output.write(CURVES, curves.as_bytes())?;
            body += &format!("<h2>Curves</h2>\n<div class=\"wide\">{curves}</div>\n");
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
            values.push(("training images per second", fixed(run.images_per_second(), 0)));
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
        let mut text = self.sentence(&judgement);
        text += &format!("<h2>Confusion</h2>\n<div class=\"wide\">{matrix}</div>\n<h2>Classes</h2>\n");
        text += &self.classes(&judgement);
        text += &format!(
            "<h2>Calibration</h2>\n<div class=\"wide\">{calibration}</div>\n<p class=\"faint\">Expected calibration \
             error {} over ten intervals.</p>\n",
            percent(judgement.calibration_error())
        );
        Ok(text + &self.mistakes(&judgement, output)?)
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

    fn name(&self, class: u32) -> &str {
        self.classes.get(class as usize).map_or("?", String::as_str)
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

    fn mistakes(&self, judgement: &Judgement, output: &mut Output) -> Result<String> {
        let mut text = "<h2>Worst mistakes</h2>\n".to_string();
        if judgement.mistakes.is_empty() {
            return Ok(text + "<p>There is none.</p>\n");
        }
        text += "<ul class=\"mistakes\">\n";
        for (place, mistake) in judgement.mistakes.iter().take(SHOWN).enumerate() {
            let png = self.images.picture(mistake.image)?.png()?;
            output.write_mistake(place + 1, mistake.image, &png)?;
            let caption = format!(
                "{} taken for {} with {:.1} %, image {}, loss {}",
                self.name(mistake.label),
                self.name(mistake.predicted),
                100.0 * mistake.probability,
                mistake.image,
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

/// Loss, accuracy and learning rate of one run.
fn curves(epochs: &[Epoch]) -> [Panel; 3] {
    let series = |name: &str, colour, of: fn(&Epoch) -> f64| Series {
        name: name.to_string(),
        colour,
        dotted: false,
        points: epochs.iter().map(|epoch| [epoch.epoch as f64, of(epoch)]).collect(),
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
