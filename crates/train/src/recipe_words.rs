//! What is wrong with a recipe, in the words of whoever writes one.

use crate::settings::Settings;
use toml::{Table, Value};

/// Settings that a recipe may do without, and what switches them off.
pub(crate) const OPTIONAL: [&str; 7] =
    ["class-weights", "warm-up", "clip", "average", "lookahead", "whitening", "patience"];
pub(crate) const NONE: &str = "none";

/// A right line or two for each setting that is no number, truth value or text.
const LINES: [(&str, &str); 14] = [
    ("warm-up", "`warm-up = { epochs = 5.0, from = 0.0 }`"),
    (
        "class-weights",
        "`class-weights = \"auto\"` or `class-weights = { of = { cat = 2.0, dog = 1.0 } }`; a file is named by \
         --class-weights",
    ),
    (
        "optimizer",
        "`optimizer = { sgd = { momentum = 0.9 } }` or `optimizer = { adamw = { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, \
         weight-decay = 0.01 } }`",
    ),
    ("schedule", "`schedule = \"cosine\"` or `schedule = { step = { every = 2.0, factor = 0.5 } }`"),
    ("clip", "`clip = { norm = 1.0 }`"),
    ("augmentation", "`augmentation = { steps = [{ padded-crop = { padding = 4 } }] }`"),
    ("freeze", "`freeze = [\"conv1\"]`"),
    ("groups", "`groups = [{ prefix = \"conv1\", learning-rate = 0.1 }]`"),
    ("lookahead", "`lookahead = { every = 5, stays = 0.5 }`"),
    ("whitening", "`whitening = { images = 1000 }`"),
    ("precision", "`precision = \"bf16\"`"),
    ("decay", "`decay = \"weights\"`"),
    ("wire", "`wire = \"bf16\"`"),
    ("test-time", "`test-time = \"flip\"`"),
];

/// More digits than anybody reads.
const DIGITS: usize = 24;
/// What is said where a value is of another kind than its setting.
const OF_KIND: [&str; 7] =
    ["struct ", "unit variant", "newtype variant", "a sequence", "wanted ", "unknown variant `", "expected table"];

/// What is wrong with a text of TOML, in a line without the words of Rust's types. `training` are the settings in it; of one
/// whose value is of another kind a right line is shown.
pub(crate) fn plain(message: &str, training: Option<&Table>) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("expected usize", "expected a whole number from 0 up"),
        ("expected u64", "expected a whole number from 0 up"),
        ("expected f64", "expected a number"),
        ("expected f32", "expected a number"),
        ("floating point `", "number `"),
    ];
    let wrong = |(key, value): &(&String, &Value)| {
        Table::from_iter([(key.to_string(), (*value).clone())]).try_into::<Settings>().is_err()
    };
    let key = training.and_then(|training| training.iter().find(wrong)).map(|(key, _)| key.as_str());
    let lines = LINES.iter().find(|(name, _)| Some(*name) == key).map(|(_, lines)| lines);
    // The names of what there is to choose from say more than a line.
    let choice = message.contains("expected one of");
    if message.contains("expected struct Settings") {
        return "expected a table, as `[training]` with lines such as `epochs = 3` below it".to_string();
    }
    if [" as i128", " as u128", "value was too large"].iter().any(|words| message.contains(words)) {
        return format!("a whole number is too large, expected at most {}", i64::MAX);
    }
    match lines.filter(|_| !choice && OF_KIND.iter().any(|words| message.contains(words))) {
        Some(lines) => format!("expected a value as in {lines}"),
        None => {
            let line = message.lines().collect::<Vec<_>>().join(" ");
            let line = WORDS.into_iter().fold(line, |line, (theirs, ours)| line.replace(theirs, ours));
            match lines.filter(|_| line.contains("missing field")) {
                Some(lines) => format!("{line}, as in {lines}"),
                None => short(&line),
            }
        }
    }
}

