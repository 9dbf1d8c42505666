//! One law with many witnesses: for every operation the candle model, by the kernels and without them, agrees with the
//! f64 oracle, and its gradients with finite differences of the oracle.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use cnn_core::definition::*;
use cnn_core::initialisation::{Init, Law};
use cnn_core::oracle::{self, Batch, Mode, Weights};
use cnn_core::{Model, Network};
use std::collections::BTreeMap;

type Failure = Box<dyn std::error::Error>;

/// A model by the kernels, and one of plain candle operations.
const WAYS: [fn(Model) -> Model; 2] = [|model| model, Model::without_kernels];

/// A case: name, definition on an input `[C, H, W]`, and the mode in which it is tried.
struct Case {
    name: &'static str,
    block: Block,
    input: [usize; 3],
    mode: Mode,
}

fn case(name: &'static str, block: impl Into<Block>, input: [usize; 3]) -> Case {
    Case { name, block: block.into(), input, mode: Mode::Evaluation }
}

fn training(name: &'static str, block: impl Into<Block>, input: [usize; 3]) -> Case {
    Case { mode: Mode::Training, ..case(name, block, input) }
}

/// Every operation, and of windows every kind: overlapping, padded, ceil_mode, not dividing, not square.
fn cases() -> Vec<Case> {
    let local_response = cnn_core::op::Lrn { size: 5, alpha: 0.3, beta: 0.75, k: 2.0 };
    let even_response = cnn_core::op::Lrn { size: 4, ..local_response };
    let table = vec![vec![0, 2], vec![1], vec![0, 1, 2]];
    let flat = |block: Block| chain().flatten().and(block);
    vec![
        case("identity", chain(), [2, 3, 4]),
        case("conv 3×3", conv(3).out(4), [3, 5, 6]),
        case("conv 3×3 padded", conv(3).out(2).pad(1).no_bias(), [3, 4, 5]),
        case("conv stride 2 on 8×9", conv(3).out(3).stride(2).pad(1), [2, 8, 9]),
        case("conv stride 2 leaving a row over", conv(3).out(2).stride(2), [2, 8, 6]),
        case("conv 1×7 padded to the sides", conv([1, 7]).out(2).pad([0, 3]), [2, 4, 6]),
        case("conv 5×3", conv([5, 3]).out(2), [2, 6, 5]),
        case("conv strides per axis", conv(3).out(2).stride([2, 1]).pad(1), [2, 6, 5]),
        case("conv strides per axis leaving over", conv([2, 3]).out(2).stride([2, 3]), [1, 7, 8]),
        case("conv dilated", conv(3).out(2).dilation(2).pad(2), [2, 6, 5]),
        case("conv dilated per axis", conv([2, 3]).out(2).dilation([3, 1]), [2, 6, 5]),
        case("conv grouped", conv(3).out(6).groups(2).pad(1), [4, 4, 4]),
        case("conv depthwise", conv(3).groups(3).stride(2).pad(1), [3, 5, 4]),
        case("conv 1×1", conv(1).out(5), [3, 3, 4]),
        case("conv 1×1 with a stride", conv(1).out(5).stride(2).no_bias(), [3, 5, 4]),
        case("conv 1×1 padded", conv(1).out(2).pad(1), [2, 3, 3]),
        case("conv as large as its input", conv([4, 3]).out(3), [2, 4, 3]),
        case("conv with a connection table", conv(2).connections(table), [3, 4, 3]),
        case("linear", flat(linear(4).into()), [2, 3, 2]),
        case("linear without bias", flat(linear(3).no_bias().into()), [2, 3, 2]),
        case("batch norm", batch_norm().eps(1e-3), [3, 4, 2]),
        training("batch norm, training", batch_norm().eps(1e-3), [3, 4, 2]),
        training("batch norm of vectors, training", flat(batch_norm().into()), [3, 2, 1]),
        case("local response", local_response, [7, 3, 2]),
        case("local response, even size", even_response, [3, 3, 2]),
        case("relu", relu(), [3, 4, 4]),
        case("sigmoid", sigmoid(), [2, 3, 3]),
        case("tanh", tanh(1.7159, 2.0 / 3.0), [2, 3, 3]),
        case("softmax of vectors", chain().flatten().softmax(), [2, 2, 3]),
        case("softmax over maps", chain().softmax(), [4, 2, 2]),
        case("max pool", max_pool(2), [2, 4, 6]),
        case("max pool leaving over", max_pool(2), [2, 5, 7]),
        case("max pool overlapping", max_pool(3).stride(2), [2, 7, 7]),
        case("max pool padded", max_pool(3).stride(2).pad(1), [2, 6, 7]),
        case("max pool ceil", max_pool(3).stride(2).ceil(), [2, 6, 8]),
        case("max pool padded ceil", max_pool(2).stride(2).pad(1).ceil(), [2, 3, 5]),
        case("max pool stride 1", max_pool(3).stride(1).pad(1), [2, 4, 4]),
        case("max pool gaps", max_pool(1).stride(2), [2, 5, 4]),
        case("max pool not square", max_pool([3, 2]).stride([1, 2]).pad([1, 0]), [2, 5, 4]),
        case("avg pool", avg_pool(2), [2, 4, 6]),
        case("avg pool leaving over", avg_pool(2), [2, 5, 7]),
        case("avg pool padded", avg_pool(3).stride(1).pad(1), [2, 4, 4]),
        case("avg pool padded, not counted", avg_pool(3).stride(2).pad(1).without_padding(), [2, 6, 7]),
        case("avg pool ceil", avg_pool(3).stride(2).ceil(), [2, 6, 8]),
        case("avg pool padded ceil", avg_pool(3).stride(2).pad(1).ceil(), [2, 6, 8]),
        case("avg pool ceil, padding not counted", avg_pool(3).stride(2).pad(1).ceil().without_padding(), [2, 6, 8]),
        case("adaptive pool 7 to 3", adaptive_avg_pool(3), [2, 7, 7]),
        case("adaptive pool 5 to 7", adaptive_avg_pool([7, 2]), [2, 5, 5]),
        case("global pool", chain().global_avg_pool(), [3, 4, 5]),
        case("dropout", dropout(0.5), [2, 3, 3]),
        case("scale", scale(0.17), [2, 3, 3]),
        case("zero channels", zero_channels(2, 1), [2, 3, 3]),
        case("channel affine", channel_affine(0.25), [3, 2, 2]),
        case("input affine", input_affine(&[0.5, 2.0], &[-1.0, 3.0]), [2, 2, 3]),
        case("radial basis", flat(radial_basis(vec![vec![1.0, -1.0, 1.0, -1.0], vec![-1.0; 4]]).into()), [1, 2, 2]),
        case("sum", sum().branch(chain()).branch(conv(3).out(2).pad(1)).branch(relu()), [2, 3, 4]),
        case("sum of one value twice", sum().branch(chain()).branch(chain()), [2, 3, 4]),
        case("concat", concat().branch(chain()).branch(conv(1).out(3)).branch(max_pool(3).stride(1).pad(1)), [2, 3, 4]),
    ]
}

