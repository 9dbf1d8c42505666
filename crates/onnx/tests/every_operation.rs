//! Every operation, held to what ONNX Runtime computed from the very file that is written here.

use crate::common;
use crate::common::Outcome;
use cnn_network::oracle::{self, Batch};
use cnn_onnx::schema::{ModelProto, TensorProto};
use prost::Message;
use safetensors::SafeTensors;
use std::collections::BTreeMap;

const GOLDEN: &[u8] = include_bytes!("goldens/every_operation.safetensors");

/// What f32 loses in ONNX Runtime, of the largest score.
const TOLERANCE: f64 = 1e-5;

#[test]
fn onnx_runtime_computes_what_the_oracle_computes() -> Outcome {
    let (network, weights) = (common::network()?, common::weights(&common::network()?)?);
    let (_, metadata) = SafeTensors::read_metadata(GOLDEN)?;
    let about = metadata.metadata().as_ref().and_then(|all| all.get("golden")).ok_or("no metadata")?;
    let about: serde_json::Value = serde_json::from_str(about)?;
    let exact: oracle::Weights = weights
        .iter()
        .map(|(name, tensor)| Ok((name.to_string(), tensor.numbers(name)?.into_owned())))
        .collect::<Outcome<_>>()?;
    for (name, export) in common::exports() {
        let file = export.to_bytes(&network, &weights)?;
        assert_eq!(u64::from(crc32fast::hash(&file)), about["checksums"][name], "{name}: another file was run");
        let mut values = match export.normalise {
            None => golden(&format!("{name}.input"))?,
            Some(_) => golden(&format!("{name}.pixels"))?,
        };
        if export.normalise.is_some() {
            let map = network.input().elements() / network.input().channels();
            for (at, value) in values.iter_mut().enumerate() {
                let channel = at / map % network.input().channels();
                let [mean, std] = [&export.about.mean, &export.about.std].map(|all| f64::from(all[channel]));
                *value = (*value / 255.0 - mean) / std;
            }
        }
        let computed = oracle::forward(&network, &exact, &Batch { shape: network.input(), values })?.values;
        let ran = golden(&format!("{name}.logits"))?;
        assert_eq!(computed.len(), ran.len());
        let largest = computed.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let spread = computed[..5].iter().zip(&computed[5..]).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
        assert!(spread > 1e3 * TOLERANCE * largest, "{name}: the scores hardly depend on the image");
        for (at, (computed, ran)) in computed.iter().zip(&ran).enumerate() {
            assert!(
                (computed - ran).abs() <= TOLERANCE * largest,
                "{name}: score {at} is {computed}, {ran} in the file"
            );
        }
        if export.probabilities {
            let probabilities = golden(&format!("{name}.probabilities"))?;
            for (row, scores) in probabilities.chunks_exact(5).zip(ran.chunks_exact(5)) {
                let total: f64 = scores.iter().map(|score| score.exp()).sum();
                assert!(row.iter().zip(scores).all(|(p, score)| (p - score.exp() / total).abs() < 1e-6));
            }
        }
    }
    Ok(())
}

#[test]
fn the_file_is_whole_and_says_what_it_is() -> Outcome {
    let (network, weights) = (common::network()?, common::weights(&common::network()?)?);
    for (name, export) in common::exports() {
        let file = export.to_bytes(&network, &weights)?;
        assert_eq!(file, export.to_bytes(&network, &weights)?);
        let model = ModelProto::decode(file.as_slice())?;
        assert_eq!(model.encoded_len(), file.len(), "{name}");
        assert_eq!((model.ir_version, model.opset_import[0].version), (Some(8), Some(17)));
        let graph = model.graph.ok_or("no graph")?;
        assert!(graph.initializer.iter().all(is_whole), "{name}");
        let names: Vec<&str> = graph.output.iter().filter_map(|value| value.name.as_deref()).collect();
        let (input, outputs): (_, &[&str]) = match name {
            "plain" => ("input", &["logits"]),
            _ => ("pixels", &["logits", "probabilities"]),
        };
        assert_eq!((graph.input[0].name.as_deref(), names.as_slice()), (Some(input), outputs));
        let norms = graph.node.iter().filter(|node| node.op_type.as_deref() == Some("BatchNormalization")).count();
        // What stands behind a softmax and a factor has no layer to go into.
        assert_eq!(norms, if export.fold { 1 } else { 5 });
        let entries: BTreeMap<String, String> = model
            .metadata_props
            .into_iter()
            .map(|entry| (entry.key.unwrap_or_default(), entry.value.unwrap_or_default()))
            .collect();
        assert_eq!(entries["network"], "every_operation");
        if name == "folded" {
            let expected = [
                ("classes", r#"["zero","one","two","the \"third\"","four"]"#),
                ("names", r#"{0: "zero", 1: "one", 2: "two", 3: "the \"third\"", 4: "four"}"#),
                ("size", "[23,17]"),
                ("mean", "[0.5,0.25]"),
                ("std", "[0.25,0.5]"),
                ("normalised", "true"),
                ("resize", "26"),
                ("crop", "[23,17]"),
                ("interpolation", "bilinear"),
                ("source", "a test"),
                ("dataset", "none"),
                ("Image.NominalPixelRange", "NominalRange_0_255"),
            ];
            for (key, value) in expected {
                assert_eq!(entries[key], value, "{key}");
            }
        }
    }
    Ok(())
}

/// Whether a tensor has as many numbers as its dimensions say.
fn is_whole(tensor: &TensorProto) -> bool {
    let size = if tensor.data_type == Some(7) { 8 } else { 4 };
    let elements: i64 = tensor.dims.iter().product();
    tensor.raw_data.as_ref().is_some_and(|bytes| bytes.len() as i64 == elements * size)
}

fn golden(name: &str) -> Outcome<Vec<f64>> {
    let tensors = SafeTensors::deserialize(GOLDEN)?;
    let view = tensors.tensor(name)?;
    Ok(view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect())
}
