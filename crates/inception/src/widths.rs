//! A row of GoogLeNet's table.

/// Output channels of the convolutions of a GoogLeNet block: a row of Table 1 in Szegedy et al. 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// `#1×1`.
    pub one: usize,
    /// `#3×3 reduce` and `#3×3`.
    pub three: [usize; 2],
    /// `#5×5 reduce` and `#5×5`.
    pub five: [usize; 2],
    /// `pool proj`.
    pub pool: usize,
}
