//! Some of the images of a set, each class with its share.

use crate::Images;
use cnn_network::seed;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};

impl Images {
    /// `count` of the images, drawn by `seed`: of each class as large a share as it has of all, in the order they had. With
    /// as many as there are, or more, all of them.
    #[must_use]
    pub fn drawn(&self, count: usize, seed: u64) -> Self {
        match self.select(&stratified(self.labels(), count, seed)) {
            Ok(some) if count < self.len() => some,
            _ => self.clone(),
        }
    }
}

/// Which `count` of these labels are drawn: of each class its share, rounded down, and what is then left from the classes
/// whose shares lost most.
fn stratified(labels: &[u32], count: usize, seed: u64) -> Vec<usize> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        classes.entry(*label).or_default().push(index);
    }
    let count = count.min(labels.len());
    let share = |class: &Vec<usize>| class.len() as u128 * count as u128;
    let total = labels.len().max(1) as u128;
    let mut lost: Vec<(u32, u128)> = classes.iter().map(|(label, class)| (*label, share(class) % total)).collect();
    lost.sort_by_key(|(label, lost)| (std::cmp::Reverse(*lost), *label));
    let whole: u128 = classes.values().map(|class| share(class) / total).sum();
    let more: BTreeSet<u32> = lost.iter().take(count - whole as usize).map(|(label, _)| *label).collect();
    let mut chosen = Vec::with_capacity(count);
    for (label, class) in &mut classes {
        let quota = (share(class) / total) as usize + usize::from(more.contains(label));
        class.shuffle(&mut seed::stream(seed, &format!("limit class {label}")));
        chosen.extend_from_slice(&class[..quota]);
    }
    chosen.sort_unstable();
    chosen
}
