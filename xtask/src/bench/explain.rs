//! An inference plan, step by step: how each is computed, what it moves, and its time beside what was predicted.

use super::engine::Engine;
use super::times::milliseconds;
use cnn_kernels::{InstructionSet, peak};
use cnn_plan::StepReport;

/// Prints a line for each step. The roof is that of multiply-adds which touch registers only, taken just before; an
/// algorithm that does fewer than the definition may be above it.
pub fn print(engine: &dyn Engine, batch: usize, runs: u32) {
    let roof = peak::multiply_adds(InstructionSet::chosen());
    let steps = engine.explained();
    let width = steps.iter().map(|step| step.path.len()).max().unwrap_or(0);
    println!(
        "{:>9} {:>9} {:>8} {:>6} {:>9} {:>9}  roof: {:.0} GFLOP/s in registers",
        "ms",
        "predicted",
        "GFLOP/s",
        "roof",
        "weights",
        "values",
        roof / 1e9
    );
    for step in &steps {
        let ms = milliseconds(step.measured) / f64::from(runs);
        let why = step.in_f32.map_or_else(String::new, |why| format!(", in f32: {why}"));
        println!("{}  {:width$}  {}{why}", numbers(step, batch, ms, roof), step.path, step.algorithm);
    }
    let all: f64 = steps.iter().map(|step| milliseconds(step.measured) / f64::from(runs)).sum();
    let flops: f64 = steps.iter().map(|step| step.flops).sum::<f64>() * batch as f64;
    println!("{all:>9.3} {:>9} {:>8.1} {:>5.0}%  all steps", "", flops / all / 1e6, 100.0 * flops / all * 1e3 / roof);
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
