//! Inception-v4.

use crate::ends::classifier;
use cnn_core::Architecture;
use cnn_core::definition::chain;
use cnn_inception::v4::*;
use std::iter::repeat_n;

/// Inception-v4 for 299×299, with timm's names: figure 9 of Szegedy et al. 2017.
///
/// *Departures*: the pool branches average over real pixels only, as the published network does; dropout is the
/// paper's (keep 0.8), which timm leaves to its user. Begins with torch's defaults, as timm's does. 42,679,816
/// parameters.
pub fn inception_v4(classes: usize) -> Architecture {
    let features = chain()
        .numbered()
        .and_all(stem())
        .and_all(repeat_n(inception_a(), 4))
        .and(reduction_a(ReductionA { k: 192, l: 224, m: 256, n: 384 }))
        .and_all(repeat_n(inception_b(), 7))
        .and(reduction_b())
        .and_all(repeat_n(inception_c(), 3));
    chain().then("features", features).and(classifier("last_linear", classes)).named("inception_v4", [3, 299, 299])
}
