//! The families, and which of its variants suits small images.

use crate::entry::Entry;
use cnn_core::Architecture;
use std::fmt;

/// A family of networks: one model crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// LeNet and its relatives.
    LeNet,
}

impl Family {
    /// Every family, oldest first.
    pub const ALL: [Self; 1] = [Self::LeNet];

    /// The family's name, as a user writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeNet => "lenet",
        }
    }

    /// The family of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Its networks.
    pub fn networks(self) -> impl Iterator<Item = Entry> {
        let networks: &[(&'static str, usize, fn(usize) -> Architecture)] = match self {
            Self::LeNet => cnn_lenet::NETWORKS,
        };
        networks.iter().map(move |(name, classes, define)| Entry {
            name,
            family: self,
            classes: *classes,
            define: *define,
        })
    }

    /// The name of the variant that suits images of `[C, H, W]`: one made for small images below 64 pixels, the
    /// family's best known network from there on.
    pub fn variant_for(self, images: [usize; 3]) -> &'static str {
        let small = images[1].min(images[2]) < 64;
        match (self, small) {
            (Self::LeNet, _) => "lenet",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
