//! The order of a pass that shows every class as often as any other.

use cnn_network::seed;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// As many images as there are labels: of each class as many as of any other, but for one. A class's images come in an
/// order of their own, and again from its beginning where there are too few; beside each, how often it came before.
pub(crate) fn order(labels: &[u32], seed: u64, epoch: usize) -> (Vec<usize>, Vec<u32>) {
    let mut random = seed::stream(seed, &format!("balance epoch {epoch}"));
    let mut classes: BTreeMap<u32, Class> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        classes.entry(*label).or_default().images.push(index);
    }
    let mut classes: Vec<Class> = classes.into_values().collect();
    let (mut indices, mut repeats) = (Vec::with_capacity(labels.len()), Vec::with_capacity(labels.len()));
    while indices.len() < labels.len() {
        // One image of each class, in any order of the classes.
        classes.shuffle(&mut random);
        for class in classes.iter_mut().take(labels.len() - indices.len()) {
            if class.next == 0 {
                class.images.shuffle(&mut random);
            }
            indices.push(class.images[class.next]);
            repeats.push(class.turns);
            class.next += 1;
            if class.next == class.images.len() {
                (class.next, class.turns) = (0, class.turns + 1);
            }
        }
    }
    (indices, repeats)
}

/// The images of a class, where in them the pass is, and how often it went through all.
#[derive(Default)]
struct Class {
    images: Vec<usize>,
    next: usize,
    turns: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_comes_as_often_as_any_other() {
        // 90 of one class, 9 of another, 1 of a third.
        let labels: Vec<u32> = (0..100).map(|index| u32::from(index >= 90) + u32::from(index == 99)).collect();
        let (indices, repeats) = order(&labels, 3, 1);
        assert_eq!((indices.len(), repeats.len()), (100, 100));
        let count = |class: u32| indices.iter().filter(|index| labels[**index] == class).count();
        let counts = [0, 1, 2].map(count);
        assert!(counts.iter().all(|count| (33..=34).contains(count)), "{counts:?}");
        // No image of a class comes again before all of it came.
        let of_second: Vec<usize> = indices.iter().copied().filter(|index| labels[*index] == 1).collect();
        for turn in of_second.chunks(9) {
            let mut turn = turn.to_vec();
            turn.sort_unstable();
            assert!(turn.windows(2).all(|pair| pair[0] < pair[1]), "{of_second:?}");
        }
        let only: Vec<u32> = indices.iter().zip(&repeats).filter(|(index, _)| **index == 99).map(|(_, n)| *n).collect();
        assert!(only.iter().copied().eq(0..only.len() as u32), "{only:?}");
        assert_eq!(order(&labels, 3, 1), (indices.clone(), repeats));
        assert_ne!(order(&labels, 3, 2).0, indices);
        assert_eq!(order(&[], 3, 1), (vec![], vec![]));
    }
}
