//! A training step in candle: outputs, loss, and the gradient of every tensor.

use super::fingerprint::{Fingerprint, Norm, Samples, distance, larger};
use super::tolerance::{ZERO, of_zero_in_f32};
use super::{Held, Kind, Parity, Statistics, Way, numbers};
use crate::error::Result;
use crate::golden::Golden;
use crate::rule::Rule;
use candle_core::{Device, Tensor};
use cnn_core::{Network, candle_core};
use std::collections::{BTreeMap, BTreeSet};

impl Parity<'_> {
    /// Holds a step of the model to the golden.
    pub(super) fn step(&mut self, way: Way) -> Result<()> {
        let (about, dtype) = (&self.golden.about, way.dtype());
        let network = self.network(about.input, true)?;
        let model = self.model(&network, &Statistics::new(), dtype)?;
        let outputs = model.outputs_t(&self.batch("input", about.input, dtype)?, true)?;
        let labels = Tensor::new(Rule::labels(about.input[0], about.classes), &Device::Cpu)?;
        let loss = model.loss(&outputs, &labels)?;
        let found: Vec<Vec<f64>> = outputs.iter().map(numbers).collect::<Result<_>>()?;
        self.outputs(&network, found, way);
        self.loss(numbers(&loss)?[0], way);
        drop(outputs);
        if way == Way::F64 {
            self.zeros(&network);
        }
        let mut gradients = loss.backward()?;
        drop(loss);
        let rows = Rows::of(self.golden);
        for (spec, var) in model.trainable()? {
            let found = gradients.remove(&var).as_ref().map(numbers).transpose()?;
            self.gradient(&rows, &spec.name, found, way);
        }
        self.without_a_gradient(&rows, &network, way);
        Ok(())
    }

    /// Holds the outputs of training, the main one and the heads, to the golden's. Errors are relative to the largest
    /// difference between two images.
    pub(super) fn outputs(&mut self, network: &Network, found: Vec<Vec<f64>>, way: Way) {
        let about = &self.golden.about;
        // A batch normalisation by a batch of two costs more digits than one by fixed statistics, which shows in the
        // loss and in the gradient of the layer that makes the outputs, the product of their errors and of the last
        // features: whatever torch's f32 loses most by.
        let layer = &network.node(network.outputs()[0].node).path;
        let distances = about.gradients.iter().zip(self.golden.values("train.f32_distance"));
        let of_layer = distances.filter(|(name, _)| name.rsplit_once('.').is_some_and(|(path, _)| path == layer));
        let torch = of_layer.fold(larger(about.f32_logits, about.f32_loss), |most, (_, own)| larger(most, *own));
        let allowed = self.allowed(way, torch);
        let mut found: BTreeMap<&str, Vec<f64>> =
            network.outputs().iter().map(|output| output.name.as_str()).zip(found).collect();
        for name in ["logits"].into_iter().chain(about.heads.iter().map(String::as_str)) {
            let expected = self.golden.values(&format!("train.{name}"));
            let first = &expected[..about.classes];
            let separation = expected.chunks(about.classes).map(|row| distance(first, row)).fold(0.0, larger);
            let place = format!("{name} in training");
            let error = found.get_mut(name).map_or(f64::INFINITY, |found| {
                (self.tamper)(way, &place, found);
                distance(expected, found) / separation
            });
            self.hold(Held { way, kind: Kind::Training, error, allowed }, place);
        }
    }

    /// Holds a loss to the golden's, relative to it.
    pub(super) fn loss(&mut self, found: f64, way: Way) {
        let expected = self.golden.values("train.loss")[0];
        let (error, allowed) = (((found - expected) / expected).abs(), self.allowed(way, self.golden.about.f32_loss));
        self.hold(Held { way, kind: Kind::Training, error, allowed }, "loss".to_string());
    }

    /// Holds the gradients that the network says are zero to those that torch found to be.
    fn zeros(&mut self, network: &Network) {
        let zero: BTreeSet<&str> = self.golden.about.zero_gradients.iter().map(String::as_str).collect();
        let cancelled = network.cancelled_biases().into_iter().map(|tensor| tensor.name.as_str()).collect();
        for name in zero.symmetric_difference(&cancelled) {
            let [torch, derived] = [&zero, &cancelled].map(|set| if set.contains(name) { "zero" } else { "not zero" });
            self.findings.differ(format!("gradient of {name}, by the network"), torch, derived);
        }
    }

    /// Names what the golden has a gradient of and the network does not train.
    pub(super) fn without_a_gradient(&mut self, rows: &Rows<'_>, network: &Network, way: Way) {
        let trained: BTreeSet<&str> =
            network.tensors().filter(|spec| spec.trained()).map(|spec| spec.name.as_str()).collect();
        for name in rows.of.keys().filter(|name| !trained.contains(**name)) {
            self.findings.differ(format!("gradient of {name} {way}"), "a trained tensor", "none");
        }
    }

    /// Holds the gradient of a tensor to the golden's, and in f32 every element of it to the one in f64.
    pub(super) fn gradient(&mut self, rows: &Rows<'_>, name: &str, found: Option<Vec<f64>>, way: Way) {
        let place = format!("gradient of {name}");
        let Some(row) = rows.of.get(name).copied() else {
            self.findings.differ(format!("{place} {way}"), "no such tensor", "a trained tensor");
            return;
        };
        let Some(mut found) = found else {
            self.findings.differ(format!("{place} {way}"), "a gradient", "none");
            return;
        };
        (self.tamper)(way, &place, &mut found);
        let (expected, torch) = (rows.row(row), self.golden.values("train.f32_distance")[row]);
        let samples = Samples { rule: self.rule, count: expected.len() - 2 };
        let print = Fingerprint::of(&found, name, samples);
        let zero = rows.zero.contains(name);
        let (error, allowed) = match (zero, way) {
            (true, Way::F64 | Way::Oracle) => (print.largest / rows.largest, ZERO),
            (true, Way::F32 | Way::Planned) => (print.largest / rows.largest, of_zero_in_f32(torch)),
            (false, Way::F64 | Way::Oracle) => {
                (print.error_of_gradient(expected, Norm::Compared), self.allowed(way, torch))
            }
            (false, Way::F32 | Way::Planned) => {
                let exact = self.exact.get(name).map_or(&[][..], Vec::as_slice);
                let every = distance(exact, &found) / expected[1];
                (larger(print.error_of_gradient(expected, Norm::Left), every), self.allowed(way, torch))
            }
        };
        self.hold(Held { way, kind: Kind::Gradient, error, allowed }, place);
        if way == Way::F64 {
            *if zero { &mut self.comparison.zero_gradients } else { &mut self.comparison.gradients } += 1;
            self.exact.insert(name.to_string(), found);
        }
    }
}

/// The golden's gradients, a row a tensor.
pub(super) struct Rows<'a> {
    golden: &'a Golden,
    /// The row of each tensor.
    of: BTreeMap<&'a str, usize>,
    /// Those that are zero but for rounding.
    zero: BTreeSet<&'a str>,
    /// The largest entry of all.
    pub(super) largest: f64,
}

impl<'a> Rows<'a> {
    pub(super) fn of(golden: &'a Golden) -> Self {
        let names = &golden.about.gradients;
        let of = names.iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
        let zero = golden.about.zero_gradients.iter().map(String::as_str).collect();
        let rows = Self { golden, of, zero, largest: 0.0 };
        let largest = (0..names.len()).map(|row| rows.row(row)[1]).fold(0.0, f64::max);
        Self { largest, ..rows }
    }

    /// Norm, largest entry and samples of a tensor's gradient.
    fn row(&self, row: usize) -> &'a [f64] {
        self.golden.row("train.gradients", self.of.len(), row)
    }
}
