//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const LENET: Paper = Paper {
    title: "Gradient-Based Learning Applied to Document Recognition",
    authors: "Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner",
    year: Some(1998),
    link: Some("http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf"),
};

pub(crate) const NIELSEN: Paper = Paper {
    title: "Neural Networks and Deep Learning",
    authors: "Michael A. Nielsen",
    year: Some(2015),
    link: Some("http://neuralnetworksanddeeplearning.com"),
};

pub(crate) const ZERO_TO_ALL: Paper = Paper {
    title: "PyTorch Zero To All",
    authors: "Sung Kim",
    year: Some(2017),
    link: Some("https://github.com/hunkim/PyTorchZeroToAll"),
};

/// Teaching code that names no author.
pub(crate) const TEACHING_CODE: Paper =
    Paper { title: "LeNet without activations", authors: "unknown, in teaching code", year: None, link: None };
