//! What connects a rank to the others.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Connects a rank to the others. An engine of one's own implements it; [`Ranks`](crate::Ranks) does the rest.
pub trait Link {
    /// The place of this rank, counted from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn world(&self) -> usize;

    /// Sends `sent` to `peer`, and receives from it as many bytes as `received` is long. The peer calls it at the same
    /// time with the lengths exchanged. Where one of the two is empty, nothing travels that way.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    fn swap(&mut self, peer: usize, sent: &[u8], received: &mut [u8]) -> Result<()>;

    /// Shows the others that this rank lives, and looks whether they do. It is called several times a second while there
    /// is nothing else to do.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    fn heartbeat(&mut self) -> Result<()> {
        Ok(())
    }

    /// Whether all ranks are on one machine, and what they exchange only takes the time of its cores.
    fn is_near(&self) -> bool {
        false
    }

    /// Gives the link what says whether anybody waits for it. A link that looks for messages by itself may then look without
    /// a rest: whoever waits computes nothing meanwhile.
    fn set_awaited(&mut self, awaited: Arc<AtomicBool>) {
        let _ = awaited;
    }

    /// Tells all ranks why this one failed, so that they end. It may end this process.
    fn fail(&mut self, sentence: &str) -> Error;
}
