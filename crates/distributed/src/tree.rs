//! The fixed binary tree in which shards are added.

use crate::error::{Error, Result};
use crate::wire::Wire;
use std::ops::{AddAssign, Range};

/// A number that a tree adds. What it does is compiled here, not where a tree is used.
pub trait Summand: Copy {
    /// Adds numbers, one to one.
    fn add(sum: &mut [Self], other: &[Self]);
    /// Rounds numbers to what a wire carries.
    fn round(numbers: &mut [Self], wire: Wire);
}

impl Summand for f32 {
    #[inline(never)]
    fn add(sum: &mut [Self], other: &[Self]) {
        plus(sum, other);
    }
    fn round(numbers: &mut [Self], wire: Wire) {
        wire.round(numbers);
    }
}

/// Doubles are few, and travel as they are.
impl Summand for f64 {
    #[inline(never)]
    fn add(sum: &mut [Self], other: &[Self]) {
        plus(sum, other);
    }
    fn round(_: &mut [Self], _: Wire) {}
}

fn plus<T: Copy + AddAssign>(sum: &mut [T], other: &[T]) {
    sum.iter_mut().zip(other).for_each(|(low, high)| *low += *high);
}

/// Adds shards in pairs, pairs of pairs, and so on: ((0+1)+(2+3))+((4+5)+(6+7)). It keeps one sum for each level at most.
#[derive(Debug, Default)]
pub struct Tree<T = f32> {
    wire: Wire,
    /// Sums of neighbours, each with the number of shards in it; the widest first.
    sums: Vec<(usize, Vec<T>)>,
}

impl<T: Summand> Tree<T> {
    /// Without shards.
    pub fn new(wire: Wire) -> Self {
        Self { wire, sums: Vec::new() }
    }

    /// Adds the next shard.
    pub fn add(&mut self, mut shard: Vec<T>) {
        T::round(&mut shard, self.wire);
        let mut width = 1;
        while let Some((_, mut sum)) = self.sums.pop_if(|(other, _)| *other == width) {
            T::add(&mut sum, &shard);
            T::round(&mut sum, self.wire);
            (width, shard) = (2 * width, sum);
        }
        self.sums.push((width, shard));
    }

    /// The sum of all shards, whose number should be a power of two; empty where there were none.
    pub fn finish(mut self) -> Vec<T> {
        let mut all = self.sums.pop().map(|(_, sum)| sum).unwrap_or_default();
        while let Some((_, mut sum)) = self.sums.pop() {
            T::add(&mut sum, &all);
            T::round(&mut sum, self.wire);
            all = sum;
        }
        all
    }
}

/// The shards of a rank: a subtree.
///
/// # Errors
///
/// Numbers that are not powers of two, or of which the one does not divide the other.
pub fn shards_of(rank: usize, world: usize, shards: usize) -> Result<Range<usize>> {
    if !(world.is_power_of_two() && shards.is_power_of_two() && world <= shards && rank < world) {
        return Err(Error::Shards { world, shards });
    }
    let own = shards / world;
    Ok(rank * own..(rank + 1) * own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_added_in_pairs_of_pairs() {
        // In any other order some of the small ones would be lost.
        let numbers = [1e8f32, 1.0, -1e8, 3.0, 5e7, 2.0, -5e7, 7.0];
        let mut tree = Tree::new(Wire::F32);
        numbers.iter().for_each(|x| tree.add(vec![*x]));
        let [a, b, c, d, e, f, g, h] = numbers;
        let expected = ((a + b) + (c + d)) + ((e + f) + (g + h));
        assert_eq!(tree.finish(), [expected]);
        assert_ne!(expected, numbers.iter().sum::<f32>());
    }

    #[test]
    fn a_rank_owns_a_subtree() {
        assert_eq!(shards_of(1, 4, 8), Ok(2..4));
        assert_eq!(shards_of(0, 1, 8), Ok(0..8));
        for (world, shards) in [(3, 9), (16, 8), (2, 6), (0, 8)] {
            assert_eq!(shards_of(0, world, shards), Err(Error::Shards { world, shards }));
        }
    }
}
