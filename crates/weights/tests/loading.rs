//! Names as others write them, and what the report says of what does not fit.

use cnn_network::definition::*;
use cnn_network::network::NodeId;
use cnn_network::{Architecture, Network};
use cnn_weights::{Allowed, Naming, Sizes, Tensor, Weights};

type Failure = Box<dyn std::error::Error>;

/// Layers named as ResNet's are.
fn residual(classes: usize, channels: usize) -> Result<Network, Failure> {
    let block = chain().then("conv1", conv(3).out(4).no_bias()).then("bn1", batch_norm()).relu();
    let body = block.then("layer1", chain().then("conv2", conv(1).out(6))).global_avg_pool();
    Ok(body.then("fc", linear(classes)).named("net", [channels, 8, 8]).at_usual_input()?)
}

/// Layers named as torchvision's VGG has them, small: maps of 4×2×2 before the linear layers.
fn vgg(classes: usize) -> Result<Network, Failure> {
    let head = chain().then("0", linear(8)).then("3", linear(8)).then("6", linear(classes));
    let body = chain().then("features", chain().then("0", conv(7).out(4))).flatten().then("classifier", head);
    Ok(body.named("vgg", [3, 8, 8]).at_usual_input()?)
}

/// The same weights under names that a function makes.
fn named(weights: &Weights, name: impl Fn(&str) -> String) -> Weights {
    let mut renamed = Weights::new();
    for (own, tensor) in weights.iter() {
        renamed.insert(name(own), tensor.clone());
    }
    renamed
}

/// Whether both hold the same numbers for the network, to the last bit.
fn assert_same(network: &Network, one: &Weights, other: &Weights) -> Result<(), Failure> {
    let (one, other) = (one.for_network(network)?, other.for_network(network)?);
    assert_eq!(one.len(), network.tensors().count());
    for spec in network.tensors() {
        let numbers =
            |weights: &Weights| Ok::<_, Failure>(weights.numbers_of::<f32>(network, &spec.name)?.into_owned());
        assert_eq!(numbers(&one)?, numbers(&other)?, "{}", spec.name);
    }
    Ok(())
}

#[test]
fn wrappers_may_stand_anywhere_and_any_number_of_times() -> Result<(), Failure> {
    let network = residual(3, 3)?;
    let weights = Weights::initialised(&network, 7);
    for prefix in ["module.", "module.module.", "_orig_mod.module.", "model.", "net.module.", "a.b._orig_mod.c."] {
        assert_same(&network, &weights, &named(&weights, |name| format!("{prefix}{name}")))?;
    }
    assert_same(&network, &weights, &named(&weights, |name| name.replace("layer1.", "layer1.module.")))?;
    assert_same(&network, &weights, &named(&weights, |name| name.replace("conv1.", "conv1._orig_mod.")))?;
    // A prefix that not all names have is no wrapper.
    let some = named(&weights, |name| name.replace("fc.", "model.fc."));
    assert!(some.for_network(&network).is_err());
    Ok(())
}

#[test]
fn a_name_that_is_too_long_is_nobodys() -> Result<(), Failure> {
    let network = residual(3, 3)?;
    let weights = Weights::initialised(&network, 7);
    let long = "a.".repeat(400);
    assert_same(&network, &weights, &named(&weights, |name| format!("{long}{name}")))?;
    let too_long = named(&weights, |name| format!("{long}{long}{name}")).load(&network, Allowed::default())?;
    assert_eq!((too_long.taken()[0], too_long.unexpected().len()), (0, weights.len()));
    // One tensor whose name is as long as a file can be.
    let vast = named(&weights, |name| format!("{}{name}", "a.".repeat(2_000_000)));
    let message = vast.for_network(&network).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.starts_with("net: the weights have no tensor conv1.weight") && message.len() < 2000, "{message}");
    Ok(())
}

#[test]
fn a_label_of_the_network_is_no_wrapper() -> Result<(), Failure> {
    let inner = chain().then("module", chain().then("conv", conv(3).out(4))).global_avg_pool();
    let network = inner.named("net", [1, 8, 8]).at_usual_input()?;
    assert_eq!(network.tensors().next().map(|spec| spec.name.as_str()), Some("module.conv.weight"));
    let weights = Weights::initialised(&network, 7);
    assert_same(&network, &weights, &weights)?;
    Ok(())
}

