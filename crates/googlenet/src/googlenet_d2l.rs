//! The book's GoogLeNet.

use crate::table::*;
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::Scheme;
use cnn_inception::{Widths, book};

/// GoogLeNet of Zhang, Lipton, Li and Smola, *Dive into Deep Learning*, section 8.4, <https://d2l.ai>, for Fashion-MNIST
/// at 96×96.
///
/// *Departures* from the paper, all the book's: no local response normalisation, no heads, no dropout, padded pools,
/// Xavier initialisation. Tensors are named by the indices of its nested sequences: `2.0.p3_2.weight` is the 5×5 of
/// inception 3a. 5,977,530 parameters for 10 classes and one channel.
pub fn googlenet_d2l(classes: usize) -> Architecture {
    let pool = || max_pool(3).stride(2).pad(1);
    let blocks = |rows: &[Widths]| chain().numbered().and_all(rows.iter().map(|row| book::inception(*row)));
    chain()
        .numbered()
        .and(chain().numbered().and(conv(7).out(64).stride(2).pad(3)).relu().and(pool()))
        .and(chain().numbered().and(conv(1).out(64)).relu().and(conv(3).out(192).pad(1)).relu().and(pool()))
        .and(blocks(&[INCEPTION_3A, INCEPTION_3B]).and(pool()))
        .and(blocks(&[INCEPTION_4A, INCEPTION_4B, INCEPTION_4C, INCEPTION_4D, INCEPTION_4E]).and(pool()))
        .and(blocks(&[INCEPTION_5A, INCEPTION_5B]).global_avg_pool())
        .and(linear(classes))
        .named("googlenet_d2l", [1, 96, 96])
        .initialised(Scheme::XAVIER)
}
