//! LeNet as the book *Dive into Deep Learning* writes it.

use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::Scheme;

/// The pool of the book's LeNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The mean of 2×2, as in the book's text.
    Average,
    /// The maximum of 2×2, as in its exercise.
    Max,
}

/// The book's LeNet (section 7.6): images of 28×28 padded by the first convolution, sigmoids. 61,706 parameters with ten
/// classes. Tensor names are the indices of the book's `Sequential`.
pub fn lenet_d2l(pool: Pool, classes: usize) -> Architecture {
    let (name, pool): (_, Block) = match pool {
        Pool::Average => ("lenet_d2l", avg_pool(2).into()),
        Pool::Max => ("lenet_d2l_max", max_pool(2).into()),
    };
    chain()
        .numbered()
        .and(conv(5).out(6).pad(2))
        .sigmoid()
        .and(pool.clone())
        .and(conv(5).out(16))
        .sigmoid()
        .and(pool)
        .flatten()
        .and(linear(120))
        .sigmoid()
        .and(linear(84))
        .sigmoid()
        .and(linear(classes))
        .named(name, [1, 28, 28])
        .initialised(Scheme::XAVIER)
}
