//! Every operation is torch's, in values and gradients, in f64 and f32, by the kernels and without them:
//! `goldens/ops.json`.

use crate::Failure;
use cnn_core::candle_core::{DType, Device, Tensor, Var};
use cnn_core::candle_nn::{VarBuilder, VarMap, loss, ops};
use cnn_core::definition::*;
use cnn_core::op::{BatchNorm, Lrn};
use cnn_core::shape::Pair;
use cnn_core::{Model, Op, candle_core};
use serde_json::Value;
use std::collections::HashMap;

/// A case of `ops.json`.
struct Case {
    name: String,
    op: String,
    params: Value,
}

impl Case {
    fn number(&self, key: &str) -> Result<f64, Failure> {
        Ok(self.params[key].as_f64().ok_or(format!("{}: no {key}", self.name))?)
    }

    fn count(&self, key: &str) -> Result<usize, Failure> {
        Ok(self.number(key)? as usize)
    }

    fn flag(&self, key: &str) -> bool {
        self.params[key] == Value::Bool(true)
    }

    fn numbers(&self, key: &str) -> Result<Vec<f64>, Failure> {
        Ok(serde_json::from_value(self.params[key].clone())?)
    }

    fn pair(&self, key: &str) -> Result<Pair, Failure> {
        let axes: [usize; 2] = serde_json::from_value(self.params[key].clone())?;
        Ok(axes.into())
    }

    fn table(&self) -> Result<Vec<Vec<usize>>, Failure> {
        Ok(serde_json::from_value(self.params["table"].clone())?)
    }

    /// The operation in our language; `None` for those of the loss, which is no part of a network.
    fn block(&self) -> Result<Option<Block>, Failure> {
        let window = || -> Result<[Pair; 3], Failure> {
            Ok([self.pair("kernel")?, self.pair("stride")?, self.pair("padding")?])
        };
        Ok(Some(match self.op.as_str() {
            "max_pool2d" => {
                let [kernel, stride, padding] = window()?;
                let pool = max_pool(kernel).stride(stride).pad(padding);
                if self.flag("ceil_mode") { pool.ceil().into() } else { pool.into() }
            }
            "avg_pool2d" => {
                let [kernel, stride, padding] = window()?;
                let pool = avg_pool(kernel).stride(stride).pad(padding);
                let pool = if self.flag("ceil_mode") { pool.ceil() } else { pool };
                if self.flag("count_include_pad") { pool.into() } else { pool.without_padding().into() }
            }
            "adaptive_avg_pool2d" => adaptive_avg_pool(self.pair("output")?).into(),
            "conv2d" | "conv2d_table" => {
                let [kernel, stride, padding] = window()?;
                let conv = conv(kernel).out(self.count("out_channels")?).stride(stride).pad(padding);
                let conv = conv.dilation(self.pair("dilation")?).groups(self.count("groups")?);
                let conv = if self.op == "conv2d_table" { conv.connections(self.table()?) } else { conv };
                if self.flag("bias") { conv.into() } else { conv.no_bias().into() }
            }
            "local_response_norm" => {
                let (size, alpha) = (self.count("size")?, self.number("alpha_of_plain_sum")?);
                Op::Lrn(Lrn { size, alpha, beta: self.number("beta")?, k: self.number("k")? }).into()
            }
            "batch_norm" => BatchNorm { eps: self.number("eps")?, momentum: self.number("momentum")? }.into(),
            "linear" if self.flag("bias") => linear(self.count("out_features")?).into(),
            "linear" => linear(self.count("out_features")?).no_bias().into(),
            "relu" => relu().into(),
            "sigmoid" => sigmoid().into(),
            "tanh" => tanh(self.number("amplitude")?, self.number("slope")?).into(),
            "softmax" => Op::Softmax.into(),
            "flatten" => flatten().into(),
            "scale" => scale(self.number("factor")?).into(),
            "zero_channels" => zero_channels(self.count("before")?, self.count("after")?).into(),
            "shortcut_option_a" => chain()
                .and(max_pool(1).stride(self.pair("stride")?))
                .and(zero_channels(self.count("before")?, self.count("after")?))
                .into(),
            "channel_affine" => channel_affine(1.0).into(),
            "subsampling" => {
                let kernel = self.pair("kernel")?;
                let sum = chain().and(avg_pool(kernel)).and(scale(kernel.area() as f64));
                sum.and(channel_affine(1.0)).into()
            }
            "input_affine" => input_affine(&self.numbers("scale")?, &self.numbers("shift")?).into(),
            // A network has one input: both terms come in one behind the other, and 1×1 convolutions pick them.
            "sum" => sum().labelled("input", conv(1).no_bias()).labelled("other", conv(1).no_bias()).into(),
            "concat" => concat().labelled("input", conv(1).no_bias()).labelled("other", conv(1).no_bias()).into(),
            "log_softmax" | "cross_entropy" => return Ok(None),
            other => return Err(format!("{}: operation {other}", self.name).into()),
        }))
    }
}

