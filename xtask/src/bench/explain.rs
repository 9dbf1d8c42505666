//! An inference plan, step by step: how each is computed, what it moves, and its time beside what was predicted.

use super::engine::Engine;
use super::times::milliseconds;
use cnn_kernels::narrow::bf16;
use cnn_kernels::{InstructionSet, peak};
use cnn_plan::{Numeric, StepReport};
use std::fmt;

/// Prints a line for each step. The roof is that of products which touch registers only, taken just before, of the numbers
/// that the step multiplies; an algorithm that does fewer products than the definition may be above it.
pub fn print(engine: &dyn Engine, batch: usize, runs: u32) {
    let steps = engine.explained();
    let roofs = Roofs::of(&steps);
    let width = steps.iter().map(|step| step.path.len()).max().unwrap_or(0);
    println!(
        "{:>9} {:>9} {:>8} {:>6} {:>9} {:>9}  roof: {} in registers",
        "ms", "predicted", "GFLOP/s", "roof", "weights", "values", roofs
    );
    for step in &steps {
        let ms = milliseconds(step.measured) / f64::from(runs);
        let why = step.in_f32.map_or_else(String::new, |why| format!(", in f32: {why}"));
        println!(
            "{}  {:width$}  {}{why}",
            numbers(step, batch, ms, roofs.of_products(step.products)),
            step.path,
            step.algorithm
        );
    }
    let all: f64 = steps.iter().map(|step| milliseconds(step.measured) / f64::from(runs)).sum();
    let flops: f64 = steps.iter().map(|step| step.flops).sum::<f64>() * batch as f64;
    // The least time by the roofs, as a share of what it took.
    let bound = |step: &StepReport<'_>| step.flops * batch as f64 / roofs.of_products(step.products);
    let share = 100.0 * steps.iter().map(bound).sum::<f64>() * 1e3 / all;
    println!("{all:>9.3} {:>9} {:>8.1} {share:>5.0}%  all steps", "", flops / all / 1e6);
}

/// Multiplications and additions a second in registers alone, of each kind of number that is multiplied.
struct Roofs(Vec<(Numeric, f64)>);

impl Roofs {
    fn of(steps: &[StepReport<'_>]) -> Self {
        let set = InstructionSet::chosen();
        let mut roofs: Vec<(Numeric, f64)> = Vec::new();
        for step in steps {
            if !roofs.iter().any(|(numeric, _)| *numeric == step.products) {
                let roof = match step.products {
                    Numeric::Bf16 => peak::products::<bf16>(set),
                    Numeric::Int8 => peak::products::<u8>(set),
                    _ => peak::multiply_adds(set),
                };
                roofs.push((step.products, roof));
            }
        }
        Self(roofs)
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
