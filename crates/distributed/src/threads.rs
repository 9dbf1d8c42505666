//! Ranks that are threads of one process.

use crate::error::{Error, Result};
use crate::link::Link;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How often a rank that waits looks whether another has failed.
const LOOK: Duration = Duration::from_millis(50);

/// Connects threads of one process, through memory.
#[derive(Debug)]
pub struct ThreadLink {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
    /// The first failure of any rank.
    failure: Arc<OnceLock<Error>>,
}

impl ThreadLink {
    /// A link for each of `world` ranks.
    pub fn all(world: usize) -> Vec<Self> {
        let failure = Arc::new(OnceLock::new());
        let mut links: Vec<Self> = (0..world)
            .map(|rank| Self { rank, to: Vec::new(), from: Vec::new(), failure: Arc::clone(&failure) })
            .collect();
        for from in 0..world {
            for to in 0..world {
                let (sender, receiver) = channel();
                links[from].to.push(sender);
                // Outer loop over senders: a receiver's list is in their order.
                links[to].from.push(receiver);
            }
        }
        links
    }

    fn failed(&self, peer: usize) -> Error {
        let ended = || Error::Failed { rank: peer, sentence: "ended before the others".to_string() };
        self.failure.get().cloned().unwrap_or_else(ended)
    }
}

impl Link for ThreadLink {
    fn rank(&self) -> usize {
        self.rank
    }

    fn world(&self) -> usize {
        self.to.len()
    }

    fn swap(&mut self, peer: usize, sent: &[u8], received: &mut [u8]) -> Result<()> {
        if !sent.is_empty() && self.to[peer].send(sent.to_vec()).is_err() {
            return Err(self.failed(peer));
        }
        if received.is_empty() {
            return Ok(());
        }
        loop {
            match self.from[peer].recv_timeout(LOOK) {
                Ok(bytes) if bytes.len() == received.len() => {
                    received.copy_from_slice(&bytes);
                    return Ok(());
                }
                Ok(bytes) => {
                    let sentence =
                        format!("sent {} bytes where rank {} expects {}", bytes.len(), self.rank, received.len());
                    return Err(Error::Failed { rank: peer, sentence });
                }
                Err(RecvTimeoutError::Timeout) => match self.failure.get() {
                    Some(failure) => return Err(failure.clone()),
                    None => continue,
                },
                Err(RecvTimeoutError::Disconnected) => return Err(self.failed(peer)),
            }
        }
    }

    fn is_near(&self) -> bool {
        true
    }

    fn fail(&mut self, sentence: &str) -> Error {
        let rank = self.rank;
        self.failure.get_or_init(|| Error::Failed { rank, sentence: sentence.to_string() }).clone()
    }
}