#[test]
fn the_layer_of_the_scores_has_many_names() -> Result<(), Failure> {
    let network = residual(3, 3)?;
    let weights = Weights::initialised(&network, 7);
    for other in ["classifier", "last_linear", "fc.1", "head.fc", "linear"] {
        assert_same(&network, &weights, &named(&weights, |name| name.replace("fc.", &format!("{other}."))))?;
    }
    // Two candidates: neither is taken.
    let mut two = named(&weights, |name| name.replace("fc.", "classifier."));
    for part in ["weight", "bias"] {
        let tensor = two.get(&format!("classifier.{part}")).ok_or("no classifier")?.clone();
        two.insert(format!("last_linear.{part}"), tensor);
    }
    let loading = two.load(&network, Allowed::default())?;
    assert_eq!((loading.missing().len(), loading.unexpected().len()), (2, 4));
    Ok(())
}

#[test]
fn timm_writes_vggs_linear_layers_as_convolutions() -> Result<(), Failure> {
    let network = vgg(5)?;
    let weights = Weights::initialised(&network, 7);
    let mut timm = Weights::new();
    for (name, tensor) in weights.iter() {
        let (other, dims) = match name {
            "classifier.0.weight" => ("pre_logits.fc1.weight", vec![8, 4, 2, 2]),
            "classifier.0.bias" => ("pre_logits.fc1.bias", vec![8]),
            "classifier.3.weight" => ("pre_logits.fc2.weight", vec![8, 8, 1, 1]),
            "classifier.3.bias" => ("pre_logits.fc2.bias", vec![8]),
            "classifier.6.weight" => ("head.fc.weight", tensor.dims().to_vec()),
            "classifier.6.bias" => ("head.fc.bias", vec![5]),
            other => (other, tensor.dims().to_vec()),
        };
        timm.insert(other, Tensor::new(other, &dims, tensor.numbers::<f32>(name)?.into_owned())?);
    }
    assert_same(&network, &weights, &timm)?;
    let report = timm.load(&network, Allowed::default())?.to_string();
    assert!(
        report.contains("renamed 6: as torchvision spells VGG (pre_logits.fc1.bias is classifier.0.bias)"),
        "{report}"
    );
    assert!(report.contains("reshaped between convolution and linear layer: classifier.0.weight, classifier.3.weight"));
    let back = weights.named(&network, Naming::Timm)?;
    assert_eq!(back.len(), timm.len());
    for (name, tensor) in timm.iter() {
        let written = back.get(name).ok_or(name.to_string())?;
        assert_eq!((written.dims(), written.numbers::<f32>(name)?), (tensor.dims(), tensor.numbers::<f32>(name)?));
    }
    assert_same(&network, &weights, &timm.named(&network, Naming::Torchvision)?)?;
    // As many numbers in another order are not the same layer.
    let other = Tensor::new("", &[8, 2, 2, 4], vec![0.0f32; 128])?;
    timm.insert("pre_logits.fc1.weight", other);
    assert_eq!(timm.load(&network, Allowed::default())?.misshapen().len(), 1);
    Ok(())
}

#[test]
fn a_linear_layer_as_a_convolution_has_as_many_outputs() -> Result<(), Failure> {
    let body =
        |out| chain().then("conv1", conv(3).out(4).no_bias()).global_avg_pool().then("fc", linear(out).no_bias());
    let network = |out| body(out).named("net", [3, 8, 8]).at_usual_input();
    let (own, other) = (network(10)?, network(1000)?);
    let mut weights = Weights::initialised(&other, 7);
    let values = weights.get("fc.weight").ok_or("no scores")?.numbers::<f32>("fc.weight")?.into_owned();
    weights.insert("fc.weight", Tensor::new("fc.weight", &[1000, 4, 1, 1], values)?);
    assert!(weights.check(&other).is_ok());
    let message = weights.check(&own).err().map(|error| error.to_string());
    let expected = "net: tensor fc.weight should be 10×4, but the weights have 1000×4×1×1";
    assert_eq!(message.as_deref(), Some(expected));
    assert_eq!(weights.load(&own, Allowed::START)?.anew(), ["fc.weight"]);
    Ok(())
}

