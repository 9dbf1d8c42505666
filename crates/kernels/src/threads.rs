//! One pool of threads for the process.
//!
//! A training step is hundreds of short parallel loops, so what counts is how fast a loop starts and ends. Tasks are
//! shared out beforehand (`shares.rs`). Whoever waits looks again and again for a few microseconds before it sleeps. The
//! caller takes tasks too, so a worker that the system does not let run costs at most the one task it holds.
//!
//! Where other processes want the cores, a worker may be stopped in the middle of a task while its caller waits. The
//! caller then sleeps, which frees its core for the worker, and works alone for `ALONE` times as long as it lost, so
//! that beside a busy neighbour it does not wait again and again.
//!
//! Which thread runs which task is chance. Kernels divide their work by the shapes alone and combine partial results in
//! the order of the tasks, so results do not depend on it, nor on the number of threads.

mod busy;

use crate::shares::Shares;
pub use busy::{Busy, busy};
use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a worker looks for the next loop before it sleeps.
const IDLE: Duration = Duration::from_micros(100);
/// How long a caller that has nothing left to do looks for the end of its loop before it sleeps, at least. Tasks of one
/// loop take about the same time, so it also waits for the time of some tasks.
const PATIENCE: Duration = Duration::from_micros(50);
/// The same at most: after a wait that long the time to wake up matters no more.
const LONGEST_PATIENCE: Duration = Duration::from_micros(500);
/// How many of the caller's tasks the last task of a worker may take as long as.
const UNEVEN: u32 = 4;
/// A wait that is longer than that by so much means that a worker was stopped.
const STOPPED: Duration = Duration::from_micros(300);
/// How many times as long as was lost by a stopped worker the caller works alone.
const ALONE: u32 = 8;
/// Looks between two looks at the clock.
const LOOKS: usize = if cfg!(miri) { 1 } else { 32 };
/// Threads for each of the machine's, and threads on any machine, that [`set_threads`] gives at most.
const MOST: [usize; 2] = [4, 16];

/// A parallel loop's body, its lifetime erased while the loop runs.
#[derive(Clone, Copy)]
struct Job {
    body: *const (dyn Fn(usize) + Sync),
    /// Threads that may work on it, the caller's included.
    width: usize,
}

// SAFETY: the body is `Sync`, and `for_each` does not return before every thread has let go of it.
unsafe impl Send for Job {}

/// What the threads share.
#[derive(Default)]
struct State {
    /// The loop that runs now.
    job: Option<Job>,
    /// Number of loops so far; a worker joins each at most once.
    epoch: usize,
    /// Number of threads that may work, the caller's included.
    width: usize,
    /// Worker threads that exist.
    workers: usize,
    /// Workers that sleep: waking none costs a system call too.
    asleep: usize,
}

struct Pool {
    state: Mutex<State>,
    /// Tells sleeping workers of a loop.
    wake: Condvar,
    /// Tells a sleeping caller that a worker has left its loop.
    left: Condvar,
    /// Whether the caller sleeps, or is about to.
    caller_sleeps: AtomicBool,
    /// A copy of `State::epoch` to look at.
    epoch: AtomicUsize,
    /// Workers inside the current loop.
    inside: AtomicUsize,
    /// The tasks of the current loop that are left.
    shares: Shares,
    /// Held by the thread whose loop runs.
    turn: Mutex<Turn>,
    /// What the first task that panicked in the current loop said.
    panicked: Mutex<Option<Payload>>,
}

type Payload = Box<dyn Any + Send>;

/// What one loop leaves to the next.
#[derive(Default)]
struct Turn {
    /// Until when loops run on their callers alone.
    alone: Option<Instant>,
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let width = default_width();
        Pool {
            state: Mutex::new(State { width, ..State::default() }),
            shares: Shares::new(most(width)),
            wake: Condvar::default(),
            left: Condvar::default(),
            caller_sleeps: AtomicBool::default(),
            epoch: AtomicUsize::default(),
            inside: AtomicUsize::default(),
            turn: Mutex::default(),
            panicked: Mutex::default(),
        }
    })
}

