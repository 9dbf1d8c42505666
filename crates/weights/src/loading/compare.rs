//! The comparison itself.

use super::layers::{main_scores, scoring, sees_input};
use super::names::Names;
use super::shapes::{other_channels, same_numbers, seen, with_channels};
use super::{Allowed, Listed, Loading, Misshapen, Renamed};
use crate::error::Result;
use crate::tensor::Tensor;
use crate::weights::Weights;
use cnn_network::network::{Node, NodeId};
use cnn_network::tensors::TensorSpec;
use cnn_network::{Network, Op};
use std::collections::BTreeSet;

/// Compares weights with a network of which only some nodes are to be computed: tensors that they do not need may be
/// missing.
pub(crate) fn compare(weights: &Weights, network: &Network, targets: &[NodeId], allowed: Allowed) -> Result<Loading> {
    network.check_nodes(targets)?;
    let scoring = scoring(network);
    let names = Names::of(weights, network, &scoring);
    let mut taken = Weights::new().from_source(weights.source().to_string()).with_form(weights.form());
    for (key, value) in weights.metadata() {
        taken = taken.with_metadata(key, value);
    }
    let unexpected = names.unexpected.iter().filter_map(|name| listed(weights, name)).collect();
    let mut loading = Loading {
        network: network.name().to_string(),
        other_network: weights.network().filter(|found| found != network.name()),
        form: weights.form().to_string(),
        weights: taken,
        expected: network.tensors().count(),
        renamed: renamed(&names),
        reshaped: Vec::new(),
        channels_changed: None,
        anew: Vec::new(),
        anew_classes: None,
        missing: Vec::new(),
        unexpected,
        misshapen: Vec::new(),
        twice: names.twice,
        left_out_heads: if names.of_heads > 0 { network.left_out_heads().to_vec() } else { Vec::new() },
        passed_over: names.counters,
        classes: None,
        channels: None,
    };
    let twice: BTreeSet<String> = loading.twice.iter().map(|twice| twice.name.clone()).collect();
    let needed = network.needed_for(targets);
    let scores = main_scores(network, &scoring).map(|node| node.path.as_str());
    for (id, node) in network.nodes().iter().enumerate() {
        let place = Place { network, node, needed: needed[id], scoring: scoring[id], allowed };
        let mut of_layer = Vec::new();
        for (number, spec) in node.tensors.iter().enumerate() {
            let tensor = names.found.get(&spec.name).and_then(|(file, _)| weights.get(file));
            if number == 0 {
                loading.look_at_first(&place, scores, tensor);
            }
            of_layer.push((spec, loading.fit(&place, spec, tensor, &twice)?));
        }
        loading.take(of_layer);
    }
    Ok(loading)
}

/// A node, and what is asked of it.
struct Place<'n> {
    network: &'n Network,
    node: &'n Node,
    needed: bool,
    scoring: bool,
    allowed: Allowed,
}

/// What becomes of one of the network's tensors.
enum Fitted {
    Taken(Tensor),
    Anew,
    Nothing,
}

impl Loading {
    /// Notes the number of classes and of input channels where a layer's first tensor tells them.
    fn look_at_first(&mut self, place: &Place<'_>, scores: Option<&str>, tensor: Option<&Tensor>) {
        let Some(dims) = tensor.map(Tensor::dims) else { return };
        if scores == Some(place.node.path.as_str()) {
            self.classes = dims.first().copied();
        }
        if self.channels.is_none() && dims.len() == 4 && sees_input(place.network, place.node) {
            self.channels = dims.get(1).copied();
        }
    }

    fn fit(
        &mut self,
        place: &Place<'_>,
        spec: &TensorSpec,
        tensor: Option<&Tensor>,
        twice: &BTreeSet<String>,
    ) -> Result<Fitted> {
        let Some(tensor) = tensor else {
            let head = place.node.head.is_some() && place.allowed.heads;
            if !head && place.needed && !twice.contains(&spec.name) {
                self.missing.push(Listed { name: spec.name.clone(), dims: spec.dims.clone() });
            }
            return Ok(if head { Fitted::Anew } else { Fitted::Nothing });
        };
        if !tensor.holds_numbers() {
            // Reading them says of what type they are.
            tensor.numbers::<f32>(&spec.name)?;
        }
        let (expected, found) = (&spec.dims[..], tensor.dims());
        if expected == found {
            return Ok(Fitted::Taken(tensor.clone()));
        }
        if same_numbers(place.network, place.node, expected, found) {
            self.reshaped.push(spec.name.clone());
            return Ok(Fitted::Taken(tensor.reshaped(&spec.name, expected)?));
        }
        let channels = sees_input(place.network, place.node) && other_channels(expected, found);
        if channels && place.allowed.channels {
            self.channels_changed = Some([found[1], expected[1]]);
            return Ok(Fitted::Taken(with_channels(&spec.name, tensor, expected)?));
        }
        let classes = place.scoring && !found.is_empty() && expected[0] != found[0] && seen(expected) == seen(found);
        if classes && place.allowed.classes {
            let layer = matches!(place.node.op, Op::Conv(_) | Op::Linear(_));
            if layer && place.node.head.is_none() {
                self.anew_classes = Some([found[0], expected[0]]);
            }
            return Ok(Fitted::Anew);
        }
        let (expected, found) = (expected.to_vec(), found.to_vec());
        self.misshapen.push(Misshapen { name: spec.name.clone(), expected, found });
        Ok(Fitted::Nothing)
    }

    /// Takes a layer's tensors. A layer begins anew as a whole, or not at all.
    fn take(&mut self, of_layer: Vec<(&TensorSpec, Fitted)>) {
        let anew = of_layer.iter().any(|(_, fitted)| matches!(fitted, Fitted::Anew));
        for (spec, fitted) in of_layer {
            match fitted {
                _ if anew => self.anew.push(spec.name.clone()),
                Fitted::Taken(tensor) => self.weights.insert(spec.name.clone(), tensor),
                Fitted::Anew | Fitted::Nothing => {}
            }
        }
    }
}

fn listed(weights: &Weights, name: &str) -> Option<Listed> {
    let tensor = weights.get(name)?;
    Some(Listed { name: name.to_string(), dims: tensor.dims().to_vec() })
}

/// The changed names, by what was done to them.
fn renamed(names: &Names) -> Vec<Renamed> {
    let mut renamed: Vec<Renamed> = Vec::new();
    for (to, (from, how)) in names.found.iter().filter(|(_, (_, how))| !how.is_empty()) {
        match renamed.iter_mut().find(|renamed| renamed.how == *how) {
            Some(known) => known.count += 1,
            None => renamed.push(Renamed { how: how.clone(), count: 1, from: from.clone(), to: to.clone() }),
        }
    }
    renamed
}
