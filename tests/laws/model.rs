//! The model by the kernels against the same model of plain candle operations, as ordinary users of candle's autograd
//! meet it.

use crate::Failure;
use crate::memory::{alone, narrow};
use cnn_core::candle_core::backprop::GradStore;
use cnn_core::candle_core::{DType, Device, Tensor, Var};
use cnn_core::candle_nn::{VarBuilder, VarMap};
use cnn_core::{Model, Network, model};

/// Networks that between them have every operation the kernels compute.
const NETWORKS: [(&str, [usize; 3]); 9] = [
    ("lenet_paper", [1, 32, 32]),
    ("alexnet_paper", [3, 99, 67]),
    ("nin_d2l", [1, 99, 67]),
    ("mnist_inception", [1, 28, 28]),
    ("mnist_residual", [1, 28, 28]),
    ("resnet20_cifar", [3, 32, 16]),
    ("resnext50_32x4d", [3, 32, 64]),
    ("densenet_d2l", [1, 32, 64]),
    ("inception_v4", [3, 107, 75]),
];

/// Images of noise and their labels.
fn batch(network: &Network) -> Result<(Tensor, Tensor), Failure> {
    let [c, h, w]: [usize; 3] = network.input().dims().try_into().map_err(|_| "no maps")?;
    // Of two values a batch norm leaves nothing but their order: five.
    let numbers = (0..5 * c * h * w).map(|i| ((i * 7919 + i * i % 613) % 997) as f64 / 500.0 - 1.0);
    let images = Tensor::from_iter(numbers, &Device::Cpu)?.reshape((5, c, h, w))?;
    Ok((images, Tensor::new(&[1u32, 3, 0, 6, 2], &Device::Cpu)?))
}

fn with_weights(network: &Network) -> Result<(VarMap, Model), Failure> {
    let map = model::initialise(network, 3, DType::F64, &Device::Cpu)?;
    let model = Model::new(network, VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu))?;
    Ok((map, model.with_dropout(3, 0)))
}

fn network(name: &str, input: [usize; 3]) -> Result<Network, Failure> {
    Ok(cnn_zoo::find(name)?.architecture(7).without_heads().at(input)?)
}

