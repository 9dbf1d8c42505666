//! The planned training step against candle's autograd.

use crate::Failure;
use cnn_core::candle_core::{DType, Device, Tensor};
use cnn_core::candle_nn::VarBuilder;
use cnn_core::{Model, Network, initialisation, model};
use cnn_plan::{Batch, Parameters, Plan};

/// Networks that between them have every operation, with sizes small enough for candle.
const NETWORKS: &[(&str, [usize; 3])] = &[
    ("lenet", [1, 28, 28]),
    ("lenet_paper", [1, 32, 32]),
    ("lenet_d2l", [1, 28, 28]),
    ("alexnet", [3, 95, 63]),
    ("alexnet_paper", [3, 99, 67]),
    ("vgg_small_d2l", [1, 64, 64]),
    ("vgg11_bn", [3, 64, 64]),
    ("vgg11_lrn_paper", [3, 32, 32]),
    ("nin_d2l", [1, 99, 67]),
    ("googlenet", [3, 64, 96]),
    ("googlenet_d2l", [1, 64, 96]),
    ("mnist_inception", [1, 28, 28]),
    ("inception_v3", [3, 107, 123]),
    ("inception_v4", [3, 107, 75]),
    ("inception_resnet_v1", [3, 107, 75]),
    ("bn_inception", [3, 64, 64]),
    ("resnet18", [3, 64, 32]),
    ("resnet50", [3, 64, 32]),
    ("resnext50_32x4d", [3, 32, 64]),
    ("resnet18_preact", [3, 64, 32]),
    ("resnet20_cifar", [3, 32, 16]),
    ("plain20_cifar", [3, 16, 32]),
    ("resnet110_preact_cifar", [3, 16, 16]),
    ("mnist_residual", [1, 28, 28]),
    ("densenet121", [3, 32, 64]),
    ("densenet40_cifar", [3, 16, 32]),
    ("densenet100bc_cifar", [3, 16, 16]),
    ("densenet_d2l", [1, 32, 64]),
];

/// Same loss, outputs, running statistics and gradients, dropout and auxiliary heads included, in f64.
#[test]
fn both_engines_give_the_same_gradients() -> Result<(), Failure> {
    let mut worst: (f64, String) = (0.0, String::new());
    for (name, input) in NETWORKS {
        let entry = cnn_zoo::find(name)?;
        // The heads of Inception v3 need more pixels than candle computes in reasonable time.
        let network = match entry.architecture(7).at(*input) {
            Ok(network) => network,
            Err(_) => entry.architecture(7).without_heads().at(*input)?,
        };
        let (difference, tensor) = difference(&network).map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: {difference:.1e} ({tensor})");
        if difference.is_nan() || difference > worst.0 {
            worst = (difference, format!("{name} {tensor}"));
        }
    }
    assert!(worst.0 < 1e-8, "{}: {}", worst.1, worst.0);
    Ok(())
}

/// The largest difference of a tensor, relative to its largest element, and its name.
fn difference(network: &Network) -> Result<(f64, String), Failure> {
    let (batch, seed) = (3, 5);
    let device = Device::Cpu;
    let images: Vec<f64> = initialisation::Init::Normal { std: 1.0 }
        .draw(seed, "images", batch * network.input().elements())
        .into_iter()
        .map(f64::from)
        .collect();
    let labels: Vec<u32> = (0..batch as u32).map(|i| i * 2 % 7).collect();

    let map = model::initialise(network, seed, DType::F64, &device)?;
    let mut parameters = Parameters::<f64>::new(network, values(network, &map)?)?;
    // Of candle's operations: the kernels are the plan's own.
    let trained = Model::new(network, VarBuilder::from_varmap(&map, DType::F64, &device))?;
    let trained = trained.with_dropout(seed, 2).without_kernels();
    let dims = network.input().dims();
    let tensor = Tensor::from_slice(&images, (batch, dims[0], dims[1], dims[2]), &device)?;
    let outputs = trained.outputs_t(&tensor, true)?;
    let expected_loss = trained.loss(&outputs, &Tensor::new(labels.as_slice(), &device)?)?;
    let gradients = expected_loss.backward()?;

    let mut plan = Plan::<f64>::training(network, seed, 2);
    let loss = plan.forward(&mut parameters, &Batch { images: &images, labels: &labels }, 0.0)?;
    let mut worst = (away(&[loss], &[expected_loss.to_scalar()?]), "loss".to_string());
    let mut note = |difference: f64, name: String| {
        if difference.is_nan() || difference > worst.0 {
            worst = (difference, name);
        }
    };
    for (index, output) in outputs.iter().enumerate() {
        note(away(&plan.output(index), &output.flatten_all()?.to_vec1()?), format!("output {index}"));
    }
    let mut found: Vec<Option<Vec<f64>>> = vec![None; network.tensors().count()];
    let mut twice = false;
    plan.backward(&mut parameters, &mut |tensor: usize, _: &mut [f64], gradient: &[f64]| {
        twice |= found[tensor].replace(gradient.to_vec()).is_some();
    });
    assert!(!twice, "a gradient came twice");
    // A bias that a batch norm cancels has a gradient of rounding errors: judged by what it is the sum of.
    let largest = found.iter().flatten().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
    for (((spec, tensor), found), value) in trained.tensors().zip(&found).zip(parameters.values()) {
        if spec.trained() {
            let expected: Vec<f64> = gradients.get(tensor).ok_or("no gradient")?.flatten_all()?.to_vec1()?;
            let found = found.as_ref().ok_or_else(|| format!("{} got no gradient", spec.name))?;
            let own = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let scale = own.max(1e-6 * largest);
            let most = found.iter().zip(&expected).fold(0.0, |most: f64, (a, b)| larger(most, (a - b).abs()));
            note(most / scale, spec.name.clone());
        } else {
            note(away(value, &tensor.flatten_all()?.to_vec1()?), spec.name.clone());
        }
    }
    Ok(worst)
}

fn values(network: &Network, map: &cnn_core::candle_nn::VarMap) -> Result<Vec<Vec<f64>>, Failure> {
    let data = map.data().lock().map_err(|_| "poisoned")?;
    network.tensors().map(|spec| Ok(data[&spec.name].as_tensor().flatten_all()?.to_vec1()?)).collect()
}

fn larger(a: f64, b: f64) -> f64 {
    if b.is_nan() || b > a { b } else { a }
}

/// Largest difference relative to the largest expected.
fn away(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-300, |most: f64, x| most.max(x.abs()));
    found.iter().zip(expected).fold(0.0, |most, (a, b)| larger(most, (a - b).abs())) / scale
}