/// Samples in a batch.
const N: usize = 3;

/// A network of one block with weights, statistics and an input that hit no kink: all different, none near zero.
struct Tried {
    net: Network,
    weights: Weights,
    input: Batch,
    mode: Mode,
}

fn values(name: &str, count: usize) -> Vec<f64> {
    let drawn = Init::Uniform { bound: 1.0 }.draw(17, name, count);
    drawn.into_iter().map(|v| f64::from(v) + 0.01 * f64::from(v).signum()).collect()
}

fn tried(case: &Case) -> Result<Tried, Failure> {
    let net = chain().then("it", case.block.clone()).named(case.name, case.input).at_usual_input()?;
    let mut weights = Weights::new();
    for spec in net.tensors() {
        let drawn = values(&spec.name, spec.elements());
        let positive = spec.name.ends_with("running_var");
        weights
            .insert(spec.name.clone(), drawn.into_iter().map(|v| if positive { v.abs() + 0.5 } else { v }).collect());
    }
    let input = Batch { shape: net.input(), values: values("input", N * net.input().elements()) };
    Ok(Tried { net, weights, input, mode: case.mode })
}

impl Tried {
    fn oracle(&self) -> Result<Vec<f64>, Failure> {
        let logits = self.net.outputs()[0].node;
        let values = oracle::run(&self.net, &self.weights, &self.input, self.mode, &[logits])?;
        Ok(values[logits.index()].clone().ok_or("no output")?.values)
    }

    /// The sum of the output times fixed random numbers: a scalar whose gradient sees every output.
    fn loss(&self) -> Result<f64, Failure> {
        let output = self.oracle()?;
        Ok(output.iter().zip(values("loss", output.len())).map(|(a, b)| a * b).sum())
    }

    /// The oracle's derivative with respect to element `i` of tensor `name`, or of the input.
    fn slope(&mut self, name: &str, i: usize) -> Result<f64, Failure> {
        const STEP: f64 = 1e-5;
        let mut at = |shift: f64| {
            let element = match self.weights.get_mut(name) {
                Some(weight) => &mut weight[i],
                None => &mut self.input.values[i],
            };
            let kept = *element;
            *element += shift;
            let loss = self.loss();
            match self.weights.get_mut(name) {
                Some(weight) => weight[i] = kept,
                None => self.input.values[i] = kept,
            }
            loss
        };
        Ok((at(STEP)? - at(-STEP)?) / (2.0 * STEP))
    }

