//! One case of a race: files, agreement, turns.

use super::agreement::{self, Written};
use super::case::Case;
use super::contestant::{Contestant, run};
use super::lineup::{Lineup, OURS};
use super::others;
use super::pace::{Pace, Pacer};
use super::record::{Lane, Outcome};
use crate::bench::{Batch, Times, Workload};
use anyhow::{Context, Result, ensure};
use cnn_core::Weights;
use cnn_core::device::Device;
use indicatif::ProgressBar;
use safetensors::{Dtype, tensor::TensorView};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A turn is one step, or of short steps as many as fill this time, of which the median counts: the first finds the
/// caches full of another's numbers.
const TURN_MS: f64 = 100.0;
/// How often a case looks whether others leave the processor alone.
const LOOK: Duration = Duration::from_secs(1);
/// Between turns, so that threads that wait for work by spinning have gone to sleep.
const PAUSE: Duration = Duration::from_millis(50);

/// What all cases share.
pub struct Setting<'a> {
    pub lineup: &'a Lineup,
    pub seed: u64,
    pub rounds: u32,
    /// How long a case waits for a processor that others leave alone.
    pub patience: Duration,
    pub bar: &'a ProgressBar,
    pub interrupted: &'a AtomicBool,
}

/// One case of a race.
pub struct Heat<'a> {
    setting: &'a Setting<'a>,
    case: &'a Case,
    workload: Workload,
    /// Holds weights, batch, outputs and in 8 bits this project's plan; gone with the case.
    folder: tempfile::TempDir,
    problems: Vec<(String, String)>,
}

impl Setting<'_> {
    /// Whether to stop: the contestants, too, have been interrupted.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.interrupted.load(Ordering::SeqCst), "interrupted; nothing was recorded");
        Ok(())
    }
}

impl<'a> Heat<'a> {
    pub fn new(setting: &'a Setting<'a>, case: &'a Case) -> Result<Self> {
        let workload = Workload::new(&case.request(setting.lineup.train), setting.seed, Device::Cpu)?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(Self { setting, case, workload, folder, problems: Vec::new() })
    }

    /// Runs it. What fails is among the outcome's problems. Beside it, the slowest that the processor was in a turn that counts.
    pub fn run(mut self, pacer: &mut Pacer) -> Result<(Outcome, Pace)> {
        self.write_files()?;
        let distances = self.agreement()?;
        let before = others::busy();
        let (lanes, quiet) = self.turns(&distances, pacer)?;
        let after = others::busy();
        let outcome = Outcome {
            network: self.case.network.clone(),
            batch: self.workload.batch,
            shape: self.workload.shape(),
            classes: self.workload.classes,
            lanes,
            slow_turns: quiet.slow,
            is_slow: !pacer.is_quiet(&quiet.pace),
            others: before.zip(after).map(|(before, after)| before.max(after)),
            problems: self.problems,
        };
        Ok((outcome, quiet.pace))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write_files(&self) -> Result<()> {
        let folder = self.path();
        let Workload { network, seed, batch, .. } = &self.workload;
        let weights = Weights::initialised(network, *seed).to_bytes()?;
        let Batch { images, labels } = self.workload.batch()?;
        let dims = [&[*batch][..], &self.workload.shape()].concat();
        let batch = [
            ("input", TensorView::new(Dtype::F32, dims, bytemuck::cast_slice(&images))?),
            ("labels", TensorView::new(Dtype::U32, vec![*batch], bytemuck::cast_slice(&labels))?),
        ];
        let description = self.setting.lineup.describe(&self.workload, folder).to_string();
        std::fs::write(folder.join("batch.safetensors"), safetensors::serialize(batch, None)?)
            .and_then(|()| std::fs::write(folder.join("weights.safetensors"), weights))
            .and_then(|()| std::fs::write(folder.join("case.json"), description))
            .context("cannot write to the temporary folder")
    }

    fn start(&self, contestant: &str) -> Result<Contestant> {
        Contestant::start(self.setting.lineup.serve(contestant, self.case, self.path())?, self.path())
    }

    fn say(&self, what: &str) {
        self.setting.bar.set_prefix(self.case.to_string());
        self.setting.bar.set_message(what.to_string());
    }

    fn problem(&mut self, contestant: &str, error: &anyhow::Error) {
        self.problems.push((contestant.to_string(), crate::sentence(error)));
    }

    /// Those whose output is this project's, with their distance from it.
    fn agreement(&mut self) -> Result<BTreeMap<&'static str, f64>> {
        let contestants = self.setting.lineup.contestants();
        let mut exported = Ok(String::new());
        if contestants.iter().any(|contestant| Lineup::reads_onnx(contestant)) {
            self.say("exporting to ONNX");
            exported = run(self.setting.lineup.export(self.path()), self.path()).context("no ONNX file");
        }
        let mut distances = BTreeMap::new();
        for contestant in contestants {
            self.say(&format!("comparing {contestant}"));
            let compared = match &exported {
                Err(error) if Lineup::reads_onnx(contestant) => Err(anyhow::anyhow!("{error:#}")),
                _ => self.compare(contestant),
            };
            self.setting.check()?;
            match compared {
                Ok(distance) => drop(distances.insert(contestant, distance)),
                Err(error) => self.problem(contestant, &error),
            }
            // Nobody to compare with.
            if contestant == OURS && distances.is_empty() {
                break;
            }
        }
        Ok(distances)
    }

