//! Bytes from one rank to all, and from all to all.

use crate::error::Result;
use crate::link::Link;

/// Every rank gets the bytes of `root`, along a binomial tree.
pub(crate) fn broadcast(link: &mut dyn Link, root: usize, bytes: &mut Vec<u8>) -> Result<()> {
    let mut length = (bytes.len() as u64).to_le_bytes();
    spread(link, root, &mut length)?;
    bytes.resize(u64::from_le_bytes(length) as usize, 0);
    spread(link, root, bytes)
}

/// As [`broadcast`], where all ranks know the length.
fn spread(link: &mut dyn Link, root: usize, bytes: &mut [u8]) -> Result<()> {
    let (rank, world) = (link.rank(), link.world());
    let place = (rank + world - root) % world;
    let at = |place: usize| (place + root) % world;
    // Ranks below `have` have the bytes.
    let mut have = 1;
    while have < world {
        if place < have && place + have < world {
            link.swap(at(place + have), bytes, &mut [])?;
        } else if (have..2 * have).contains(&place) {
            link.swap(at(place - have), &[], bytes)?;
        }
        have *= 2;
    }
    Ok(())
}

/// The bytes of every rank, in the order of ranks.
pub(crate) fn gather(link: &mut dyn Link, own: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut all = vec![Vec::new(); link.world()];
    for (root, bytes) in all.iter_mut().enumerate() {
        if root == link.rank() {
            *bytes = own.to_vec();
        }
        broadcast(link, root, bytes)?;
    }
    Ok(all)
}
