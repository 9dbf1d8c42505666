//! What differs between two parts of one run.

use crate::settings::Settings;
use cnn_data::{Dataset, Images};
use serde::{Deserialize, Serialize};
use std::fmt;
use toml::{Table, Value};

/// A setting that is another than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Its name in a recipe, as `learning-rate` or `optimizer.sgd.momentum`.
    pub name: String,
    /// What it was, if it was there.
    pub from: Option<String>,
    /// What it is, if it is there.
    pub to: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_string());
        write!(f, "{} {} → {}", self.name, value(&self.from), value(&self.to))
    }
}

impl Settings {
    /// What `others` has otherwise, in the order of the names.
    ///
    /// ```
    /// use cnn_train::Settings;
    ///
    /// let before = Settings::default();
    /// let changes = before.changes(&Settings { epochs: 40, patience: Some(3), ..before.clone() });
    /// let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    /// assert_eq!(changes, ["epochs 10 → 40", "patience none → 3"]);
    /// ```
    pub fn changes(&self, others: &Self) -> Vec<Change> {
        let table = |settings: &Self| Table::try_from(settings).unwrap_or_default();
        let mut changes = Vec::new();
        compare("", &table(self), &table(others), &mut changes);
        if changes.is_empty() && self != others {
            // A number that TOML does not hold.
            let [from, to] = [self, others].map(|settings| Some(format!("{settings:?}")));
            changes.push(Change { name: "settings".to_string(), from, to });
        }
        changes
    }
}

fn compare(before: &str, from: &Table, to: &Table, changes: &mut Vec<Change>) {
    let mut names: Vec<&String> = from.keys().chain(to.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        match (from.get(name), to.get(name)) {
            (Some(from), Some(to)) if from == to => {}
            (Some(Value::Table(from)), Some(Value::Table(to))) if to.keys().any(|key| from.contains_key(key)) => {
                compare(&path, from, to, changes);
            }
            (from, to) => changes.push(Change { name: path, from: from.map(inline), to: to.map(inline) }),
        }
    }
}

/// A value in one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let entries: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) => text.clone(),
        // As TOML writes it, but for an exponent where there would be hundreds of zeros.
        Value::Float(value) => format!("{value:?}"),
        other => other.to_string(),
    }
}

/// By what a run knows its data again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DataMark {
    /// See [`Dataset::digest`].
    pub digest: String,
    /// Number of images to train on.
    pub train: usize,
    /// Number of images judged after each epoch.
    pub test: usize,
    /// Number of images held out.
    #[serde(default)]
    pub held_out: usize,
}

impl DataMark {
    /// Of a data set as it is now.
    pub fn of(dataset: &Dataset) -> Self {
        let held_out = dataset.held_out().map_or(0, Images::len);
        Self { digest: dataset.digest(), train: dataset.train().len(), test: dataset.test().len(), held_out }
    }
}

impl fmt::Display for DataMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.digest.chars().take(8).collect();
        write!(f, "{} images to train on and {} to judge (digest {short})", self.train, self.test + self.held_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Rule;
    use crate::schedule::Schedule;

    fn words(from: &Settings, to: &Settings) -> Vec<String> {
        from.changes(to).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn settings_are_told_by_their_names_in_recipes() {
        let from = Settings::default();
        assert_eq!(words(&from, &from), Vec::<String>::new());
        let to =
            Settings { optimizer: Rule::sgd(0.5), learning_rate: 0.001, schedule: Schedule::Constant, ..from.clone() };
        let expected = ["learning-rate 0.02 → 0.001", "optimizer.sgd.momentum 0.9 → 0.5", "schedule cosine → constant"];
        assert_eq!(words(&from, &to), expected);
        let other = words(&from, &Settings { optimizer: Rule::ADAMW, ..from.clone() });
        assert!(other.len() == 1 && other[0].starts_with("optimizer { sgd = { momentum = 0.9, "), "{other:?}");
        assert!(other[0].contains(" → { adamw = { beta1 = 0.9, "), "{other:?}");
        let other = words(&from, &Settings { learning_rate: 1e300, label_smoothing: 0.1, ..from.clone() });
        assert_eq!(other, ["label-smoothing 0.0 → 0.1", "learning-rate 0.02 → 1e300"]);
    }
}
