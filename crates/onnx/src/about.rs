//! What the file says of itself.

use crate::error::{Error, Result};
use crate::normalise::Pixels;
use crate::schema::StringStringEntryProto;
use cnn_network::Network;
use serde::Serialize;
use std::collections::BTreeMap;

/// What whoever runs the file should know; it goes to `metadata_props`, where every entry is text. What is empty or `None`
/// is left out.
///
/// | key | value |
/// | --- | --- |
/// | `network` | the network's name |
/// | `classes` | [`About::classes`] as a JSON list |
/// | `names` | the same as a Python dictionary, `{0: "cat", 1: "dog"}`, as Ultralytics' files have it |
/// | `size` | height and width of the input, `[224,224]` |
/// | `mean`, `std` | of each channel of a picture on the scale 0 to 1, as JSON lists |
/// | `normalised` | `true` where the graph normalises, so that the caller must not |
/// | `resize`, `crop`, `interpolation`, `source` | [`About::resize`] and so on |
/// | `Image.BitmapPixelFormat`, `Image.ColorSpaceGamma`, `Image.NominalPixelRange` | of the input `pixels`, where the graph normalises: ONNX's own keys for pictures |
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Names of the classes, in the order of the scores.
    pub classes: Vec<String>,
    /// The mean of each channel that is subtracted, on the scale 0 to 1.
    pub mean: Vec<f32>,
    /// The deviation of each channel that is divided by, on the scale 0 to 1.
    pub std: Vec<f32>,
    /// What the shorter side of a picture is brought to before the crop, in pixels.
    pub resize: Option<usize>,
    /// Height and width of the piece cut out of the middle, in pixels.
    pub crop: Option<[usize; 2]>,
    /// How pictures are resized, `bilinear` for example.
    pub interpolation: Option<String>,
    /// Where the weights are from: a name, an address, a data set.
    pub source: Option<String>,
    /// Anything else, by key. A key of the table above is not taken from here. `cargo xtask export` puts here the `dataset`
    /// that the weights were trained on; `preparation`, how a picture becomes an input, as the card of the weights has it;
    /// and `images`, `[28,28]`, the height and width that a picture of another size is stretched to before that, if it is.
    pub more: BTreeMap<String, String>,
}

impl About {
    /// Refuses class names and statistics that are not the network's.
    pub(crate) fn check(&self, network: &Network) -> Result<()> {
        let (scores, classes) = (network.output().shape.elements(), self.classes.len());
        if classes != 0 && classes != scores {
            return Err(Error::Classes { network: network.name().to_string(), scores, classes });
        }
        let (channels, means, deviations) = (network.input().channels(), self.mean.len(), self.std.len());
        if (means, deviations) != (0, 0) && (means, deviations) != (channels, channels) {
            return Err(Error::Statistics { network: network.name().to_string(), channels, means, deviations });
        }
        Ok(())
    }

    /// The lines of the file.
    pub(crate) fn entries(&self, network: &Network, pixels: Option<Pixels>) -> Vec<StringStringEntryProto> {
        let mut entries: Vec<(&str, String)> = vec![("network", network.name().to_string())];
        if !self.classes.is_empty() {
            entries.push(("classes", json(&self.classes)));
            entries.push(("names", dictionary(&self.classes)));
        }
        if let Some(size) = network.input().size() {
            entries.push(("size", json(&size.axes())));
        }
        if !self.mean.is_empty() {
            entries.push(("mean", json(&self.mean)));
            entries.push(("std", json(&self.std)));
            entries.push(("normalised", pixels.is_some().to_string()));
        }
        let texts = [
            ("resize", self.resize.map(|side| side.to_string())),
            ("crop", self.crop.map(|size| json(&size))),
            ("interpolation", self.interpolation.clone()),
            ("source", self.source.clone()),
        ];
        entries.extend(texts.into_iter().filter_map(|(key, text)| Some((key, text?))));
        if let Some(pixels) = pixels {
            entries.extend(pixels.format(network.input().channels()));
        }
        let own: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
        let more = self.more.iter().filter(|(key, _)| !own.contains(&key.as_str()));
        let more: Vec<(&str, String)> = more.map(|(key, value)| (key.as_str(), value.clone())).collect();
        let entry =
            |(key, value): (&str, String)| StringStringEntryProto { key: Some(key.to_string()), value: Some(value) };
        entries.into_iter().chain(more).map(entry).collect()
    }
}

/// A list as JSON; strings and numbers can always be written.
fn json<T: Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// Names as a Python dictionary. A string of JSON is one of Python too.
fn dictionary(names: &[String]) -> String {
    let item = |(at, name): (usize, &String)| format!("{at}: {}", serde_json::Value::from(name.as_str()));
    let items: Vec<String> = names.iter().enumerate().map(item).collect();
    format!("{{{}}}", items.join(", "))
}
