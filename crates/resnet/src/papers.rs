//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const RESNET: Paper = Paper {
    title: "Deep Residual Learning for Image Recognition",
    authors: "Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year: Some(2015),
    link: Some("https://arxiv.org/abs/1512.03385"),
};

pub(crate) const IDENTITY_MAPPINGS: Paper = Paper {
    title: "Identity Mappings in Deep Residual Networks",
    authors: "Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year: Some(2016),
    link: Some("https://arxiv.org/abs/1603.05027"),
};

pub(crate) const RESNEXT: Paper = Paper {
    title: "Aggregated Residual Transformations for Deep Neural Networks",
    authors: "Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He",
    year: Some(2017),
    link: Some("https://arxiv.org/abs/1611.05431"),
};

pub(crate) const WIDE_RESNET: Paper = Paper {
    title: "Wide Residual Networks",
    authors: "Sergey Zagoruyko, Nikos Komodakis",
    year: Some(2016),
    link: Some("https://arxiv.org/abs/1605.07146"),
};

/// Teaching code that names no author.
pub(crate) const TEACHING_CODE: Paper =
    Paper { title: "Residual units for MNIST", authors: "unknown, in teaching code", year: None, link: None };
