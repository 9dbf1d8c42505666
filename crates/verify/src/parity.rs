//! A network in candle and planned, held to torch's golden: logits, inner nodes and gradients, in f64 and in f32.

mod planned;

use crate::error::Result;
use crate::golden::{Golden, NODE_SAMPLES};
use crate::mismatch::{Findings, Mismatch};
use crate::rule::Rule;
use crate::stack::deep;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use cnn_core::oracle::{self, Batch, Weights};
use cnn_core::tensors::TensorSpec;
use cnn_core::{Model, Network, Op, candle_core, candle_nn};
use cnn_zoo::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Largest relative error of anything computed in f64, but for networks that are chaotic even there: see [`FACTOR`].
pub const F64: f64 = 1e-8;
/// Largest error of the oracle's logits, relative to the separation.
pub const ORACLE: f64 = 1e-10;
/// Largest error of f32 logits, relative to the separation, and of the planned loss, relative to itself; and what f32
/// gradients get on top of torch's distance.
pub const F32: f64 = 1e-4;
/// How many times as far off as torch's own distance another implementation may be: in f32 that between f32 and f64, in
/// f64 how far gradients move when every weight moves by its last bit.
pub const FACTOR: f64 = 4.0;
/// Largest gradient that counts as zero, relative to the largest of all tensors.
const ZERO: f64 = 1e-10;
/// Multiply-accumulates up to which the oracle, which is slow, is asked too.
const ORACLE_MACS: usize = 30_000_000;

/// What was compared, the largest relative errors, and what differed.
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
    /// Largest error of the logits in f64.
    pub logits: f64,
    /// Largest error of the logits in f32.
    pub logits_f32: f64,
    /// Largest error of an inner node in f64.
    pub node: f64,
    /// Largest error of a gradient in f64.
    pub gradient: f64,
    /// Largest error of a gradient in f32, in multiples of what it may be.
    pub gradient_f32: f64,
    /// Largest error of the planned evaluation's logits, in f32.
    pub logits_planned: f64,
    /// Largest error of the planned step's loss, in f32.
    pub loss_planned: f64,
    /// Largest error of a gradient of the planned step, in f32, in multiples of what it may be.
    pub gradient_planned: f64,
    /// Largest error of the oracle's logits, where it was asked.
    pub oracle: Option<f64>,
    /// Everything that differed.
    pub mismatches: Vec<Mismatch>,
}

/// Holds a network to its golden.
///
/// # Errors
///
/// A definition that does not take the golden's inputs, an error of candle.
pub fn compare(entry: &Entry, golden: &Golden) -> Result<Comparison> {
    deep(|| compared(entry, golden))?
}

