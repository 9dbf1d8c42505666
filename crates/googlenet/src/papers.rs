//! Where the networks of this crate are from.

use cnn_core::definition::Paper;

pub(crate) const GOOGLENET: Paper = Paper {
    title: "Going Deeper with Convolutions",
    authors: "Christian Szegedy, Wei Liu, Yangqing Jia, Pierre Sermanet, Scott Reed, Dragomir Anguelov, Dumitru Erhan, \
              Vincent Vanhoucke, Andrew Rabinovich",
    year: Some(2015),
    link: Some("https://arxiv.org/abs/1409.4842"),
};

pub(crate) const BATCH_NORMALISATION: Paper = Paper {
    title: "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    authors: "Sergey Ioffe, Christian Szegedy",
    year: Some(2015),
    link: Some("https://arxiv.org/abs/1502.03167"),
};

pub(crate) const INCEPTION_V3: Paper = Paper {
    title: "Rethinking the Inception Architecture for Computer Vision",
    authors: "Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna",
    year: Some(2016),
    link: Some("https://arxiv.org/abs/1512.00567"),
};

pub(crate) const INCEPTION_V4: Paper = Paper {
    title: "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors: "Christian Szegedy, Sergey Ioffe, Vincent Vanhoucke, Alex Alemi",
    year: Some(2017),
    link: Some("https://arxiv.org/abs/1602.07261"),
};

pub(crate) const ZERO_TO_ALL: Paper = Paper {
    title: "PyTorch Zero To All",
    authors: "Sung Kim",
    year: Some(2017),
    link: Some("https://github.com/hunkim/PyTorchZeroToAll"),
};
