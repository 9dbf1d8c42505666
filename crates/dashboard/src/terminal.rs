//! The terminal, taken and given back.

use crate::{Error, log, taken};
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::prelude::CrosstermBackend;
use ratatui::{DefaultTerminal, Terminal};
use std::io::{self, IsTerminal, stdin, stdout};
use std::sync::{Mutex, Once, TryLockError, mpsc};
use std::time::Duration;

/// Held while something is drawn, so that nothing is drawn after the terminal is given back.
static DRAWING: Mutex<()> = Mutex::new(());

/// How long giving back waits for a terminal that takes no output.
const PATIENCE: Duration = Duration::from_secs(1);

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
    taken::set(true);
    let taken = || {
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen)?;
        Terminal::new(CrosstermBackend::new(stdout()))
    };
    taken().map_err(|error| {
        give_back();
        Error::Terminal(error)
    })
}

/// Draws, unless the terminal is given back already.
pub(crate) fn drawing(draw: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let Ok(_held) = DRAWING.lock() else { return Ok(()) };
    if taken::is_taken() { draw() } else { Ok(()) }
}

/// Gives the terminal back, if it is taken, and writes the log that waits for it.
///
/// All of this writes to the terminal, and writing waits for ever where a terminal takes no output, as over a connection
/// that hangs. So a thread does it, and this waits for it only a while. A terminal that is gone takes nothing back, and
/// needs nothing.
pub(crate) fn give_back() {
    if !taken::set(false) {
        return;
    }
    let (done, end) = mpsc::channel();
    let thread = std::thread::Builder::new().name("terminal".to_string()).spawn(move || {
        restore_after_drawing();
        log::release();
        let _ = done.send(());
    });
    match thread {
        Ok(_) => drop(end.recv_timeout(PATIENCE)),
        Err(_) => restore_after_drawing(),
    }
}

fn restore_after_drawing() {
    // Not for long: the thread that draws may be the one that panics, and waits for this.
    let mut held = DRAWING.try_lock();
    for _ in 0..40 {
        if !matches!(held, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
        held = DRAWING.try_lock();
    }
    let _ = disable_raw_mode();
    // Drawing hides the cursor.
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
}
