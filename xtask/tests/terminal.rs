//! Training in a terminal that goes away, takes no output, or is told to stop.
#![cfg(unix)]

use crate::common::{Failure, path};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long anything may take beside other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A training with a dashboard, in a terminal of its own. It is no session's terminal: nobody sends SIGHUP when it goes.
struct Watched {
    program: Child,
    terminal: Option<File>,
    shown: Vec<u8>,
    folder: tempfile::TempDir,
}

impl Watched {
    /// An epoch of many short steps.
    fn start() -> Result<Self, Failure> {
        Self::start_with(&[])
    }

    fn start_with(more: &[&str]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        tcsetwinsize(&terminal, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 })?;
        let other = File::from(rustix::fs::open(
            &ptsname(&terminal, Vec::new())?,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?);
        rustix::fs::fcntl_setfl(&terminal, OFlags::NONBLOCK)?;
        rustix::io::fcntl_setfd(&terminal, rustix::io::FdFlags::CLOEXEC)?;
        let run = folder.path().join("run");
        let program = Command::new("env")
            .args([
                "--default-signal=INT,TERM,HUP",
                env!("CARGO_BIN_EXE_xtask"),
                "train",
                "lenet",
                "--batch-size",
                "8",
                "--epochs",
                "1000",
                "--tui",
                "--no-report",
                "--out",
                path(&run),
            ])
            .args(more)
            .env_remove("CARGO")
            .stdin(other.try_clone()?)
            .stdout(other.try_clone()?)
            .stderr(other)
            .spawn()?;
        Ok(Self { program, terminal: Some(File::from(terminal)), shown: Vec::new(), folder })
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Reads what is shown.
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        while let Some(Ok(read @ 1..)) = self.terminal.as_mut().map(|terminal| terminal.read(&mut buffer)) {
            self.shown.extend(&buffer[..read]);
        }
    }

    fn shows(&self, text: &str) -> bool {
        self.shown.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Until a step was drawn, which need not be of the first epoch: only what changes is drawn again.
    fn wait_for_a_step(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        while !self.shows("/1000") {
            if began.elapsed() > PATIENCE || self.program.try_wait()?.is_some() {
                return Err(format!("no step: {}", String::from_utf8_lossy(&self.shown)).into());
            }
            self.read();
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn send(&self, signal: Signal) -> Result<(), Failure> {
        Ok(kill_process(Pid::from_child(&self.program), signal)?)
    }

    /// Reads on until the program has ended.
    fn wait(&mut self) -> Result<ExitStatus, Failure> {
        let began = Instant::now();
        loop {
            self.read();
            if let Some(status) = self.program.try_wait()? {
                self.read();
                return Ok(status);
            }
            if began.elapsed() > PATIENCE {
                return Err("it does not end".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The names of its checkpoints. Before the first one there is no folder for them.
    fn checkpoints(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let folder = self.run().join("checkpoints");
        if !folder.exists() {
            return Ok(names);
        }
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.starts_with("step-").then_some(name));
        }
        names.sort();
        Ok(names)
    }

    /// Whether it stopped within the first epoch and left a checkpoint.
    fn left_a_checkpoint(&self) -> Result<bool, Failure> {
        let metrics = std::fs::read_to_string(self.run().join("metrics.jsonl")).unwrap_or_default();
        Ok(metrics.is_empty() && !self.checkpoints()?.is_empty())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn a_terminal_that_goes_away_stops_the_run() -> Result<(), Failure> {
    let mut watched = Watched::start()?;
    watched.wait_for_a_step()?;
    watched.terminal = None;
    assert_eq!(watched.wait()?.code(), Some(1));
    assert!(watched.left_a_checkpoint()?);
    Ok(())
}

#[test]
fn signals_stop_the_run_and_give_the_terminal_back() -> Result<(), Failure> {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut watched = Watched::start()?;
        watched.wait_for_a_step()?;
        watched.send(signal)?;
        if signal == Signal::HUP {
            // It often comes twice.
            watched.send(signal)?;
        }
        let status = watched.wait()?;
        assert_eq!(status.code(), Some(1), "{signal:?}");
        assert!(watched.left_a_checkpoint()?, "{signal:?}");
        assert!(watched.shows("\u{1b}[?1049l") && watched.shows("\u{1b}[?25h"), "{signal:?}: not given back");
        assert!(watched.shows("--resume"), "{signal:?}: no way to go on is named");
    }
    Ok(())
}

#[test]
fn a_second_request_ends_the_program() -> Result<(), Failure> {
    let mut watched = Watched::start()?;
    watched.wait_for_a_step()?;
    // A program that is stopped takes no step in between.
    watched.send(Signal::STOP)?;
    watched.send(Signal::INT)?;
    watched.send(Signal::TERM)?;
    watched.send(Signal::CONT)?;
    let code = watched.wait()?.code();
    // Whichever comes first; or the run was quick, and has stopped in order.
    assert!(matches!(code, Some(1 | 130 | 143)), "{code:?}");
    assert!(watched.shows("\u{1b}[?1049l"), "not given back");
    Ok(())
}

#[test]
fn a_terminal_that_takes_no_output_holds_nobody() -> Result<(), Failure> {
    // Epochs of a fraction of a second, each with a checkpoint.
    let mut watched = Watched::start_with(&["--limit", "2000"])?;
    watched.wait_for_a_step()?;
    // Nobody reads any more; the terminal takes a few thousand bytes.
    std::thread::sleep(Duration::from_secs(1));
    watched.send(Signal::TERM)?;
    let began = Instant::now();
    let mut before = watched.checkpoints()?;
    loop {
        std::thread::sleep(Duration::from_secs(2));
        let now = watched.checkpoints()?;
        if now == before && !now.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "it trains on");
        before = now;
    }
    // The last sentence may wait for the terminal.
    let _ = watched.send(Signal::TERM);
    let began = Instant::now();
    while watched.program.try_wait()?.is_none() {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
