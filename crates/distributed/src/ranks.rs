//! A rank's hold on all others.

use crate::error::{Error, Result};
use crate::link::Link;
use crate::place::{Launcher, Place};
use crate::sum::{Scratch, sum, sum_doubles};
use crate::tree::Tree;
use crate::wire::Wire;
use crate::{gather, threads::ThreadLink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a link is asked for a heartbeat while there is nothing to do.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long ranks may take to find each other.
const START: Duration = Duration::from_secs(120);
/// How long ranks may take to part.
const PARTING: Duration = Duration::from_secs(20);

/// Numbers of a bucket of gradients: 256 KiB. A network with fewer sends all of them at the end, where waiting for the
/// first of several messages would cost more than it hides.
const BUCKET: usize = 1 << 16;

/// What the thread of a link is asked to do.
enum Job {
    Sum(Vec<f32>, Wire, Sender<Result<Vec<f32>>>),
    SumDoubles(Vec<f64>, Sender<Result<Vec<f64>>>),
    Broadcast(usize, Vec<u8>, Sender<Result<Vec<u8>>>),
    Gather(Vec<u8>, Sender<Result<Vec<Vec<u8>>>>),
    Fail(String, Sender<Error>),
    Part(Sender<Result<()>>),
}

/// A rank, and what it does together with all others. Every rank calls the same functions in the same order.
///
/// The link has a thread of its own, so sums go on while their caller computes. Where a rank is dropped before
/// [`Ranks::finish`], all ranks end.
#[derive(Debug)]
pub struct Ranks {
    rank: usize,
    world: usize,
    place: String,
    /// None for a rank without others.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Whether somebody waits for the thread.
    awaited: Arc<AtomicBool>,
    /// Numbers of a bucket of gradients, at least.
    bucket: usize,
}

/// What is under way while its caller computes: a sum, or bytes that come from another rank.
#[derive(Debug)]
pub struct Pending<T = Vec<f32>>(State<T>);

#[derive(Debug)]
enum State<T> {
    Here(T),
    There(Receiver<Result<T>>, Arc<AtomicBool>),
}

impl<T> Pending<T> {
    /// Waits for it.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn wait(self) -> Result<T> {
        match self.0 {
            State::Here(value) => Ok(value),
            State::There(answer, awaited) => {
                awaited.store(true, Ordering::Relaxed);
                let answer = answer.recv().unwrap_or_else(|_| Err(gone()));
                awaited.store(false, Ordering::Relaxed);
                answer
            }
        }
    }
}

/// The thread of the link is no more.
fn gone() -> Error {
    Error::Start { problem: "the thread that connects this rank has ended".to_string() }
}

impl Ranks {
    /// One rank without others.
    pub fn alone() -> Self {
        Self::alone_at("one process".to_string())
    }

    fn alone_at(place: String) -> Self {
        Self { rank: 0, world: 1, place, jobs: None, thread: None, awaited: Arc::default(), bucket: BUCKET }
    }

    /// The ranks of this process and those that `mpirun`, `torchrun` or `srun` has started with it; one without others
    /// where nothing has.
    ///
    /// # Errors
    ///
    /// Ranks that this program cannot connect, a number of them that is not a power of two.
    pub fn join() -> Result<Self> {
        let Some(place) = Place::from_environment()? else { return Ok(Self::alone()) };
        if place.world == 1 {
            return Ok(Self::alone_at(place.to_string()));
        }
        let mut ranks = Self::connected(place)?;
        if ranks.world != place.world {
            ranks.leave();
            let problem = format!(
                "MPI sees {}; start with the mpirun of the MPI this program was built with, or srun --mpi=pmix",
                ranks.world
            );
            return Err(Error::Unconnected { launcher: place.launcher.command(), world: place.world, problem });
        }
        Ok(ranks)
    }

    fn connected(place: Place) -> Result<Self> {
        #[cfg(feature = "mpi")]
        if place.launcher != Launcher::Torchrun {
            return Self::start(place.to_string(), || Ok(Box::new(crate::MpiLink::new()?)));
        }
        #[cfg(feature = "nccl")]
        if place.launcher == Launcher::Torchrun {
            return Self::start(place.to_string(), move || Ok(Box::new(crate::NcclLink::new(place)?)));
        }
        let feature = if place.launcher == Launcher::Torchrun { "nccl" } else { "mpi" };
        let problem = format!("this program is built without the feature {feature}, which connects them");
        Err(Error::Unconnected { launcher: place.launcher.command(), world: place.world, problem })
    }

