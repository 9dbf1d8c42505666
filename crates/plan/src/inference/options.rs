//! How an inference plan is to be made.

use super::calibration::Calibration;
use crate::error::{Error, Result, instructions};
use cnn_kernels::InstructionSet;
use cnn_kernels::inference::ConvAlgorithm;
use cnn_kernels::narrow::{Format, bf16, bf16_available};

/// What an inference plan computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Numeric {
    /// 32-bit numbers throughout.
    #[default]
    F32,
    /// Maps and weights of 16 bits (`bf16`: 8 bits of fraction), sums of 32. Logits differ by about a hundredth of the
    /// largest; tests allow a tenth. For CPUs with AVX512_BF16.
    Bf16,
    /// Maps of 8 bits with a scale each, weights of 8 bits with a scale for each output, sums of 32. It takes a
    /// [`Calibration`]. The same integers on every CPU; fast where there is AVX512_VNNI.
    Int8,
}

impl Numeric {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// Whether a plan can be made for these instructions: only for those that the CPU has, `bf16` only where it is faster
    /// than `f32`.
    ///
    /// # Errors
    ///
    /// A sentence that says what the CPU lacks.
    pub fn available(self, set: InstructionSet) -> Result<(), String> {
        match self {
            _ if !set.available() => Err(format!("this CPU has no {set}")),
            Self::F32 | Self::Int8 => Ok(()),
            Self::Bf16 => bf16_available(set),
        }
    }

    /// The instructions in whose layout weights are packed where `set` is asked for. Narrow weights have another one than
    /// the set's own where the CPU lacks what multiplies them.
    pub(super) fn layout(self, set: InstructionSet) -> String {
        match self {
            Self::F32 => set.to_string(),
            Self::Bf16 => format!("{set}, bf16 by {}", <bf16 as Format>::set(set)),
            Self::Int8 => format!("{set}, int8 by {}", <u8 as Format>::set(set)),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
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

/// Images of a usual call, in the range in which times can be predicted.
pub(super) fn usual(images: usize) -> usize {
    images.clamp(1, 1_000_000)
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
    /// Images of a usual call, for which algorithms are chosen; 0 for one, more than a million for a million. Any number
    /// can be computed, by the same algorithms.
    pub usual_batch: usize,
    /// The algorithm of all convolutions that it suits, instead of the one that is predicted to be the fastest; for tests
    /// and measurements.
    pub algorithm: Option<ConvAlgorithm>,
    /// What the numbers of `int8` stand for, which takes it; other ways of computing do not look at it.
    pub calibration: Option<&'a Calibration>,
    /// The instructions to compute with; none for [`InstructionSet::chosen`].
    pub set: Option<InstructionSet>,
}

impl<'a> InferenceOptions<'a> {
    /// The instructions it computes with.
    pub(super) fn set(&self) -> InstructionSet {
        self.set.unwrap_or_else(InstructionSet::chosen)
    }

    /// Refuses instructions that are not there, and a way of computing that the CPU has none for. What asks for
    /// [`InferenceOptions::set`] comes after it.
    pub(super) fn check_available(&self) -> Result<()> {
        let set = match self.set {
            Some(set) => set,
            None => instructions()?,
        };
        let lacks = |why| Error::Numeric { numeric: self.numeric.name(), why };
        self.numeric.available(set).map_err(lacks)
    }

    /// The same with another way of computing.
    #[must_use]
    pub fn numeric(self, numeric: Numeric) -> Self {
        Self { numeric, ..self }
    }

    /// In 8 bits that stand for what the calibration says.
    #[must_use]
    pub fn int8(self, calibration: &'a Calibration) -> Self {
        Self { numeric: Numeric::Int8, calibration: Some(calibration), ..self }
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

    /// For calls of about so many images; more than a million are a million.
    #[must_use]
    pub fn usual_batch(self, usual_batch: usize) -> Self {
        Self { usual_batch, ..self }
    }

    /// By this algorithm wherever it suits.
    #[must_use]
    pub fn by(self, algorithm: ConvAlgorithm) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    /// On these instructions.
    #[must_use]
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set: Some(set), ..self }
    }
}
