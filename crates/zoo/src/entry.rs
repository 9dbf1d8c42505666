//! A network in the zoo.

use crate::family::Family;
use crate::paper::Paper;
use cnn_core::Architecture;
use cnn_core::definition::Definition;

/// A network in the zoo: its name and how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name, for example `resnet50`.
    pub name: &'static str,
    /// The family.
    pub family: Family,
    /// Number of classes its source uses.
    pub classes: usize,
    pub(crate) define: Definition,
}

impl Entry {
    /// The definition for this many classes.
    pub fn architecture(&self, classes: usize) -> Architecture {
        (self.define)(classes)
    }

    /// The definition behind torchvision's `transform_input`, for the networks whose published weights want it.
    pub fn transformed(&self, classes: usize) -> Option<Architecture> {
        match self.name {
            "googlenet" => Some(cnn_googlenet::googlenet_transformed(classes)),
            "inception_v3" => Some(cnn_googlenet::inception_v3_transformed(classes)),
            _ => None,
        }
    }

    /// Where the network is from.
    pub fn paper(&self) -> Paper {
        Paper::of(self)
    }
}
