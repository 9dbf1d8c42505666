//! The naive block: the branches without the 1×1 convolutions that make them affordable.

use crate::unit::conv_relu;
use crate::widths::Widths;
use cnn_core::definition::{Branches, concat, conv, max_pool};

/// Figure 2a of Szegedy et al. 2015: 1×1, 3×3, 5×5 and a max pool, all straight on the input.
///
/// Out come `one + three[1] + five[1]` channels and all of the input's, so that a stack of these blocks only ever
/// widens. The reductions and the pool projection of the row are not used.
pub fn inception(widths: Widths) -> Branches {
    let [_, three] = widths.three;
    let [_, five] = widths.five;
    concat()
        .labelled("branch1", conv_relu(conv(1).out(widths.one)))
        .labelled("branch2", conv_relu(conv(3).out(three).pad(1)))
        .labelled("branch3", conv_relu(conv(5).out(five).pad(2)))
        .labelled("branch4", max_pool(3).stride(1).pad(1))
}
