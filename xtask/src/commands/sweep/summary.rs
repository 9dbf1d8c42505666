//! What came of a sweep: a table for programs, a picture, and a few lines.

use super::axes::{Axis, all_combinations, name};
use anyhow::Result;
use cnn_figures::{Table, percent};
use cnn_report::Grid;
use cnn_train::Epoch;
use std::path::PathBuf;

/// What came of a run that did not diverge.
pub struct Done {
    pub path: PathBuf,
    /// Its best epoch.
    pub best: Epoch,
    /// Its last epoch.
    pub last: Epoch,
    /// Whether it went on with more epochs than it was begun with, by another schedule than one that was begun with all.
    pub continued: bool,
}

/// A line for each run: its settings, and the figures of its best epoch and of its last.
pub fn table(axes: &[Axis], combinations: &[Vec<usize>], outcomes: &[Option<Done>]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let figures = [
        "best_epoch",
        "best_test_accuracy",
        "best_test_loss",
        "last_test_accuracy",
        "last_test_loss",
        "continued",
        "folder",
    ];
    writer.write_record(axes.iter().map(|axis| &*axis.name).chain(figures))?;
    for (combination, done) in combinations.iter().zip(outcomes) {
        let settings = axes.iter().zip(combination).map(|(axis, value)| axis.values[*value].text.clone());
        let figures = match done {
            None => vec![String::new(); figures.len()],
            Some(Done { path, best, last, continued }) => {
                let numbers = [best.test_accuracy, best.test_loss, last.test_accuracy, last.test_loss];
                let folder = path.display().to_string();
                let numbers = numbers.iter().map(f64::to_string);
                std::iter::once(best.epoch.to_string()).chain(numbers).chain([continued.to_string(), folder]).collect()
            }
        };
        writer.write_record(settings.chain(figures))?;
    }
    Ok(writer.into_inner()?)
}

/// Runs of the same settings.
struct Group {
    settings: String,
    accuracies: Vec<f64>,
    runs: usize,
    /// How many of them went on with more epochs than they were begun with.
    continued: usize,
}

/// Which settings are best; where runs were repeated, by the mean over seeds and parts, with its spread. Of runs some of which
/// are `continued` a mean is of two schedules, which is said.
pub fn summary(axes: &[Axis], combinations: &[Vec<usize>], accuracies: &[Option<f64>], continued: &[bool]) -> String {
    let (repeated, settings): (Vec<_>, Vec<_>) = axes.iter().zip(0..).partition(|(axis, _)| axis.repeats());
    let of = |combination: &[usize]| -> String {
        let parts =
            settings.iter().map(|(axis, place)| format!("{}={}", axis.name, axis.values[combination[*place]].text));
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "all".to_string() } else { parts.join(",") }
    };
    let mut groups: Vec<Group> = Vec::new();
    for ((combination, accuracy), continued) in combinations.iter().zip(accuracies).zip(continued) {
        let key = if repeated.is_empty() { name(axes, combination) } else { of(combination) };
        let place = groups.iter().position(|group| group.settings == key).unwrap_or_else(|| {
            groups.push(Group { settings: key, accuracies: Vec::new(), runs: 0, continued: 0 });
            groups.len() - 1
        });
        groups[place].accuracies.extend(accuracy);
        groups[place].runs += 1;
        groups[place].continued += usize::from(*continued);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let best = groups.iter().filter(|group| !group.accuracies.is_empty());
    let best = best.reduce(|a, b| if mean(&b.accuracies) > mean(&a.accuracies) { b } else { a });
    let mut text = String::new();
    if !repeated.is_empty() {
        let mut table = Table::new(["settings", "runs", "mean", "deviation", "lowest", "highest"]);
        for Group { settings: key, accuracies: values, runs, .. } in &groups {
            let spread = deviation(values).map_or_else(|| "–".to_string(), percent);
            let [low, high] = [f64::min, f64::max].map(|of| values.iter().copied().reduce(of));
            let [mean, low, high] = [(!values.is_empty()).then(|| mean(values)), low, high]
                .map(|value| value.map_or_else(|| "–".to_string(), percent));
            let count = format!("{} of {runs}", values.len());
            table.row([key, &count, &mean, &spread, &low, &high]);
        }
        text += &format!("\nbest test accuracy over what was repeated\n{table}");
    }
    for Group { settings, runs, continued, .. } in groups.iter().filter(|group| 0 < group.continued) {
        if continued < runs {
            text += &format!(
                "{settings}: {continued} of {runs} runs went on from fewer epochs, by another schedule than the others; \
                 their mean is of both\n"
            );
        }
    }
    if let Some(Group { settings, accuracies, .. }) = best {
        text += &format!("best: {settings}, {}\n", percent(mean(accuracies)));
    }
    text
}

/// The deviation of a sample, of two values at least.
fn deviation(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt())
}

/// The last axis along the columns, all others along the rows.
pub fn grid(axes: &[Axis], accuracies: &[Option<f64>]) -> Grid {
    let Some((last, others)) = axes.split_last() else {
        return Grid { rows: Vec::new(), columns: Vec::new(), values: Vec::new() };
    };
    let label = |axis: &Axis, value: usize| format!("{} {}", axis.name, axis.values[value].text);
    let rows = all_combinations(others);
    let row = |row: &Vec<usize>| others.iter().zip(row).map(|(axis, value)| label(axis, *value)).collect::<Vec<_>>();
    Grid {
        rows: rows.iter().map(|combination| row(combination).join(", ")).collect(),
        columns: (0..last.values.len()).map(|value| label(last, value)).collect(),
        values: accuracies.chunks(last.values.len()).map(<[_]>::to_vec).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sweep::axes::{Change, Value};

    fn axis(name: &str, changes: Vec<(&str, Change)>) -> Axis {
        let values = changes.into_iter().map(|(text, change)| Value { text: text.to_string(), change }).collect();
        Axis { name: name.to_string(), values }
    }

    #[test]
    fn seeds_are_brought_together() {
        let assign = |text: &str| Change::Assignment(text.to_string());
        let axes = [
            axis("lr", vec![("0.1", assign("")), ("0.2", assign(""))]),
            axis("seed", vec![("1", Change::Seed(1)), ("2", Change::Seed(2))]),
        ];
        let accuracies = [Some(0.9), Some(0.92), Some(0.96), None];
        let of = |continued: &[bool]| summary(&axes, &all_combinations(&axes), &accuracies, continued);
        let text = of(&[false; 4]);
        let row = |key: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            line.split("  ").map(str::trim).filter(|part| !part.is_empty()).map(str::to_string).collect()
        };
        assert_eq!(row("lr=0.1"), ["lr=0.1", "2 of 2", "91.00 %", "1.41 %", "90.00 %", "92.00 %"]);
        assert_eq!(row("lr=0.2"), ["lr=0.2", "1 of 2", "96.00 %", "–", "96.00 %", "96.00 %"]);
        assert!(text.ends_with("best: lr=0.2, 96.00 %\n"), "{text}");
        let mixed = "lr=0.1: 1 of 2 runs went on from fewer epochs, by another schedule than the others; their mean is of both\n";
        assert!(!text.contains("went on") && of(&[true, false, true, true]).contains(mixed));
        assert_eq!(of(&[true; 4]), text);
        let alone = summary(&axes[..1], &all_combinations(&axes[..1]), &[Some(0.5), Some(0.4)], &[true, false]);
        assert_eq!(alone, "best: lr=0.1, 50.00 %\n");
    }
}
