//! Which of a file's tensors is which of the network's.
//!
//! A name that the network has is never changed. Every other is changed by one rule after the other, and only into one
//! that the network has; the network's tensors decide, not its name.

use super::Twice;
use super::layers::main_scores;
use super::shapes::seen;
use crate::weights::Weights;
use cnn_network::{Network, Op};
use std::collections::{BTreeMap, BTreeSet};

/// torch counts the batches a normalisation has seen; nothing here does.
const COUNTER: &str = "num_batches_tracked";

/// The longest name that is looked at, in bytes; a longer one is no tensor's of any network.
const LONGEST: usize = 1000;

/// The number of models in an average of `torch.optim.swa_utils`.
const AVERAGED: &str = "n_averaged";

/// What wrappers of modules put into names: data parallelism, compilation, sharding, recomputation.
const WRAPPERS: [&str; 4] = ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// timm's names of VGG's linear layers, two of which are convolutions there.
pub(super) const TIMM_VGG: [(&str, &str); 3] =
    [("pre_logits.fc1", "classifier.0"), ("pre_logits.fc2", "classifier.3"), ("head.fc", "classifier.6")];

/// What the layer that makes the scores is called, here and elsewhere. In a `Sequential` a number follows.
const SCORES: [&str; 8] = ["fc", "classifier", "last_linear", "classif", "linear", "head.fc", "head", "logits"];

/// Where the network's tensors are in a file.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The file's name of each of the network's tensors, and how it was changed, which is empty where it was not.
    pub found: BTreeMap<String, (String, String)>,
    /// Pairs of which nobody can say which is meant.
    pub twice: Vec<Twice>,
    /// The file's tensors that are nobody's, by their names in the file.
    pub unexpected: Vec<String>,
    /// Tensors of heads that the network was made without, and counters.
    pub of_heads: usize,
    pub counters: usize,
}

/// A name on its way from the file's to the network's.
struct Name<'w> {
    file: &'w str,
    name: String,
    how: Vec<String>,
}

impl Names {
    pub fn of(weights: &Weights, network: &Network, scoring: &[bool]) -> Self {
        let known = Known::of(network);
        let (short, long): (Vec<&str>, Vec<&str>) =
            weights.iter().map(|(file, _)| file).partition(|file| file.len() <= LONGEST);
        let mut names: Vec<Name<'_>> = short.into_iter().map(|file| Name::of(file, &known)).collect();
        without_prefixes(&mut names, &known);
        for name in &mut names {
            name.spelt_as_here(&known);
        }
        scores(&mut names, &known, weights, network, scoring);
        let mut resolved = Self { unexpected: long.into_iter().map(str::to_string).collect(), ..Self::default() };
        let mut of: BTreeMap<String, Vec<Name<'_>>> = BTreeMap::new();
        for name in names {
            match known.role(&name.name) {
                Some(Role::Tensor) => of.entry(name.name.clone()).or_default().push(name),
                Some(Role::Head) => resolved.of_heads += 1,
                Some(Role::Counter) => resolved.counters += 1,
                None => resolved.unexpected.push(name.file.to_string()),
            }
        }
        for (name, mut candidates) in of {
            // The network's own name is meant where it is there; the others are too many then.
            if let Some(own) = candidates.iter().position(|candidate| candidate.how.is_empty()) {
                let own = candidates.swap_remove(own);
                resolved.unexpected.extend(candidates.iter().map(|other| other.file.to_string()));
                candidates = vec![own];
            }
            match &candidates[..] {
                [one] => drop(resolved.found.insert(name, (one.file.to_string(), one.how.join(", ")))),
                [first, second, ..] => {
                    let (first, second) = (first.file.to_string(), second.file.to_string());
                    resolved.twice.push(Twice { name, first, second });
                }
                [] => {}
            }
        }
        resolved.unexpected.sort_unstable();
        resolved
    }
}

/// What a name is to the network.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Tensor,
    /// Of an auxiliary head that the network was made without.
    Head,
    Counter,
}

/// The names that a network knows.
struct Known<'n> {
    tensors: BTreeSet<&'n str>,
    heads: &'n [String],
    norms: BTreeSet<&'n str>,
}

impl<'n> Known<'n> {
    fn of(network: &'n Network) -> Self {
        let norms = network.nodes().iter().filter(|node| matches!(node.op, Op::BatchNorm(_)));
        Self {
            tensors: network.tensors().map(|spec| spec.name.as_str()).collect(),
            heads: network.left_out_heads(),
            norms: norms.map(|node| node.path.as_str()).collect(),
        }
    }

