//! Sums over all ranks, in the order of a fixed binary tree.
//!
//! Few numbers go by recursive doubling: all of them to the neighbour, to the neighbour of pairs, and so on. Of many each
//! rank adds only a part, by recursive halving, and gets the other parts afterwards (Thakur, Rabenseifner and Gropp 2005,
//! section 4). Both add neighbours first, so both give the same bits.

use crate::error::Result;
use crate::link::Link;
use crate::wire::Wire;

/// Fewer numbers than this are sent whole.
const FEW: usize = 4096;

/// Memory that is used again from one sum to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    sent: Vec<u8>,
    received: Vec<u8>,
}

/// Adds up `numbers` over all ranks; each rank gets the sum. The world is a power of two.
pub(crate) fn sum(link: &mut dyn Link, numbers: &mut [f32], wire: Wire, scratch: &mut Scratch) -> Result<()> {
    wire.round(numbers);
    if numbers.len() < FEW.max(link.world()) {
        doubling(link, numbers, wire, scratch)
    } else {
        halving(link, numbers, wire, scratch)
    }
}

/// The distances to peers: 1, 2, 4, …
fn distances(world: usize) -> impl DoubleEndedIterator<Item = usize> {
    (0..world.ilog2()).map(|level| 1 << level)
}

fn doubling(link: &mut dyn Link, numbers: &mut [f32], wire: Wire, scratch: &mut Scratch) -> Result<()> {
    for distance in distances(link.world()) {
        let peer = link.rank() ^ distance;
        wire.encode(numbers, &mut scratch.sent);
        scratch.received.resize(scratch.sent.len(), 0);
        link.swap(peer, &scratch.sent, &mut scratch.received)?;
        add(numbers, wire, &scratch.received);
    }
    Ok(())
}

/// As [`sum`], of doubles, which are few.
pub(crate) fn sum_doubles(link: &mut dyn Link, numbers: &mut [f64]) -> Result<()> {
    let mut received = vec![0.0; numbers.len()];
    for distance in distances(link.world()) {
        let peer = link.rank() ^ distance;
        link.swap(peer, bytemuck::cast_slice(numbers), bytemuck::cast_slice_mut(&mut received))?;
        numbers.iter_mut().zip(&received).for_each(|(own, other)| *own += other);
    }
    Ok(())
}

fn halving(link: &mut dyn Link, numbers: &mut [f32], wire: Wire, scratch: &mut Scratch) -> Result<()> {
    // What this rank adds, and beside it what its peer does.
    let mut own = 0..numbers.len();
    let mut theirs = Vec::new();
    for distance in distances(link.world()) {
        let peer = link.rank() ^ distance;
        let middle = own.start + own.len() / 2;
        let (low, high) = (own.start..middle, middle..own.end);
        let (kept, given) = if link.rank() < peer { (low, high) } else { (high, low) };
        wire.encode(&numbers[given.clone()], &mut scratch.sent);
        scratch.received.resize(kept.len() * wire.bytes(), 0);
        link.swap(peer, &scratch.sent, &mut scratch.received)?;
        add(&mut numbers[kept.clone()], wire, &scratch.received);
        theirs.push(given);
        own = kept;
    }
    for (distance, theirs) in distances(link.world()).rev().zip(theirs.into_iter().rev()) {
        wire.encode(&numbers[own.clone()], &mut scratch.sent);
        scratch.received.resize(theirs.len() * wire.bytes(), 0);
        link.swap(link.rank() ^ distance, &scratch.sent, &mut scratch.received)?;
        numbers[theirs.clone()].iter_mut().zip(wire.decode(&scratch.received)).for_each(|(x, new)| *x = new);
        own = own.start.min(theirs.start)..own.end.max(theirs.end);
    }
    Ok(())
}

/// Adds a peer's numbers. Addition commutes, so that both peers get the same bits.
fn add(numbers: &mut [f32], wire: Wire, received: &[u8]) {
    numbers.iter_mut().zip(wire.decode(received)).for_each(|(own, other)| *own += other);
    wire.round(numbers);
}
