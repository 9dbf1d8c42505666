//! LeNet-5 as the paper describes it.

use crate::codes::codes;
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};

/// LeNet-5 (section II.B): squashing `1.7159 · tanh(2x/3)`, subsampling by a trained coefficient and bias per map, the
/// sparse connections of table I, and radial basis functions around fixed codes as output. 60,000 trained parameters.
///
/// There are codes for up to 2²⁰ classes; more are refused when the network is elaborated.
pub fn lenet_paper(classes: usize) -> Architecture {
    let squash = || tanh(1.7159, 2.0 / 3.0);
    let subsample = |label| chain().and(avg_pool(2)).and(scale(4.0)).then(label, channel_affine(0.25));
    chain()
        .then("c1", conv(5).out(6))
        .then("c1_squash", squash())
        .and(subsample("s2"))
        .then("s2_squash", squash())
        .then("c3", conv(5).connections(table_1()))
        .then("c3_squash", squash())
        .and(subsample("s4"))
        .then("s4_squash", squash())
        .then("c5", conv(5).out(120))
        .then("c5_squash", squash())
        .flatten()
        .then("f6", linear(84))
        .then("f6_squash", squash())
        .then("output", radial_basis(codes(classes)))
        .named("lenet_paper", [1, 32, 32])
        .initialised(Scheme { conv: Law::LeCun, conv_bias: Law::LeCun, linear: Law::LeCun, linear_bias: Law::LeCun })
}

/// Table I: for each map of C3 the maps of S2 it sees. Three neighbours, then four, then four with a gap, then all.
fn table_1() -> Vec<Vec<usize>> {
    let around = |offsets: &[usize], start: usize| {
        let mut seen: Vec<usize> = offsets.iter().map(|offset| (start + offset) % 6).collect();
        seen.sort_unstable();
        seen
    };
    let three = (0..6).map(|start| around(&[0, 1, 2], start));
    let four = (0..6).map(|start| around(&[0, 1, 2, 3], start));
    let gapped = (0..3).map(|start| around(&[0, 1, 3, 4], start));
    three.chain(four).chain(gapped).chain([(0..6).collect()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_1_has_sixty_connections_ten_for_each_map() {
        let table = table_1();
        assert_eq!((table.len(), table.iter().map(Vec::len).sum::<usize>()), (16, 60));
        for map in 0..6 {
            assert_eq!(table.iter().filter(|seen| seen.contains(&map)).count(), 10, "map {map} of S2");
        }
        assert_eq!(table[4], [0, 4, 5]);
        assert_eq!(table[14], [0, 2, 3, 5]);
    }
}
