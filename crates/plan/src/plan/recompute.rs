//! Which stores are computed again instead of kept.
//!
//! The stages are cut into segments where only one store goes on: between the blocks of a residual network, between
//! the layers of a dense block, anywhere in a plain chain. What is read within one segment only is dropped after the
//! forward pass, and computed again when the backward pass reaches the segment (gradient checkpointing). About √n
//! segments of n stages need about √n of the memory (Chen et al. 2016, section 4); where stores differ in
//! size, what is best is found by trying.

use super::lifetime::slots;
use super::lower::Lowered;
use super::passing::Passing;
use super::schedule::{Schedule, Uses};
use std::ops::Range;

/// What a plan for training computes again in the backward pass instead of keeping it. The results are the same, bit
/// for bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recompute {
    /// Nothing.
    #[default]
    Nothing,
    /// Segment by segment whatever makes the plan's memory smallest, for at most one more forward pass.
    Segments,
}

/// Sizes of segments that are tried: all there is, divided by up to this.
const MOST_SEGMENTS: usize = 32;

/// The backward pass.
pub(crate) fn schedule(lowered: &Lowered, recompute: Recompute) -> Schedule {
    let plain = Schedule::backward(lowered, &[]);
    if recompute == Recompute::Nothing {
        return plain;
    }
    let blocks = blocks(lowered);
    let numbers =
        |schedule: &Schedule| slots(lowered, schedule, &Passing::new(lowered, schedule)).lengths.iter().sum::<usize>();
    let total: usize = blocks.iter().map(|block| filled(lowered, block)).sum();
    let mut best = (numbers(&plain), Vec::new());
    for limit in [0].into_iter().chain((1..=MOST_SEGMENTS).rev().map(|parts| total / parts)) {
        let segments = segments(lowered, &blocks, limit);
        let needed = numbers(&Schedule::backward(lowered, &segments));
        if needed < best.0 {
            best = (needed, segments);
        }
    }
    let (needed, mut segments) = best;
    // Time for nothing: segments that could as well be kept. The last ones are the first to go.
    for candidate in (0..segments.len()).rev() {
        let mut fewer = segments.clone();
        fewer.remove(candidate);
        if numbers(&Schedule::backward(lowered, &fewer)) <= needed {
            segments = fewer;
        }
    }
    Schedule::backward(lowered, &segments)
}

/// The stages between the places where only one store goes on; the outputs, which wait for the loss, do not count.
fn blocks(lowered: &Lowered) -> Vec<Range<usize>> {
    let uses = Uses::of(lowered);
    let mut blocks = Vec::new();
    let mut start = 0;
    for end in 1..=lowered.stages.len() {
        let goes_on = |store: &usize| uses.first[*store] < end && end <= uses.last[*store];
        let waits = |store: &usize| uses.last[*store] == lowered.stages.len();
        let through = (0..lowered.stores.len()).filter(|store| goes_on(store) && !waits(store)).count();
        if through <= 1 {
            blocks.push(start..end);
            start = end;
        }
    }
    blocks
}

/// Numbers of the stores that are first filled in a range of stages.
fn filled(lowered: &Lowered, stages: &Range<usize>) -> usize {
    let uses = Uses::of(lowered);
    (0..lowered.stores.len())
        .filter(|store| stages.contains(&uses.first[*store]))
        .map(|i| lowered.stores[i].len())
        .sum()
}

/// Neighbouring blocks, as many as fill up to `limit` numbers; of a block that alone fills more, itself.
fn segments(lowered: &Lowered, blocks: &[Range<usize>], limit: usize) -> Vec<Range<usize>> {
    let mut segments: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for block in blocks {
        let own = filled(lowered, block);
        match segments.last_mut() {
            Some(last) if held + own <= limit => {
                last.end = block.end;
                held += own;
            }
            _ => {
                segments.push(block.clone());
                held = own;
            }
        }
    }
    segments
}