#[test]
fn densenets_of_old_are_spelt_with_dots() -> Result<(), Failure> {
    let layer = chain().then("norm1", batch_norm()).relu().then("conv1", conv(1).out(4));
    let layer = layer.then("norm2", batch_norm()).relu().then("conv2", conv(3).out(2));
    let block = chain().then("denselayer1", layer);
    let body =
        chain().then("features", chain().then("denseblock1", block)).global_avg_pool().then("classifier", linear(3));
    let network = body.named("dense", [3, 8, 8]).at_usual_input()?;
    let weights = Weights::initialised(&network, 7);
    let old = named(&weights, |name| {
        ["norm1", "norm2", "conv1", "conv2"].iter().fold(name.to_string(), |name, part| {
            name.replace(&format!(".{part}."), &format!(".{}.{}.", &part[..4], &part[4..]))
        })
    });
    assert!(old.get("features.denseblock1.denselayer1.norm.1.running_mean").is_some());
    assert_same(&network, &weights, &old)
}

#[test]
fn nothing_is_guessed_between_two() -> Result<(), Failure> {
    let network = residual(3, 3)?;
    let weights = Weights::initialised(&network, 7);
    let mut twice = named(&weights, |name| name.replace("conv1.", "module.conv1."));
    let tensor = weights.get("conv1.weight").ok_or("no conv1")?.clone();
    twice.insert("_orig_mod.conv1.weight", tensor.clone());
    let message = twice.for_network(&network).unwrap_err().to_string();
    assert_eq!(
        message,
        "the weights: _orig_mod.conv1.weight and module.conv1.weight would both be the network's conv1.weight; take one \
         of them out"
    );
    // The network's own name is meant where it is there, and the other is one too many.
    let mut surplus = weights.clone();
    surplus.insert("module.conv1.weight", tensor);
    let loading = surplus.load(&network, Allowed::default())?;
    assert_eq!((loading.taken(), loading.unexpected()[0].name.as_str()), ([8 + 1, 9], "module.conv1.weight"));
    assert!(loading.weights().is_err());
    Ok(())
}

#[test]
fn the_report_puts_like_beside_like() -> Result<(), Failure> {
    let network = residual(3, 3)?;
    let mut weights = named(&Weights::initialised(&network, 7), |name| name.replace("layer1.", "stage1."));
    weights.insert("bn1.bias", Tensor::new("bn1.bias", &[5], vec![0.0f32; 5])?);
    let loading = weights.load(&network, Allowed::default())?;
    assert_eq!(
        loading.to_string(),
        "the weights: 6 of net's 9 tensors taken
  missing 2: layer1.conv2.weight 6×4×1×1 (the file has stage1.conv2.weight 6×4×1×1); layer1.conv2.bias 6 (the file has \
         stage1.conv2.bias 6)
  unexpected 2: stage1.conv2.bias 6 (like layer1.conv2.bias 6); stage1.conv2.weight 6×4×1×1 (like layer1.conv2.weight \
         6×4×1×1)
  misshapen 1: bn1.bias is 5, not 4"
    );
    let message = loading.weights().unwrap_err().to_string();
    assert_eq!(message, "net: tensor bn1.bias should be 4, but the weights have 5");
    Ok(())
}

#[test]
fn another_number_of_classes_is_told_and_only_taken_when_asked() -> Result<(), Failure> {
    let (ten, three) = (residual(10, 3)?, residual(3, 3)?);
    let weights = Weights::initialised(&ten, 7);
    let loading = weights.load(&three, Allowed::default())?;
    assert_eq!((loading.classes(), loading.channels()), (Some(10), Some(3)));
    assert!(loading.weights().is_err());
    let body = chain().then("conv1", conv(3).out(4)).global_avg_pool().then("fc", linear(5)).named("other", [1, 8, 8]);
    let module = named(&weights, |name| format!("module.{name}"));
    assert_eq!(module.sizes(&body)?, Sizes { classes: Some(10), channels: Some(3) });
    let loading = weights.load(&three, Allowed { classes: true, ..Allowed::default() })?;
    assert_eq!(loading.anew(), ["fc.weight", "fc.bias"]);
    assert!(
        loading
            .to_string()
            .ends_with("\n  begin anew: fc.weight, fc.bias; the weights are for 10 classes, the network for 3")
    );
    assert_eq!(loading.weights()?.len(), 7);
    Ok(())
}