/// A text whose quoted numbers have an exponent instead of hundreds of digits.
fn short(text: &str) -> String {
    let part = |(place, part): (usize, &str)| match part.parse::<f64>() {
        Ok(number) if place % 2 == 1 && part.len() > DIGITS => format!("{number:e}"),
        _ => part.to_string(),
    };
    text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

/// A recipe's text, as many lines as before, without those that switch off what it may do without.
pub(crate) fn without_none(text: &str) -> String {
    let table = text.parse::<Table>().unwrap_or_default();
    let training = table.get("training").and_then(Value::as_table);
    let off = |key: &str| OPTIONAL.contains(&key) && training.and_then(|it| it.get(key)?.as_str()) == Some(NONE);
    let switches = |line: &str| {
        let (key, value) = line.split_once('=').unwrap_or_default();
        let key = key.trim().trim_start_matches("training.").trim_matches(['"', '\'']);
        let value = value.split('#').next().unwrap_or_default().trim();
        off(key) && value.trim_matches(['"', '\'']) == NONE
    };
    text.split_inclusive('\n').map(|line| if switches(line) { "\n" } else { line }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use std::path::Path;

    #[test]
    fn lines_that_are_shown_are_right() {
        for (key, lines) in LINES {
            let lines: Vec<&str> = lines.split('`').skip(1).step_by(2).collect();
            assert!(!lines.is_empty());
            for line in lines {
                assert!(line.starts_with(key), "{line}");
                let mut recipe = Recipe::default();
                recipe.set(line).unwrap();
                recipe.check().unwrap();
            }
        }
    }

    #[test]
    fn a_value_of_another_kind_gets_a_right_line() {
        for line in [
            "warm-up = 5",
            "class-weights = [1, 2, 3]",
            "class-weights = { red = 1 }",
            "class-weights = \"w.txt\"",
            "optimizer = 3",
            "optimizer = \"sgd\"",
            "optimizer.sgd = 3",
            "schedule = 3",
            "schedule = \"step\"",
            "schedule = {}",
            "clip = 3",
            "clip = \"norm\"",
            "augmentation = 3",
            "freeze = 3",
            "groups = 3",
            "groups = [\"conv1\"]",
            "lookahead = 3",
            "whitening = 3",
            "precision = 3",
            "decay = 3",
            "test-time = 3",
            "wire = 3",
        ] {
            let key = line.split(['=', '.']).next().unwrap().trim();
            let expected = format!(": expected a value as in `{key} = ");
            let set = Recipe::default().set(line).unwrap_err().to_string();
            let file = Recipe::parse(Path::new("mine.toml"), &format!("[training]\n{line}\n")).unwrap_err().to_string();
            assert!(set.starts_with(line) && set.contains(&expected), "{set}");
            assert!(file.starts_with("mine.toml:2: ") && file.contains(&expected), "{file}");
        }
        let choice = Recipe::default().set("schedule = \"nope\"").unwrap_err().to_string();
        assert!(choice.contains("expected one of `constant`, "), "{choice}");
    }

    #[test]
    fn what_is_no_table_and_what_is_too_large_is_said_without_types() {
        let read = |text: &str| Recipe::parse(Path::new("mine.toml"), text).unwrap_err().to_string();
        let message = read("training = 3\n");
        assert!(
            message.ends_with("expected a table, as `[training]` with lines such as `epochs = 3` below it"),
            "{message}"
        );
        let message = read("[training]\nbatch-size = 18446744073709551616\n");
        assert!(message.ends_with("a whole number is too large, expected at most 9223372036854775807"), "{message}");
        let message = Recipe::default().set("batch-size = 18446744073709551616").unwrap_err().to_string();
        assert!(message.contains("a whole number is too large"), "{message}");
        let set = |line: &str| Recipe::default().set(line).unwrap_err().to_string();
        let message = set("batch-size = 9223372036854775808");
        assert!(message.ends_with("a whole number is too large, expected at most 9223372036854775807"), "{message}");
        assert!(set("epochs = 1e300").contains("`1e300`, expected a whole number"), "{}", set("epochs = 1e300"));
        for (line, missing) in [
            ("optimizer.adamw.weight-decay = 0.1", "missing field `beta1`, as in `optimizer = { sgd = "),
            ("schedule = { exponential = {} }", "missing field `factor`, as in `schedule = "),
            ("lookahead = { every = 3 }", "missing field `stays`, as in `lookahead = { every = 5, "),
            ("warm-up = { from = 0.1 }", "missing field `epochs`, as in `warm-up = { epochs = "),
            ("groups = [{ learning-rate = 1 }]", "missing field `prefix`, as in `groups = [{ prefix = "),
            ("class-weights = { auto = 1 }", "expected a value as in `class-weights = "),
        ] {
            assert!(set(line).contains(missing), "{}", set(line));
        }
        let mut recipe = Recipe::default();
        recipe.set("groups = [{ prefix = '' }]").unwrap();
        let message = recipe.check().unwrap_err().to_string();
        assert_eq!(message, "groups have a prefix that is empty: say what the names begin with, or `*` for all");
        for nothing in ["", " ", "# epochs = 3"] {
            let message = Recipe::default().set(nothing).unwrap_err().to_string();
            assert!(message.ends_with("sets nothing: expected a line such as `epochs = 3`"), "{message}");
        }
        for clip in ["clip = { norm = 1e-300 }", "clip = { value = 1e-46 }"] {
            recipe = Recipe::default();
            recipe.set(clip).unwrap();
            let message = recipe.check().unwrap_err().to_string();
            assert!(message.ends_with("must be a number above 0, in 32 bits too"), "{message}");
        }
    }

    #[test]
    fn a_file_may_switch_off_what_is_optional() {
        let text: String = OPTIONAL.iter().map(|key| format!("{key} = \"none\" # off\n")).collect();
        let read = |text: &str| Recipe::parse(Path::new("mine.toml"), text);
        assert_eq!(read(&format!("about = \"none\"\n[training]\n{text}")).unwrap().training, Settings::default());
        let error = read("[training]\nclip = 'none'\nepochs = \"none\"\n").unwrap_err().to_string();
        assert!(error.starts_with("mine.toml:3: invalid type: string \"none\", expected a whole number"), "{error}");
    }
}