    /// One step in a process of its own: what is written would count as memory.
    fn compare(&self, contestant: &str) -> Result<f64> {
        let [start, ours, theirs] =
            ["weights.safetensors", OURS, contestant].map(|name| self.path().join(name).with_extension("safetensors"));
        self.start(contestant)?.check(&theirs)?;
        if contestant == OURS {
            return Ok(0.0);
        }
        let read = [Written::read(&ours)?, Written::read(&theirs)?];
        let distance = match self.setting.lineup.train {
            false => agreement::logits(&read[0], &read[1], self.setting.lineup.precision),
            true => agreement::step(&Written::read(&start)?, &read[0], &read[1], self.setting.lineup.precision),
        };
        std::fs::remove_file(&theirs).context("the temporary folder has gone")?;
        distance
    }

    /// Everybody's steps, in turns; the first round does not count. Beside them, how quiet the processor was.
    fn turns(&mut self, distances: &BTreeMap<&'static str, f64>, pacer: &mut Pacer) -> Result<(Vec<Lane>, Quiet)> {
        let mut running: Vec<Running> = Vec::new();
        for contestant in self.setting.lineup.contestants() {
            let Some(distance) = distances.get(contestant) else { continue };
            self.say(&format!("starting {contestant}"));
            match self.start(contestant) {
                Ok(process) => running.push(Running::new(contestant, *distance, process)),
                Err(error) => self.problem(contestant, &error),
            }
        }
        let mut quiet = Quiet { until: Instant::now() + self.setting.patience, slow: 0, pace: Pace::default() };
        for round in 0..=self.setting.rounds {
            running.retain_mut(|lane| {
                let turn = self.turn(lane, pacer, (round, &mut quiet));
                let went = turn.map(|ms| lane.times.extend((round > 0).then_some(ms)));
                went.map_err(|error| self.problem(lane.contestant, &error)).is_ok()
            });
            self.setting.check()?;
            self.setting.bar.inc(1);
        }
        Ok((running.into_iter().map(Running::finish).collect(), quiet))
    }

    /// A turn's time. One that counts is taken again where others slow the processor down, as long as there is time.
    fn turn(&self, lane: &mut Running, pacer: &mut Pacer, (round, quiet): (u32, &mut Quiet)) -> Result<f64> {
        let say = || self.say(&format!("round {round} of {}", self.setting.rounds));
        if round == 0 {
            say();
            std::thread::sleep(PAUSE);
            return lane.turn();
        }
        loop {
            let mut pace = pacer.look();
            while !pacer.is_quiet(&pace) && Instant::now() < quiet.until {
                self.say("waiting for a quiet processor");
                std::thread::sleep(LOOK);
                self.setting.check()?;
                pace = pacer.look();
            }
            say();
            std::thread::sleep(PAUSE);
            let ms = lane.turn()?;
            pace = pace.worse(pacer.look());
            if pacer.is_quiet(&pace) || Instant::now() >= quiet.until {
                quiet.pace = quiet.pace.worse(pace);
                return Ok(ms);
            }
            quiet.slow += 1;
        }
    }
}

/// What the turns of a case find the processor to be.
struct Quiet {
    /// Until when it is waited for.
    until: Instant,
    /// Turns that did not count, since it was slower.
    slow: u32,
    /// The slowest it was in those that did.
    pace: Pace,
}

/// A contestant whose turns are counted.
struct Running {
    contestant: &'static str,
    distance: f64,
    process: Contestant,
    times: Vec<f64>,
    min_ms: f64,
    peak: Option<u64>,
}

impl Running {
    fn new(contestant: &'static str, distance: f64, process: Contestant) -> Self {
        Self { contestant, distance, process, times: Vec::new(), min_ms: f64::INFINITY, peak: None }
    }

    /// A turn's time.
    fn turn(&mut self) -> Result<f64> {
        let mut steps = Vec::new();
        while steps.iter().sum::<f64>() < TURN_MS {
            let step = self.process.go()?;
            self.peak = step.peak;
            self.min_ms = self.min_ms.min(step.ms);
            // A clock that stands would never fill the time.
            steps.push(step.ms.max(1e-3));
        }
        Ok(Times::new(steps).median())
    }

    fn finish(self) -> Lane {
        Lane {
            contestant: self.contestant.to_string(),
            median_ms: Times::new(self.times).median(),
            min_ms: self.min_ms,
            peak_bytes: self.peak,
            distance: self.distance,
        }
    }
}