    /// A rank for each of `world` threads of this process.
    ///
    /// # Errors
    ///
    /// A number that is not a power of two; a system that gives no threads.
    pub fn threads(world: usize) -> Result<Vec<Self>> {
        if world == 1 {
            return Ok(vec![Self::alone()]);
        }
        if !world.is_power_of_two() {
            return Err(Error::World { world });
        }
        let links = ThreadLink::all(world).into_iter().enumerate();
        links.map(|(rank, link)| Self::start(format!("thread {rank} of {world}"), || Ok(Box::new(link)))).collect()
    }

    /// A rank by a link of one's own, which `link` makes on a thread of its own. `place` says where the rank is from.
    ///
    /// # Errors
    ///
    /// Those of `link`; a number of ranks that is not a power of two; a system that gives no threads.
    pub fn start(place: String, link: impl FnOnce() -> Result<Box<dyn Link>> + Send + 'static) -> Result<Self> {
        let (jobs, todo) = channel();
        let (started, start) = channel();
        let awaited = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&awaited);
        let body = move || match link() {
            Ok(mut link) => {
                link.set_awaited(told);
                let _ = started.send(Ok((link.rank(), link.world(), link.is_near())));
                work(&mut *link, &todo);
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("ranks".to_string()).spawn(body);
        let thread = thread.map_err(|error| Error::Start { problem: error.to_string() })?;
        let (rank, world, near) = match start.recv_timeout(START) {
            Ok(found) => found?,
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            Err(RecvTimeoutError::Timeout) => {
                let problem = format!("not all of them came within {} seconds", START.as_secs());
                return Err(Error::Start { problem });
            }
        };
        // Within a machine the exchange takes the cores that the backward pass computes with, and hides nothing.
        let bucket = if near { usize::MAX } else { BUCKET };
        let mut ranks = Self { rank, world, place, jobs: Some(jobs), thread: Some(thread), awaited, bucket };
        if world.is_power_of_two() {
            return Ok(ranks);
        }
        ranks.leave();
        Err(Error::World { world })
    }

    /// The place of this rank, counted from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many ranks there are.
    pub fn world(&self) -> usize {
        self.world
    }

    /// What says so, to be printed.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// How many numbers of gradients go together at least, and leave as soon as they are there, while others are computed:
    /// those of 256 KiB, or all where the ranks are on one machine.
    pub fn bucket(&self) -> usize {
        self.bucket
    }

    /// The same with other buckets; with [`usize::MAX`] nothing leaves before all is there. All ranks need the same.
    #[must_use]
    pub fn with_bucket(mut self, numbers: usize) -> Self {
        self.bucket = numbers.max(1);
        self
    }

    /// Whether this rank writes and speaks for all.
    pub fn is_first(&self) -> bool {
        self.rank == 0
    }

    fn ask<T>(&self, jobs: &Sender<Job>, job: impl FnOnce(Sender<Result<T>>) -> Job) -> Result<T> {
        self.begin(jobs, job).wait()
    }

    fn begin<T>(&self, jobs: &Sender<Job>, job: impl FnOnce(Sender<Result<T>>) -> Job) -> Pending<T> {
        let (reply, answer) = channel();
        // Where the thread has ended, the answer says so.
        let _ = jobs.send(job(reply));
        Pending(State::There(answer, Arc::clone(&self.awaited)))
    }

    /// Adds up `numbers` over all ranks, as many on each, in the order of a binary tree; every rank gets the sum. A sum of
    /// sums of equal subtrees ([`Tree`](crate::Tree)) is the sum of the whole tree, to the last bit.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn sum(&self, numbers: &mut Vec<f32>, wire: Wire) -> Result<()> {
        *numbers = self.begin_sum(std::mem::take(numbers), wire).wait()?;
        Ok(())
    }

    /// Begins a sum that goes on while its caller computes. Sums are finished in the order they were begun.
    pub fn begin_sum(&self, numbers: Vec<f32>, wire: Wire) -> Pending {
        let Some(jobs) = &self.jobs else {
            let mut numbers = numbers;
            wire.round(&mut numbers);
            return Pending(State::Here(numbers));
        };
        self.begin(jobs, |reply| Job::Sum(numbers, wire, reply))
    }

