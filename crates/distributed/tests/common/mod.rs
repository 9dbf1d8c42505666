//! What ranks of every kind are tested with.

use cnn_distributed::{Ranks, Result, Tree, Wire, shards_of};

pub const SHARDS: usize = 8;

/// The numbers of a shard: of very different sizes, so that the order in which they are added shows.
pub fn shard(number: usize, length: usize) -> Vec<f32> {
    let mut state = number as u64 + 1;
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u32
    };
    (0..length).map(|_| (draw() as f32 - 1e9) * 2f32.powi((draw() % 40) as i32 - 20)).collect()
}

/// The sum of all shards of which this rank has its own, and a number for all of its bits.
pub fn summed(ranks: &Ranks, length: usize, wire: Wire) -> Result<u64> {
    let mut tree = Tree::new(wire);
    for number in shards_of(ranks.rank(), ranks.world(), SHARDS)? {
        tree.add(shard(number, length));
    }
    let mut numbers = tree.finish();
    ranks.sum(&mut numbers, wire)?;
    assert_eq!(numbers.len(), length);
    Ok(bits(&numbers))
}

/// A number that other bits would make another.
pub fn bits(numbers: &[f32]) -> u64 {
    numbers.iter().fold(14695981039346656037, |hash, x| (hash ^ u64::from(x.to_bits())).wrapping_mul(1099511628211))
}

/// Everything that a rank does with others, as lines to compare.
pub fn everything(ranks: &Ranks) -> Result<String> {
    let mut lines = String::new();
    for wire in [Wire::F32, Wire::Bf16] {
        for length in [0, 1, 5, 4095, 4096, 100_003] {
            lines.push_str(&format!("{wire:?} {length} {:016x}\n", summed(ranks, length, wire)?));
        }
    }
    let begun: Vec<_> = (1..4).map(|n| ranks.begin_sum(vec![n as f32 / ranks.world() as f32; 7], Wire::F32)).collect();
    for pending in begun {
        lines.push_str(&format!("{:?}\n", pending.wait()?));
    }
    let shards = shards_of(ranks.rank(), ranks.world(), SHARDS)?;
    let shards = shards.map(|number| shard(number, 33).into_iter().map(|x| f64::from(x) / 3.0).collect());
    let doubles = ranks.sum_shards(shards.collect())?;
    lines.push_str(&format!("{:?}\n", doubles.iter().map(|x| x.to_bits()).collect::<Vec<_>>()));
    let mut bytes = if ranks.rank() == ranks.world() - 1 { vec![7; 100_000] } else { Vec::new() };
    ranks.broadcast(ranks.world() - 1, &mut bytes)?;
    assert_eq!(bytes, [7; 100_000]);
    let all = ranks.gather(vec![ranks.rank() as u8; ranks.rank()])?;
    assert_eq!(all, (0..ranks.world()).map(|rank| vec![rank as u8; rank]).collect::<Vec<_>>());
    ranks.agree(&[("version", "1".to_string()), ("recipe", "a\nb".to_string())])?;
    ranks.barrier()?;
    Ok(lines)
}
