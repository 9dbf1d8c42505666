//! An inference plan, step by step: how each is computed, what it moves, and its time beside what was predicted.

use super::engine::Engine;
use super::times::{Times, milliseconds};
use cnn_figures::plural;
use cnn_kernels::narrow::bf16;
use cnn_kernels::{InstructionSet, peak};
use cnn_plan::{Numeric, StepReport};
use std::fmt;
use std::time::Duration;

/// How often each roof is measured before the runs, and how often after them: other work lowers one that is measured once.
const ROOFS: usize = 5;

/// What the steps of an engine took, run by run.
pub struct Steps {
    roofs: Roofs,
    /// The time of each step up to now.
    so_far: Vec<Duration>,
    /// Milliseconds of each step in the runs that count.
    times: Vec<Vec<f64>>,
}

impl Steps {
    /// Before the first run.
    pub fn begin(engine: &dyn Engine) -> Self {
        let steps = engine.explained();
        let so_far = steps.iter().map(|step| step.measured).collect();
        let mut roofs = Roofs(Vec::new());
        roofs.raise(&steps);
        Self { roofs, so_far, times: vec![Vec::new(); steps.len()] }
    }

    /// After a run, which counts unless it warms up.
    pub fn after(&mut self, engine: &dyn Engine, counts: bool) {
        for ((step, so_far), times) in engine.explained().iter().zip(&mut self.so_far).zip(&mut self.times) {
            let before = std::mem::replace(so_far, step.measured);
            times.extend(counts.then(|| milliseconds(step.measured.saturating_sub(before))));
        }
    }

    /// Prints a line for each step, with the median of its times. The roof is that of products which touch registers only, of
    /// the numbers that the step multiplies; an algorithm that does fewer products than the definition may be above it.
    pub fn print(mut self, engine: &dyn Engine, batch: usize) {
        let steps = engine.explained();
        self.roofs.raise(&steps);
        let (roofs, runs) = (&self.roofs, self.times.first().map_or(0, Vec::len));
        let width = steps.iter().map(|step| step.path.len()).max().unwrap_or(0);
        println!(
            "{:>9} {:>9} {:>8} {:>6} {:>9} {:>9}  ms: the median of {}; roof: {roofs} in registers, the greatest of {}",
            "ms",
            "predicted",
            "GFLOP/s",
            "roof",
            "weights",
            "values",
            plural(runs, "run", "runs"),
            2 * ROOFS
        );
        let times: Vec<f64> = self.times.into_iter().map(|times| Times::new(times).median()).collect();
        for (step, ms) in steps.iter().zip(&times) {
            let why = step.in_f32.map_or_else(String::new, |why| format!(", in f32: {why}"));
            println!(
                "{}  {:width$}  {}{why}",
                numbers(step, batch, *ms, roofs.of_products(step.products)),
                step.path,
                step.algorithm
            );
        }
        let all: f64 = times.iter().sum();
        let flops: f64 = steps.iter().map(|step| step.flops).sum::<f64>() * batch as f64;
        // The least time by the roofs, as a share of what it took.
        let bound = |step: &StepReport<'_>| step.flops * batch as f64 / roofs.of_products(step.products);
        let share = 100.0 * steps.iter().map(bound).sum::<f64>() * 1e3 / all;
        println!("{all:>9.3} {:>9} {:>8.1} {share:>5.0}%  all steps", "", flops / all / 1e6);
    }
}

/// Multiplications and additions a second in registers alone, of each kind of number that is multiplied: the most so far.
struct Roofs(Vec<(Numeric, f64)>);

impl Roofs {
    /// Measures those of the steps' numbers.
    fn raise(&mut self, steps: &[StepReport<'_>]) {
        let set = InstructionSet::chosen();
        for step in steps {
            if !self.0.iter().any(|(numeric, _)| *numeric == step.products) {
                self.0.push((step.products, 0.0));
            }
        }
        for (numeric, most) in &mut self.0 {
            for _ in 0..ROOFS {
                *most = most.max(match numeric {
                    Numeric::Bf16 => peak::products::<bf16>(set),
                    Numeric::Int8 => peak::products::<u8>(set),
                    _ => peak::multiply_adds(set),
                });
            }
        }
    }

    fn of_products(&self, numeric: Numeric) -> f64 {
        self.0.iter().find(|(known, _)| *known == numeric).map_or(f64::INFINITY, |(_, roof)| *roof)
    }
}

impl fmt::Display for Roofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roofs = self.0.iter().map(|(numeric, roof)| format!("{:.0} GFLOP/s of {numeric}", roof / 1e9));
        f.write_str(&roofs.collect::<Vec<_>>().join(", "))
    }
}

fn numbers(step: &StepReport<'_>, batch: usize, ms: f64, roof: f64) -> String {
    let predicted = step.predicted.map_or("-".to_string(), |predicted| format!("{:.3}", milliseconds(predicted)));
    let megabytes = |bytes: usize| format!("{:.2} MB", bytes as f64 / 1e6);
    let flops = step.flops * batch as f64;
    let (rate, share) = match flops > 0.0 && ms > 0.0 {
        true => (format!("{:.1}", flops / ms / 1e6), format!("{:.0}%", 100.0 * flops / ms * 1e3 / roof)),
        false => ("-".to_string(), "-".to_string()),
    };
    let (weights, values) = (megabytes(step.weight_bytes), megabytes(step.value_bytes * batch));
    format!("{ms:>9.3} {predicted:>9} {rate:>8} {share:>6} {weights:>9} {values:>9}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;

    /// One step, whose runs take so many milliseconds.
    struct Paced {
        runs: Vec<u64>,
        taken: usize,
    }

    impl Engine for Paced {
        fn step(&mut self) -> Result<()> {
            self.taken += 1;
            Ok(())
        }

        fn output(&self) -> Result<(Vec<usize>, Vec<f32>)> {
            Ok((Vec::new(), Vec::new()))
        }

        fn explained(&self) -> Vec<StepReport<'_>> {
            let measured = Duration::from_millis(self.runs[..self.taken].iter().sum());
            vec![StepReport {
                path: "conv",
                algorithm: "direct",
                flops: 2.0,
                weight_bytes: 4,
                value_bytes: 4,
                products: Numeric::F32,
                predicted: None,
                measured,
                in_f32: None,
            }]
        }
    }

    #[test]
    fn the_time_of_a_step_is_that_of_the_runs_that_count() -> Result<()> {
        let mut engine = Paced { runs: vec![900, 700, 4, 6, 100], taken: 0 };
        let mut steps = Steps::begin(&engine);
        for run in 0..5 {
            engine.step()?;
            steps.after(&engine, run >= 2);
        }
        assert_eq!(steps.times, [[4.0, 6.0, 100.0]]);
        let roof = steps.roofs.of_products(Numeric::F32);
        steps.roofs.raise(&engine.explained());
        assert!(roof > 0.0 && steps.roofs.of_products(Numeric::F32) >= roof);
        Ok(())
    }
}
