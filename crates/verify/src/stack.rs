//! A large stack: candle walks the graph of a backward pass, and frees it, by recursion.

use crate::error::{Error, Result};

/// Room for the deepest networks of the zoo several times over. It is only reserved: what is not used costs nothing.
const BYTES: usize = 1 << 30;

/// What `work` returns, computed on a thread with a large stack. A panic goes on in the caller.
///
/// # Errors
///
/// No thread can be started.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(BYTES).spawn_scoped(scope, work).map_err(Error::Thread)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
