//! A network in candle and planned, held to torch's golden: logits, inner nodes, losses and gradients, in f64 and f32.

mod fingerprint;
mod gradients;
mod planned;
pub mod tolerance;

use crate::error::Result;
use crate::golden::{Golden, NODE_SAMPLES};
use crate::mismatch::{Findings, Mismatch};
use crate::rule::Rule;
use crate::stack::deep;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cnn_core::oracle::{self, Batch, Weights};
use cnn_core::tensors::TensorSpec;
use cnn_core::{Model, Network, Op, candle_core, candle_nn};
use cnn_zoo::Entry;
use fingerprint::{Fingerprint, Samples, distance, larger};
use std::collections::BTreeMap;
use std::fmt;
use tolerance::{ORACLE, in_f32, in_f64};

/// Multiply-accumulates up to which the oracle, which is slow, is asked too.
const ORACLE_MACS: usize = 30_000_000;

/// What was compared, the largest errors, and what differed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Batches whose logits were compared.
    pub sizes: usize,
    /// Inner nodes compared, over all batches.
    pub nodes: usize,
    /// Tensors whose gradient was compared.
    pub gradients: usize,
    /// Gradients that are zero but for rounding.
    pub zero_gradients: usize,
    /// Errors of the model in f64.
    pub f64: Errors,
    /// Errors of the model in f32.
    pub f32: Errors,
    /// Errors of the plan in f32.
    pub planned: Errors,
    /// Errors of the oracle, of which nothing but the logits is asked, and of small networks alone.
    pub oracle: Option<Errors>,
    /// Everything that differed.
    pub mismatches: Vec<Mismatch>,
}

/// The largest errors of one way to compute, each in multiples of what it may be: at most 1 where nothing differs; 0 of
/// what is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// Of the logits in evaluation.
    pub logits: f64,
    /// Of an inner node in evaluation.
    pub nodes: f64,
    /// Of the outputs in training, the auxiliary heads among them, and of the loss.
    pub training: f64,
    /// Of a gradient.
    pub gradients: f64,
}

/// Holds a network to its golden.
///
/// # Errors
///
/// A definition that does not take the golden's inputs, an error of candle.
pub fn compare(entry: &Entry, golden: &Golden) -> Result<Comparison> {
    deep(|| compared(entry, golden, &|_, _, _| {}))?
}

/// Changes what was computed, by way and place, before it is looked at: what a test puts wrong.
type Tamper<'a> = dyn Fn(Way, &str, &mut [f64]) + Sync + 'a;

fn compared(entry: &Entry, golden: &Golden, tamper: &Tamper<'_>) -> Result<Comparison> {
    let about = &golden.about;
    let mut parity = Parity {
        entry,
        golden,
        rule: Rule { seed: about.seed },
        tamper,
        exact: BTreeMap::new(),
        findings: Findings::of(entry.name),
        comparison: Comparison::default(),
    };
    let statistics = parity.calibrate()?;
    for (number, (input, separation, f32_logits)) in (1..).zip(
        [
            Some((about.input, about.separation, about.f32_logits)),
            about.input2.map(|input| (input, about.separation2, about.f32_logits2)),
        ]
        .into_iter()
        .flatten(),
    ) {
        let batch = Evaluated { number, input, separation, f32_logits };
        parity.evaluate(&batch, &statistics)?;
    }
    parity.step(Way::F64)?;
    parity.step(Way::F32)?;
    parity.planned_step()?;
    let Parity { findings, mut comparison, .. } = parity;
    comparison.mismatches = findings.mismatches;
    Ok(comparison)
}

/// What computes, and in which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The model, in f64.
    F64,
    /// The model, in f32.
    F32,
    /// A plan, in f32.
    Planned,
    /// The oracle, in f64.
    Oracle,
}

impl Way {
    fn dtype(self) -> DType {
        match self {
            Self::F64 | Self::Oracle => DType::F64,
            Self::F32 | Self::Planned => DType::F32,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "in f64",
            Self::F32 => "in f32",
            Self::Planned => "as planned in f32",
            Self::Oracle => "by the oracle",
        })
    }
}

/// Running statistics by tensor name.
type Statistics = BTreeMap<String, Vec<f64>>;