    fn model(&self) -> Result<(VarMap, Model), Failure> {
        let map = VarMap::new();
        for spec in self.net.tensors() {
            let tensor =
                Tensor::new(self.weights[&spec.name].as_slice(), &Device::Cpu)?.reshape(spec.dims.as_slice())?;
            map.data().lock().map_err(|_| "poisoned")?.insert(spec.name.clone(), Var::from_tensor(&tensor)?);
        }
        let model = Model::new(&self.net, VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu))?;
        Ok((map, model))
    }
}

fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-300, |m: f64, v| m.max(v.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance * largest, "{what}: element {i} is {f}, not {e}");
    }
}

#[test]
fn candle_agrees_with_the_oracle_in_values_and_gradients() -> Result<(), Failure> {
    for case in cases() {
        let mut tried = tried(&case)?;
        let dims = [vec![N], tried.net.input().dims()].concat();
        let input = Var::from_tensor(&Tensor::new(tried.input.values.as_slice(), &Device::Cpu)?.reshape(dims)?)?;
        let oracle = tried.oracle()?;
        let mut slopes: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for way in WAYS {
            let (_map, model) = tried.model()?;
            let model = way(model);
            let training = matches!(case.mode, Mode::Training);
            let flat = model.outputs_t(&input, training)?.swap_remove(0).flatten_all()?;
            assert_close(case.name, &flat.to_vec1::<f64>()?, &oracle, 1e-12);

            let loss = (&flat * Tensor::new(values("loss", flat.elem_count()), &Device::Cpu)?)?.sum_all()?;
            let gradients = loss.backward()?;
            let trained = model.trainable()?;
            let leaves = trained.iter().map(|(spec, var)| (spec.name.clone(), var.clone()));
            for (name, var) in leaves.chain([("input".into(), input.clone())]) {
                let what = format!("{}, gradient of {name}", case.name);
                let found = gradients.get(&var).ok_or(format!("{what}: none"))?.flatten_all()?.to_vec1::<f64>()?;
                if !slopes.contains_key(&name) {
                    let all = (0..found.len()).map(|i| tried.slope(&name, i)).collect::<Result<Vec<f64>, _>>()?;
                    slopes.insert(name.clone(), all);
                }
                assert_close(&what, &found, &slopes[&name], 1e-6);
            }
        }
    }
    Ok(())
}

#[test]
fn every_operation_is_tried() {
    let mut missing: Vec<&str> = [
        "input",
        "conv",
        "linear",
        "batch_norm",
        "lrn",
        "relu",
        "sigmoid",
        "tanh",
        "softmax",
        "max_pool",
        "avg_pool",
        "adaptive_avg_pool",
        "flatten",
        "dropout",
        "scale",
        "zero_channels",
        "channel_affine",
        "input_affine",
        "radial_basis",
        "add",
        "cat",
    ]
    .into();
    for case in cases() {
        let net = chain().and(case.block).named("net", case.input).at_usual_input();
        missing.retain(|name| net.as_ref().is_ok_and(|net| net.nodes().iter().all(|node| node.op.name() != *name)));
    }
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// Where it is small, it has as many digits as elsewhere.
#[test]
fn a_sigmoid_keeps_its_digits() -> Result<(), Failure> {
    let network = chain().and(sigmoid()).named("tail", [1, 1, 4]).at_usual_input()?;
    let numbers = [-10.0_f32, -18.5, -40.0, -80.0];
    for way in WAYS {
        let model = way(Model::new(&network, VarBuilder::zeros(DType::F32, &Device::Cpu))?);
        let batch = Tensor::new(&numbers, &Device::Cpu)?.reshape((1, 1, 1, 4))?;
        let found = model.outputs_t(&batch, false)?.swap_remove(0);
        for (found, x) in found.flatten_all()?.to_vec1::<f32>()?.into_iter().zip(numbers) {
            let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(found) / expected - 1.0).abs() < 1e-6, "{x}: {found} instead of {expected}");
        }
    }
    Ok(())
}

