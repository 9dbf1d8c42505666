//! What is raced: a network, a batch, a shape.

use crate::bench::Request;
use crate::cli::InputShape;
use std::fmt;
use std::str::FromStr;

/// `NET:BATCH[:C,H,W[:CLASSES]]`.
#[derive(Clone, Debug)]
pub struct Case {
    /// The network's name.
    pub network: String,
    /// Images in a batch.
    pub batch: u32,
    /// Input shape instead of its source's.
    pub shape: Option<InputShape>,
    /// Number of classes instead of its source's.
    pub classes: Option<u32>,
}

/// Whole training steps, from tutorial to ImageNet.
const TRAINING: [&str; 8] = [
    "lenet:64:1,28,28",
    "resnet20_cifar:128:3,32,32",
    "resnet18:64:3,32,32:10",
    "alexnet:32",
    "resnet18:16",
    "resnet50:8",
    "densenet121:8",
    "vgg16:8",
];

/// Forward passes, one image and a small batch.
const INFERENCE: [&str; 14] = [
    "alexnet:1",
    "vgg16:1",
    "googlenet:1",
    "inception_v3:1:3,299,299",
    "resnet18:1",
    "resnet50:1",
    "densenet121:1",
    "alexnet:8",
    "vgg16:8",
    "googlenet:8",
    "inception_v3:8:3,299,299",
    "resnet18:8",
    "resnet50:8",
    "densenet121:8",
];

impl Case {
    /// The cases of the documentation.
    pub fn usual(train: bool) -> Result<Vec<Self>, String> {
        let cases: &[&str] = if train { &TRAINING } else { &INFERENCE };
        cases.iter().map(|case| case.parse()).collect()
    }

    /// What `bench` makes of it.
    pub fn request(&self, train: bool) -> Request<'_> {
        Request { network: &self.network, batch: self.batch, shape: self.shape, classes: self.classes, train }
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = |what: &str, text: &str| {
            let number = text.parse().ok().filter(|number| (1..=100_000).contains(number));
            number.ok_or_else(|| format!("{text} is no {what} from 1 to 100000"))
        };
        let parts: Vec<&str> = text.split(':').collect();
        let (network, batch, shape, classes) = match parts.as_slice() {
            [network, batch] => (network, batch, None, None),
            [network, batch, shape] => (network, batch, Some(shape), None),
            [network, batch, shape, classes] => (network, batch, Some(shape), Some(classes)),
            _ => return Err("a network, a batch and what its source does not say: NET:BATCH[:C,H,W[:CLASSES]]".into()),
        };
        Ok(Self {
            network: network.to_string(),
            batch: count("batch", batch)?,
            shape: shape.map(|shape| shape.parse()).transpose()?,
            classes: classes.map(|classes| count("number of classes", classes)).transpose()?,
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.network, self.batch)?;
        if let Some(shape) = self.shape {
            write!(f, ":{shape}")?;
        }
        self.classes.map_or(Ok(()), |classes| write!(f, ":{classes}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_go_both_ways() {
        for train in [false, true] {
            for case in Case::usual(train).unwrap() {
                assert!(cnn_zoo::find(&case.network).is_ok(), "{case}");
                assert_eq!(case.to_string().parse::<Case>().unwrap().to_string(), case.to_string());
            }
        }
        assert_eq!("lenet:0".parse::<Case>().unwrap_err(), "0 is no batch from 1 to 100000");
        assert!("lenet".parse::<Case>().is_err());
        assert!("lenet:1:1,2".parse::<Case>().is_err());
    }
}
