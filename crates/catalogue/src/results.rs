//! Results as papers and libraries publish them.

use crate::published::Published;
use cnn_data::Fit;
use cnn_zoo::Source;

/// The shorter side that pictures are resized to for torchvision's later recipe.
const LATER_RECIPE: usize = 232;

/// Every published result, network by network: of torchvision's weights on ImageNet, and of the papers on CIFAR-10.
///
/// ```
/// let of_resnet50 = cnn_catalogue::results().filter(|result| result.network == "resnet50");
/// assert_eq!(of_resnet50.map(|result| result.top1).collect::<Vec<_>>(), [76.13, 80.858]);
/// ```
pub fn results() -> impl Iterator<Item = cnn_zoo::Published> {
    crate::all().filter_map(of_torchvision).chain(cnn_zoo::published())
}

fn of_torchvision(weights: &'static Published) -> Option<cnn_zoo::Published> {
    let top1 = weights.top1.filter(|_| weights.publisher == "torchvision")?;
    // By the recipe and not by the name: the only weights of resnext101_64x4d are called V1 and are of the later one.
    let source = match weights.preparation.fit {
        Fit::Crop { short: LATER_RECIPE, .. } => Source::TorchvisionV2,
        _ => Source::TorchvisionV1,
    };
    Some(cnn_zoo::Published { network: &weights.network, source, top1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_result_belongs_to_a_network_and_is_named_once() {
        let mut seen = HashSet::new();
        for result in results() {
            assert!(cnn_zoo::find(result.network).is_ok(), "{}", result.network);
            assert!(seen.insert((result.network, result.source)), "{}", result.network);
            assert!((50.0..100.0).contains(&result.top1), "{}", result.network);
        }
        assert_eq!(seen.len(), 32 + 14);
    }
}
