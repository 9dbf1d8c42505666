//! What is published fits the networks that are here.

use cnn_zoo::find;

#[test]
fn every_entry_is_of_a_network_here_and_counts_its_parameters() {
    let mut checked = 0;
    for weights in cnn_catalogue::all() {
        let entry = find(&weights.network).unwrap();
        let architecture = entry.architecture(weights.classes.count());
        let network = architecture.at(weights.input).unwrap();
        let summary = network.summary();
        // Publishers count auxiliary heads or do not.
        let known = [summary.parameters, summary.parameters_without_heads];
        assert!(weights.parameters.is_some_and(|count| known.contains(&count)), "{}: {known:?}", weights.name);
        let card = weights.card();
        let prepared = card.preparation.shape(if weights.dataset == "cifar10" { [3, 32, 32] } else { [3, 375, 500] });
        assert_eq!(prepared.unwrap(), weights.input, "{}", weights.name);
        assert_eq!(weights.transforms_input, weights.publisher == "torchvision" && entry.transformed(1000).is_some());
        checked += 1;
    }
    assert_eq!(checked, 127);
}

#[test]
fn published_sizes_are_those_of_the_parameters() {
    for weights in cnn_catalogue::all() {
        let Some(bytes) = weights.bytes else { continue };
        let summary = find(&weights.network).unwrap().architecture(1000).at(weights.input).unwrap().summary();
        // Files hold statistics too, and names; some lack the auxiliary heads, and some are of 16 bits.
        let counts = [summary.parameters, summary.parameters_without_heads].map(|count| count as u64);
        let known = [4, 2].map(|each| counts.map(|count| each * count)).concat();
        let fits = known.iter().any(|known| (*known..known + known / 50 + 300_000).contains(&bytes));
        assert!(fits, "{}: {bytes} bytes, {known:?} of parameters", weights.name);
    }
}
