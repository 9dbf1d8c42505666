//! The comparison as a few lines for a reader.

use super::{Listed, Loading};
use crate::text::short;
use cnn_network::error::near_names;
use cnn_network::shape::times;
use std::fmt;

/// How many tensors of a kind are listed; of the others the number is told.
const LISTED: usize = 5;

impl fmt::Display for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.form.is_empty() { String::new() } else { format!(" ({})", short(&self.form)) };
        let [taken, all] = self.taken();
        write!(f, "{}{form}: {taken} of {}'s {all} tensors taken", self.weights.source(), self.network)?;
        if let Some(other) = &self.other_network {
            write!(f, "\n  it says that it is of {}", short(other))?;
        }
        for renamed in &self.renamed {
            let (from, to) = (short(&renamed.from), &renamed.to);
            write!(f, "\n  renamed {}: {} ({from} is {to})", renamed.count, short(&renamed.how))?;
        }
        if !self.reshaped.is_empty() {
            write!(f, "\n  reshaped between convolution and linear layer: {}", self.reshaped.join(", "))?;
        }
        if let Some([found, expected]) = self.channels_changed {
            let how = if found == 3 { "summed" } else { "repeated and divided by 3" };
            write!(f, "\n  input channels: {found} {how} for {expected}")?;
        }
        if !self.anew.is_empty() {
            write!(f, "\n  begin anew: {}", some(&self.anew))?;
            if let Some([found, expected]) = self.anew_classes {
                write!(f, "; the weights are for {found} classes, the network for {expected}")?;
            }
        }
        if !self.left_out_heads.is_empty() {
            write!(f, "\n  left out heads: {}", self.left_out_heads.join(", "))?;
        }
        if self.passed_over > 0 {
            write!(f, "\n  counters passed over: {}", self.passed_over)?;
        }
        for twice in &self.twice {
            write!(f, "\n  twice: {} as {} and {}", twice.name, short(&twice.first), short(&twice.second))?;
        }
        if !self.missing.is_empty() {
            let line = |lack: &Listed| format!("{}{}", of(lack), like(lack, &self.unexpected, "the file has"));
            write!(f, "\n  missing {}: {}", self.missing.len(), listed(&self.missing, line))?;
        }
        if !self.unexpected.is_empty() {
            let line = |surplus: &Listed| format!("{}{}", of(surplus), like(surplus, &self.missing, "like"));
            write!(f, "\n  unexpected {}: {}", self.unexpected.len(), listed(&self.unexpected, line))?;
        }
        if !self.misshapen.is_empty() {
            let line = |shape: &super::Misshapen| {
                format!("{} is {}, not {}", shape.name, times(&shape.found), times(&shape.expected))
            };
            write!(f, "\n  misshapen {}: {}", self.misshapen.len(), listed(&self.misshapen, line))?;
        }
        Ok(())
    }
}

fn of(listed: &Listed) -> String {
    format!("{} {}", short(&listed.name), times(&listed.dims))
}

/// The tensor of the other side that is most like this one: of the same shape if there is one, by name among these.
fn like(one: &Listed, others: &[Listed], word: &str) -> String {
    let same_shape = || others.iter().filter(|other| other.dims == one.dims).map(|other| other.name.as_str());
    let all = others.iter().map(|other| other.name.as_str());
    let near = near_names(&one.name, same_shape()).into_iter().chain(near_names(&one.name, all)).next();
    let alone = || Some(same_shape().next()?.to_string()).filter(|_| same_shape().count() == 1);
    let found = near.or_else(alone).and_then(|name| others.iter().find(|other| other.name == name));
    found.map_or(String::new(), |found| format!(" ({word} {})", of(found)))
}

fn listed<T>(all: &[T], line: impl Fn(&T) -> String) -> String {
    let rest = all.len().saturating_sub(LISTED);
    let lines: Vec<String> = all.iter().take(LISTED).map(line).collect();
    format!("{}{}", lines.join("; "), if rest > 0 { format!("; and {rest} more") } else { String::new() })
}

/// Names, of which there may be many.
fn some(names: &[String]) -> String {
    let rest = names.len().saturating_sub(LISTED);
    let more = if rest > 0 { format!(", and {rest} more") } else { String::new() };
    format!("{}{more}", names[..names.len() - rest].join(", "))
}
