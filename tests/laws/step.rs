//! One training step, in f64 where nothing else is said, by candle's autograd or planned, and how far two of them are apart.

use crate::Failure;
use cnn_core::candle_core::{DType, Device, Tensor};
use cnn_core::candle_nn::{VarBuilder, VarMap};
use cnn_core::weights::{Number, Tensor as WeightsTensor, Weights};
use cnn_core::{Model, Network, initialisation, model};
use cnn_plan::{Dropout, Parameters, Real, Targets, TrainingOptions, TrainingPlan, TrainingRun};

const BATCH: usize = 3;
pub const SEED: u64 = 5;
/// Passes of dropout before.
pub const PASSES: u64 = 2;
pub const DROPOUT: Dropout = Dropout { seed: SEED, passes: PASSES };
/// Of the labels; the rest is another image's.
const SHARE: f64 = 0.7;

/// A network with weights, and a batch in which images are mixed.
pub struct Problem {
    pub network: Network,
    pub weights: VarMap,
    images: Vec<f64>,
    labels: Vec<u32>,
    others: Vec<u32>,
}

/// What came of a step. Gradients and values are those of each tensor, in the network's order.
pub struct Outcome {
    pub loss: f64,
    outputs: Vec<Vec<f64>>,
    pub gradients: Vec<Option<Vec<f64>>>,
    /// Afterwards: the statistics have moved, the weights have not. After a step of candle, which moves no weights, the
    /// statistics alone.
    pub values: Vec<Vec<f64>>,
}

impl Problem {
    /// Of at least seven classes.
    pub fn new(network: Network) -> Result<Self, Failure> {
        let count = BATCH * network.input().elements();
        let images = initialisation::Init::Normal { std: 1.0 }.draw(SEED, "images", count);
        let weights = model::initialise(&network, SEED, DType::F64, &Device::Cpu)?;
        let labels = |step: u32| (0..BATCH as u32).map(|i| i * step % 7).collect();
        let images = images.into_iter().map(f64::from).collect();
        Ok(Self { network, weights, images, labels: labels(2), others: labels(3) })
    }

    /// The values of every tensor, in the network's order.
    pub fn values(&self) -> Result<Vec<Vec<f64>>, Failure> {
        let data = self.weights.data().lock().map_err(|_| "poisoned")?;
        self.network.tensors().map(|spec| Ok(data[&spec.name].as_tensor().flatten_all()?.to_vec1()?)).collect()
    }

    /// By candle's operations, as in training or as in evaluation. The statistics of the weights move.
    pub fn candle(&self, train: bool) -> Result<Outcome, Failure> {
        let device = Device::Cpu;
        // Of candle's operations: the kernels are the plan's own.
        let model = Model::new(&self.network, VarBuilder::from_varmap(&self.weights, DType::F64, &device))?;
        let model = model.with_dropout(SEED, PASSES).without_kernels();
        let dims = self.network.input().dims();
        let images = Tensor::from_slice(&self.images, (BATCH, dims[0], dims[1], dims[2]), &device)?;
        let outputs = model.outputs_t(&images, train)?;
        let loss = |labels: &[u32]| model.loss(&outputs, &Tensor::new(labels, &device)?);
        let loss = ((loss(&self.labels)? * SHARE)? + (loss(&self.others)? * (1.0 - SHARE))?)?;
        let mut gradients = loss.backward()?;
        let numbers = |tensor: &Tensor| Ok::<Vec<f64>, Failure>(tensor.flatten_all()?.to_vec1()?);
        Ok(Outcome {
            loss: loss.to_scalar()?,
            outputs: outputs.iter().map(numbers).collect::<Result<_, _>>()?,
            gradients: model
                .tensors()
                .map(|(_, tensor)| gradients.remove(tensor).as_ref().map(numbers).transpose())
                .collect::<Result<_, _>>()?,
            values: model
                .tensors()
                .map(|(spec, tensor)| if spec.trained() { Ok(Vec::new()) } else { numbers(tensor) })
                .collect::<Result<_, _>>()?,
        })
    }

    /// Planned, from these values of the tensors on.
    pub fn planned(&self, values: Vec<Vec<f64>>, options: TrainingOptions<'_>) -> Result<Outcome, Failure> {
        self.with(&mut TrainingRun::<f64>::new(&TrainingPlan::new(&self.network, options)?, DROPOUT), values)
    }

