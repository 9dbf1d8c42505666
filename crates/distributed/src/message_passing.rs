//! Ranks that are processes which MPI connects.
//!
//! MPI itself does not see a process that hangs, and blocks with it. So nothing blocks here: sends and receives are begun
//! and looked after, and meanwhile each rank sends heartbeats to the next one and listens for those of the one before.

use crate::error::{Error, Result};
use crate::link::Link;
use mpi::Threading;
use mpi::environment::Universe;
use mpi::request::{self, Request, Scope, StaticScope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{Destination, Source};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

const DATA: mpi::Tag = 1;
const HEARTBEAT: mpi::Tag = 2;
const FAILURE: mpi::Tag = 3;

/// How long MPI may take to bring the ranks together, in seconds, unless this variable says another number.
const START: u64 = 25;
const START_SECONDS: &str = "CNN_START_SECONDS";
/// How often a rank sends a heartbeat.
const EVERY: Duration = Duration::from_secs(1);
/// A rank that was silent for so long hangs.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a rank that has told rank 0 of its failure waits to be ended.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long a wait looks without sleeping while somebody waits for it, and how long it then sleeps between two looks: a
/// sleep takes four times as long as it should. It never yields, for on a busy core that can cost milliseconds.
const EAGER: Duration = Duration::from_millis(5);
const NAP: Duration = Duration::from_micros(20);
/// Bytes that travel in one message; MPI counts with 32 bits.
const MESSAGE: usize = 1 << 24;
/// The longest sentence of a failure.
const SENTENCE: usize = 1024;

/// Connects processes, by whatever MPI is built with.
pub struct MpiLink {
    pulse: Pulse,
    /// Ranks of this machine.
    neighbours: usize,
    world: SimpleCommunicator,
    // Dropped last, which finalises MPI.
    _universe: Universe,
}

impl std::fmt::Debug for MpiLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MpiLink")
            .field("rank", &self.pulse.rank)
            .field("world", &self.pulse.size)
            .finish_non_exhaustive()
    }
}

impl MpiLink {
    /// Begins MPI on this thread, which alone may use it.
    ///
    /// # Errors
    ///
    /// MPI that was begun before.
    pub fn new() -> Result<Self> {
        let start = |problem: &str| Error::Start { problem: problem.to_string() };
        let began = watched()?;
        let universe = mpi::initialize_with_threading(Threading::Funneled);
        drop(began);
        let (universe, _) = universe.ok_or_else(|| start("MPI was begun before in this process"))?;
        let world = universe.world();
        let now = Instant::now();
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Where ranks share cores, one that looks without a rest keeps another from computing.
        let neighbours = world.split_shared(rank as i32).size() as usize;
        let eager = neighbours <= cores;
        let awaited = Arc::new(AtomicBool::new(false));
        let pulse = Pulse { rank, size, sent: now, heard: now, looked: now, sending: None, eager, awaited };
        Ok(Self { pulse, neighbours, world, _universe: universe })
    }
}

/// MPI waits without end for a rank that hangs before it has begun. So a thread ends this process, and with it all, unless
/// what is returned is dropped before.
fn watched() -> Result<Sender<()>> {
    let seconds = match std::env::var(START_SECONDS) {
        Err(_) => START,
        Ok(said) => said.parse().map_err(|_| Error::Start {
            problem: format!("{START_SECONDS} is {said:?}, and not a number of seconds"),
        })?,
    };
    let (begun, watch) = channel();
    std::thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            eprintln!(
                "error: MPI has not brought the ranks together within {seconds} seconds: a rank hangs, or cannot be \
                 reached; {START_SECONDS} sets another time"
            );
            std::process::exit(1);
        }
    });
    Ok(begun)
}

/// How this rank and its neighbours live.
struct Pulse {
    rank: usize,
    size: usize,
    /// When this rank last sent a heartbeat.
    sent: Instant,
    /// When the rank before was last heard.
    heard: Instant,
    /// When this rank last looked, to see whether it was itself that was stopped.
    looked: Instant,
    /// The last heartbeat, until MPI has taken it: the next rank may hang.
    sending: Option<Request<'static, [u8; 1], StaticScope>>,
    /// Whether there is a core for each rank of this machine.
    eager: bool,
    /// Whether anybody waits for this rank.
    awaited: Arc<AtomicBool>,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        // A request must not be dropped, and the next rank no longer listens.
        std::mem::forget(self.sending.take());
    }
}

