//! The report of one run.

use crate::chart::{self, Panel, Series, Unit};
use crate::error::{Error, Result};
use crate::figures::{bytes, duration, percent};
use crate::html::{self, Columns, escaped};
use crate::judgement::Judgement;
use crate::run::Run;
use crate::{confusion, picture};
use cnn_core::Summary;
use cnn_core::summary::count;
use cnn_data::Images;
use cnn_train::{Epoch, Predictions, write_whole};
use std::path::{Path, PathBuf};

const FOLDER: &str = "report";
const PAGE: &str = "index.html";
const CURVES: &str = "curves.svg";
const CONFUSION: &str = "confusion.svg";
const CALIBRATION: &str = "calibration.svg";
const MISTAKES: &str = "mistakes";

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
    /// Writes `report/` in the run's folder: a page, and its pictures as files. What an earlier report left there and
    /// this one lacks is removed. Gives the page's path.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written, predictions that do not fit their images.
    pub fn write(&self) -> Result<PathBuf> {
        let folder = self.run.path.join(FOLDER);
        let mistakes = folder.join(MISTAKES);
        std::fs::create_dir_all(&folder).map_err(Error::file(&folder, "cannot make the folder"))?;
        remove(&folder)?;
        let mut body = self.overview();
        if !self.run.epochs.is_empty() {
            let curves = chart::draw("Curves of a run", &curves(&self.run.epochs));
            write_whole(&folder.join(CURVES), curves.as_bytes())?;
            body += &format!("<h2>Curves</h2>\n<div class=\"wide\">{curves}</div>\n");
        }
        if let Some(judged) = &self.judged {
            judged.check()?;
            let judgement = Judgement::of(judged.predictions);
            let matrix = confusion::matrix(&judgement, judged.classes);
            let calibration = confusion::calibration(&judgement);
            write_whole(&folder.join(CONFUSION), matrix.as_bytes())?;
            write_whole(&folder.join(CALIBRATION), calibration.as_bytes())?;
            body += &judged.sentence(&judgement);
            body += &format!("<h2>Confusion</h2>\n<div class=\"wide\">{matrix}</div>\n<h2>Classes</h2>\n");
            body += &judged.classes(&judgement);
            body += &format!(
                "<h2>Calibration</h2>\n<div class=\"wide\">{calibration}</div>\n<p class=\"faint\">Expected calibration \
                 error {} over ten intervals.</p>\n",
                percent(judgement.calibration_error())
            );
            std::fs::create_dir_all(&mistakes).map_err(Error::file(&mistakes, "cannot make the folder"))?;
            body += &judged.mistakes(&judgement, &mistakes)?;
        }
        body += "<h2>Settings</h2>\n";
        let settings = self.run.settings().into_iter().map(|(name, value)| vec![name, value]);
        body += &html::table(&settings.collect::<Vec<_>>(), Columns { header: false, numbers: false });
        let page = folder.join(PAGE);
        let title = format!("{} on {}", self.run.network(), self.run.dataset());
        write_whole(&page, html::page(&title, &body).as_bytes())?;
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
            values.push(("training images per second", format!("{:.0}", run.images_per_second())));
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

    fn mistakes(&self, judgement: &Judgement, folder: &Path) -> Result<String> {
        let mut text = "<h2>Worst mistakes</h2>\n".to_string();
        if judgement.mistakes.is_empty() {
            return Ok(text + "<p>There is none.</p>\n");
        }
        text += "<ul class=\"mistakes\">\n";
        for (place, mistake) in judgement.mistakes.iter().take(SHOWN).enumerate() {
            let png = self.images.picture(mistake.image)?.png()?;
            write_whole(&folder.join(format!("{:02}-image-{}.png", place + 1, mistake.image)), &png)?;
            let caption = format!(
                "{} taken for {} with {:.1} %, image {}, loss {:.2}",
                self.name(mistake.label),
                self.name(mistake.predicted),
                100.0 * mistake.probability,
                mistake.image,
                mistake.loss
            );
            let (address, caption) = (picture::address(&png), escaped(&caption));
            text += &format!(
                "<li><figure><img alt=\"{caption}\" src=\"{address}\"><figcaption>{caption}</figcaption></figure></li>\n"
            );
        }
        Ok(text + "</ul>\n")
    }
}

/// Removes what reports write.
fn remove(folder: &Path) -> Result<()> {
    let absent = |result: std::io::Result<()>, path: PathBuf| match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, "cannot replace")(error)),
        _ => Ok(()),
    };
    for file in [PAGE, CURVES, CONFUSION, CALIBRATION].map(|file| folder.join(file)) {
        absent(std::fs::remove_file(&file), file)?;
    }
    let mistakes = folder.join(MISTAKES);
    absent(std::fs::remove_dir_all(&mistakes), mistakes)
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
