//! The observer, and the thread that draws.

use crate::interrupts::Interrupts;
use crate::view::View;
use crate::{Error, draw, log, terminal};
use cnn_train::{Begin, Epoch, Evaluation, Observer, StepReport, Stop};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the picture is drawn anew.
const FRAME: Duration = Duration::from_millis(200);
/// How soon a key is noticed.
const MOMENT: Duration = Duration::from_millis(50);
/// How long the end of a dashboard waits for the thread that draws.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows a run over the whole terminal, and stops it after `q`, Ctrl-C or a signal ([`Interrupts`]); a second Ctrl-C ends
/// the program. It gives the terminal back when it is dropped.
///
/// A terminal that goes away stops the run too: it ends as after an interrupt, with a checkpoint where it keeps any.
#[derive(Debug)]
pub struct Dashboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    view: Mutex<View>,
    interrupts: Interrupts,
    over: AtomicBool,
}

impl Dashboard {
    /// Takes the terminal.
    ///
    /// # Errors
    ///
    /// Standard input or output that is no terminal, a terminal that refuses.
    pub fn open() -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            view: Mutex::default(),
            interrupts: Interrupts::listen()?,
            over: AtomicBool::new(false),
        });
        let terminal = terminal::take()?;
        let theirs = Arc::clone(&shared);
        let drawing = std::thread::Builder::new().name("dashboard".to_string());
        match drawing.spawn(move || theirs.show(terminal)) {
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

    fn flow(&self) -> ControlFlow<()> {
        match self.shared.interrupts.asked() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Observer for Dashboard {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.change(|view| view.begin(begin));
    }

    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        self.change(|view| view.step(step));
        self.flow().map_break(|()| Stop::Interrupt)
    }

    fn evaluation(&mut self, evaluation: &Evaluation) -> ControlFlow<()> {
        self.change(|view| view.evaluation(evaluation));
        self.flow()
    }

    fn stops(&mut self) -> bool {
        self.flow().is_break()
    }

    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        self.change(|view| view.epoch(epoch, best));
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let began = Instant::now();
        // A terminal that takes no output may hold it for ever.
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        terminal::give_back();
    }
}

impl Shared {
    /// Draws, and answers keys, until the dashboard is over or the terminal is gone.
    fn show(&self, mut terminal: DefaultTerminal) {
        let mut drawn: Option<Instant> = None;
        while !self.over.load(Ordering::SeqCst) {
            if drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                let view = self.view();
                let draw = || terminal.draw(|frame| draw::draw(frame, &view)).map(drop);
                if terminal::drawing(draw).is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
                    self.interrupts.stop();
                    terminal::give_back();
                    return;
                }
                drawn = Some(Instant::now());
            }
            match event::poll(MOMENT) {
                Ok(true) => self.answer(event::read().ok()),
                Ok(false) => {}
                // Where the terminal is gone, the next drawing tells.
                Err(_) => std::thread::sleep(MOMENT),
            }
        }
    }

    /// A copy, so that training does not wait for the terminal.
    fn view(&self) -> View {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        view.refresh(log::last(usize::from(u8::MAX)));
        view.stopping = self.interrupts.asked();
        view.clone()
    }

    fn answer(&self, event: Option<Event>) {
        let Some(Event::Key(key)) = event else { return };
        let pressed = key.kind == KeyEventKind::Press;
        match key.code {
            KeyCode::Char('c') if pressed && key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.interrupts.interrupt()
            }
            KeyCode::Char('q') if pressed => self.interrupts.stop(),
            _ => {}
        }
    }
}
