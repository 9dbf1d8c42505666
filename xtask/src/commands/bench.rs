//! `bench`: the time and the memory of a network's forward pass or training step.

mod load;

use crate::bench::{self, Engine, Request, Times, Workload, explain, milliseconds};
use crate::cli::{self, Common, EngineName, Mode};
use crate::progress;
use crate::rerun;
use anyhow::{Result, ensure};
use cnn_core::shape::times;
use cnn_figures::{bytes, plural};
use cnn_kernels::{InstructionSet, peak, threads};
use cnn_train::Memory;
use serde_json::{Value, json};
use std::time::Instant;

/// Steps before those that are timed: the first ones allocate what the others use again.
const WARM_UP: u32 = 2;

pub fn run(args: &cli::Bench, common: &Common) -> Result<()> {
    if let Some(named) = &args.load {
        return load::run(args, named, common.seed());
    }
    let request = Request {
        network: &args.network,
        batch: args.batch,
        shape: args.shape,
        classes: args.classes,
        train: args.train,
    };
    ensure!(
        !args.recompute.recompute || (args.train && args.engine == EngineName::Plan),
        "--recompute belongs to --train with --engine plan"
    );
    let workload = Workload::new(&request, common.seed(), common.device.open()?)?.recomputing(args.recompute.policy());
    ensure!(args.mode == Mode::F32 || args.engine == EngineName::Plan, "--mode {} belongs to --engine plan", args.mode);
    ensure!(args.mode != Mode::Int8 || !args.train, "--mode int8 belongs to forward passes");
    ensure!(args.saved.is_none() || args.mode == Mode::Int8, "--saved belongs to --mode int8");
    let workload = workload.measuring(args.steps || args.explain).in_numeric(args.mode.numeric());
    let workload = Workload { weights: args.weights.clone(), saved: args.saved.clone(), ..workload };
    if let Some(callers) = args.callers {
        ensure!(args.engine == EngineName::Plan, "--callers belongs to --engine plan");
        let [one, several] = bench::callers(&workload, usize::from(callers), args.runs)?;
        println!(
            "{}, {}, batches of {}, threads: {}: one caller {one:.1} images/s, {callers} at once {several:.1}: {:.3}",
            args.network,
            args.mode,
            args.batch,
            rerun::threads(),
            several / one
        );
        return Ok(());
    }
    if !args.train {
        cnn_train::check_evaluation_fits(&workload.network, workload.batch)?;
    }
    let batch = workload.batch()?;
    let base = Memory::now();
    let mut engine = bench::open(args.engine, &workload, batch)?;
    if args.serve {
        return bench::serve(engine.as_mut(), base, args.train);
    }
    ensure!(
        args.engine == EngineName::Plan || !(args.scaling || args.steps || args.explain),
        "--scaling, --steps and --explain belong to --engine plan"
    );
    if args.scaling {
        return print_scaling(engine.as_mut(), args.runs);
    }
    let (mut explained, mut warm) = (args.explain.then(|| explain::Steps::begin(engine.as_ref())), Vec::new());
    let times = take_times(engine.as_mut(), args.runs, |engine, counts| {
        if args.steps && !counts {
            warm = engine.steps();
        }
        if let Some(steps) = &mut explained {
            steps.after(engine, counts);
        }
    })?;
    let (_, output) = engine.output()?;
    ensure!(output.iter().all(|value| value.is_finite()), "the network's output is no longer a number");
    let measured = Measured { args, workload, times, base, peak: Memory::now().peak };
    if args.json {
        println!("{:#}", measured.as_json());
    } else {
        measured.print();
    }
    if args.steps {
        print_steps(engine.as_ref(), &warm, args.runs);
    }
    if let Some(steps) = explained {
        steps.print(engine.as_ref(), args.batch as usize);
    }
    Ok(())
}

