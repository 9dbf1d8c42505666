//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const VGG: Paper = Paper {
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors: "Karen Simonyan, Andrew Zisserman",
    year: Some(2015),
    link: Some("https://arxiv.org/abs/1409.1556"),
};