#[test]
fn relu_has_no_gradient_at_zero_and_keeps_what_is_not_a_number() -> Result<(), Failure> {
    let net = chain().relu().named("relu", [1, 1, 4]).at_usual_input()?;
    let x = Var::new(&[[[[0f32, -f32::INFINITY, 2.0, f32::NAN]]]], &Device::Cpu)?;
    for way in WAYS {
        let model = way(Model::new(&net, VarBuilder::zeros(DType::F32, &Device::Cpu))?);
        let y = model.outputs_t(&x, true)?.swap_remove(0);
        let found = y.flatten_all()?.to_vec1::<f32>()?;
        assert_eq!(found[..3], [0.0, 0.0, 2.0]);
        assert!(found[3].is_nan());
        let gradients = y.narrow(3, 0, 3)?.sum_all()?.backward()?;
        let gradient = gradients.get(&x).ok_or("no gradient")?.flatten_all()?.to_vec1::<f32>()?;
        assert_eq!(gradient[..3], [0.0, 0.0, 1.0]);
    }
    Ok(())
}

#[test]
fn the_first_of_equal_maxima_gets_the_whole_gradient() -> Result<(), Failure> {
    let net = chain().and(max_pool(3).stride(2)).named("pool", [1, 5, 5]).at_usual_input()?;
    let x = Var::zeros((1, 1, 5, 5), DType::F32, &Device::Cpu)?;
    for way in WAYS {
        let model = way(Model::new(&net, VarBuilder::zeros(DType::F32, &Device::Cpu))?);
        let gradients = model.outputs_t(&x, true)?.swap_remove(0).sum_all()?.backward()?;
        let gradient = gradients.get(&x).ok_or("no gradient")?.flatten_all()?.to_vec1::<f32>()?;
        let firsts: Vec<usize> = gradient.iter().enumerate().filter(|(_, g)| **g != 0.0).map(|(i, _)| i).collect();
        assert_eq!(firsts, [0, 2, 10, 12]);
        assert_eq!(gradient.iter().sum::<f32>(), 4.0);
    }
    Ok(())
}

#[test]
fn what_is_not_a_number_wins_a_max_pool() -> Result<(), Failure> {
    let net = chain().and(max_pool(2)).named("pool", [1, 2, 4]).at_usual_input()?;
    let x = Tensor::new(&[[[[1f32, f32::NAN, 2.0, 3.0], [4.0, 5.0, -1.0, 0.0]]]], &Device::Cpu)?;
    for way in WAYS {
        let model = way(Model::new(&net, VarBuilder::zeros(DType::F32, &Device::Cpu))?);
        let found = model.outputs_t(&x, true)?.swap_remove(0).flatten_all()?.to_vec1::<f32>()?;
        assert!(found[0].is_nan() && found[1] == 3.0, "{found:?}");
    }
    Ok(())
}

#[test]
fn a_window_too_large_for_the_kernels_is_still_pooled() -> Result<(), Failure> {
    let net = chain().and(max_pool(17)).named("pool", [1, 17, 17]).at_usual_input()?;
    let x = Var::from_tensor(&Tensor::arange(0f32, 289.0, &Device::Cpu)?.reshape((1, 1, 17, 17))?)?;
    let model = Model::new(&net, VarBuilder::zeros(DType::F32, &Device::Cpu))?;
    let y = model.outputs_t(&x, true)?.swap_remove(0);
    assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [288.0]);
    let gradients = y.sum_all()?.backward()?;
    let gradient = gradients.get(&x).ok_or("no gradient")?.flatten_all()?.to_vec1::<f32>()?;
    assert_eq!((gradient[288], gradient.iter().sum::<f32>()), (1.0, 1.0));
    Ok(())
}

