//! What a sweep goes over: settings, seeds, parts of the data.

use crate::{cli, settings};
use anyhow::{Context, Result, bail, ensure};
use cnn_data::Fold;
use cnn_figures::number;
use cnn_train::Recipe;

/// The most runs of a sweep.
const MOST: usize = 10_000;

/// A setting, and the values it takes.
pub struct Axis {
    pub name: String,
    pub values: Vec<Value>,
}

/// A value as it is written, and what it changes in a recipe.
pub struct Value {
    pub text: String,
    pub change: Change,
}

pub enum Change {
    Flags(Box<cli::Settings>),
    Assignment(String),
    Seed(u64),
    Fold(Fold),
}

pub fn axes(args: &cli::Sweep) -> Result<Vec<Axis>> {
    let mut axes = Vec::new();
    let mut flags = |name: &str, values: Vec<(String, cli::Settings)>| {
        let value = |(text, flags)| Value { text, change: Change::Flags(Box::new(flags)) };
        if !values.is_empty() {
            axes.push(Axis { name: name.to_string(), values: values.into_iter().map(value).collect() });
        }
    };
    let none = cli::Settings::default;
    let each = |values: &[f64], flags: &dyn Fn(f64) -> cli::Settings| {
        values.iter().map(|value| (number(*value), flags(*value))).collect::<Vec<_>>()
    };
    flags("lr", each(&args.lr, &|lr| cli::Settings { lr: Some(lr), ..none() }));
    flags("momentum", each(&args.momentum, &|momentum| cli::Settings { momentum: Some(momentum), ..none() }));
    let decay = |decay| cli::Settings { weight_decay: Some(decay), ..none() };
    flags("weight-decay", each(&args.weight_decay, &decay));
    let batch = |size: &usize| (size.to_string(), cli::Settings { batch_size: Some(*size), ..none() });
    flags("batch-size", args.batch_size.iter().map(batch).collect());
    for over in &args.over {
        let (key, values) = over.split_once('=').with_context(|| format!("--over {over}: expected KEY = VALUE, …"))?;
        let value = |text: &str| {
            let text = text.trim().to_string();
            Value { change: Change::Assignment(format!("{} = {text}", key.trim())), text }
        };
        axes.push(Axis { name: key.trim().to_string(), values: apart(values).into_iter().map(value).collect() });
    }
    // What is repeated comes last: its runs lie beside each other.
    let seed = |seed: &u64| Value { text: seed.to_string(), change: Change::Seed(*seed) };
    let folds = (1..=args.folds.unwrap_or(0)).map(|number| Fold::new(number, args.folds.unwrap_or(0)));
    let folds =
        folds.map(|fold| fold.map(|fold| Value { text: fold.number().to_string(), change: Change::Fold(fold) }));
    let repeated = [("seed", args.seeds.iter().map(seed).collect()), ("fold", folds.collect::<Result<Vec<_>, _>>()?)];
    for (name, values) in repeated {
        if !values.is_empty() {
            axes.push(Axis { name: name.to_string(), values });
        }
    }
    for Axis { name, values } in &axes {
        let twice =
            values.iter().enumerate().find(|(place, value)| values[..*place].iter().any(|v| v.text == value.text));
        if let Some((_, value)) = twice {
            bail!("{name} is to be {} twice: two runs of the same settings are one", value.text);
        }
    }
    Ok(axes)
}

/// Parts of a text between commas, but for those within brackets or quotes.
fn apart(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(letter),
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// What every run of a sweep has in common, beside its recipe.
pub fn of_all(args: &cli::Sweep) -> cli::Settings {
    cli::Settings { epochs: args.epochs, set: args.set.clone(), ..cli::Settings::default() }
}

/// Refuses a combination in which two flags say different things of one setting: its name would tell of one of them alone.
pub fn agree(recipe: &Recipe, args: &cli::Sweep, axes: &[Axis], combination: &[usize]) -> Result<()> {
    // A table of another choice cannot be told a key of this one: they differ.
    let differs = |change: &dyn Fn(&mut Recipe) -> Result<()>| {
        settings::differs(recipe, change)
            .unwrap_or_else(|_| Some("a setting that the others leave no place for".to_string()))
    };
    if let Some(change) = differs(&|recipe| settings::change(recipe, &of_all(args))) {
        bail!("--set or --epochs and what is tried say different things, {change}: leave one of them out");
    }
    for (axis, value) in axes.iter().zip(combination) {
        let value = &axis.values[*value];
        if let Some(change) = differs(&|recipe| value.change.make(recipe)) {
            bail!(
                "{} = {} and what is tried beside say different things, {change}: leave one of them out",
                axis.name,
                value.text
            );
        }
    }
    Ok(())
}

impl Axis {
    /// Whether its runs are of the same settings, so that their mean says something.
    pub fn repeats(&self) -> bool {
        self.values.iter().all(|value| matches!(value.change, Change::Seed(_) | Change::Fold(_)))
    }
}

impl Change {
    pub fn make(&self, recipe: &mut Recipe) -> Result<()> {
        match self {
            Self::Flags(flags) => settings::change(recipe, flags),
            Self::Assignment(line) => Ok(recipe.set(line)?),
            Self::Seed(seed) => {
                recipe.training.seed = *seed;
                Ok(())
            }
            Self::Fold(fold) => {
                recipe.data.fold = Some(*fold);
                Ok(())
            }
        }
    }
}

/// For each combination the position of every axis' value; the last axis changes fastest.
pub fn combinations(axes: &[Axis]) -> Result<Vec<Vec<usize>>> {
    let number = axes.iter().try_fold(1_usize, |number, axis| number.checked_mul(axis.values.len()));
    ensure!(number.is_some_and(|number| number <= MOST), "more than {MOST} combinations: give fewer values");
    Ok(all_combinations(axes))
}

pub fn all_combinations(axes: &[Axis]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |before, axis| {
        let longer = |before: &Vec<usize>| {
            let before = before.clone();
            (0..axis.values.len()).map(move |value| [before.clone(), vec![value]].concat())
        };
        before.iter().flat_map(longer).collect()
    })
}

/// The name of a combination, which is also its folder's.
pub fn name(axes: &[Axis], combination: &[usize]) -> String {
    let parts = axes.iter().zip(combination).map(|(axis, value)| format!("{}={}", axis.name, axis.values[*value].text));
    parts.collect::<Vec<_>>().join(",").replace(['/', '"', ' '], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_apart_at_commas_outside_brackets_and_quotes() {
        assert_eq!(apart("1, 2,3"), ["1", " 2", "3"]);
        let tables = r#"{ step = { every = 2, factor = 0.5 } }, "cosine", [1, 2], 'a,b'"#;
        let parts: Vec<&str> = apart(tables).into_iter().map(str::trim).collect();
        assert_eq!(parts, ["{ step = { every = 2, factor = 0.5 } }", r#""cosine""#, "[1, 2]", "'a,b'"]);
    }
}