#[test]
fn another_number_of_channels_gives_what_a_grey_picture_gave() -> Result<(), Failure> {
    let (grey, colour) = (residual(3, 1)?, residual(3, 3)?);
    let asked = Allowed { channels: true, ..Allowed::default() };
    let numbers = |weights: &Weights, name: &str| {
        Ok::<_, Failure>(weights.get(name).ok_or("none")?.numbers::<f64>(name)?.into_owned())
    };
    for (from, to) in [(&colour, &grey), (&grey, &colour)] {
        let weights = Weights::initialised(from, 7);
        assert!(weights.for_network(to).is_err());
        let loading = weights.load(to, asked)?;
        let how = if from == &colour { "3 summed for 1" } else { "1 repeated and divided by 3 for 3" };
        assert!(loading.to_string().ends_with(&format!("\n  input channels: {how}")), "{loading}");
        let (before, after) = (numbers(&weights, "conv1.weight")?, numbers(&loading.weights()?, "conv1.weight")?);
        // What one plane of equal channels sees: the sum over the channels, for each output and tap.
        let sums = |values: &[f64], channels: usize| -> Vec<f64> {
            values
                .chunks(9 * channels)
                .flat_map(|of| (0..9).map(|tap| (0..channels).map(|c| of[c * 9 + tap]).sum::<f64>()))
                .collect()
        };
        let [a, b] = if from == &colour { [3, 1] } else { [1, 3] };
        for (before, after) in sums(&before, a).iter().zip(sums(&after, b)) {
            assert!((before - after).abs() < 1e-6, "{before} {after}");
        }
    }
    Ok(())
}

#[test]
fn heads_may_be_absent_for_what_does_not_need_them() -> Result<(), Failure> {
    let head = chain().global_avg_pool().then("fc", linear(3));
    let of = |architecture: Architecture| architecture.at_usual_input();
    let body =
        || chain().then("conv", conv(3).out(4)).tap("aux", 0.3, head.clone()).and(head.clone()).named("net", [1, 8, 8]);
    let (with, without) = (of(body())?, of(body().without_heads())?);
    let all = Weights::initialised(&with, 7);
    let loading = named(&all, |name| format!("module.{name}")).load(&without, Allowed::default())?;
    assert!(loading.to_string().contains("left out heads: aux"), "{loading}");
    assert_eq!(loading.weights()?.len(), 4);
    let few = Weights::initialised(&without, 7);
    let main: NodeId = with.outputs()[0].node;
    assert_eq!(few.for_nodes(&with, &[main])?.len(), 4);
    assert_eq!(few.load(&with, Allowed::default())?.missing().len(), 2);
    assert_eq!(
        few.load(&with, Allowed { heads: true, ..Allowed::default() })?.anew(),
        ["aux.fc.weight", "aux.fc.bias"]
    );
    Ok(())
}

#[test]
fn names_of_files_cannot_break_a_sentence() -> Result<(), Failure> {
    let network = residual(3, 3)?;
    let mut weights = Weights::initialised(&network, 7);
    weights.insert("conv1\n\u{1b}[31m.weight", Tensor::new("", &[1], vec![0.0f32])?);
    let message = weights.for_network(&network).unwrap_err().to_string();
    assert!(message.contains("1 tensor that it lacks, conv1;"), "{message}");
    let report = weights.load(&network, Allowed::default())?.to_string();
    assert_eq!((report.lines().count(), report.contains('\u{1b}')), (2, false), "{report}");
    weights.remove("conv1.weight").ok_or("no conv1")?;
    let message = weights.for_network(&network).unwrap_err().to_string();
    assert!(!message.contains('\n') && message.ends_with("(expected 4×3×3×3); they have conv1"), "{message}");
    Ok(())
}
