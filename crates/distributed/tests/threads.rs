//! Ranks that are threads of this process.

mod common;

use cnn_distributed::{Error, Ranks, Result, Wire};
use common::{SHARDS, bits, everything, shard};
use std::thread;
use std::time::{Duration, Instant};

/// What each rank of a world answers, in order.
fn each<T: Send>(world: usize, rank: impl Fn(Ranks) -> T + Sync) -> Vec<T> {
    let ranks = Ranks::threads(world).unwrap();
    thread::scope(|scope| {
        let running: Vec<_> = ranks.into_iter().map(|ranks| scope.spawn(|| rank(ranks))).collect();
        running.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

#[test]
fn the_bits_of_a_sum_do_not_depend_on_the_world() {
    let run = |ranks: Ranks| -> Result<String> {
        let lines = everything(&ranks)?;
        ranks.finish()?;
        Ok(lines)
    };
    let alone = each(1, run).remove(0).unwrap();
    for world in [2, 4, 8] {
        for (rank, lines) in each(world, run).into_iter().enumerate() {
            assert_eq!(lines.unwrap(), alone, "rank {rank} of {world}");
        }
    }
}

#[test]
fn the_sum_is_the_tree_of_the_documentation() {
    let shards: Vec<Vec<f32>> = (0..SHARDS).map(|number| shard(number, 5)).collect();
    let at = |i: usize| -> f32 {
        let s = |number: usize| shards[number][i];
        ((s(0) + s(1)) + (s(2) + s(3))) + ((s(4) + s(5)) + (s(6) + s(7)))
    };
    let expected: Vec<f32> = (0..5).map(at).collect();
    let found = each(4, |ranks| {
        let bits = common::summed(&ranks, 5, Wire::F32);
        ranks.finish().and(bits)
    });
    assert!(found.iter().all(|found| *found == Ok(bits(&expected))), "{found:?}");
    let in_order: Vec<f32> = (0..5).map(|i| shards.iter().map(|shard| shard[i]).sum()).collect();
    assert_ne!(bits(&in_order), bits(&expected), "the order would not show");
}

#[test]
fn a_rank_that_fails_ends_all_with_its_sentence() {
    let began = Instant::now();
    let found = each(4, |ranks| match ranks.rank() {
        2 => Err(ranks.fail("no space left")),
        _ => ranks.sum(&mut vec![1.0; 10_000], Wire::F32),
    });
    let expected = Error::Failed { rank: 2, sentence: "no space left".to_string() };
    assert!(found.iter().all(|found| *found == Err(expected.clone())), "{found:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_rank_that_ends_early_ends_all() {
    let found = each(2, |ranks| if ranks.rank() == 1 { Ok(()) } else { ranks.barrier() });
    assert_eq!(found[0], Err(Error::Failed { rank: 1, sentence: "ended before the others".to_string() }));
}

#[test]
fn ranks_that_do_not_do_the_same_are_told_the_difference() {
    let found = each(4, |ranks| {
        let recipe = if ranks.rank() == 3 { "epochs = 2\nseed = 1" } else { "epochs = 1\nseed = 1" };
        let told = ranks.agree(&[("version", "1".to_string()), ("recipe", recipe.to_string())]);
        ranks.finish().and(told)
    });
    for found in found {
        let sentence = "rank 3 has another recipe than rank 0: epochs = 2 instead of epochs = 1";
        assert_eq!(found.unwrap_err().to_string(), sentence);
    }
}

#[test]
fn a_number_of_ranks_without_a_tree_is_refused() {
    let error = Ranks::threads(3).unwrap_err();
    assert_eq!(error.to_string(), "3 ranks: their number must be a power of two");
}