    fn role(&self, name: &str) -> Option<Role> {
        let counts = || name.strip_suffix(COUNTER)?.strip_suffix('.').filter(|path| self.norms.contains(path));
        if self.tensors.contains(name) {
            Some(Role::Tensor)
        } else if self.heads.iter().any(|head| within(name, head)) {
            Some(Role::Head)
        } else if name == AVERAGED || counts().is_some() {
            Some(Role::Counter)
        } else {
            None
        }
    }

    /// Whether a name of the network begins with this one and a dot.
    fn begins(&self, first: &str) -> bool {
        self.tensors.iter().copied().chain(self.heads.iter().map(String::as_str)).any(|name| within(name, first))
            || self.heads.iter().any(|head| head == first)
    }
}

fn within(name: &str, path: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

impl<'w> Name<'w> {
    /// The name without what wrappers put into it.
    fn of(file: &'w str, known: &Known<'_>) -> Self {
        let mut name = Self { file, name: file.to_string(), how: Vec::new() };
        let parts = || file.split('.');
        if known.role(file).is_none() && parts().any(|part| WRAPPERS.contains(&part)) {
            name.name = parts().filter(|part| !WRAPPERS.contains(part)).collect::<Vec<_>>().join(".");
            for wrapper in WRAPPERS.into_iter().filter(|wrapper| parts().any(|part| part == *wrapper)) {
                name.how.push(format!("without {wrapper}."));
            }
        }
        name
    }

    /// The name that the network has for what an earlier torchvision or timm calls otherwise.
    fn spelt_as_here(&mut self, known: &Known<'_>) {
        if known.role(&self.name).is_some() {
            return;
        }
        let densenet = old_densenet(&self.name).map(|name| (name, "as torchvision now spells DenseNet"));
        let vgg = || {
            let (timm, ours) = TIMM_VGG.into_iter().find(|(timm, _)| within(&self.name, timm))?;
            Some((format!("{ours}{}", &self.name[timm.len()..]), "as torchvision spells VGG"))
        };
        if let Some((name, how)) = densenet.or_else(vgg).filter(|(name, _)| known.role(name).is_some()) {
            self.name = name;
            self.how.push(how.to_string());
        }
    }
}

/// `norm.1.` and `conv.2.` as `norm1.` and `conv2.`.
fn old_densenet(name: &str) -> Option<String> {
    ["norm.1", "norm.2", "conv.1", "conv.2"].into_iter().find_map(|old| {
        let (before, after) = name.split_once(&format!(".{old}."))?;
        Some(format!("{before}.{}.{after}", old.replace('.', "")))
    })
}

/// Takes away what all names begin with and no name of the network does, as many parts as there are.
fn without_prefixes(names: &mut [Name<'_>], known: &Known<'_>) {
    let mut rests: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
    while let Some(first) = common_first(&rests).filter(|first| !known.begins(first)) {
        for rest in &mut rests {
            *rest = rest.strip_prefix(first).and_then(|rest| rest.strip_prefix('.')).unwrap_or(rest);
        }
    }
    let lengths: Vec<usize> = rests.into_iter().map(str::len).collect();
    for (name, length) in names.iter_mut().zip(lengths).filter(|(name, length)| name.name.len() > *length) {
        let rest = name.name.split_off(name.name.len() - length);
        name.how.push(format!("without {}", name.name));
        name.name = rest;
    }
}

/// What all names begin with, up to a dot.
fn common_first<'a>(names: &[&'a str]) -> Option<&'a str> {
    let mut all = names.iter().filter(|name| **name != AVERAGED).map(|name| Some(name.split_once('.')?.0));
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// Gives the layer that makes the scores its name, where the file has one such layer under another usual name.
fn scores(names: &mut [Name<'_>], known: &Known<'_>, weights: &Weights, network: &Network, scoring: &[bool]) {
    let Some(node) = main_scores(network, scoring) else { return };
    let Some(weight) = node.tensors.first().filter(|weight| !names.iter().any(|name| name.name == weight.name)) else {
        return;
    };
    let layer_of = |name: &Name<'_>| {
        let layer = name.name.strip_suffix(".weight")?;
        let base = layer.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let fits = weights.get(name.file).is_some_and(|tensor| seen(tensor.dims()) == seen(&weight.dims));
        let nobodys = known.role(&name.name).is_none();
        (nobodys && fits && SCORES.contains(&base)).then(|| layer.to_string())
    };
    let layers: Vec<String> = names.iter().filter_map(layer_of).collect();
    let [layer] = &layers[..] else { return };
    for name in names.iter_mut().filter(|name| within(&name.name, layer)) {
        let renamed = format!("{}{}", node.path, &name.name[layer.len()..]);
        if known.role(&renamed).is_some() {
            name.how.push(format!("{layer} as {}", node.path));
            name.name = renamed;
        }
    }
}
