//! Takes a case's time, and says which part of the machine's best it comes to.

use crate::machine::{Access, Machine};
use cnn_kernels::InstructionSet;
use criterion::{Criterion, Throughput};
use std::time::{Duration, Instant};

/// A kernel on its operands, ready to be called.
pub type Run = Box<dyn FnMut()>;

/// What bounds a kernel, and how much of it a call takes.
#[derive(Clone, Copy)]
pub enum Work {
    /// Multiplications and additions.
    Flops(usize),
    /// The same of narrow numbers, with how many a second there can be at best.
    Narrow(usize, fn(InstructionSet) -> f64),
    /// Bytes read and written, each counted once.
    Bytes { read: usize, written: usize },
}

pub struct Report<'c> {
    criterion: &'c mut Criterion,
    machine: Machine,
}

impl<'c> Report<'c> {
    pub fn new(criterion: &'c mut Criterion) -> Self {
        Self { criterion, machine: Machine::new() }
    }

    /// Takes the time of `kernel` on `problem`. `prepare` makes the operands and checks what the kernel computes; it is
    /// called only if the case was asked for.
    pub fn case(&mut self, kernel: &str, problem: &str, work: Work, prepare: impl FnOnce() -> Run) {
        let (mut prepare, mut run, mut times) = (Some(prepare), None, Vec::new());
        let mut group = self.criterion.benchmark_group(kernel);
        group.throughput(match work {
            Work::Flops(flops) | Work::Narrow(flops, _) => Throughput::Elements(flops as u64),
            Work::Bytes { read, written } => Throughput::Bytes((read + written) as u64),
        });
        let mut before = None;
        group.bench_function(problem, |bencher| {
            let run = run.get_or_insert_with(|| (prepare.take().expect("once"))());
            before.get_or_insert_with(|| self.machine.best(work));
            bencher.iter_custom(|calls| {
                let start = Instant::now();
                (0..calls).for_each(|_| run());
                let time = start.elapsed();
                times.push(time / u32::try_from(calls).unwrap_or(u32::MAX));
                time
            });
        });
        group.finish();
        // Clocks change with load and with neighbours: what the machine can do is asked before and after.
        let Some(before) = before else { return };
        let best = before.max(self.machine.best(work));
        // The first calls are made with cold caches, some while criterion warms up.
        let mut times = times.split_off(times.len() / 2);
        times.sort_unstable();
        println!("{:24}{}\n", "", sentence(work, times[times.len() / 2], best, &self.machine));
    }
}

fn sentence(work: Work, time: Duration, best: f64, machine: &Machine) -> String {
    let rate = |amount: usize| amount as f64 / time.as_secs_f64();
    match work {
        Work::Flops(flops) | Work::Narrow(flops, _) => {
            let (share, rate) = (100.0 * rate(flops) / best, rate(flops) * 1e-9);
            format!("{rate:.0} GFLOP/s, {share:.0} % of {:.0}, the peak of {machine}", best * 1e-9)
        }
        Work::Bytes { read, written } => {
            let (share, rate) = (100.0 * rate(read + written) / best, rate(read + written) * 1e-9);
            let access = Access::of(work);
            format!("{rate:.1} GB/s, {share:.0} % of {:.1}, {access} as many bytes on {machine}", best * 1e-9)
        }
    }
}