    /// Adds up the vectors of all shards of all ranks, as long as each other, in the order of a binary tree. A rank has a
    /// subtree of them, as many as any other; every rank gets the sum.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn sum_shards(&self, shards: Vec<Vec<f64>>) -> Result<Vec<f64>> {
        let mut tree = Tree::new(Wire::F32);
        shards.into_iter().for_each(|shard| tree.add(shard));
        let own = tree.finish();
        let Some(jobs) = &self.jobs else { return Ok(own) };
        self.ask(jobs, |reply| Job::SumDoubles(own, reply))
    }

    /// Gives all ranks the bytes that rank `root` has.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn broadcast(&self, root: usize, bytes: &mut Vec<u8>) -> Result<()> {
        *bytes = self.begin_broadcast(root, std::mem::take(bytes)).wait()?;
        Ok(())
    }

    /// Begins a broadcast that goes on while its caller computes.
    pub fn begin_broadcast(&self, root: usize, bytes: Vec<u8>) -> Pending<Vec<u8>> {
        match &self.jobs {
            None => Pending(State::Here(bytes)),
            Some(jobs) => self.begin(jobs, |reply| Job::Broadcast(root, bytes, reply)),
        }
    }

    /// The bytes of every rank, in the order of ranks.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn gather(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let Some(jobs) = &self.jobs else { return Ok(vec![own]) };
        self.ask(jobs, |reply| Job::Gather(own, reply))
    }

    /// Waits until all ranks have come here.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn barrier(&self) -> Result<()> {
        self.gather(Vec::new()).map(drop)
    }

    /// Ends all ranks with this rank's reason, which rank 0 prints; over MPI this ends the process. The error is that of
    /// the rank that failed first.
    pub fn fail(&self, sentence: &str) -> Error {
        let own = Error::Failed { rank: self.rank, sentence: sentence.to_string() };
        let Some(jobs) = &self.jobs else { return own };
        let (reply, answer) = channel();
        if jobs.send(Job::Fail(sentence.to_string(), reply)).is_err() {
            return own;
        }
        answer.recv().unwrap_or(own)
    }

    /// Parts from the other ranks, when all have come here.
    ///
    /// # Errors
    ///
    /// A rank that failed, hangs or ended.
    pub fn finish(mut self) -> Result<()> {
        let Some(jobs) = self.jobs.take() else { return Ok(()) };
        let parted = self.ask(&jobs, Job::Part);
        drop(jobs);
        self.join_thread();
        parted
    }

    /// Ends by itself and tells the others nothing: they know the same.
    fn leave(&mut self) {
        self.jobs = None;
        self.join_thread();
    }

    /// Waits for the thread, not for ever: a rank that hangs while the others part holds nobody up.
    fn join_thread(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let until = std::time::Instant::now() + PARTING;
        while !thread.is_finished() {
            if std::time::Instant::now() > until {
                tracing::warn!("the ranks have not parted within {} seconds", PARTING.as_secs());
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = thread.join();
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        if self.jobs.is_some() {
            let _ = self.fail("ended before the others");
            self.leave();
        }
    }
}

/// Does the jobs of a rank until it parts. After a failure all jobs fail the same way.
fn work(link: &mut dyn Link, jobs: &Receiver<Job>) {
    let mut scratch = Scratch::default();
    let mut failure: Option<Error> = None;
    loop {
        let job = match jobs.recv_timeout(HEARTBEAT) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                if failure.is_none() {
                    failure = link.heartbeat().err();
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match job {
            Job::Sum(mut numbers, wire, reply) => {
                let done = unless(&mut failure, || sum(link, &mut numbers, wire, &mut scratch));
                let _ = reply.send(done.map(|()| numbers));
            }
            Job::SumDoubles(mut numbers, reply) => {
                let done = unless(&mut failure, || sum_doubles(link, &mut numbers));
                let _ = reply.send(done.map(|()| numbers));
            }
            Job::Broadcast(root, mut bytes, reply) => {
                let done = unless(&mut failure, || gather::broadcast(link, root, &mut bytes));
                let _ = reply.send(done.map(|()| bytes));
            }
            Job::Gather(own, reply) => {
                let _ = reply.send(unless(&mut failure, || gather::gather(link, &own)));
            }
            Job::Fail(sentence, reply) => {
                let error = failure.get_or_insert_with(|| link.fail(&sentence));
                let _ = reply.send(error.clone());
            }
            Job::Part(reply) => {
                let _ = reply.send(unless(&mut failure, || gather::gather(link, &[]).map(drop)));
                return;
            }
        }
    }
}

fn unless<T>(failure: &mut Option<Error>, job: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some(failure) = failure {
        return Err(failure.clone());
    }
    job().inspect_err(|error| *failure = Some(error.clone()))
}
