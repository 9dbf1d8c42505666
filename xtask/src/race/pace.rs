//! How fast the processor is at the moment, by work that never changes.
//!
//! What others compute on the same processor, as beside a virtual machine, shows in no list of programs: it takes caches and
//! memory, and hurts contestants differently. So before and after every turn some of either is measured.

use cnn_kernels::{InstructionSet, peak, threads::for_each};
use std::hint::black_box;
use std::time::Instant;

/// Times the best that computing and reading may take while nobody disturbs. Where a second program shares a core's units, the
/// first takes 1.3 times as long and more; reading is uneven by itself.
const SLOWER: [f64; 2] = [1.15, 1.6];
/// Measures of which the fastest counts: what lasts a moment disturbs no turn.
const LOOKS: usize = 3;
/// Numbers of eight bytes that are read: more than second-level caches hold.
const NUMBERS: usize = 2 << 20;

/// Seconds of a measure; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Multiply-adds in registers.
    computing: f64,
    /// Reading what lies in the last cache, or in memory.
    reading: f64,
}

/// What measures, and the best it has found.
pub struct Pacer {
    numbers: Vec<u64>,
    threads: usize,
    best: Pace,
}

impl Pace {
    /// The slower of both.
    pub fn worse(self, other: Self) -> Self {
        Self { computing: self.computing.max(other.computing), reading: self.reading.max(other.reading) }
    }
}

impl Pacer {
    /// With as many threads as a contestant has.
    pub fn new(threads: usize) -> Self {
        let best = Pace { computing: f64::INFINITY, reading: f64::INFINITY };
        Self { numbers: (0..NUMBERS as u64).collect(), threads, best }
    }

    /// Measures once more.
    pub fn look(&mut self) -> Pace {
        let fastest = |measure: &dyn Fn() -> f64| (0..LOOKS).map(|_| measure()).fold(f64::INFINITY, f64::min);
        let pace = Pace {
            computing: fastest(&|| 1.0 / peak::multiply_adds(InstructionSet::widest())),
            reading: fastest(&|| self.read()),
        };
        self.best =
            Pace { computing: self.best.computing.min(pace.computing), reading: self.best.reading.min(pace.reading) };
        pace
    }

    /// Whether nobody disturbed, as far as it is known by now.
    pub fn is_quiet(&self, pace: &Pace) -> bool {
        pace.computing <= SLOWER[0] * self.best.computing && pace.reading <= SLOWER[1] * self.best.reading
    }

    fn read(&self) -> f64 {
        let (started, each) = (Instant::now(), self.numbers.len().div_ceil(self.threads.max(1)));
        let parts: Vec<&[u64]> = self.numbers.chunks(each).collect();
        for_each(parts.len(), |part| {
            black_box(parts[part].iter().fold(0, |sum: u64, number| sum.wrapping_add(*number)));
        });
        started.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slower_than_the_best_by_more_than_a_little_is_not_quiet() {
        let mut pacer = Pacer::new(1);
        let pace = |computing, reading| Pace { computing, reading };
        pacer.best = pace(1.0, 2.0);
        assert!(pacer.is_quiet(&pace(1.1, 3.0)));
        assert!(!pacer.is_quiet(&pace(1.2, 2.0)) && !pacer.is_quiet(&pace(1.0, 3.3)));
        assert_eq!(pace(1.0, 3.0).worse(pace(2.0, 1.0)), pace(2.0, 3.0));
        let measured = pacer.look();
        assert!(measured.reading > 0.0 && pacer.best.computing <= measured.computing);
    }
}
