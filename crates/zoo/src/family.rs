//! The families, and which of its variants suits small images.

use crate::entry::Entry;
use cnn_core::definition::Catalogue;
use std::fmt;

/// A family of networks: one model crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// LeNet and its relatives.
    LeNet,
    /// AlexNet.
    AlexNet,
    /// Network in Network.
    Nin,
    /// VGG.
    Vgg,
    /// GoogLeNet and the Inceptions.
    GoogLeNet,
    /// ResNet, ResNeXt, Wide ResNet.
    ResNet,
    /// DenseNet.
    DenseNet,
}

impl Family {
    /// Every family, oldest first.
    pub const ALL: [Self; 7] =
        [Self::LeNet, Self::AlexNet, Self::Nin, Self::Vgg, Self::GoogLeNet, Self::ResNet, Self::DenseNet];

    /// The family's name, as a user writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeNet => "lenet",
            Self::AlexNet => "alexnet",
            Self::Nin => "nin",
            Self::Vgg => "vgg",
            Self::GoogLeNet => "googlenet",
            Self::ResNet => "resnet",
            Self::DenseNet => "densenet",
        }
    }

    /// The family of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Its networks.
    pub fn networks(self) -> impl Iterator<Item = Entry> {
        crate::all().filter(move |entry| entry.family == self)
    }

    pub(crate) fn catalogue(self) -> Catalogue {
        match self {
            Self::LeNet => cnn_lenet::NETWORKS,
            Self::AlexNet => cnn_alexnet::NETWORKS,
            Self::Nin => cnn_nin::NETWORKS,
            Self::Vgg => cnn_vgg::NETWORKS,
            Self::GoogLeNet => cnn_googlenet::NETWORKS,
            Self::ResNet => cnn_resnet::NETWORKS,
            Self::DenseNet => cnn_densenet::NETWORKS,
        }
    }

    /// The name of the variant that suits images of `[C, H, W]`: one made for small images below 64 pixels, the
    /// family's best known network from there on.
    pub fn variant_for(self, images: [usize; 3]) -> &'static str {
        let small = images[1].min(images[2]) < 64;
        match (self, small) {
            (Self::LeNet, _) => "lenet",
            (Self::AlexNet, true) => "alexnet_d2l",
            (Self::AlexNet, false) => "alexnet",
            (Self::Nin, true) => "nin_cifar",
            (Self::Nin, false) => "nin",
            (Self::Vgg, true) => "vgg_small_d2l",
            (Self::Vgg, false) => "vgg11_bn",
            (Self::GoogLeNet, true) => "googlenet_d2l",
            (Self::GoogLeNet, false) => "googlenet",
            (Self::ResNet, true) => "resnet20_cifar",
            (Self::ResNet, false) => "resnet18",
            (Self::DenseNet, true) => "densenet_d2l",
            (Self::DenseNet, false) => "densenet121",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
