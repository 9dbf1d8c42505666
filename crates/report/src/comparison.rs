//! Runs side by side.

use crate::chart::{self, Panel, Series};
use crate::error::{Error, Result};
use crate::html::{self, Columns};
use crate::output::{CURVES, Output, PAGE};
use crate::report::Cost;
use crate::run::Run;
use cnn_figures::axis::Unit;
use cnn_figures::{Table, bytes, count, duration, percent};
use cnn_train::Epoch;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// The page's title, by which it is known again.
const TITLE: &str = "Runs side by side";

/// Several runs, each with what its network costs, where that is known.
///
/// `Display` prints a table, a line a run.
#[derive(Clone, Debug)]
pub struct Comparison {
    runs: Vec<(Run, Option<Cost>)>,
}

impl Comparison {
    /// These runs, in this order.
    pub fn of(runs: Vec<(Run, Option<Cost>)>) -> Self {
        Self { runs }
    }

    /// Writes a page and the curves into `folder`, which is made if need be. Gives the page's path.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        Self::own(folder)?;
        let mut output = Output::to(folder)?;
        let curves = chart::draw("Curves of several runs", &self.panels(), None);
        output.write(CURVES, curves.as_bytes())?;
        let columns = Columns { header: true, numbers: true };
        let mut body = html::table(&self.figures(), columns);
        body += &format!("<h2>Curves</h2>\n<div class=\"wide\">{curves}</div>\n<h2>Settings that differ</h2>\n");
        let differing = self.differing();
        body += &match differing.len() {
            0 | 1 => "<p>None.</p>\n".to_string(),
            _ => html::table(&differing, Columns { header: true, numbers: false }),
        };
        output.write(PAGE, html::page(TITLE, &body).as_bytes())
    }

    /// Whether what lies at `folder` under the names of a report is one.
    fn own(folder: &Path) -> Result<()> {
        let page = std::fs::read(folder.join(PAGE)).unwrap_or_default();
        if String::from_utf8_lossy(&page).contains(&format!("<title>{TITLE}</title>")) {
            return Ok(());
        }
        match [PAGE, CURVES].into_iter().find(|name| folder.join(name).symlink_metadata().is_ok()) {
            Some(file) => Err(Error::Foreign { path: folder.to_path_buf(), file }),
            None => Ok(()),
        }
    }

    /// A run's name: its folder's own, or its whole path where several folders have the same.
    fn name(&self, run: &Run) -> String {
        let name = run.name();
        let alone = self.runs.iter().filter(|(other, _)| other.name() == name).count() < 2;
        if alone { name } else { run.path.display().to_string() }
    }

    /// The figures, under a header.
    fn figures(&self) -> Vec<Vec<String>> {
        let header = [
            "run",
            "network",
            "data set",
            "parameters",
            "best test accuracy",
            "epoch",
            "training accuracy",
            "time of an epoch",
            "peak memory",
        ];
        let unknown = || "–".to_string();
        let rows = self.runs.iter().map(|(run, cost)| {
            let (best, last) = (run.best(), run.epochs.last());
            vec![
                self.name(run),
                run.network().to_string(),
                run.dataset().to_string(),
                cost.map_or_else(unknown, |cost| count(cost.parameters)),
                best.map_or_else(unknown, |best| percent(best.test_accuracy)),
                best.map_or_else(unknown, |best| format!("{} of {}", best.epoch, run.epochs.len())),
                last.map_or_else(unknown, |last| percent(last.train_accuracy)),
                last.map_or_else(unknown, |_| duration(run.seconds() / run.epochs.len() as f64)),
                run.peak_memory().map_or_else(unknown, bytes),
            ]
        });
        std::iter::once(header.map(str::to_string).to_vec()).chain(rows).collect()
    }

    /// The settings that are not the same in all runs, a column a run, under a header; of the header alone if none differs.
    fn differing(&self) -> Vec<Vec<String>> {
        let header = std::iter::once("setting".to_string()).chain(self.runs.iter().map(|(run, _)| self.name(run)));
        let settings: Vec<Vec<(String, String)>> = self.runs.iter().map(|(run, _)| run.settings()).collect();
        let names: BTreeSet<&String> = settings.iter().flatten().map(|(name, _)| name).collect();
        let value = |settings: &Vec<(String, String)>, name: &String| {
            let found = settings.iter().find(|(known, _)| known == name);
            found.map_or_else(|| "–".to_string(), |(_, value)| value.clone())
        };
        let rows = names.into_iter().filter_map(|name| {
            let values: Vec<String> = settings.iter().map(|settings| value(settings, name)).collect();
            let differ = values.iter().any(|value| *value != values[0]);
            differ.then(|| std::iter::once(name.clone()).chain(values).collect())
        });
        std::iter::once(header.collect()).chain(rows).collect()
    }

    fn panels(&self) -> [Panel; 2] {
        let curves = |train: fn(&Epoch) -> f64, test: fn(&Epoch) -> f64| {
            // Both of a run have its name, so that the legend has a line a run.
            let of = |colour: usize, run: &Run, (dotted, value): (bool, fn(&Epoch) -> f64)| Series {
                name: self.name(run),
                colour,
                dotted,
                points: run.epochs.iter().map(|epoch| [epoch.epoch as f64, value(epoch)]).collect(),
                ring: run.best().filter(|_| !dotted).map(|best| best.epoch),
            };
            let both = [(false, test), (true, train)];
            let runs = self.runs.iter().enumerate();
            runs.flat_map(|(colour, (run, _))| both.map(|what| of(colour, run, what))).collect()
        };
        [
            Panel {
                title: "loss: solid of test, dotted of training; a ring at the best epoch",
                unit: Unit::Number,
                series: curves(|e| e.train_loss, |e| e.test_loss),
            },
            Panel {
                title: "accuracy: solid of test, dotted of training; a ring at the best epoch",
                unit: Unit::Percent,
                series: curves(|e| e.train_accuracy, |e| e.test_accuracy),
            },
        ]
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = |rows: Vec<Vec<String>>, text_columns: usize| {
            let mut table = Table::without_header().text_columns(text_columns);
            rows.into_iter().for_each(|row| table.row(row));
            table
        };
        write!(f, "{}", table(self.figures(), 1))?;
        let differing = self.differing();
        if differing.len() > 1 {
            write!(f, "\n{}", table(differing, usize::MAX))?;
        }
        Ok(())
    }
}
