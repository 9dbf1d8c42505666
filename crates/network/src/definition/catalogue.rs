//! What a model crate holds: its networks, and for each where it is from.

use super::Architecture;

/// A paper, a book or a tutorial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Paper {
    /// Title.
    pub title: &'static str,
    /// Authors.
    pub authors: &'static str,
    /// Year of the version that is followed; `None` if it is not known.
    pub year: Option<u16>,
    /// Where to read it, if it is known.
    pub link: Option<&'static str>,
}

/// A network for any number of classes.
pub type Definition = fn(usize) -> Architecture;

/// A network of a model crate. Its name is its definition's.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// The definition.
    pub define: Definition,
    /// Number of classes its source uses.
    pub classes: usize,
    /// Where it is from.
    pub paper: &'static Paper,
    /// Who changed what since, or which part of the source it is; empty for nothing to say.
    pub note: &'static str,
    /// The definition behind torchvision's `transform_input`, if its published weights want it.
    pub transformed: Option<Definition>,
}

/// The networks of a model crate.
pub type Catalogue = &'static [Listing];

impl Listing {
    /// A network of `paper` for `classes` classes, as the paper has it.
    pub const fn new(paper: &'static Paper, classes: usize, define: Definition) -> Self {
        Self { define, classes, paper, note: "", transformed: None }
    }

    /// The same with a note: who changed what since, or which part of the source it is.
    pub const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// The same, and its definition behind torchvision's `transform_input`.
    pub const fn transformed(self, define: Definition) -> Self {
        Self { transformed: Some(define), ..self }
    }

    /// The definition for the number of classes its source uses.
    pub fn architecture(&self) -> Architecture {
        (self.define)(self.classes)
    }
}

impl Paper {
    /// The year as text; empty if it is not known.
    pub fn year_text(&self) -> String {
        self.year.map_or(String::new(), |year| year.to_string())
    }

    /// The book that every family has a network of.
    pub const DIVE_INTO_DEEP_LEARNING: Self = Self {
        title: "Dive into Deep Learning",
        authors: "Aston Zhang, Zachary C. Lipton, Mu Li, Alexander J. Smola",
        year: Some(2023),
        link: Some("https://d2l.ai"),
    };
}
