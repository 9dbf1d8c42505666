//! Who watches a run: a bar, plain lines or the dashboard, and the writer of event files.

use crate::cli::Watching;
use crate::interrupt::Interrupts;
#[cfg(feature = "serve")]
use crate::live_run::LiveRun;
use crate::progress::{Progress, short};
use anyhow::Result;
#[cfg(feature = "dashboard")]
use cnn_dashboard::Dashboard;
use cnn_dashboard::Log;
use cnn_report::TensorBoard;
use cnn_train::{Begin, Observer, Observers, Task};
#[cfg(not(feature = "dashboard"))]
use std::io::IsTerminal;
use std::io::Write;

/// Calls `train` with the observers that the command line asks for; `warnings` are said when it begins.
pub fn watched<T>(
    args: &Watching,
    task: &Task<'_>,
    warnings: Vec<String>,
    train: impl FnOnce(&mut dyn Observer) -> Result<T>,
) -> Result<T> {
    #[cfg(feature = "serve")]
    let mut page = args.serve.map(|port| LiveRun::new(port, task)).transpose()?;
    #[cfg(not(feature = "serve"))]
    let _ = task;
    let mut shown = shown(args);
    let mut events = args.tensorboard.then(TensorBoard::new);
    let (mut going_on, mut interrupts) = (GoingOn { dashboard: args.tui, warnings }, Interrupts::default());
    let mut observers = Observers(vec![&mut going_on, shown.as_mut(), &mut interrupts]);
    if let Some(events) = &mut events {
        observers.0.push(events);
    }
    #[cfg(feature = "serve")]
    observers.0.extend(page.as_mut().map(|page| page as &mut dyn Observer));
    let trained = train(&mut observers);
    // The terminal first, so that what follows is seen.
    drop(shown);
    drop(interrupts);
    if let Some(Err(error)) = events.map(TensorBoard::finish) {
        tracing::warn!("event files are not complete: {error}");
    }
    trained
}

fn shown(args: &Watching) -> Box<dyn Observer> {
    dashboard(args.tui).unwrap_or_else(|| Box::new(Progress::new()))
}

#[cfg(feature = "dashboard")]
fn dashboard(wanted: bool) -> Option<Box<dyn Observer>> {
    match wanted.then(Dashboard::open)? {
        Ok(dashboard) => Some(Box::new(dashboard)),
        Err(error) => {
            eprintln!("{error}; going on without it");
            None
        }
    }
}

/// Where there is a terminal, `commands::run` has run the command again in a build that has it.
#[cfg(not(feature = "dashboard"))]
fn dashboard(wanted: bool) -> Option<Box<dyn Observer>> {
    if wanted {
        eprintln!("there is no terminal, which a dashboard needs; going on without it");
    }
    None
}

/// Whether there is one to be taken.
#[cfg(not(feature = "dashboard"))]
pub fn has_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}

/// Says where a run goes on, and what is otherwise than before.
#[derive(Default)]
pub struct GoingOn {
    /// Whether the terminal may be taken.
    dashboard: bool,
    /// What else whoever watches should know.
    pub warnings: Vec<String>,
}

impl Observer for GoingOn {
    fn begin(&mut self, begin: &Begin<'_>) {
        let settings = &begin.task.settings;
        self.warnings.drain(..).for_each(|warning| tracing::warn!("{warning}"));
        let mut lines = Vec::new();
        if begin.epochs_done > 0 || begin.steps_done > 0 {
            let place = match begin.steps_done {
                0 => String::new(),
                steps => format!(" and {steps} steps of the next"),
            };
            lines.push(format!("going on after epoch {} of {}{place}", begin.epochs_done, settings.epochs));
        }
        lines.extend(begin.changes.iter().map(|change| format!("from here on {change}")));
        let of_rate = ["epochs", "batch-size", "accumulate", "learning-rate", "schedule", "warm-up"];
        if begin.changes.iter().any(|change| change.name.split('.').next().is_some_and(|name| of_rate.contains(&name)))
        {
            lines.push(format!("the learning rate of the next step is {}", short(begin.learning_rate)));
        }
        for line in lines {
            match self.dashboard {
                // To standard error, or to the dashboard's log; where neither is there, nobody wants to know.
                true => drop(writeln!(Log, "{line}")),
                false => println!("{line}"),
            }
        }
    }
}
