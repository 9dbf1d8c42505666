//! `race`: this project against torch, ONNX Runtime, OpenVINO, ncnn and rten, in turns.

use crate::bench::Workload;
use crate::cli::{self, Common, EngineName, Mode};
use crate::docs;
use crate::progress;
use crate::race::{Case, Heat, Lineup, Machine, Outcome, Pacer, Race, Records, Setting, ratios, table};
use crate::rerun;
use crate::way_out::ends_in;
use anyhow::{Context, Result, anyhow, ensure};
use cnn_core::device::Device;
use std::fs::OpenOptions;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub fn run(args: &cli::Race, common: &Common) -> Result<ExitCode> {
    let cases = match args.cases.as_slice() {
        [] => Case::usual(args.train).map_err(|problem| anyhow!("{problem}"))?,
        cases => cases.to_vec(),
    };
    // What can be wrong is found before anything is started.
    check(args)?;
    for case in &cases {
        Workload::new(&case.request(args.train), common.seed(), Device::Cpu)?;
    }
    if let Some(path) = &args.json {
        ends_in(path, &["json"])?;
        check_writable(path)?;
    }
    let path = docs::repository().join(docs::RECORDS);
    let records = args.docs.then(|| Records::read(&path)).transpose()?;
    let race = raced(args, &cases, common.seed())?;
    let failed = race.outcomes.iter().any(|outcome| !outcome.problems.is_empty());
    println!("\n{}", table(&race).trim_end());
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&race)? + "\n";
        cnn_train::write_whole(path, text.as_bytes())?;
    }
    if let Some(records) = records {
        record(race, records, &path)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Refuses flags that do not go together.
fn check(args: &cli::Race) -> Result<()> {
    ensure!(
        args.precision == Mode::F32 || args.engine == EngineName::Plan,
        "--precision {} is raced by --engine plan",
        args.precision
    );
    ensure!(
        args.precision != Mode::Int8 || !args.train,
        "--precision int8 belongs to forward passes: nothing is trained in it"
    );
    ensure!(
        args.instructions.is_none() || args.precision == Mode::F32,
        "--instructions limits torch alone, which is not raced in {}",
        args.precision
    );
    Ok(())
}

/// Whether a file can be written that comes when the race is over.
fn check_writable(path: &Path) -> Result<()> {
    let is_new = !path.exists();
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.with_context(|| format!("{} cannot be written", path.display()))?;
    if is_new {
        std::fs::remove_file(path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(())
}

/// Races the cases one after the other, and prints what comes of each.
fn raced(args: &cli::Race, cases: &[Case], seed: u64) -> Result<Race> {
    let how = (args.engine, args.precision, args.instructions);
    let lineup = Lineup::new(&args.python, args.train, rerun::threads(), how, seed)?;
    for (contestant, settings) in lineup.settings() {
        println!("{contestant}: {settings}");
    }
    for (contestant, why) in lineup.missing() {
        println!("{contestant}: not there, {why}");
    }
    let interrupted = progress::interrupted();
    let bar = progress::bar(cases.len() as u64 * u64::from(args.rounds + 1));
    let (rounds, patience) = (args.rounds, Duration::from_secs(args.patience));
    let setting = Setting { lineup: &lineup, seed, rounds, patience, bar: &bar, interrupted: &interrupted };
    let mut pacer = Pacer::new(lineup.threads);
    let run = |pacer: &mut Pacer, case: &Case| -> Result<_> {
        let (outcome, pace) = Heat::new(&setting, case)?.run(pacer).with_context(|| case.to_string())?;
        bar.suspend(|| print(&outcome));
        Ok((outcome, pace))
    };
    let mut outcomes = cases.iter().map(|case| run(&mut pacer, case)).collect::<Result<Vec<_>>>()?;
    // Only now is it known how fast the processor can be.
    for (case, found) in cases.iter().zip(&mut outcomes) {
        if !pacer.is_quiet(&found.1) {
            bar.inc_length(u64::from(args.rounds + 1));
            *found = run(&mut pacer, case)?;
        }
    }
    bar.finish_and_clear();
    let outcomes = outcomes.into_iter().map(|(outcome, pace)| Outcome { is_slow: !pacer.is_quiet(&pace), ..outcome });
    let outcomes = outcomes.collect();
    Ok(Race {
        train: args.train,
        precision: args.precision,
        machine: Machine::here(),
        threads: lineup.threads,
        rounds: args.rounds,
        settings: lineup.settings(),
        outcomes,
    })
}

/// Records an undisturbed race in the documentation, and makes the page of it.
fn record(race: Race, mut records: Records, path: &Path) -> Result<()> {
    let why = |outcome: &Outcome| outcome.disturbance().map(|why| format!("{}: {why}", outcome.title()));
    let disturbed: Vec<String> = race.outcomes.iter().filter_map(why).collect();
    ensure!(disturbed.is_empty(), "not recorded: {}: run it in a quiet hour", disturbed.join(", "));
    records.keep(race);
    records.write(path)?;
    super::docs::run(&cli::Docs { check: false, root: None })
}

fn print(outcome: &Outcome) {
    let lanes = outcome.lanes.iter().map(|lane| format!("{} {:.2} ms", lane.contestant, lane.median_ms));
    let ratios = ratios(outcome).into_iter().map(|(rival, ratio)| format!("{rival} / ours {ratio:.2}"));
    let figures: Vec<String> = lanes.chain(ratios).collect();
    if !figures.is_empty() {
        println!("{}: {}", outcome.title(), figures.join(", "));
    }
    let furthest = outcome.lanes.iter().map(|lane| lane.distance).fold(0.0, f64::max);
    if outcome.lanes.len() > 1 {
        println!("{}: what was computed agrees to {furthest:.1e}", outcome.title());
    }
    if let Some(disturbance) = outcome.disturbance() {
        println!("{}: disturbed: {disturbance}", outcome.title());
    }
    for (contestant, problem) in &outcome.problems {
        println!("{}: {contestant} failed: {}", outcome.title(), cnn_figures::printable(problem));
    }
}