/// The tensors of `ops.safetensors`.
struct Goldens(HashMap<String, Tensor>);

impl Goldens {
    fn get(&self, case: &Case, key: &str) -> Option<&Tensor> {
        self.0.get(&format!("{}.{key}", case.name))
    }

    fn need(&self, case: &Case, key: &str) -> Result<&Tensor, Failure> {
        Ok(self.get(case, key).ok_or(format!("{}: no {key}", case.name))?)
    }
}

fn goldens() -> Result<(Vec<Case>, Goldens), Failure> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens");
    let list: Vec<Value> = serde_json::from_slice(&std::fs::read(format!("{folder}/ops.json"))?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let cases = list.iter().map(|case| Case {
        name: text(&case["name"]),
        op: text(&case["op"]),
        params: case["params"].clone(),
    });
    Ok((cases.collect(), Goldens(candle_core::safetensors::load(format!("{folder}/ops.safetensors"), &Device::Cpu)?)))
}

/// Largest error relative to the largest entry.
const F64: f64 = 1e-10;
const F32: f64 = 1e-4;
/// A case whose values lie a thousandth of their mean apart: f32 has no better mean to offer, torch's neither.
const ILL_CONDITIONED: (&str, f64) = ("batch_norm_train_flat", 1e-3);

#[test]
fn every_operation_is_torchs() -> Result<(), Failure> {
    let (cases, goldens) = goldens()?;
    assert!(cases.len() > 100);
    for case in &cases {
        let f32 = if case.name == ILL_CONDITIONED.0 { ILL_CONDITIONED.1 } else { F32 };
        for (dtype, tolerance) in [(DType::F64, F64), (DType::F32, f32)] {
            match case.block()? {
                Some(block) => {
                    in_a_network(case, block.clone(), &goldens, dtype, tolerance, |model| model)?;
                    in_a_network(case, block, &goldens, dtype, tolerance, Model::without_kernels)?;
                }
                None => in_the_loss(case, &goldens, dtype, tolerance)?,
            }
        }
    }
    Ok(())
}

fn in_a_network(
    case: &Case,
    block: Block,
    goldens: &Goldens,
    dtype: DType,
    tolerance: f64,
    way: fn(Model) -> Model,
) -> Result<(), Failure> {
    let given = goldens.need(case, "input")?;
    let other = goldens.get(case, "other");
    let given = match other {
        Some(other) => Tensor::cat(&[given, other], 1)?,
        None => given.clone(),
    };
    // Networks take maps; a vector comes in as maps of one pixel.
    let (input, body) = match *given.dims() {
        [n, c] => (given.reshape((n, c, 1, 1))?, chain().flatten().then("it", block)),
        _ => (given.clone(), chain().then("it", block)),
    };
    let (_, c, h, w) = input.dims4()?;
    let mut body = body;
    if let Some(other) = other {
        body = chain().then("it", picking(case, [c - other.dim(1)?, other.dim(1)?]));
    }
    let network = body.named(case.name.as_str(), [c, h, w]).at_usual_input()?;
    let map = VarMap::new();
    for spec in network.tensors() {
        let key = spec.name.rsplit('.').next().unwrap_or_default();
        let tensor = match (goldens.get(case, key), key, other) {
            (Some(dense), "weight", _) if case.op == "conv2d_table" => connected(dense, &case.table()?)?,
            (Some(tensor), ..) => tensor.clone(),
            (None, "weight", Some(_)) => pick(&spec.dims, spec.name.contains(".other."))?,
            (None, ..) => Tensor::zeros(spec.dims.as_slice(), DType::F64, &Device::Cpu)?,
        };
        let var = Var::from_tensor(&tensor.to_dtype(dtype)?)?;
        map.data().lock().map_err(|_| "poisoned")?.insert(spec.name.clone(), var);
    }
    let model = way(Model::new(&network, VarBuilder::from_varmap(&map, dtype, &Device::Cpu))?);
    let input = Var::from_tensor(&input.to_dtype(dtype)?)?;
    let output = model.outputs_t(&input, case.flag("training"))?.swap_remove(0);
    close(case, "output", goldens.need(case, "output")?, &output, tolerance)?;

    let upstream = goldens.need(case, "grad_output")?.to_dtype(dtype)?;
    let gradients = (output * upstream)?.sum_all()?.backward()?;
    let gradient = gradients.get(&input).ok_or(format!("{}: no gradient of the input", case.name))?;
    let expected = match goldens.get(case, "grad_other") {
        Some(other) => Tensor::cat(&[goldens.need(case, "grad_input")?, other], 1)?,
        None => goldens.need(case, "grad_input")?.clone(),
    };
    close(case, "grad_input", &expected, gradient, tolerance)?;
    for (spec, var) in model.trainable()?.into_iter().filter(|_| other.is_none()) {
        let key = format!("grad_{}", spec.name.rsplit('.').next().unwrap_or_default());
        let expected = goldens.need(case, &key)?;
        let expected = match case.op.as_str() {
            "conv2d_table" if key == "grad_weight" => connected(expected, &case.table()?)?,
            _ => expected.clone(),
        };
        let gradient = gradients.get(&var).ok_or(format!("{}: no {key}", case.name))?;
        close(case, &key, &expected, gradient, tolerance)?;
    }
    for (spec, tensor) in model.tensors().filter(|(spec, _)| !spec.trained()) {
        let key = format!("{}_after", spec.name.rsplit('.').next().unwrap_or_default());
        if let Some(expected) = goldens.get(case, &key) {
            close(case, &key, expected, tensor, tolerance)?;
        }
    }
    Ok(())
}

