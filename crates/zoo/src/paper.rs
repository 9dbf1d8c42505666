//! Where networks are from.

use crate::entry::Entry;
use crate::family::Family;

/// A paper, or the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Paper {
    /// Title.
    pub title: &'static str,
    /// Authors.
    pub authors: &'static str,
    /// Year of publication.
    pub year: u16,
    /// Where to read it.
    pub link: &'static str,
}

const LENET: Paper = Paper {
    title: "Gradient-Based Learning Applied to Document Recognition",
    authors: "Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner",
    year: 1998,
    link: "http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
};

const ALEXNET: Paper = Paper {
    title: "ImageNet Classification with Deep Convolutional Neural Networks",
    authors: "Alex Krizhevsky, Ilya Sutskever, Geoffrey E. Hinton",
    year: 2012,
    link: "https://papers.nips.cc/paper/4824",
};

const WEIRD_TRICK: Paper = Paper {
    title: "One weird trick for parallelizing convolutional neural networks",
    authors: "Alex Krizhevsky",
    year: 2014,
    link: "https://arxiv.org/abs/1404.5997",
};

const NIN: Paper = Paper {
    title: "Network In Network",
    authors: "Min Lin, Qiang Chen, Shuicheng Yan",
    year: 2013,
    link: "https://arxiv.org/abs/1312.4400",
};

const VGG: Paper = Paper {
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors: "Karen Simonyan, Andrew Zisserman",
    year: 2014,
    link: "https://arxiv.org/abs/1409.1556",
};

const GOOGLENET: Paper = Paper {
    title: "Going Deeper with Convolutions",
    authors: "Christian Szegedy, Wei Liu, Yangqing Jia, Pierre Sermanet, Scott Reed, Dragomir Anguelov, Dumitru Erhan, Vincent Vanhoucke, Andrew Rabinovich",
    year: 2014,
    link: "https://arxiv.org/abs/1409.4842",
};

const BATCH_NORM: Paper = Paper {
    title: "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    authors: "Sergey Ioffe, Christian Szegedy",
    year: 2015,
    link: "https://arxiv.org/abs/1502.03167",
};

const INCEPTION_V3: Paper = Paper {
    title: "Rethinking the Inception Architecture for Computer Vision",
    authors: "Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna",
    year: 2015,
    link: "https://arxiv.org/abs/1512.00567",
};

const INCEPTION_V4: Paper = Paper {
    title: "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors: "Christian Szegedy, Sergey Ioffe, Vincent Vanhoucke, Alex Alemi",
    year: 2016,
    link: "https://arxiv.org/abs/1602.07261",
};

const RESNET: Paper = Paper {
    title: "Deep Residual Learning for Image Recognition",
    authors: "Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year: 2015,
    link: "https://arxiv.org/abs/1512.03385",
};

const PREACTIVATION: Paper = Paper {
    title: "Identity Mappings in Deep Residual Networks",
    authors: "Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year: 2016,
    link: "https://arxiv.org/abs/1603.05027",
};

const RESNEXT: Paper = Paper {
    title: "Aggregated Residual Transformations for Deep Neural Networks",
    authors: "Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He",
    year: 2016,
    link: "https://arxiv.org/abs/1611.05431",
};

const WIDE_RESNET: Paper = Paper {
    title: "Wide Residual Networks",
    authors: "Sergey Zagoruyko, Nikos Komodakis",
    year: 2016,
    link: "https://arxiv.org/abs/1605.07146",
};

const DENSENET: Paper = Paper {
    title: "Densely Connected Convolutional Networks",
    authors: "Gao Huang, Zhuang Liu, Laurens van der Maaten, Kilian Q. Weinberger",
    year: 2016,
    link: "https://arxiv.org/abs/1608.06993",
};

const BOOK: Paper = Paper {
    title: "Dive into Deep Learning",
    authors: "Aston Zhang, Zachary C. Lipton, Mu Li, Alexander J. Smola",
    year: 2023,
    link: "https://d2l.ai",
};

/// Papers of networks that are not from their family's own, by how their names begin; the first that fits counts.
const BY_NAME: [(&str, Paper); 9] = [
    ("alexnet_paper", ALEXNET),
    ("alexnet", WEIRD_TRICK),
    ("bn_inception", BATCH_NORM),
    ("inception_v3", INCEPTION_V3),
    ("inception_v4", INCEPTION_V4),
    ("inception_resnet", INCEPTION_V4),
    ("resnext", RESNEXT),
    ("wide_resnet", WIDE_RESNET),
    ("resnet200", PREACTIVATION),
];

impl Paper {
    pub(crate) fn of(entry: &Entry) -> Self {
        if entry.name.contains("_d2l") {
            return BOOK;
        }
        if entry.name.contains("_preact") {
            return PREACTIVATION;
        }
        let family = match entry.family {
            Family::LeNet => LENET,
            Family::AlexNet => ALEXNET,
            Family::Nin => NIN,
            Family::Vgg => VGG,
            Family::GoogLeNet => GOOGLENET,
            Family::ResNet => RESNET,
            Family::DenseNet => DENSENET,
        };
        BY_NAME.into_iter().find(|(start, _)| entry.name.starts_with(start)).map_or(family, |(_, paper)| paper)
    }
}
