//! The algorithms by which a program computes convolutions.

/// How a convolution of a program is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConvAlgorithm {
    /// As it is defined.
    Direct,
    /// Winograd's F(2×2, 3×3).
    Winograd2x3,
    /// Winograd's F(4×4, 3×3).
    Winograd4x3,
    /// Winograd's F(2×2, 5×5).
    Winograd2x5,
    /// Winograd's F(4, 3) along the one axis of a row or a column of taps.
    WinogradLine4x3,
    /// Winograd's F(4, 7), likewise.
    WinogradLine4x7,
}

impl ConvAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Direct,
        Self::Winograd2x3,
        Self::Winograd4x3,
        Self::Winograd2x5,
        Self::WinogradLine4x3,
        Self::WinogradLine4x7,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Winograd2x3 => "winograd 2×2",
            Self::Winograd4x3 => "winograd 4×4",
            Self::Winograd2x5 => "winograd 2×2 of 5×5",
            Self::WinogradLine4x3 => "winograd 4 of 3",
            Self::WinogradLine4x7 => "winograd 4 of 7",
        }
    }
}

/// How the filters of Winograd's algorithms are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filters {
    /// Transformed.
    Transformed,
    /// As they are: each call transforms them. They are 0.25 to 0.7 times as many numbers, which pays where reading them is
    /// what takes time.
    Plain,
}
