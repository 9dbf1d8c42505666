//! What the machine can do at best: multiply-adds that never leave the registers, plain loops over memory.

use crate::report::Work;
use cnn_kernels::peak::multiply_adds;
use cnn_kernels::threads::{for_each, threads};
use cnn_kernels::{Buffer, InstructionSet};
use std::fmt;
use std::hint::black_box;
use std::time::Instant;

/// The instructions and threads everything here runs on: those of the kernels.
pub struct Machine {
    set: InstructionSet,
    threads: usize,
}

/// How memory is gone through.
#[derive(Clone, Copy, PartialEq)]
pub enum Access {
    /// One array read.
    Read,
    /// Two arrays read, one written: `a[i] = b[i] + s · c[i]`.
    Triad,
}

impl Access {
    pub fn of(work: Work) -> Self {
        match work {
            Work::Bytes { written: 0, .. } | Work::Flops(_) | Work::Narrow(..) => Self::Read,
            Work::Bytes { .. } => Self::Triad,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Read { "a sum over" } else { "a triad over" })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} threads", self.set, self.threads)
    }
}

/// Numbers a task takes from memory.
const CHUNK: usize = 1 << 14;

impl Machine {
    pub fn new() -> Self {
        Self { set: InstructionSet::chosen(), threads: threads() }
    }

    /// Flops or bytes a second, the best of some tries.
    pub fn best(&self, work: Work) -> f64 {
        match work {
            Work::Narrow(_, products) => (0..5).map(|_| products(self.set)).fold(0.0, f64::max),
            Work::Flops(_) => (0..5).map(|_| multiply_adds(self.set)).fold(0.0, f64::max),
            Work::Bytes { read, written } => match Access::of(work) {
                Access::Read => {
                    let numbers = Buffer::<f32>::from_slice(&vec![1.0; read / size_of::<f32>()]);
                    rate(7, || {
                        for_each(numbers.len().div_ceil(CHUNK), |task| {
                            let end = numbers.len().min((task + 1) * CHUNK);
                            black_box(sum(self.set, &numbers[task * CHUNK..end]));
                        });
                        size_of_val(&*numbers)
                    })
                }
                Access::Triad => {
                    let length = (read + written) / 3 / size_of::<f32>();
                    let [mut a, b, c] = [0; 3].map(|_| Buffer::<f32>::from_slice(&vec![1.0; length]));
                    rate(7, || {
                        let to: Vec<_> = a.chunks_mut(CHUNK).map(std::sync::Mutex::new).collect();
                        for_each(to.len(), |task| {
                            let mut a = to[task].lock().expect("each chunk has one task");
                            let range = task * CHUNK..task * CHUNK + a.len();
                            triad(self.set, &mut a, &b[range.clone()], &c[range]);
                        });
                        3 * size_of_val(&*b)
                    })
                }
            },
        }
    }
}

fn rate(tries: usize, mut run: impl FnMut() -> usize) -> f64 {
    let mut best: f64 = 0.0;
    for _ in 0..tries {
        let start = Instant::now();
        let amount = run();
        best = best.max(amount as f64 / start.elapsed().as_secs_f64());
    }
    best
}

/// Runs a function compiled for an instruction set.
macro_rules! compiled {
    ($name:ident($($argument:ident: $type:ty),*) -> $result:ty, $body:ident) => {
        fn $name(set: InstructionSet, $($argument: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn avx512($($argument: $type),*) -> $result {
                    $body($($argument),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) -> $result {
                    $body($($argument),*)
                }
                match set {
                    // SAFETY: `set` is one this CPU has.
                    InstructionSet::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: as above.
                    InstructionSet::Avx2 => return unsafe { avx2($($argument),*) },
                    _ => {}
                }
            }
            let _ = set;
            $body($($argument),*)
        }
    };
}

compiled!(sum(numbers: &[f32]) -> f32, sum_body);
compiled!(triad(a: &mut [f32], b: &[f32], c: &[f32]) -> (), triad_body);

#[inline(always)]
fn sum_body(numbers: &[f32]) -> f32 {
    let mut sums = [0.0; 128];
    for chunk in numbers.chunks_exact(128) {
        for (sum, number) in sums.iter_mut().zip(chunk) {
            *sum += number;
        }
    }
    sums.iter().sum()
}

#[inline(always)]
fn triad_body(a: &mut [f32], b: &[f32], c: &[f32]) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + 3.0 * c;
    }
}
