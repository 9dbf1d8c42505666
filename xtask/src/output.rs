//! Printing, whatever became of standard output and standard error.
//!
//! The standard library's macros panic where nothing can be written: in a terminal that was closed, to a full disk. Those
//! of this module have their names and take their place in the whole program, so that none is used by mistake.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell reports of a process that a closed pipe ended.
const CLOSED_PIPE: i32 = 141;

/// Whether there is work to be done that is worth more than what is printed.
static WORKING: AtomicBool = AtomicBool::new(false);

/// The first failure while there was.
static FAILED: Mutex<Option<std::io::Error>> = Mutex::new(None);

macro_rules! print {
    ($($text:tt)*) => { $crate::output::print(format_args!($($text)*)) };
}

macro_rules! println {
    () => { $crate::output::print(format_args!("\n")) };
    ($($text:tt)*) => { $crate::output::print(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::output::complain(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints to standard output. Where that fails the program ends: silently where a reader has gone, as `head` does,
/// otherwise with a sentence; but a training goes on, and ends so when it is over.
pub fn print(text: Arguments<'_>) {
    let mut out = stdout().lock();
    if let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) {
        drop(out);
        match WORKING.load(Ordering::SeqCst) {
            true => {
                if let Ok(mut failed) = FAILED.lock() {
                    failed.get_or_insert(error);
                }
            }
            false => end(&error),
        }
    }
}

/// Prints to standard error, if it is still there.
pub fn complain(text: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(text);
}

/// While it lives, the work goes on when nothing can be printed.
pub struct Work;

impl Work {
    pub fn begin() -> Self {
        WORKING.store(true, Ordering::SeqCst);
        Self
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        WORKING.store(false, Ordering::SeqCst);
    }
}

/// Ends the program if something could not be printed while it worked.
pub fn finish() {
    if let Some(error) = FAILED.lock().ok().and_then(|mut failed| failed.take()) {
        end(&error);
    }
}

fn end(error: &std::io::Error) -> ! {
    if error.kind() == ErrorKind::BrokenPipe {
        exit(CLOSED_PIPE);
    }
    eprintln!("error: standard output: {error}");
    exit(1)
}
