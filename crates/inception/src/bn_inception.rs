//! The blocks of BN-Inception (Ioffe and Szegedy 2015, figure 5): two 3×3 convolutions in place of the 5×5, average
//! pools, and a stride inside the block where GoogLeNet pools between blocks.
//!
//! Branches are numbered as in GoogLeNet; a block that halves the image has no `branch1`.

use crate::unit::{conv_bn, path};
use cnn_core::definition::{Block, Branches, avg_pool, chain, concat, conv, max_pool};

/// A row of figure 5 with stride 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// `#1×1`.
    pub one: usize,
    /// `#3×3 reduce` and `#3×3`.
    pub three: [usize; 2],
    /// `double #3×3 reduce` and `double #3×3`: both convolutions after the reduction have the second width.
    pub double: [usize; 2],
    /// `Pool + proj`.
    pub pool: Pool,
}

/// Kind of the 3×3 pool, and channels of the 1×1 projection after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// `avg + n`.
    Average(usize),
    /// `max + n`.
    Max(usize),
}

/// A row of figure 5 with stride 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReductionWidths {
    /// `#3×3 reduce` and `#3×3`.
    pub three: [usize; 2],
    /// `double #3×3 reduce` and `double #3×3`.
    pub double: [usize; 2],
}

/// A block that keeps the size of the image.
pub fn inception(widths: Widths) -> Branches {
    let Widths { one, three: [three_reduce, three], double: [double_reduce, double], pool } = widths;
    let (pool, projection): (Block, usize) = match pool {
        Pool::Average(projection) => (avg_pool(3).stride(1).pad(1).into(), projection),
        Pool::Max(projection) => (max_pool(3).stride(1).pad(1).into(), projection),
    };
    concat()
        .labelled("branch1", conv_bn(conv(1).out(one)))
        .labelled("branch2", path([conv(1).out(three_reduce), conv(3).out(three).pad(1)]))
        .labelled("branch3", path([conv(1).out(double_reduce), conv(3).out(double).pad(1), conv(3).out(double).pad(1)]))
        .labelled("branch4", chain().numbered().and(pool).and(conv_bn(conv(1).out(projection))))
}

/// A block that halves the image: no 1×1 branch, the last convolutions have stride 2, and the max pool passes all
/// channels of the input through (`max + pass through`).
pub fn reduction(widths: ReductionWidths) -> Branches {
    let ReductionWidths { three: [three_reduce, three], double: [double_reduce, double] } = widths;
    concat()
        .labelled("branch2", path([conv(1).out(three_reduce), conv(3).out(three).stride(2).pad(1)]))
        .labelled(
            "branch3",
            path([conv(1).out(double_reduce), conv(3).out(double).pad(1), conv(3).out(double).stride(2).pad(1)]),
        )
        .labelled("branch4", max_pool(3).stride(2).pad(1))
}
