//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const DENSENET: Paper = Paper {
    title: "Densely Connected Convolutional Networks",
    authors: "Gao Huang, Zhuang Liu, Laurens van der Maaten, Kilian Q. Weinberger",
    year: Some(2017),
    link: Some("https://arxiv.org/abs/1608.06993"),
};
