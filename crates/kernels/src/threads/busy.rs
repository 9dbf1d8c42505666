//! Threads that have work of their own and want a core for it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that are busy now.
static BUSY: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// A thread that has work of its own, for as long as this is there: see [`busy`].
#[derive(Debug)]
#[must_use = "the thread is busy only for as long as this is there"]
pub struct Busy {
    first: bool,
    // What ends on the thread where it began.
    _here: PhantomData<*const ()>,
}

/// Says that the calling thread works beside others that say so too: each wants a core, and loops leave them to them. A
/// loop that one of them begins is helped by as many threads of the pool as there are cores left, none where every core has
/// its busy thread, and all where it is the only one. Results are the same.
pub fn busy() -> Busy {
    let first = !WITHIN.replace(true);
    if first {
        BUSY.fetch_add(1, Ordering::Relaxed);
    }
    Busy { first, _here: PhantomData }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.first {
            WITHIN.set(false);
            BUSY.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Busy threads beside the calling one.
pub(super) fn others() -> usize {
    BUSY.load(Ordering::Relaxed).saturating_sub(usize::from(WITHIN.get()))
}