fn default_width() -> usize {
    if cfg!(miri) {
        return 2;
    }
    if cfg!(target_family = "wasm") {
        return 1;
    }
    thread::available_parallelism().map_or(1, usize::from)
}

/// Threads there are at most, where the machine has so many.
fn most(own: usize) -> usize {
    MOST[1].max(MOST[0] * own)
}

/// Sets the number of threads of all later loops, the calling thread included; 0 for as many as the machine has. Gives
/// the number that is set: at most four for each of the machine's, or sixteen where that is more. More threads would
/// only wait for each other. It waits for the loop that runs, so a task must not call it.
pub fn set_threads(threads: usize) -> usize {
    let own = default_width();
    // WebAssembly has one thread, and where it is a web page's, not even a clock.
    let threads = if cfg!(target_family = "wasm") { 0 } else { threads };
    // The machine may have had fewer cores for this process when the pool was made.
    let width = if threads == 0 { own } else { threads.min(most(own)) }.min(pool().shares.most());
    // No loop may be running: its number of threads is settled.
    let mut turn = pool().turn.lock().unwrap_or_else(PoisonError::into_inner);
    *turn = Turn::default();
    pool().lock().width = width;
    width
}

/// The number of threads of a loop: what was set, or fewer where the system gives no more.
pub fn threads() -> usize {
    pool().lock().width
}

/// Runs `body(0)` to `body(tasks − 1)`, in any order, on the pool; returns when all are done.
///
/// A loop within a loop, or beside one of another thread, runs on its caller's thread alone.
///
/// # Panics
///
/// Where a task does, with what the first to panic said: on the pool after all others have ended, on the caller's thread
/// alone at once.
pub fn for_each(tasks: usize, body: impl Fn(usize) + Sync) {
    run(tasks, &body);
}

/// Numbers of a task where each is read and written once.
pub(crate) const CHUNK: usize = 1 << 14;

/// Runs `body` with ranges of [`CHUNK`] numbers that together are `0..length`: the same whatever the threads.
pub(crate) fn for_each_range(length: usize, body: impl Fn(Range<usize>) + Sync) {
    for_each(length.div_ceil(CHUNK), |task| body(task * CHUNK..((task + 1) * CHUNK).min(length)));
}

/// Compiled once, and so is every body: with a copy for the caller's thread alone each kernel would be there twice.
fn run(tasks: usize, body: &(dyn Fn(usize) + Sync)) {
    let pool = pool();
    // More tasks than are counted run on the caller's thread.
    if tasks > 1
        && u32::try_from(tasks).is_ok()
        && let Some(mut turn) = pool.try_turn()
        && let Some((started, width)) = pool.begin(&mut turn, body, tasks)
    {
        let own = pool.work(body, 0, width);
        pool.end(&mut turn, started, own);
        // Asked before another thread's loop may begin.
        let panicked = pool.first_panic().take();
        drop(turn);
        match panicked {
            Some(payload) => resume_unwind(payload),
            None => return,
        }
    }
    let _settled = Settled;
    (0..tasks).for_each(body);
}

/// Waits, when it is dropped, until what this thread has stored past the caches is where others read it
/// ([`Vector::store_past`](crate::simd::Vector::store_past)); where a task panics too.
struct Settled;

impl Drop for Settled {
    fn drop(&mut self) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: every x86-64 has it, and it does nothing but wait.
        unsafe {
            std::arch::x86_64::_mm_sfence()
        }
    }
}

