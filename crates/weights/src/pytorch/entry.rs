//! Where in a file the weights are: a training run keeps them beside its optimiser's state, its epoch, its averages.

use pytorch_reader::{PytorchReader, Tensor};
use std::collections::BTreeMap;

/// The keys that training programs keep weights under, those first that are preferred where there are several: what was
/// trained comes before its moving average.
const KEYS: [&str; 15] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "module",
    "state_dict_ema",
    "model_ema_state_dict",
    "model_ema",
    "ema_state_dict",
    "ema_model",
    "ema",
];

/// The tensors that were found.
pub(super) struct Found {
    pub tensors: BTreeMap<String, Tensor>,
    /// Where, for a sentence: `, under state_dict`.
    pub from: String,
    /// Other keys that hold some.
    pub left_out: Vec<String>,
}

/// How a file is opened, as a whole or under a key.
type Open<'a> = dyn Fn(Option<&str>) -> Result<PytorchReader, String> + 'a;

/// The tensors under `asked`; else those under the first of the usual keys that holds some; else all.
pub(super) fn choose(open: &Open<'_>, asked: Option<&str>) -> Result<Found, String> {
    if let Some(asked) = asked {
        let tensors = sorted(open(Some(asked))?)?;
        return Ok(Found { tensors, from: format!(", under {asked}"), left_out: Vec::new() });
    }
    let whole = open(None)?;
    let begins = |key: &str| whole.tensors().keys().any(|name| first(name) == key && name.len() > key.len());
    // A name that begins with the key and a dot need not lie in a dictionary of that name: opening it tells.
    let opened = KEYS.into_iter().filter(|key| begins(key)).filter_map(|key| Some((key, open(Some(key)).ok()?)));
    let mut held = opened.filter(|(_, reader)| !reader.is_empty());
    let Some((key, reader)) = held.next() else {
        return Ok(Found { tensors: sorted(whole)?, from: String::new(), left_out: Vec::new() });
    };
    let left_out: Vec<String> = held.map(|(key, _)| key.to_string()).collect();
    let others = match left_out[..] {
        [] => String::new(),
        _ => format!("; {} not taken", left_out.join(", ")),
    };
    Ok(Found { tensors: sorted(reader)?, from: format!(", under {key}{others}"), left_out })
}

fn first(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

fn sorted(reader: PytorchReader) -> Result<BTreeMap<String, Tensor>, String> {
    match reader.is_empty() {
        true => Err("it holds no tensors".to_string()),
        false => Ok(reader.into_tensors().into_iter().collect()),
    }
}
