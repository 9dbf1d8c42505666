//! The observer, and the thread that draws.

use crate::signals::Signals;
use crate::view::View;
use crate::{Error, draw, log, terminal};
use cnn_train::{Begin, Epoch, Observer, Step};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the picture is drawn anew.
const FRAME: Duration = Duration::from_millis(200);
/// How soon a key or a signal is noticed.
const MOMENT: Duration = Duration::from_millis(50);
/// The exit code of a program that an interrupt ended.
const INTERRUPTED: i32 = 130;

/// Shows a run over the whole terminal, and stops it after `q` or an interrupt; a second interrupt ends the program.
/// It gives the terminal back when it is dropped.
#[derive(Debug)]
pub struct Dashboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    view: Mutex<View>,
    stop: AtomicBool,
    over: AtomicBool,
}

impl Dashboard {
    /// Takes the terminal.
    ///
    /// # Errors
    ///
    /// Standard input or output that is no terminal, a terminal that refuses.
    pub fn open() -> Result<Self, Error> {
        let terminal = terminal::take()?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let started = Signals::new().and_then(|signals| {
            std::thread::Builder::new().name("dashboard".to_string()).spawn(move || theirs.show(terminal, &signals))
        });
        match started {
            Ok(thread) => Ok(Self { shared, thread: Some(thread) }),
            Err(error) => {
                terminal::give_back();
                Err(error.into())
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.shared.view.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Observer for Dashboard {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.change(|view| view.begin(begin));
    }

    fn step(&mut self, step: &Step) -> ControlFlow<()> {
        self.change(|view| view.step(step));
        match self.shared.stop.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        self.change(|view| view.epoch(epoch, best));
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // If it panicked, the hook has said so.
            let _ = thread.join();
        }
        terminal::give_back();
        log::release();
    }
}

impl Shared {
    /// Draws, and answers keys and signals, until the dashboard is over.
    fn show(&self, mut terminal: DefaultTerminal, signals: &Signals) {
        let mut drawn: Option<Instant> = None;
        while !self.over.load(Ordering::SeqCst) {
            signals.obey(terminal::give_back);
            if signals.interrupted() {
                self.interrupt();
            }
            if drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                let view = self.view();
                // A terminal that is gone is no reason to lose the run.
                let _ = terminal::drawing(|| terminal.draw(|frame| draw::draw(frame, &view)).map(drop));
                drawn = Some(Instant::now());
            }
            match event::poll(MOMENT) {
                Ok(true) => self.answer(event::read().ok()),
                Ok(false) => {}
                Err(_) => std::thread::sleep(MOMENT),
            }
        }
    }

    /// A copy, so that training does not wait for the terminal.
    fn view(&self) -> View {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        view.refresh(log::last(usize::from(u8::MAX)));
        view.stopping = self.stop.load(Ordering::SeqCst);
        view.clone()
    }

    fn answer(&self, event: Option<Event>) {
        let Some(Event::Key(key)) = event else { return };
        let pressed = key.kind == KeyEventKind::Press;
        match key.code {
            KeyCode::Char('c') if pressed && key.modifiers.contains(KeyModifiers::CONTROL) => self.interrupt(),
            KeyCode::Char('q') if pressed => self.stop.store(true, Ordering::SeqCst),
            _ => {}
        }
    }

    fn interrupt(&self) {
        if self.stop.swap(true, Ordering::SeqCst) {
            terminal::give_back();
            log::release();
            std::process::exit(INTERRUPTED);
        }
    }
}