/// A batch of the golden that is evaluated.
struct Evaluated {
    number: usize,
    input: [usize; 4],
    separation: f64,
    f32_logits: f64,
}

impl Evaluated {
    /// The name of its images in the rule.
    fn name(&self) -> &'static str {
        if self.number == 1 { "input" } else { "input2" }
    }
}

/// Values that were computed.
struct Found<'a> {
    values: &'a mut [f64],
    /// The same in f64, where that is another way.
    near: Option<&'a [f64]>,
    way: Way,
    allowed: f64,
}

/// An error, and how large it may be.
struct Held {
    way: Way,
    kind: Kind,
    error: f64,
    allowed: f64,
}

/// What an error is of.
#[derive(Clone, Copy)]
enum Kind {
    Logits,
    Node,
    Training,
    Gradient,
}

struct Parity<'a> {
    entry: &'a Entry,
    golden: &'a Golden,
    rule: Rule,
    tamper: &'a Tamper<'a>,
    /// The gradients in f64, by tensor.
    exact: BTreeMap<String, Vec<f64>>,
    findings: Findings<'a>,
    comparison: Comparison,
}

impl Parity<'_> {
    fn network(&self, [_, c, h, w]: [usize; 4], heads: bool) -> Result<Network> {
        let architecture = self.entry.architecture(self.golden.about.classes).without_dropout();
        let architecture = if heads { architecture } else { architecture.without_heads() };
        Ok(architecture.at([c, h, w])?)
    }

    /// The network with weights by the rule, and these statistics or zeros.
    fn model(&self, network: &Network, statistics: &Statistics, dtype: DType) -> Result<Model> {
        let map = cnn_core::model::variables(network, |spec| {
            let values = self.values(spec, statistics);
            Ok(Tensor::from_vec(values, spec.dims.as_slice(), &Device::Cpu)?.to_dtype(dtype)?)
        })?;
        Ok(Model::new(network, VarBuilder::from_varmap(&map, dtype, &Device::Cpu))?)
    }

    /// What a tensor holds: the rule's values, a statistic, or zeros.
    fn values(&self, spec: &TensorSpec, statistics: &Statistics) -> Vec<f64> {
        let values = self.rule.tensor(spec).or_else(|| statistics.get(&spec.name).cloned());
        values.unwrap_or_else(|| vec![0.0; spec.elements()])
    }

    fn batch(&self, name: &str, dims: [usize; 4], dtype: DType) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.rule.input(name, dims), dims.as_slice(), &Device::Cpu)?.to_dtype(dtype)?)
    }

    /// What one training pass with momentum 1 would leave. Statistics that were zero hold, after a pass with another
    /// momentum, that share of the batch's.
    fn calibrate(&self) -> Result<Statistics> {
        let Some(input) = self.golden.about.calibration else { return Ok(Statistics::new()) };
        let network = self.network(input, true)?;
        let model = self.model(&network, &Statistics::new(), DType::F64)?;

        model.outputs_t(&self.batch("calibration", input, DType::F64)?, true)?;
        let mut statistics = Statistics::new();
        let values: BTreeMap<&str, &Tensor> =
            model.tensors().map(|(spec, tensor)| (spec.name.as_str(), tensor)).collect();
        for node in network.nodes() {
            let Op::BatchNorm(norm) = node.op else { continue };
            for spec in node.tensors.iter().filter(|spec| !spec.trained()) {
                let share = numbers(values[spec.name.as_str()])?;
                statistics.insert(spec.name.clone(), share.into_iter().map(|v| v / norm.momentum).collect());
            }
        }
        Ok(statistics)
    }

    fn evaluate(&mut self, batch: &Evaluated, statistics: &Statistics) -> Result<()> {
        let Evaluated { number, input, separation, f32_logits } = *batch;
        let network = self.network(input, false)?;
        let name = batch.name();
        let expected = self.golden.values(&format!("eval{number}.logits")).to_vec();
        let error_of = |found: &[f64]| distance(&expected, found) / separation;
        self.comparison.sizes += 1;

        let mut exact: Vec<Vec<f64>> = Vec::new();
        for way in [Way::F64, Way::F32] {
            let allowed = self.allowed(way, f32_logits);
            let (mut nodes, logits) = self.evaluated(&network, batch, statistics, way)?;
            for (index, values) in nodes.iter_mut().enumerate() {
                let near = exact.get(index).map(Vec::as_slice);
                self.node(batch, index, Found { values, near, way, allowed });
            }
            self.hold(Held { way, kind: Kind::Logits, error: error_of(&logits), allowed }, format!("logits of {name}"));
            if way == Way::F64 {
                exact = nodes;
            }
        }

        let (way, images) = (Way::Planned, self.rule.input(name, input));
        let allowed = self.allowed(way, f32_logits);
        let error = error_of(&self.planned_logits(&network, statistics, &images)?);
        self.hold(Held { way, kind: Kind::Logits, error, allowed }, format!("logits of {name}"));
        let nodes = self.planned_nodes(&network, statistics, &images)?;
        // Winograd's rounding errors are about twice as large, and an inner node has no later layer to even them out.
        let allowed = self.allowed(way, 2.0 * f32_logits);
        for (index, (mut values, near)) in nodes.into_iter().zip(&exact).enumerate() {
            self.node(batch, index, Found { values: &mut values, near: Some(near), way, allowed });
        }
        drop(exact);

        if network.summary().macs <= ORACLE_MACS {
            let weights: Weights = network
                .tensors()
                .filter_map(|spec| {
                    let values = self.rule.tensor(spec).or_else(|| statistics.get(&spec.name).cloned())?;
                    Some((spec.name.clone(), values))
                })
                .collect();
            let values = self.rule.input(name, input);
            let found = oracle::forward(&network, &weights, &Batch { shape: network.input(), values })?;
            let error = error_of(&found.values);
            let way = Way::Oracle;
            let held = Held { way, kind: Kind::Logits, error, allowed: self.allowed(way, f32_logits) };
            self.hold(held, format!("logits of {name}"));
        }
        Ok(())
    }

    /// What the model makes of a batch: the golden's inner nodes and the logits.
    fn evaluated(
        &self,
        network: &Network,
        batch: &Evaluated,
        statistics: &Statistics,
        way: Way,
    ) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
        let mut paths: Vec<&str> = self.golden.about.nodes.iter().map(String::as_str).collect();
        paths.push(&network.node(network.outputs()[0].node).path);
        let model = self.model(network, statistics, way.dtype())?;
        let found = model.nodes(&self.batch(batch.name(), batch.input, way.dtype())?, &paths)?;
        let mut values: Vec<Vec<f64>> = found.iter().map(numbers).collect::<Result<_>>()?;
        let logits = values.pop().unwrap_or_default();
        Ok((values, logits))
    }

    /// Holds an inner node to the golden's fingerprint, and in f32 every element to the one in f64.
    fn node(&mut self, batch: &Evaluated, index: usize, found: Found<'_>) {
        let Found { values, near, way, allowed } = found;
        let (rows, path) = (self.golden.about.nodes.len(), &self.golden.about.nodes[index]);
        let place = format!("node {path} of {}", batch.name());
        (self.tamper)(way, &place, values);
        let expected = self.golden.row(&format!("eval{}.nodes", batch.number), rows, index);
        let print = Fingerprint::of(values, path, Samples { rule: self.rule, count: NODE_SAMPLES });
        let apart = near.map_or(0.0, |near| distance(near, values) / print.largest);
        let error = larger(print.error_of_node(expected, values.len()), apart);
        self.comparison.nodes += usize::from(way == Way::F64);
        self.hold(Held { way, kind: Kind::Node, error, allowed }, place);
    }

    /// The bound of a number by which torch's f32 is off by `torch`.
    fn allowed(&self, way: Way, torch: f64) -> f64 {
        match way {
            Way::F64 => in_f64(self.golden.about.f64_gradients.max),
            Way::F32 | Way::Planned => in_f32(torch),
            Way::Oracle => ORACLE,
        }
    }

    /// Notes an error, and a mismatch where it is larger than it may be.
    fn hold(&mut self, held: Held, place: String) {
        let Held { way, kind, error, allowed } = held;
        let errors = match way {
            Way::F64 => &mut self.comparison.f64,
            Way::F32 => &mut self.comparison.f32,
            Way::Planned => &mut self.comparison.planned,
            Way::Oracle => self.comparison.oracle.get_or_insert_default(),
        };
        let most = match kind {
            Kind::Logits => &mut errors.logits,
            Kind::Node => &mut errors.nodes,
            Kind::Training => &mut errors.training,
            Kind::Gradient => &mut errors.gradients,
        };
        *most = larger(*most, error / allowed);
        if error.is_nan() || error > allowed {
            let expected = format!("a relative error of at most {allowed:.1e}");
            self.findings.differ(format!("{place} {way}"), expected, format!("{error:.2e}"));
        }
    }
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::About;
    use std::collections::BTreeSet;
    use std::path::Path;

    type Failure = Box<dyn std::error::Error>;

    /// What is put into an element that no fingerprint samples.
    #[derive(Clone, Copy, Debug)]
    enum Garbage {
        NotANumber,
        /// This times the largest entry of all.
        Much(f64),
    }

    /// Wherever a single number is garbage, in a gradient that should be zero or not, in an inner node or an output,
    /// whichever engine wrote it, that place is named and no other.
    #[test]
    fn a_single_number_of_garbage_is_found() -> Result<(), Failure> {
        let goldens = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/parity"));
        let entry = cnn_zoo::find("densenet_d2l")?;
        let golden = Golden::read(goldens, entry.name)?.ok_or("no golden")?;
        let About { gradients, zero_gradients: zero, nodes, .. } = &golden.about;
        let other: Vec<&String> = gradients.iter().filter(|name| !zero.contains(name)).collect();
        let gradient = |name: &str| format!("gradient of {name}");
        let node = |name: &str| format!("node {name} of input");
        let planted = [
            (Way::F64, gradient(&zero[0]), Garbage::Much(1e-9)),
            (Way::F64, gradient(&zero[1]), Garbage::NotANumber),
            (Way::F32, gradient(&zero[2]), Garbage::Much(1e-4)),
            (Way::F32, gradient(&zero[3]), Garbage::NotANumber),
            (Way::Planned, gradient(&zero[4]), Garbage::Much(1e-4)),
            (Way::Planned, gradient(&zero[5]), Garbage::NotANumber),
            (Way::F32, gradient(other[0]), Garbage::Much(0.1)),
            (Way::F32, gradient(other[3]), Garbage::NotANumber),
            (Way::Planned, gradient(other[6]), Garbage::Much(0.1)),
            (Way::Planned, gradient(other[9]), Garbage::NotANumber),
            (Way::F32, node(&nodes[0]), Garbage::Much(0.1)),
            (Way::F32, node(&nodes[1]), Garbage::NotANumber),
            (Way::Planned, node(&nodes[2]), Garbage::Much(0.1)),
            (Way::Planned, node(&nodes[3]), Garbage::NotANumber),
            (Way::F32, "logits in training".to_string(), Garbage::Much(0.1)),
            (Way::Planned, "logits in training".to_string(), Garbage::NotANumber),
        ];
        let (rule, rows) = (Rule { seed: golden.about.seed }, gradients::Rows::of(&golden));
        let tamper = |way: Way, place: &str, values: &mut [f64]| {
            let Some((.., garbage)) = planted.iter().find(|(by, at, _)| (*by, at.as_str()) == (way, place)) else {
                return;
            };
            let name = place.split(' ').nth(2).unwrap_or_default();
            let node = place.split(' ').nth(1).unwrap_or_default();
            let sampled: BTreeSet<usize> =
                [name, node].into_iter().flat_map(|name| rule.positions(name, values.len(), NODE_SAMPLES)).collect();
            let at = (0..values.len()).find(|at| !sampled.contains(at)).unwrap_or(0);
            values[at] = match garbage {
                Garbage::NotANumber => f64::NAN,
                Garbage::Much(share) => share * values.iter().fold(rows.largest, |most, v| most.max(v.abs())),
            };
        };
        let comparison = deep(|| compared(&entry, &golden, &tamper))??;
        let found: BTreeSet<&str> = comparison.mismatches.iter().map(|mismatch| mismatch.place.as_str()).collect();
        let places: Vec<String> = planted.iter().map(|(way, place, _)| format!("{place} {way}")).collect();
        assert_eq!(found, places.iter().map(String::as_str).collect());
        assert_eq!(comparison.mismatches.len(), planted.len());
        Ok(())
    }
}
