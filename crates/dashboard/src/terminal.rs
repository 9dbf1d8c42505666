//! The terminal, taken and given back.

use crate::Error;
use ratatui::DefaultTerminal;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use std::io::{IsTerminal, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, TryLockError};
use std::time::Duration;

/// Whether a dashboard has the terminal. There is one terminal a process.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Held while something is drawn, so that nothing is drawn after the terminal is given back.
static DRAWING: Mutex<()> = Mutex::new(());

/// How long giving back waits for a drawing to end. The panicking thread may itself be the one that draws.
const PATIENCE: Duration = Duration::from_millis(200);

pub(crate) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Takes the terminal: raw mode, the alternate screen, and a panic hook that gives both back before it says anything.
pub(crate) fn take() -> Result<DefaultTerminal, Error> {
    if !stdout().is_terminal() {
        return Err(Error::NoTerminal("standard output"));
    }
    if !stdin().is_terminal() {
        return Err(Error::NoTerminal("standard input"));
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A damaged picture's panic ends in an error; the terminal stays.
            if !cnn_core::guard::is_expected() {
                give_back();
            }
            earlier(panic);
        }));
    });
    let terminal = ratatui::try_init()?;
    TAKEN.store(true, Ordering::SeqCst);
    Ok(terminal)
}

/// Draws, unless the terminal is given back already.
pub(crate) fn drawing(draw: impl FnOnce() -> std::io::Result<()>) -> std::io::Result<()> {
    let Ok(_held) = DRAWING.lock() else { return Ok(()) };
    if is_taken() { draw() } else { Ok(()) }
}

/// Gives the terminal back, if it is taken.
pub(crate) fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut held = DRAWING.try_lock();
    let mut waited = Duration::ZERO;
    while matches!(held, Err(TryLockError::WouldBlock)) && waited < PATIENCE {
        let moment = Duration::from_millis(5);
        std::thread::sleep(moment);
        waited += moment;
        held = DRAWING.try_lock();
    }
    ratatui::restore();
    // Drawing hides it, and what ends the program may leave no time to drop the terminal.
    let _ = execute!(stdout(), Show);
}