impl Pulse {
    /// Sends a heartbeat, listens, and ends everything where a rank failed or is silent.
    fn look(&mut self, world: &SimpleCommunicator) {
        let now = Instant::now();
        // Whoever was stopped itself has heard nobody, and must not blame them.
        let stopped = now.duration_since(self.looked) > 2 * EVERY;
        if stopped {
            self.heard = now;
        }
        self.looked = now;
        self.sending = self.sending.take().and_then(|heartbeat| heartbeat.test().err());
        if self.sending.is_none() && now.duration_since(self.sent) >= EVERY {
            self.sent = now;
            let next = world.process_at_rank(((self.rank + 1) % self.size) as i32);
            self.sending = Some(next.immediate_send_with_tag(StaticScope, &[0u8], HEARTBEAT));
        }
        let before = (self.rank + self.size - 1) % self.size;
        let previous = world.process_at_rank(before as i32);
        while previous.immediate_probe_with_tag(HEARTBEAT).is_some() {
            previous.receive_into_with_tag(&mut [0u8], HEARTBEAT);
            self.heard = now;
        }
        if let Some(status) = world.any_process().immediate_probe_with_tag(FAILURE) {
            let mut sentence = [0u8; SENTENCE];
            world.process_at_rank(status.source_rank()).receive_into_with_tag(&mut sentence[..], FAILURE);
            if self.rank != 0 {
                // Rank 0 ends this process, unless it cannot be reached.
                std::thread::sleep(2 * FAREWELL);
                world.abort(1);
            }
            if stopped {
                // Whoever reported it has waited for this rank meanwhile, and has printed the sentence itself.
                world.abort(1);
            }
            let end = sentence.iter().position(|byte| *byte == 0).unwrap_or(SENTENCE);
            end_all(world, &String::from_utf8_lossy(&sentence[..end]));
        }
        if now.duration_since(self.heard) > SILENCE {
            let silence = SILENCE.as_secs();
            self.report(world, &format!("rank {before}: silent for {silence} seconds, so all ranks end"));
        }
    }

    fn look_sometimes(&mut self, world: &SimpleCommunicator) {
        if self.looked.elapsed() > EVERY / 10 {
            self.look(world);
        }
    }

    /// Has rank 0 print a sentence and end all ranks; does it itself where rank 0 does not. The others are told too: whom
    /// rank 0 does not reach ends by itself.
    fn report(&self, world: &SimpleCommunicator, sentence: &str) -> ! {
        if self.rank != 0 {
            let mut bytes = [0u8; SENTENCE];
            let length = sentence.len().min(SENTENCE - 1);
            bytes[..length].copy_from_slice(&sentence.as_bytes()[..length]);
            request::scope(|scope| {
                for other in (1..self.size).filter(|other| *other != self.rank) {
                    let process = world.process_at_rank(other as i32);
                    // Never waited for, and this process ends before its bytes go.
                    std::mem::forget(process.immediate_send_with_tag(scope, &bytes[..], FAILURE));
                }
                let mut request = world.process_at_rank(0).immediate_send_with_tag(scope, &bytes[..], FAILURE);
                let began = Instant::now();
                // Rank 0 ends this process, unless it hangs.
                while began.elapsed() < FAREWELL {
                    match request.test() {
                        Err(unfinished) => request = unfinished,
                        Ok(_) => {
                            std::thread::sleep(FAREWELL.saturating_sub(began.elapsed()));
                            end_all(world, sentence)
                        }
                    }
                    std::thread::sleep(NAP);
                }
                end_all(world, sentence)
            })
        }
        end_all(world, sentence)
    }

    /// Waits for a request without blocking.
    fn wait<'a, D: ?Sized, S: Scope<'a>>(&mut self, world: &SimpleCommunicator, mut request: Request<'a, D, S>) {
        let began = Instant::now();
        loop {
            request = match request.test() {
                Ok(_) => return,
                Err(unfinished) => unfinished,
            };
            if self.eager && self.awaited.load(Ordering::Relaxed) && began.elapsed() < EAGER {
                std::hint::spin_loop();
            } else {
                self.look_sometimes(world);
                std::thread::sleep(NAP);
            }
        }
    }
}

/// Prints a sentence and ends all ranks.
fn end_all(world: &SimpleCommunicator, sentence: &str) -> ! {
    eprintln!("error: {sentence}");
    world.abort(1)
}

impl Link for MpiLink {
    fn rank(&self) -> usize {
        self.pulse.rank
    }

    fn world(&self) -> usize {
        self.pulse.size
    }

    fn swap(&mut self, peer: usize, sent: &[u8], received: &mut [u8]) -> Result<()> {
        let Self { pulse, world, .. } = self;
        let (mut sent, mut received) = (sent.chunks(MESSAGE), received.chunks_mut(MESSAGE));
        loop {
            let (sent, received) = (sent.next(), received.next());
            if sent.is_none() && received.is_none() {
                return Ok(());
            }
            request::scope(|scope| {
                let peer = world.process_at_rank(peer as i32);
                let receiving = received.map(|bytes| peer.immediate_receive_into_with_tag(scope, bytes, DATA));
                let sending = sent.map(|bytes| peer.immediate_send_with_tag(scope, bytes, DATA));
                if let Some(request) = receiving {
                    pulse.wait(world, request);
                }
                if let Some(request) = sending {
                    pulse.wait(world, request);
                }
            });
            pulse.look_sometimes(world);
        }
    }

    fn is_near(&self) -> bool {
        self.neighbours == self.pulse.size
    }

    fn set_awaited(&mut self, awaited: Arc<AtomicBool>) {
        self.pulse.awaited = awaited;
    }

    fn heartbeat(&mut self) -> Result<()> {
        self.pulse.look(&self.world);
        Ok(())
    }

    fn fail(&mut self, sentence: &str) -> Error {
        let sentence = match self.pulse.rank {
            0 => sentence.to_string(),
            rank => format!("rank {rank}: {sentence}"),
        };
        self.pulse.report(&self.world, &sentence)
    }
}
