//! Code of other crates that panics where it should give an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are expected.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; should it panic, its message is the error, and nothing is written to standard error. Other threads are not
/// concerned: a panic of theirs is reported as ever.
///
/// The process's panic hook is replaced once, by one that asks whether the panicking thread is in here and hands all other
/// panics on. What `work` changes must not be used after a panic.
///
/// ```
/// assert_eq!(cnn_system::guard::caught(|| 3), Ok(3));
/// let index = std::hint::black_box(7);
/// assert!(cnn_system::guard::caught(|| [1, 2, 3][index]).unwrap_err().starts_with("index out of bounds"));
/// ```
///
/// # Errors
///
/// What the panic says.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !is_expected() {
                others(panic);
            }
        }));
    });
    let before = EXPECTED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(before);
    outcome.map_err(|panic| message(&*panic))
}

/// Whether a panic of this thread would be caught by [`caught`]: then a panic hook has nothing to do.
pub fn is_expected() -> bool {
    EXPECTED.get()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("it panicked").to_string()
}
