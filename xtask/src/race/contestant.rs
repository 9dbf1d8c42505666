//! A process that takes a step when it is told.

use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Why a contestant is not there.
pub type Absent = String;

/// A running contestant, whose network stands. It ends when it is dropped.
pub struct Contestant {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Where its standard error goes.
    errors: PathBuf,
    base: Option<u64>,
}

/// A timed step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Milliseconds.
    pub ms: f64,
    /// The most bytes so far above what was held before the network was made.
    pub peak: Option<u64>,
}

impl Contestant {
    /// Starts it and waits until its network stands. What it says on standard error goes to a file in `folder`.
    pub fn start(mut command: Command, folder: &Path) -> Result<Self> {
        let errors = folder.join("errors");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).with_context(|| format!("{} cannot be written", errors.display()))?)
            .spawn()
            .with_context(|| format!("cannot run {}", Path::new(command.get_program()).display()))?;
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("a process without standard output")?);
        let mut contestant = Self { child, questions, answers, errors, base: None };
        contestant.base = contestant.answer()?["base_rss_bytes"].as_u64();
        Ok(contestant)
    }

    /// Takes a step.
    pub fn go(&mut self) -> Result<Step> {
        let answer = self.ask("go")?;
        let ms = answer["ms"].as_f64().context("an answer without a time")?;
        let peak = answer["peak_rss_bytes"].as_u64().zip(self.base).map(|(peak, base)| peak.saturating_sub(base));
        Ok(Step { ms, peak })
    }

    /// Takes a step and writes what came of it.
    pub fn check(&mut self, path: &Path) -> Result<()> {
        self.ask(&format!("check {}", path.display())).map(drop)
    }

    fn ask(&mut self, question: &str) -> Result<Value> {
        let asked = self.questions.as_mut().map(|questions| writeln!(questions, "{question}"));
        match asked {
            Some(Ok(())) => self.answer(),
            _ => Err(self.ended()),
        }
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) | Err(_) => Err(self.ended()),
            Ok(_) => serde_json::from_str(&line).with_context(|| format!("an answer that is no JSON: {}", line.trim())),
        }
    }

    /// Why it ended, by the last line it wrote.
    fn ended(&mut self) -> anyhow::Error {
        let status = self.child.wait().map_or(String::new(), |status| format!(" ({status})"));
        match last_line(&self.errors) {
            Some(line) => anyhow!("{line}"),
            None => anyhow!("ended without a message{status}"),
        }
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // The end of its input is the end of its work. One that is busy is not waited for.
        self.questions = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end; the last line it wrote if it fails.
pub fn run(mut command: Command, folder: &Path) -> Result<String> {
    let errors = folder.join("errors");
    let output = command
        .stdin(Stdio::null())
        .stderr(File::create(&errors).with_context(|| format!("{} cannot be written", errors.display()))?)
        .output()
        .with_context(|| format!("cannot run {}", Path::new(command.get_program()).display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let program = Path::new(command.get_program()).display();
    Err(anyhow!(
        "{program}: {}",
        last_line(&errors).unwrap_or_else(|| format!("ended without a message ({})", output.status))
    ))
}

/// The last line that is not empty.
fn last_line(errors: &Path) -> Option<String> {
    let text = std::fs::read(errors).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().trim_start_matches("error: ").to_string())
}
