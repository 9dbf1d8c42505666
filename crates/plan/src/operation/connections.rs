//! Connection tables: weights of some connections as dense weights, and back (LeCun et al. 1998, table 1).

use cnn_kernels::Element;
use std::borrow::Cow;

/// The weights of a convolution with a connection table, zeros where nothing is connected; others as they are.
pub(crate) fn dense<'a, T: Element>(
    weights: &'a [T],
    table: &Option<Vec<Vec<usize>>>,
    channels: usize,
) -> Cow<'a, [T]> {
    let Some(table) = table else { return Cow::Borrowed(weights) };
    let connections: usize = table.iter().map(Vec::len).sum();
    let taps = weights.len() / connections.max(1);
    let mut dense = vec![T::ZERO; table.len() * channels * taps];
    for (place, weights) in places(table, channels).zip(weights.chunks_exact(taps.max(1))) {
        dense[place * taps..(place + 1) * taps].copy_from_slice(weights);
    }
    Cow::Owned(dense)
}

/// Of dense numbers those of the connections there are.
pub(super) fn connected<T: Element>(dense: &[T], table: &[Vec<usize>], channels: usize) -> Vec<T> {
    let taps = dense.len() / (table.len() * channels).max(1);
    places(table, channels).flat_map(|place| dense[place * taps..(place + 1) * taps].iter().copied()).collect()
}

/// Where each connection's taps are among the dense weights.
fn places(table: &[Vec<usize>], channels: usize) -> impl Iterator<Item = usize> {
    table.iter().enumerate().flat_map(move |(out, row)| row.iter().map(move |input| out * channels + input))
}