/// Looks until something is so, for a time; says whether it was.
fn look(time: Duration, so: impl Fn() -> bool) -> bool {
    let mut started = None;
    loop {
        for _ in 0..LOOKS {
            if so() {
                return true;
            }
            std::hint::spin_loop();
        }
        if started.get_or_insert_with(Instant::now).elapsed() >= time {
            return false;
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to begin a loop, if there is none now. That an earlier one ended in a panic does not matter.
    fn try_turn(&self) -> Option<MutexGuard<'_, Turn>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn first_panic(&self) -> MutexGuard<'_, Option<Payload>> {
        self.panicked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a loop to the workers, and says when and for how many threads; nothing where the caller is to work alone.
    fn begin(&self, turn: &mut Turn, body: &(dyn Fn(usize) + Sync), tasks: usize) -> Option<(Instant, usize)> {
        let mut state = self.lock();
        if state.width <= 1 + busy::others() {
            return None;
        }
        let started = Instant::now();
        if turn.alone.is_some_and(|until| started < until) {
            return None;
        }
        turn.alone = None;
        while state.workers + 1 < state.width {
            let number = state.workers;
            if thread::Builder::new().name(format!("kernels {number}")).spawn(move || worker(number)).is_err() {
                // There are no more to be had: no later loop asks again.
                state.width = state.workers + 1;
                break;
            }
            state.workers += 1;
        }
        let width = state.width.saturating_sub(busy::others());
        if width <= 1 {
            return None;
        }
        // SAFETY: only the lifetime changes; `end` waits until no thread holds the pointer any more.
        let body = unsafe {
            std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync + 'static)>(body)
        };
        self.shares.renew(tasks, width);
        state.job = Some(Job { body, width });
        state.epoch += 1;
        self.epoch.store(state.epoch, Ordering::Release);
        let asleep = state.asleep;
        drop(state);
        if asleep > 0 {
            self.wake.notify_all();
        }
        Some((started, width))
    }

    /// Takes tasks as one of `width` threads until there are none; gives how many it took.
    fn work(&self, body: &(dyn Fn(usize) + Sync), thread: usize, width: usize) -> u32 {
        let _settled = Settled;
        let mut own = 0;
        while let Some((task, _)) = self.shares.take(thread, width) {
            own += 1;
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(task))) {
                let mut first = self.first_panic();
                match *first {
                    None => *first = Some(panic),
                    // A payload may panic when it is dropped, and no thread may leave the loop that way.
                    Some(_) => std::mem::forget(panic),
                }
            }
        }
        own
    }

    /// Closes the loop to workers that have not come yet, and waits for those inside. The caller has taken `own` tasks.
    fn end(&self, turn: &mut Turn, started: Instant, own: u32) {
        self.lock().job = None;
        let empty = || self.inside.load(Ordering::Acquire) == 0;
        if empty() {
            return;
        }
        let worked = Instant::now();
        let task = UNEVEN * ((worked - started) / own.max(1));
        if look((PATIENCE + task).min(LONGEST_PATIENCE), empty) {
            return;
        }
        self.sleep_until_empty();
        let lost = worked.elapsed().saturating_sub(task);
        if own > 0 && lost > STOPPED {
            turn.alone = Some(Instant::now() + ALONE * lost);
        }
    }

    fn sleep_until_empty(&self) {
        let mut state = self.lock();
        self.caller_sleeps.store(true, Ordering::SeqCst);
        while self.inside.load(Ordering::SeqCst) > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.caller_sleeps.store(false, Ordering::SeqCst);
    }

    /// A worker leaves the loop. Either it sees that the caller sleeps, or the caller sees that it has left.
    fn leave(&self) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
        if self.caller_sleeps.load(Ordering::SeqCst) {
            // The caller holds the lock from before it looks until it sleeps.
            drop(self.lock());
            self.left.notify_one();
        }
    }

    /// Waits for a loop a worker has not been in.
    fn wait(&self, seen: usize) {
        if look(IDLE, || self.epoch.load(Ordering::Acquire) != seen) {
            return;
        }
        let mut state = self.lock();
        while state.epoch == seen {
            state.asleep += 1;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }
}

/// The life of worker `number`.
fn worker(number: usize) {
    let pool = pool();
    let mut seen = 0;
    loop {
        pool.wait(seen);
        let job = {
            let state = pool.lock();
            seen = state.epoch;
            let job = state.job.filter(|job| number + 1 < job.width);
            if job.is_some() {
                pool.inside.fetch_add(1, Ordering::Relaxed);
            }
            job
        };
        if let Some(Job { body, width }) = job {
            // SAFETY: `inside` was raised while the loop was open, so its caller still waits in `end`.
            pool.work(unsafe { &*body }, number + 1, width);
            pool.leave();
        }
    }
}
