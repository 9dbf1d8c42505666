//! GoogLeNet's block under the names of *Dive into Deep Learning*.

use crate::widths::Widths;
use cnn_core::definition::{Branches, chain, concat, conv, max_pool};

/// The block of the book's section 8.4, which computes what [`four_branch::inception`](crate::four_branch::inception)
/// computes. `p3_2` is the second layer of the third path.
pub fn inception(widths: Widths) -> Branches {
    let Widths { one, three: [three_reduce, three], five: [five_reduce, five], pool } = widths;
    let three_path = chain().then("p2_1", conv(1).out(three_reduce)).relu().then("p2_2", conv(3).out(three).pad(1));
    let five_path = chain().then("p3_1", conv(1).out(five_reduce)).relu().then("p3_2", conv(5).out(five).pad(2));
    concat()
        .branch(chain().then("p1_1", conv(1).out(one)).relu())
        .branch(three_path.relu())
        .branch(five_path.relu())
        .branch(chain().then("p4_1", max_pool(3).stride(1).pad(1)).then("p4_2", conv(1).out(pool)).relu())
}