/// The case's sum or concatenation of the first and the last channels of the input.
fn picking(case: &Case, [first, last]: [usize; 2]) -> Branches {
    let join = if case.op == "sum" { sum() } else { concat() };
    join.labelled("input", conv(1).out(first).no_bias()).labelled("other", conv(1).out(last).no_bias())
}

/// The weights of a 1×1 convolution that picks the first or the last of its input's channels.
fn pick(dims: &[usize], last: bool) -> Result<Tensor, Failure> {
    let from = if last { dims[1] - dims[0] } else { 0 };
    let one = |i: usize| if i % dims[1] == i / dims[1] + from { 1.0 } else { 0.0 };
    let weights: Vec<f64> = (0..dims[0] * dims[1]).map(one).collect();
    Ok(Tensor::from_vec(weights, dims, &Device::Cpu)?)
}

/// Of a dense `[out, in, kh, kw]` the kernels of the connections.
fn connected(dense: &Tensor, table: &[Vec<usize>]) -> Result<Tensor, Failure> {
    let (out, inputs, kh, kw) = dense.dims4()?;
    let places = table.iter().enumerate().flat_map(|(o, row)| row.iter().map(move |i| (o * inputs + i) as u32));
    let places = Tensor::new(places.collect::<Vec<u32>>(), &Device::Cpu)?;
    Ok(dense.reshape((out * inputs, kh, kw))?.index_select(&places, 0)?)
}

/// The operations that the trainer takes from candle.
fn in_the_loss(case: &Case, goldens: &Goldens, dtype: DType, tolerance: f64) -> Result<(), Failure> {
    let input = Var::from_tensor(&goldens.need(case, "input")?.to_dtype(dtype)?)?;
    let output = match case.op.as_str() {
        "log_softmax" => ops::log_softmax(&input, 1)?,
        _ => loss::cross_entropy(&input, &goldens.need(case, "labels")?.to_dtype(DType::U32)?)?,
    };
    close(case, "output", goldens.need(case, "output")?, &output, tolerance)?;
    let upstream = goldens.need(case, "grad_output")?.to_dtype(dtype)?;
    let gradients = output.broadcast_mul(&upstream)?.sum_all()?.backward()?;
    let gradient = gradients.get(&input).ok_or(format!("{}: no gradient of the input", case.name))?;
    close(case, "grad_input", goldens.need(case, "grad_input")?, gradient, tolerance)
}

fn close(case: &Case, key: &str, expected: &Tensor, found: &Tensor, tolerance: f64) -> Result<(), Failure> {
    let values = |tensor: &Tensor| tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    let (expected, found) = (values(expected)?, values(found)?);
    assert_eq!(expected.len(), found.len(), "{} {key}", case.name);
    let largest = expected.iter().fold(1e-30, |largest: f64, v| largest.max(v.abs()));
    for (i, (e, f)) in expected.iter().zip(&found).enumerate() {
        let error = (e - f).abs() / largest;
        assert!(error <= tolerance, "{} {key}: element {i} is {f}, not {e} (error {error:.1e})", case.name);
    }
    Ok(())
}