fn compared(entry: &Entry, golden: &Golden) -> Result<Comparison> {
    let about = &golden.about;
    let mut parity = Parity {
        entry,
        golden,
        rule: Rule { seed: about.seed },
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
    parity.gradients(Way::F64)?;
    parity.gradients(Way::F32)?;
    parity.planned_gradients()?;
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
}

impl Way {
    fn dtype(self) -> DType {
        match self {
            Self::F64 => DType::F64,
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

struct Parity<'a> {
    entry: &'a Entry,
    golden: &'a Golden,
    rule: Rule,
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
        let map = VarMap::new();
        {
            let mut data = map.data().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            for spec in network.tensors() {
                let tensor = Tensor::from_vec(self.values(spec, statistics), spec.dims.as_slice(), &Device::Cpu)?
                    .to_dtype(dtype)?;
                data.insert(spec.name.clone(), Var::from_tensor(&tensor)?);
            }
        }
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
        let name = if number == 1 { "input" } else { "input2" };
        let expected = self.golden.values(&format!("eval{number}.logits")).to_vec();
        let logits = network.node(network.outputs()[0].node).path.clone();
        let error_of = |found: &[f64]| distance(&expected, found) / separation;
        self.comparison.sizes += 1;

        let mut paths: Vec<&str> = self.golden.about.nodes.iter().map(String::as_str).collect();
        let rows = paths.len();
        paths.push(&logits);
        let model = self.model(&network, statistics, DType::F64)?;
        let values = model.nodes(&self.batch(name, input, DType::F64)?, &paths)?;
        drop(model);
        for (index, path) in paths[..rows].iter().enumerate() {
            let found = fingerprint(self.rule, path, &numbers(&values[index])?, NODE_SAMPLES);
            let expected = self.golden.row(&format!("eval{number}.nodes"), rows, index);
            let error = found.error(expected, 1.0 / (values[index].elem_count() as f64).sqrt());
            self.comparison.nodes += 1;
            self.comparison.node = self.comparison.node.max(error);
            if error.is_nan() || error > self.f64_allowed() {
                let place = format!("node {path} of {name}");
                self.findings.differ(
                    place,
                    format!("{:.10e}", expected[1]),
                    format!("{:.10e} (error {error:.1e})", found.norm),
                );
            }
        }
        let error = error_of(&numbers(&values[rows])?);
        self.comparison.logits = self.comparison.logits.max(error);
        self.within(format!("logits of {name} {}", Way::F64), error, self.f64_allowed());
        drop(values);

        let model = self.model(&network, statistics, DType::F32)?;
        let found = model.nodes(&self.batch(name, input, DType::F32)?, &[&logits])?;
        let error = error_of(&numbers(&found[0])?);
        self.comparison.logits_f32 = self.comparison.logits_f32.max(error);
        self.within(format!("logits of {name} {}", Way::F32), error, f32_allowed(f32_logits));
        drop((model, found));

        let error = error_of(&self.planned_logits(&network, statistics, &self.rule.input(name, input))?);
        self.comparison.logits_planned = self.comparison.logits_planned.max(error);
        self.within(format!("logits of {name} {}", Way::Planned), error, f32_allowed(f32_logits));

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
            self.comparison.oracle = Some(self.comparison.oracle.unwrap_or(0.0).max(error));
            self.within(format!("logits of {name} by the oracle"), error, ORACLE);
        }
        Ok(())
    }

    fn gradients(&mut self, way: Way) -> Result<()> {
        let (about, dtype) = (&self.golden.about, way.dtype());
        let network = self.network(about.input, true)?;
        let model = self.model(&network, &Statistics::new(), dtype)?;
        let outputs = model.outputs_t(&self.batch("input", about.input, dtype)?, true)?;
        let labels = Tensor::new(Rule::labels(about.input[0], about.classes), &Device::Cpu)?;
        let loss = model.loss(&outputs, &labels)?;
        drop(outputs);
        if way == Way::F64 {
            let error = self.loss_error(loss.to_scalar()?);
            self.within("loss", error, self.f64_allowed());
            self.zeros(&network);
        }
        let gradients = loss.backward()?;
        drop(loss);
        let rows = Rows::of(self.golden);
        for (spec, var) in model.trainable()? {
            let found = gradients.get(&var).map(numbers).transpose()?;
            self.gradient(&rows, &spec.name, found.as_deref(), way);
        }
        self.without_a_gradient(&rows, &network, way);
        Ok(())
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
    fn without_a_gradient(&mut self, rows: &Rows<'_>, network: &Network, way: Way) {
        let trained: BTreeSet<&str> =
            network.tensors().filter(|spec| spec.trained()).map(|spec| spec.name.as_str()).collect();
        for name in rows.of.keys().filter(|name| !trained.contains(**name)) {
            self.findings.differ(format!("gradient of {name} {way}"), "a trained tensor", "none");
        }
    }

    /// Holds the gradient of a tensor to the golden's.
    fn gradient(&mut self, rows: &Rows<'_>, name: &str, found: Option<&[f64]>, way: Way) {
        let place = format!("gradient of {name} {way}");
        let Some(row) = rows.of.get(name).copied() else {
            self.findings.differ(place, "no such tensor", "a trained tensor");
            return;
        };
        let Some(found) = found else {
            self.findings.differ(place, "a gradient", "none");
            return;
        };
        let expected = rows.row(row);
        let found = fingerprint(self.rule, name, found, expected.len() - 2);
        if rows.zero.contains(name) {
            if way == Way::F64 {
                self.comparison.zero_gradients += 1;
                self.within(place, found.largest / rows.largest, ZERO);
            }
            return;
        }
        // Samples against samples, relative to the largest entry; then the norm and the largest entry itself.
        let apart = distance(&expected[2..], &found.samples) / expected[1];
        if way == Way::F64 {
            let norm = ((found.norm - expected[0]) / expected[0]).abs();
            let error = apart.max(norm).max((found.largest - expected[1]).abs() / expected[1]);
            self.comparison.gradients += 1;
            self.comparison.gradient = self.comparison.gradient.max(error);
            self.within(place, error, self.f64_allowed());
        } else {
            let allowed = FACTOR * self.golden.values("train.f32_distance")[row] + F32;
            let most = match way {
                Way::Planned => &mut self.comparison.gradient_planned,
                Way::F32 | Way::F64 => &mut self.comparison.gradient_f32,
            };
            *most = most.max(apart / allowed);
            self.within(place, apart, allowed);
        }
    }

    /// Error of a loss, relative to the golden's.
    fn loss_error(&self, found: f64) -> f64 {
        let expected = self.golden.values("train.loss")[0];
        ((found - expected) / expected).abs()
    }

    fn f64_allowed(&self) -> f64 {
        F64.max(FACTOR * self.golden.about.f64_gradients.max)
    }

    fn within(&mut self, place: impl ToString, error: f64, allowed: f64) {
        if error.is_nan() || error > allowed {
            self.findings.differ(place, format!("a relative error of at most {allowed:.1e}"), format!("{error:.2e}"));
        }
    }
}

/// The golden's gradients, a row a tensor.
struct Rows<'a> {
    golden: &'a Golden,
    /// The row of each tensor.
    of: BTreeMap<&'a str, usize>,
    /// Those that are zero but for rounding.
    zero: BTreeSet<&'a str>,
    /// The largest entry of all.
    largest: f64,
}

impl<'a> Rows<'a> {
    fn of(golden: &'a Golden) -> Self {
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

/// Largest error in f32 of something of which torch's f32 is that far off.
fn f32_allowed(torch: f64) -> f64 {
    F32.max(FACTOR * torch)
}

/// What is kept of a tensor.
struct Fingerprint {
    mean: f64,
    norm: f64,
    largest: f64,
    samples: Vec<f64>,
}

impl Fingerprint {
    /// The largest difference from a row of mean, norm and samples, relative to the largest entry. The norm counts by
    /// `norm_weight` of itself, as it sums up everything.
    fn error(&self, row: &[f64], norm_weight: f64) -> f64 {
        let mean = (self.mean - row[0]).abs();
        let norm = (self.norm - row[1]).abs() * norm_weight;
        distance(&row[2..], &self.samples).max(mean).max(norm) / self.largest
    }
}

fn fingerprint(rule: Rule, name: &str, values: &[f64], samples: usize) -> Fingerprint {
    Fingerprint {
        mean: values.iter().sum::<f64>() / values.len() as f64,
        norm: values.iter().map(|v| v * v).sum::<f64>().sqrt(),
        largest: values.iter().fold(0.0, |largest: f64, v| largest.max(v.abs())),
        samples: rule.positions(name, values.len(), samples).into_iter().map(|at| values[at]).collect(),
    }
}

/// Largest difference; infinite where the lengths differ or something is not a number.
fn distance(expected: &[f64], found: &[f64]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    let apart = |(a, b): (&f64, &f64)| (a - b).abs();
    expected
        .iter()
        .zip(found)
        .map(apart)
        .fold(0.0, |largest, d| if d.is_nan() { f64::INFINITY } else { largest.max(d) })
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}