    /// A step of a run for the network, from these values on as its numbers hold them.
    pub fn with<T: Real>(&self, run: &mut TrainingRun<T>, values: Vec<Vec<f64>>) -> Result<Outcome, Failure> {
        let held = |x: &f64| Number::to_f64(<T as Number>::from_f64(*x));
        let before: Vec<u64> = values.iter().map(|values| hash(values.iter().map(held))).collect();
        let mut weights = Weights::new();
        for (spec, values) in self.network.tensors().zip(values) {
            weights.insert(spec.name.clone(), WeightsTensor::new(&spec.name, &spec.dims, values)?);
        }
        let mut parameters = Parameters::<T>::new(&self.network, &weights)?;
        drop(weights);
        let targets = Targets { mixed: Some((&self.others, SHARE)), ..Targets::new(&self.labels) };
        let images: Vec<T> = self.images.iter().map(|x| <T as Number>::from_f64(*x)).collect();
        let forward = run.forward(&mut parameters, &images)?;
        let loss = forward.cross_entropy(&targets)?;
        let outputs = (0..self.network.outputs().len()).map(|output| numbers(&forward.output(output))).collect();
        let mut gradients: Vec<Option<Vec<f64>>> = vec![None; self.network.tensors().count()];
        let mut twice = false;
        forward.backward(&loss.gradients, &mut |tensor: usize, _: &mut [T], gradient: &[T]| {
            twice |= gradients[tensor].replace(numbers(gradient)).is_some();
        })?;
        if twice {
            return Err("a gradient came twice".into());
        }
        let weights = self.network.tensors().zip(parameters.values().zip(before)).filter(|(spec, _)| spec.trained());
        for (spec, (after, before)) in weights {
            if hash(after.iter().map(|x| Number::to_f64(*x))) != before {
                return Err(format!("the step has moved {}", spec.name).into());
            }
        }
        let values = parameters.values().map(numbers).collect();
        Ok(Outcome { loss: loss.value, outputs, gradients, values })
    }
}

impl Outcome {
    /// The largest difference of loss, outputs, gradients and values from those expected, relative to the largest
    /// number there, and of what. Of gradients only those that are found count.
    pub fn away(&self, network: &Network, expected: &Self) -> Result<(f64, String), Failure> {
        let mut worst = (away(&[self.loss], &[expected.loss]), "loss".to_string());
        let mut note = |difference: f64, name: String| {
            if difference.is_nan() || difference > worst.0 {
                worst = (difference, name);
            }
        };
        for (index, (found, expected)) in self.outputs.iter().zip(&expected.outputs).enumerate() {
            note(away(found, expected), format!("output {index}"));
        }
        let values = network.tensors().zip(self.values.iter().zip(&expected.values));
        for (spec, (found, expected)) in values.filter(|(spec, _)| !spec.trained()) {
            note(away(found, expected), spec.name.clone());
        }
        // A bias that a batch norm cancels has a gradient of rounding errors: judged by what it is the sum of.
        let numbers = self.gradients.iter().flatten().flatten();
        let largest = numbers.fold(0.0, |most: f64, x| most.max(x.abs()));
        for (spec, (found, expected)) in network.tensors().zip(self.gradients.iter().zip(&expected.gradients)) {
            let Some(found) = found else { continue };
            let expected = expected.as_ref().ok_or_else(|| format!("{} should have no gradient", spec.name))?;
            let own = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            note(apart(found, expected) / own.max(1e-6 * largest), format!("gradient of {}", spec.name));
        }
        Ok(worst)
    }

    /// Every number, as its bits.
    pub fn bits(&self) -> impl Iterator<Item = u64> {
        let gradients = self.gradients.iter().flatten();
        let all = self.outputs.iter().chain(gradients).chain(&self.values).flatten();
        all.chain([&self.loss]).map(|number| number.to_bits())
    }

    /// Fails unless just the tensors that are trained have a gradient.
    pub fn has_gradients(&self, network: &Network, frozen: &[bool]) -> Result<(), Failure> {
        for (i, (spec, gradient)) in network.tensors().zip(&self.gradients).enumerate() {
            let due = spec.trained() && !frozen.get(i).copied().unwrap_or(false);
            if gradient.is_some() != due {
                return Err(format!("{} {} a gradient", spec.name, if due { "lacks" } else { "has" }).into());
            }
        }
        Ok(())
    }
}

/// Stands for the bits of a tensor, where a copy of it would take its memory.
fn hash(values: impl Iterator<Item = f64>) -> u64 {
    // The standard library's hasher takes longer than a step. Each line of this one can be undone, so that a value that differs
    // is seen.
    values.fold(0, |hash: u64, value| (hash.rotate_left(29) ^ value.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn numbers<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|x| Number::to_f64(*x)).collect()
}

/// Largest difference relative to the largest expected.
fn away(found: &[f64], expected: &[f64]) -> f64 {
    apart(found, expected) / expected.iter().fold(1e-300, |most: f64, x| most.max(x.abs()))
}

fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let larger = |a: f64, b: f64| if b.is_nan() || b > a { b } else { a };
    found.iter().zip(expected).fold(0.0, |most, (a, b)| larger(most, (a - b).abs()))
}