fn step(model: &Model, images: &Tensor, labels: &Tensor) -> Result<(f64, GradStore), Failure> {
    let loss = model.loss(&model.outputs_t(images, true)?, labels)?;
    Ok((loss.to_scalar()?, loss.backward()?))
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>, Failure> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// Numbers by the name of their tensor.
type Named = Vec<(String, Vec<f64>)>;

/// The gradients of everything that is trained, by name, but of the biases that a batch norm cancels: theirs are nothing
/// but rounding errors.
fn gradients(model: &Model, mut store: GradStore) -> Result<Named, Failure> {
    let cancelled = model.network().cancelled_biases();
    // What is copied is no longer kept: of large networks all gradients are hundreds of megabytes.
    let mut of = |name: &str, var: &Var| Ok((name.to_string(), numbers(&store.remove(var).ok_or("no gradient")?)?));
    let trained = model.trainable()?;
    trained.iter().filter(|(spec, _)| !cancelled.contains(spec)).map(|(spec, var)| of(&spec.name, var)).collect()
}

/// The largest difference of a tensor, relative to its largest number, or to a millionth of all tensors' largest where
/// it is nothing but rounding errors.
fn away(found: &[(String, Vec<f64>)], expected: &[(String, Vec<f64>)]) -> f64 {
    let largest = |values: &[f64]| values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let all = expected.iter().fold(0.0, |most: f64, (_, values)| most.max(largest(values)));
    let pairs = found.iter().zip(expected).map(|((name, found), (other, expected))| {
        assert_eq!((name, found.len()), (other, expected.len()));
        let away: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
        assert!(away.iter().all(|x| x.is_finite()), "{name}");
        largest(&away) / largest(expected).max(1e-6 * all)
    });
    pairs.fold(0.0, f64::max)
}

/// How far the loss moves when every pixel moves by a few units in its last place: what rounding alone does to it. The
/// order of additions, which depends on the CPU in candle's matrix products, is as good as such a change.
fn rounding(model: &Model, images: &Tensor, labels: &Tensor, loss: f64) -> Result<f64, Failure> {
    let mut most: f64 = 0.0;
    for sign in [1.0, -1.0] {
        let moved = (images * (1.0 + sign * 4.0 * f64::EPSILON))?;
        let moved: f64 = model.loss(&model.outputs_t(&moved, true)?, labels)?.to_scalar()?;
        most = most.max((moved - loss).abs());
    }
    Ok(most)
}

/// What comes of a step: loss, gradients and statistics; and whether the images got a gradient too.
fn outcome(model: &Model, images: &Tensor, labels: &Tensor) -> Result<(f64, Named, Named, bool), Failure> {
    let (loss, store) = step(model, images, labels)?;
    let statistics = model.tensors().filter(|(spec, _)| !spec.trained());
    let statistics = statistics.map(|(spec, tensor)| Ok((spec.name.clone(), numbers(tensor)?)));
    let of_images = store.get(images).is_some();
    Ok((loss, gradients(model, store)?, statistics.collect::<Result<_, Failure>>()?, of_images))
}

#[test]
fn gradients_are_those_without_the_kernels() -> Result<(), Failure> {
    for (name, input) in NETWORKS {
        let network = narrow(network(name, input)?)?;
        let _alone = alone(&network);
        let (images, labels) = batch(&network)?;
        // One after the other, each with the weights it begins with; what needs the most memory while the least is held.
        let plain = outcome(&with_weights(&network)?.1.without_kernels(), &images, &labels)?;
        let (expected_loss, expected, expected_statistics, _) = plain;
        let kernels = outcome(&with_weights(&network)?.1, &images, &labels)?;
        let (loss, gradients, statistics, of_images) = kernels;
        // Nobody asked for the gradient of the images.
        assert!(!of_images, "{name}");
        let (apart, mut allowed) = ((loss - expected_loss).abs(), 1e-12 * expected_loss.abs());
        if apart > allowed {
            let plain = with_weights(&network)?.1.without_kernels();
            allowed = allowed.max(4.0 * rounding(&plain, &images, &labels, expected_loss)?);
        }
        assert!(apart <= allowed, "{name}: {loss}, not {expected_loss} within {allowed:.1e}");
        let error = away(&gradients, &expected);
        println!("{name}: {error:.1e}");
        // Fifty batch norms over a handful of pixels amplify what the order of additions changes.
        assert!(error <= 1e-9, "{name}: {error:.1e}");
        let error = away(&statistics, &expected_statistics);
        assert!(error <= 1e-9, "{name}: statistics {error:.1e}");
    }
    Ok(())
}

#[test]
fn a_second_backward_pass_and_a_second_use_of_the_weights_work() -> Result<(), Failure> {
    for (name, input) in [("lenet_paper", [1, 32, 32]), ("mnist_residual", [1, 28, 28])] {
        let network = network(name, input)?;
        let (images, labels) = batch(&network)?;
        let (_map, model) = with_weights(&network)?;
        let loss = model.loss(&model.outputs_t(&images, true)?, &labels)?;
        let once = gradients(&model, loss.backward()?)?;
        assert_eq!(away(&gradients(&model, loss.backward()?)?, &once), 0.0, "{name}: twice");

        let other = images.flip(&[3])?;
        let further = model.loss(&model.outputs_t(&other, true)?, &labels)?;
        let alone = gradients(&model, further.backward()?)?;
        let sums = once
            .iter()
            .zip(&alone)
            .map(|((name, a), (_, b))| (name.clone(), a.iter().zip(b).map(|(a, b)| a + b).collect()));
        let both = gradients(&model, (loss + further)?.backward()?)?;
        let error = away(&both, &sums.collect::<Vec<_>>());
        assert!(error <= 1e-12, "{name}: both {error:.1e}");
    }
    Ok(())
}

#[test]
fn what_is_not_contiguous_is_taken_too() -> Result<(), Failure> {
    let network = network("mnist_residual", [1, 28, 28])?;
    let (images, _) = batch(&network)?;
    let (_map, model) = with_weights(&network)?;
    let turned = images.transpose(2, 3)?;
    assert!(!turned.is_contiguous());
    let run = |images: &Tensor| -> Result<(Vec<f64>, Named), Failure> {
        let logits = model.outputs_t(images, false)?.swap_remove(0);
        // The gradient comes back from a transposition, and spread out from a sum.
        let squares = logits.t()?.sqr()?.sum_all()?;
        Ok((numbers(&logits)?, gradients(&model, squares.backward()?)?))
    };
    assert_eq!(run(&turned)?, run(&turned.contiguous()?)?);
    Ok(())
}

/// Maps of less precision than the weights: numbers differ by that much and no more, gradients are the weights'.
#[test]
fn maps_may_be_of_less_precision_than_weights() -> Result<(), Failure> {
    for (name, input) in [("resnet20_cifar", [3, 32, 16]), ("mnist_inception", [1, 28, 28])] {
        let network = network(name, input)?;
        let (images, labels) = batch(&network)?;
        let model = || with_weights(&network);
        let (loss, _) = step(&model()?.1, &images, &labels)?;
        // candle multiplies no matrices of bf16 on the CPU; f16 goes the same way.
        for (precision, most) in [(DType::F32, 1e-5), (DType::F16, 0.01)] {
            let (_map, model) = model()?;
            let model = model.in_precision(precision);
            let (lossy, store) = step(&model, &images, &labels)?;
            let off = (lossy / loss - 1.0).abs();
            assert!(off < most && off > 0.0, "{name} {precision:?}: {lossy} for {loss}");
            for (spec, var) in model.trainable()? {
                let gradient = store.get(&var).ok_or("no gradient")?;
                assert_eq!(gradient.dtype(), DType::F64, "{name} {}", spec.name);
                assert!(numbers(gradient)?.iter().all(|x| x.is_finite()), "{name} {}", spec.name);
            }
        }
    }
    Ok(())
}