#[test]
fn other_numbers_than_the_kernels_take_fall_back() -> Result<(), Failure> {
    let net = chain().then("bn", batch_norm()).and(max_pool(2)).relu().named("net", [2, 4, 4]).at_usual_input()?;
    let outputs = [DType::BF16, DType::F32].map(|dtype| -> Result<Vec<f32>, Failure> {
        let map = cnn_core::model::initialise(&net, 0, dtype, &Device::Cpu)?;
        let model = Model::new(&net, VarBuilder::from_varmap(&map, dtype, &Device::Cpu))?;
        let x = Tensor::arange(0f32, 64.0, &Device::Cpu)?.reshape((2, 2, 4, 4))?.to_dtype(dtype)?;
        Ok(model.outputs_t(&x, false)?.swap_remove(0).to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    });
    let [half, single] = outputs;
    assert_close(
        "bf16",
        &half?.into_iter().map(f64::from).collect::<Vec<_>>(),
        &single?.into_iter().map(f64::from).collect::<Vec<_>>(),
        1e-2,
    );
    Ok(())
}

#[test]
fn dropout_is_drawn_from_the_seed_and_keeps_the_mean() -> Result<(), Failure> {
    let net = chain().dropout(0.3).named("dropout", [4, 50, 50]).at_usual_input()?;
    let model = |passes| -> Result<Model, Failure> {
        Ok(Model::new(&net, VarBuilder::zeros(DType::F32, &Device::Cpu))?.with_dropout(5, passes))
    };
    let x = Tensor::ones((2, 4, 50, 50), DType::F32, &Device::Cpu)?;
    let pass = |model: &Model| -> Result<Vec<f32>, Failure> {
        Ok(model.outputs_t(&x, true)?.swap_remove(0).flatten_all()?.to_vec1()?)
    };
    let fresh = model(0)?;
    let (first, second) = (pass(&fresh)?, pass(&fresh)?);
    assert_ne!(first, second);
    assert_eq!(second, pass(&model(1)?)?);
    assert!(first.iter().all(|v| *v == 0.0 || (*v - 1.0 / 0.7).abs() < 1e-6));
    let mean = first.iter().sum::<f32>() / first.len() as f32;
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
    Ok(())
}

#[test]
fn running_statistics_follow_the_batch() -> Result<(), Failure> {
    let norm = batch_norm().momentum(0.25);
    let net = chain().then("bn", norm).named("norm", [1, 1, 2]).at_usual_input()?;
    let x = Tensor::new(&[[[[1f64, 2.0]]], [[[3.0, 6.0]]]], &Device::Cpu)?;
    for way in WAYS {
        let map = cnn_core::model::initialise(&net, 0, DType::F64, &Device::Cpu)?;
        let model = way(Model::new(&net, VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu))?);
        model.outputs_t(&x, true)?;
        // Mean 3, unbiased variance (4 + 1 + 0 + 9) / 3.
        let data = map.data().lock().map_err(|_| "poisoned")?;
        let read = |name: &str| -> Result<f64, Failure> { Ok(data[name].get(0)?.to_scalar::<f64>()?) };
        assert_close("mean", &[read("bn.running_mean")?], &[0.25 * 3.0], 1e-12);
        assert_close("variance", &[read("bn.running_var")?], &[0.75 + 0.25 * 14.0 / 3.0], 1e-12);
    }
    Ok(())
}

#[test]
fn a_batch_of_another_shape_is_refused() -> Result<(), Failure> {
    let net = chain().then("bn", batch_norm()).named("net", [3, 1, 1]).at_usual_input()?;
    let map = cnn_core::model::initialise(&net, 0, DType::F32, &Device::Cpu)?;
    let model = Model::new(&net, VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu))?;
    let message = |dims: &[usize], train| -> Result<String, Failure> {
        let batch = Tensor::zeros(dims, DType::F32, &Device::Cpu)?;
        Ok(model.outputs_t(&batch, train).err().ok_or("accepted")?.to_string())
    };
    assert_eq!(message(&[2, 1, 1, 1], false)?, "net takes batches of 3×1×1, not 2×1×1×1");
    assert_eq!(message(&[0, 3, 1, 1], false)?, "net takes batches of 3×1×1, not 0×3×1×1");
    assert_eq!(
        message(&[1, 3, 1, 1], true)?,
        "bn: batch normalisation cannot train on a single value per channel (batch of 1 at 3×1×1)"
    );
    Ok(())
}

#[test]
fn weights_that_do_not_fit_are_named_with_both_shapes() -> Result<(), Failure> {
    let net = chain().then("conv1", conv(3).out(4).weights(Law::LeCun)).named("net", [3, 5, 5]).at_usual_input()?;
    let with = |tensors: Vec<(&str, Tensor)>| {
        let tensors = tensors.into_iter().map(|(name, tensor)| (name.to_string(), tensor)).collect();
        Model::new(&net, VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    let weight = Tensor::zeros((4, 3, 3, 3), DType::F32, &Device::Cpu)?;
    let narrow = Tensor::zeros((4, 1, 3, 3), DType::F32, &Device::Cpu)?;
    let bias = Tensor::zeros(4, DType::F32, &Device::Cpu)?;
    assert_eq!(
        with(vec![("conv1.weight", narrow), ("conv1.bias", bias.clone())]),
        Err("net: tensor conv1.weight should be 4×3×3×3, but the weights have 4×1×3×3".into())
    );
    assert_eq!(
        with(vec![("conv1.weight", weight.clone())]),
        Err("net: the weights have no tensor conv1.bias (expected 4)".into())
    );
    assert_eq!(with(vec![("conv1.weight", weight), ("conv1.bias", bias)]), Ok(()));
    Ok(())
}

#[test]
fn a_model_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Model>();
    shared::<cnn_core::model::Evaluation>();
}
