//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const ALEXNET: Paper = Paper {
    title: "ImageNet Classification with Deep Convolutional Neural Networks",
    authors: "Alex Krizhevsky, Ilya Sutskever, Geoffrey E. Hinton",
    year: Some(2012),
    link: Some("https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks"),
};

pub(crate) const WEIRD_TRICK: Paper = Paper {
    title: "One weird trick for parallelizing convolutional neural networks",
    authors: "Alex Krizhevsky",
    year: Some(2014),
    link: Some("https://arxiv.org/abs/1404.5997"),
};
