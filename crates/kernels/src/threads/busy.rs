//! Threads that have work of their own and want a core for it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that are busy now.
static BUSY: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How often the thread has said so.
    static WITHIN: Cell<usize> = const { Cell::new(0) };
}

/// A thread that has work of its own, for as long as this is there: see [`busy`].
#[derive(Debug)]
#[must_use = "the thread is busy only for as long as this is there"]
pub struct Busy {
    // It ends on the thread where it began.
    _here: PhantomData<*const ()>,
}

/// Says that the calling thread works beside others that say so too: each wants a core, and loops leave them to them. A
/// loop that one of them begins is helped by as many threads of the pool as there are cores left, none where every core has
/// its busy thread, and all where it is the only one. Results are the same.
pub fn busy() -> Busy {
    let before = WITHIN.get();
    WITHIN.set(before + 1);
    if before == 0 {
        BUSY.fetch_add(1, Ordering::Relaxed);
    }
    Busy { _here: PhantomData }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let left = WITHIN.get() - 1;
        WITHIN.set(left);
        if left == 0 {
            BUSY.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Busy threads beside the calling one.
pub(super) fn others() -> usize {
    BUSY.load(Ordering::Relaxed).saturating_sub(usize::from(WITHIN.get() > 0))
}
