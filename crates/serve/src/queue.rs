//! Pictures that wait, and what is to be done next with them.

use crate::answer::Refusal;
use crate::bodies::Whole;
use crate::metrics::Metrics;
use cnn_classifier::Answer;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Whoever asked, who may have gone meanwhile.
pub struct Asked {
    /// The most probable classes that were asked for.
    pub top: usize,
    pub answer: oneshot::Sender<Result<Vec<Answer>, Refusal>>,
}

impl Asked {
    /// Whether nobody waits for the answer any more.
    pub fn has_gone(&self) -> bool {
        self.answer.is_closed()
    }
}

/// A picture's file that waits to be decoded.
pub struct File {
    pub whole: Whole,
    pub asked: Asked,
}

/// A prepared picture that waits to be computed.
pub struct Prepared {
    pub numbers: Vec<f32>,
    pub asked: Asked,
}

/// What one of those who work does next.
pub enum Work {
    Decode(File),
    Compute(Vec<Prepared>),
}

/// What it has done before.
pub enum Done {
    Nothing,
    /// Decoded a file, to a picture unless it was none.
    Decoded(Option<Prepared>),
    Computed,
}

/// How many pictures wait at most, how many are computed at once, and how many work on them.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub length: usize,
    pub batch: usize,
    pub workers: usize,
}

/// The queue of all pictures, from when they have come until they are computed.
pub struct Queue {
    bounds: Bounds,
    state: Mutex<State>,
    wake: Condvar,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    files: VecDeque<File>,
    prepared: VecDeque<Prepared>,
    decoding: usize,
    /// Batches that are computed now.
    computing: usize,
    /// Workers that sleep: waking none costs a system call too.
    asleep: usize,
    closed: bool,
}

impl Queue {
    pub fn new(bounds: Bounds, metrics: Arc<Metrics>) -> Self {
        Self { bounds, state: Mutex::default(), wake: Condvar::new(), metrics }
    }

    /// The most probable classes of the picture that a body is.
    pub async fn classify(&self, whole: Whole, top: usize) -> Result<Vec<Answer>, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.put(File { whole, asked: Asked { top, answer } })?;
        answered.await.unwrap_or_else(|_| Err(Refusal::ending()))
    }

    fn put(&self, file: File) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::ending());
        }
        if state.waiting() >= self.bounds.length {
            return Err(Refusal::full());
        }
        state.files.push_back(file);
        self.metrics.waiting.inc();
        self.wake_one(state);
        Ok(())
    }

    /// What to do next, once there is something; nothing where the server ends.
    pub fn next(&self, done: Done) -> Option<Work> {
        let mut state = self.lock();
        match done {
            Done::Nothing => {}
            Done::Computed => state.computing -= 1,
            Done::Decoded(prepared) => {
                state.decoding -= 1;
                if prepared.is_none() {
                    self.metrics.waiting.dec();
                }
                state.prepared.extend(prepared);
            }
        }
        loop {
            if state.closed {
                return None;
            }
            if let Some(work) = state.choose(&self.bounds) {
                if let Work::Compute(all) = &work {
                    self.metrics.waiting.sub(all.len() as i64);
                }
                if !state.files.is_empty() || !state.prepared.is_empty() {
                    self.wake_one(state);
                }
                return Some(work);
            }
            state.asleep += 1;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }

    /// Nobody waits for answers any more: whoever works ends after what it does now.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let left = (std::mem::take(&mut state.files), std::mem::take(&mut state.prepared));
        drop(state);
        drop(left);
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_one(&self, state: MutexGuard<'_, State>) {
        let asleep = state.asleep > 0;
        drop(state);
        if asleep {
            self.wake.notify_one();
        }
    }
}

impl State {
    /// Pictures that are not yet computed.
    fn waiting(&self) -> usize {
        self.files.len() + self.decoding + self.prepared.len()
    }

    /// All that wait are divided among those who do not compute. Whoever finds its share prepared computes it; else it
    /// decodes; where there is nothing left to decode it computes what there is. So nobody waits while there is work.
    fn choose(&mut self, bounds: &Bounds) -> Option<Work> {
        let most = bounds.workers.min(bounds.batch);
        let free = bounds.workers.saturating_sub(self.computing).max(1);
        let share = self.waiting().div_ceil(free).min(bounds.batch / most);
        let ready = self.prepared.len();
        let may_compute = ready > 0 && self.computing < most;
        if !(may_compute && ready >= share)
            && let Some(file) = self.files.pop_front()
        {
            self.decoding += 1;
            return Some(Work::Decode(file));
        }
        if !may_compute {
            return None;
        }
        self.computing += 1;
        Some(Work::Compute(self.prepared.drain(..share.min(ready)).collect()))
    }
}
