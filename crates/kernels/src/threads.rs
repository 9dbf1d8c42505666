//! One pool of threads for the process.
//!
//! A training step is hundreds of short parallel loops, so what counts is how fast a loop starts and ends: the workers
//! wait spinning for a while before they sleep, and tasks are handed out by one atomic counter. Which thread runs which
//! task is chance; kernels divide their work by the shapes alone and combine partial results in the order of the tasks,
//! so results do not depend on it, nor on the number of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

/// Times a waiting thread looks again before it sleeps: some tens of microseconds.
const SPINS: usize = if cfg!(miri) { 10 } else { 20_000 };

/// A parallel loop's body, its lifetime erased while the loop runs.
#[derive(Clone, Copy)]
struct Job {
    body: *const (dyn Fn(usize) + Sync),
    tasks: usize,
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

#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    wake: Condvar,
    /// A copy of `State::epoch` to spin on.
    epoch: AtomicUsize,
    /// Workers inside the current loop.
    inside: AtomicUsize,
    /// The next task to hand out.
    next: AtomicUsize,
    /// Held by the thread whose loop runs.
    turn: Mutex<()>,
    panicked: AtomicBool,
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let pool = Pool::default();
        pool.lock().width = default_width();
        pool
    })
}

fn default_width() -> usize {
    if cfg!(miri) {
        return 2;
    }
    thread::available_parallelism().map_or(1, usize::from)
}

/// Sets the number of threads of all later loops, the calling thread included; 0 for as many as the machine has. It waits
/// for the loop that runs, so a task must not call it.
pub fn set_threads(threads: usize) {
    let width = if threads == 0 { default_width() } else { threads };
    // No loop may be running: its number of threads is settled.
    let _turn = pool().turn.lock().unwrap_or_else(PoisonError::into_inner);
    pool().lock().width = width;
}

/// The number of threads of a loop.
pub fn threads() -> usize {
    pool().lock().width
}

/// Runs `body(0)` to `body(tasks − 1)`, in any order, on the pool; returns when all are done.
///
/// A loop within a loop, or beside one of another thread, runs on its caller's thread alone.
///
/// # Panics
///
/// If a task does: on the pool after all others have ended, on the caller's thread alone at once.
pub fn for_each(tasks: usize, body: impl Fn(usize) + Sync) {
    let pool = pool();
    if tasks > 1
        && let Ok(turn) = pool.turn.try_lock()
        && pool.begin(&body, tasks)
    {
        pool.work(&body, tasks);
        pool.end();
        // Asked before another thread's loop may begin.
        let panicked = pool.panicked.swap(false, Ordering::Relaxed);
        drop(turn);
        if panicked {
            panic!("a task of a parallel loop panicked");
        }
        return;
    }
    (0..tasks).for_each(body);
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a loop to the workers; false where there is only one thread.
    fn begin(&self, body: &(dyn Fn(usize) + Sync), tasks: usize) -> bool {
        let mut state = self.lock();
        if state.width == 1 {
            return false;
        }
        while state.workers + 1 < state.width {
            let number = state.workers;
            if thread::Builder::new().name(format!("kernels {number}")).spawn(move || worker(number)).is_err() {
                break;
            }
            state.workers += 1;
        }
        // SAFETY: only the lifetime changes; `end` waits until no thread holds the pointer any more.
        let body = unsafe {
            std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync + 'static)>(body)
        };
        self.next.store(0, Ordering::Relaxed);
        state.job = Some(Job { body, tasks });
        state.epoch += 1;
        self.epoch.store(state.epoch, Ordering::Release);
        let asleep = state.asleep;
        drop(state);
        if asleep > 0 {
            self.wake.notify_all();
        }
        true
    }

    fn work(&self, body: &(dyn Fn(usize) + Sync), tasks: usize) {
        loop {
            let task = self.next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(task))) {
                self.panicked.store(true, Ordering::Relaxed);
                // A payload may panic when it is dropped, and no thread may leave the loop that way.
                std::mem::forget(panic);
            }
        }
    }

    /// Closes the loop to workers that have not come yet, and waits for those inside.
    fn end(&self) {
        self.lock().job = None;
        while self.inside.load(Ordering::Acquire) > 0 {
            std::hint::spin_loop();
        }
    }

    /// Waits for a loop a worker has not been in.
    fn wait(&self, seen: usize) {
        for _ in 0..SPINS {
            if self.epoch.load(Ordering::Acquire) != seen {
                return;
            }
            std::hint::spin_loop();
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
            let job = state.job.filter(|_| number + 1 < state.width);
            if job.is_some() {
                pool.inside.fetch_add(1, Ordering::Relaxed);
            }
            job
        };
        if let Some(Job { body, tasks }) = job {
            // SAFETY: `inside` was raised while the loop was open, so its caller still waits in `end`.
            pool.work(unsafe { &*body }, tasks);
            pool.inside.fetch_sub(1, Ordering::Release);
        }
    }
}
