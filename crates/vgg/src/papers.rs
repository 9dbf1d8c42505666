//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const VGG: Paper = Paper {
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors: "Karen Simonyan, Andrew Zisserman",
    year: Some(2015),
    link: Some("https://arxiv.org/abs/1409.1556"),
};

pub(crate) const FAST_CIFAR: Paper = Paper {
    title: "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
    authors: "Keller Jordan",
    year: Some(2024),
    link: Some("https://arxiv.org/abs/2404.00498"),
};
