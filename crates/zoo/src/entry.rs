//! A network in the zoo.

use crate::family::Family;
use cnn_core::Architecture;
use cnn_core::definition::{Listing, Paper};

/// A network in the zoo: its name, where it is from, and how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name, for example `resnet50`.
    pub name: &'static str,
    /// The family.
    pub family: Family,
    /// Number of classes its source uses.
    pub classes: usize,
    pub(crate) listing: &'static Listing,
}

impl Entry {
    /// The definition for this many classes.
    pub fn architecture(&self, classes: usize) -> Architecture {
        (self.listing.define)(classes)
    }

    /// The definition behind torchvision's `transform_input`, for the networks whose published weights want it.
    pub fn transformed(&self, classes: usize) -> Option<Architecture> {
        self.listing.transformed.map(|define| define(classes))
    }

    /// The paper, book or tutorial it is from.
    pub fn paper(&self) -> &'static Paper {
        self.listing.paper
    }

    /// Which part of its source it is, and who changed what since.
    pub fn note(&self) -> &'static str {
        self.listing.note
    }
}
