//! Whether a dashboard has the terminal. There is one terminal a process.

use std::sync::atomic::{AtomicBool, Ordering};

static TAKEN: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Says whether it has, and gives what was said before.
#[cfg(feature = "terminal")]
pub(crate) fn set(taken: bool) -> bool {
    TAKEN.swap(taken, Ordering::SeqCst)
}
