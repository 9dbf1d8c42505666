//! How an inference plan is to be made.

use cnn_kernels::InstructionSet;

/// What an inference plan computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Numeric {
    /// 32-bit numbers throughout.
    #[default]
    F32,
}

impl Numeric {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::F32];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
        }
    }
}

impl std::fmt::Display for Numeric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Numeric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|numeric| numeric.name() == name);
        known.ok_or_else(|| format!("{name} is not one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// How an inference plan is made.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InferenceOptions<'a> {
    /// What it computes with.
    pub numeric: Numeric,
    /// Nodes whose values are wanted beside the main output, by path.
    pub nodes: &'a [&'a str],
    /// Whether only those nodes are wanted, and not the main output.
    pub only_nodes: bool,
    /// Images of a usual call, for which algorithms are chosen; 0 for one. Any number can be computed, by the same
    /// algorithms.
    pub usual_batch: usize,
    /// The instructions to compute with; none for [`InstructionSet::chosen`].
    pub set: Option<InstructionSet>,
}

impl<'a> InferenceOptions<'a> {
    /// The same with another way of computing.
    #[must_use]
    pub fn numeric(self, numeric: Numeric) -> Self {
        Self { numeric, ..self }
    }

    /// The values of these nodes beside the main output.
    #[must_use]
    pub fn with_nodes(self, nodes: &'a [&'a str]) -> Self {
        Self { nodes, only_nodes: false, ..self }
    }

    /// The values of these nodes alone, and nothing that they do not need.
    #[must_use]
    pub fn of_nodes(self, nodes: &'a [&'a str]) -> Self {
        Self { nodes, only_nodes: true, ..self }
    }

    /// For calls of about so many images.
    #[must_use]
    pub fn usual_batch(self, images: usize) -> Self {
        Self { usual_batch: images, ..self }
    }

    /// On these instructions.
    #[must_use]
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set: Some(set), ..self }
    }
}
