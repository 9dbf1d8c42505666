//! The report of one run.

use crate::chart::{self, Panel, Series};
use crate::error::Result;
use crate::html::{self, Columns};
use crate::judged::Judged;
use crate::output::{CURVES, EPOCHS, Output, PAGE};
use crate::run::Run;
use crate::tables;
use cnn_core::Summary;
use cnn_figures::axis::Unit;
use cnn_figures::{bytes, count, duration, percent, rate};
use cnn_train::{Epoch, RunFolder, best_epoch};
use std::path::PathBuf;

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
    /// Writes `report/` in the run's folder, or `report-NAME/` of images that are not the run's own: a page, and its pictures
    /// as files. Each file replaces the one before whole; then what an earlier report left there and this one lacks is
    /// removed. Gives the page's path.
    ///
    /// # Errors
    ///
    /// A run's folder that is gone or cannot be written, predictions that do not fit their images.
    pub fn write(&self) -> Result<PathBuf> {
        for judged in [&self.judged, &self.held_out].into_iter().flatten() {
            judged.check()?;
        }
        let elsewhere = self.judged.and_then(|judged| judged.others());
        let mut output = match elsewhere {
            None => Output::within(&self.run.path, RunFolder::REPORT)?,
            Some(of) => Output::within(&self.run.path, &format!("{}-{}", RunFolder::REPORT, of_files(of)))?,
        };
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
        let judged_on = elsewhere.map_or_else(String::new, |of| format!(", judged on {of}"));
        let title = format!("{} on {}{judged_on}", self.run.network(), self.run.dataset());
        let page = output.write(PAGE, html::page(&title, &body).as_bytes())?;
        output.remove_others()?;
        Ok(page)
    }

    fn overview(&self) -> String {
        let run = self.run;
        let mut values: Vec<(&str, String)> = vec![("folder", run.name())];
        if let Some(of) = self.judged.and_then(|judged| judged.others()) {
            values.push(("judged on", format!("{of}: not the run's own images, of which the curves are")));
        }
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

/// A name as a part of a folder's.
fn of_files(name: &str) -> String {
    const LONGEST: usize = 60;
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._".contains(letter) { letter } else { '-' };
    name.chars().take(LONGEST).map(plain).collect()
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
