//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const NIN: Paper = Paper {
    title: "Network In Network",
    authors: "Min Lin, Qiang Chen, Shuicheng Yan",
    year: Some(2013),
    link: Some("https://arxiv.org/abs/1312.4400"),
};