/// The times of the runs. `over` hears of each that is over, and whether it counts.
fn take_times(engine: &mut dyn Engine, runs: u32, mut over: impl FnMut(&dyn Engine, bool)) -> Result<Times> {
    let bar = progress::bar(u64::from(WARM_UP + runs));
    let mut times = Vec::new();
    for run in 0..WARM_UP + runs {
        let started = Instant::now();
        engine.step()?;
        let time = milliseconds(started.elapsed());
        if run >= WARM_UP {
            times.push(time);
        }
        over(engine, run >= WARM_UP);
        bar.set_message(format!("{time:.1} ms"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Times::new(times))
}

/// What more threads gain, in turns with what they gain a loop that nothing but the clock bounds.
fn print_scaling(engine: &mut dyn Engine, runs: u32) -> Result<()> {
    let widths = [1, rerun::threads()];
    let mut times = widths.map(|_| Vec::new());
    let mut peaks = widths.map(|_| Vec::new());
    for run in 0..WARM_UP + runs {
        for (i, width) in widths.into_iter().enumerate() {
            threads::set_threads(width);
            let peak = peak::multiply_adds(InstructionSet::chosen());
            let started = Instant::now();
            engine.step()?;
            if run >= WARM_UP {
                times[i].push(milliseconds(started.elapsed()));
                peaks[i].push(peak / 1e9);
            }
        }
    }
    let [times, peaks] = [times, peaks].map(|medians| medians.map(|values| Times::new(values).median()));
    for i in 0..2 {
        println!("threads: {}: {:.1} ms a step, {:.0} GFLOP/s in registers", widths[i], times[i], peaks[i]);
    }
    let (gain, most) = (times[0] / times[1], peaks[1] / peaks[0]);
    println!("gain {gain:.3} of {most:.3}: {:.3}", gain / most);
    Ok(())
}

/// What an engine says of its steps.
type Taken = (String, String, [f64; 3]);

/// The slowest steps of the runs that count, and the sum of all; `warm` is what the runs before them took.
fn print_steps(engine: &dyn Engine, warm: &[Taken], runs: u32) {
    const SHOWN: usize = 40;
    let mut steps = engine.steps();
    for ((.., times), (.., before)) in steps.iter_mut().zip(warm) {
        *times = [0, 1, 2].map(|i| times[i] - before[i]);
    }
    let total = |times: &[f64; 3]| times.iter().sum::<f64>();
    let all = steps.iter().fold([0.0; 3], |all: [f64; 3], (_, _, times)| [0, 1, 2].map(|i| all[i] + times[i]));
    steps.sort_by(|a, b| total(&b.2).total_cmp(&total(&a.2)));
    steps.insert(0, ("all".to_string(), String::new(), all));
    let mean = plural(runs as usize, "run", "runs");
    println!("{:>10} {:>10} {:>10}  milliseconds a step, the mean of {mean}", "forward", "inputs", "weights");
    for (path, work, times) in steps.iter().take(SHOWN) {
        let [forward, inputs, weights] = times.map(|time| time / f64::from(runs));
        println!("{forward:>10.3} {inputs:>10.3} {weights:>10.3}  {path} {work}");
    }
}

/// Milliseconds, of less than one more digits.
fn digits(ms: f64) -> String {
    if ms < 1.0 { format!("{ms:.4}") } else { format!("{ms:.2}") }
}

struct Measured<'a> {
    args: &'a cli::Bench,
    workload: Workload,
    times: Times,
    base: Memory,
    peak: Option<u64>,
}

impl Measured<'_> {
    fn images_per_second(&self) -> f64 {
        1e3 * self.workload.batch as f64 / self.times.median()
    }

    fn gflops(&self) -> f64 {
        self.workload.operations() / self.times.median() / 1e6
    }

    fn as_json(&self) -> Value {
        json!({
            "network": self.args.network,
            "shape": self.workload.shape(),
            "classes": self.workload.classes,
            "batch": self.workload.batch,
            "train": self.workload.train,
            "dropout": false,
            "threads": rerun::threads(),
            "engine": self.args.engine.to_string(),
            "mode": self.args.mode.to_string(),
            "median_ms": self.times.median(),
            "min_ms": self.times.min(),
            "runs": self.times.len(),
            "images_per_second": self.images_per_second(),
            "gflops": self.gflops(),
            "peak_rss_bytes": self.peak,
            "base_rss_bytes": self.base.resident,
        })
    }

    fn print(&self) {
        let what = if self.workload.train { "a training step" } else { "a forward pass" };
        println!(
            "{}: {what} of {} × {}, {}, without dropout; {}, {}, threads: {}",
            self.args.network,
            self.workload.batch,
            times(&self.workload.shape()),
            plural(self.workload.classes, "class", "classes"),
            self.args.engine,
            self.args.mode,
            rerun::threads()
        );
        println!(
            "median {} ms, min {} ms of {} runs: {:.1} images/s, {:.1} GFLOP/s",
            digits(self.times.median()),
            digits(self.times.min()),
            self.times.len(),
            self.images_per_second(),
            self.gflops()
        );
        if let (Some(peak), Some(base)) = (self.peak, self.base.resident) {
            let above = peak.saturating_sub(base);
            println!("peak memory {}, {} above what was held before the network", bytes(peak), bytes(above));
        }
    }
}
