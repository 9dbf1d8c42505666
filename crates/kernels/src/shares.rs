//! Tasks, shared out among threads.
//!
//! Each thread begins with its own share, tasks one behind the other. From loop to loop that is about the same part of the
//! maps, and of the weights where those are divided, so what it reads is mostly in its own second-level cache. Who has
//! none left takes from the end of another's, so that none waits longer than for a task.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// One of some shares of `0..count`, which differ by one at most.
pub(crate) fn share(count: usize, number: usize, shares: usize) -> Range<usize> {
    count * number / shares..count * (number + 1) / shares
}

/// What is left of the share of each of some threads.
#[derive(Debug, Default)]
pub(crate) struct Shares(Box<[Left]>);

/// What is left of a share: the first task in the upper half, the end in the lower one. On a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Left(AtomicU64);

impl Left {
    fn pack(tasks: Range<u32>) -> u64 {
        u64::from(tasks.start) << 32 | u64::from(tasks.end)
    }

    fn unpack(packed: u64) -> Range<u32> {
        (packed >> 32) as u32..packed as u32
    }

    /// Takes the first, or the last; with it whether it was the only one.
    fn take(&self, first: bool) -> Option<(usize, bool)> {
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let Range { start, end } = Self::unpack(seen);
            if start >= end {
                return None;
            }
            let (task, rest) = if first { (start, start + 1..end) } else { (end - 1, start..end - 1) };
            let only = rest.is_empty();
            match self.0.compare_exchange_weak(seen, Self::pack(rest), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some((task as usize, only)),
                Err(now) => seen = now,
            }
        }
    }
}

impl Shares {
    /// For at most so many threads, without tasks.
    pub(crate) fn new(threads: usize) -> Self {
        Self((0..threads.max(1)).map(|_| Left::default()).collect())
    }

    /// Threads it is for at most.
    pub(crate) fn most(&self) -> usize {
        self.0.len()
    }

    /// Shares out `0..tasks` among the first `threads`, which must not take any meanwhile. What the others had is nobody's.
    pub(crate) fn renew(&self, tasks: usize, threads: usize) {
        assert!(u32::try_from(tasks).is_ok(), "{tasks} tasks of one loop");
        assert!(threads <= self.most(), "{threads} threads, of at most {}", self.most());
        for (thread, left) in self.0.iter().take(threads).enumerate() {
            let own = share(tasks, thread, threads);
            left.0.store(Left::pack(own.start as u32..own.end as u32), Ordering::Relaxed);
        }
    }

    /// A task for one of the first `threads`, and whether it is the last of its own.
    pub(crate) fn take(&self, thread: usize, threads: usize) -> Option<(usize, bool)> {
        self.0[thread].take(true).or_else(|| {
            let others = (thread + 1..threads).chain(0..thread);
            others.into_iter().find_map(|other| self.0[other].take(false)).map(|(task, _)| (task, false))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(shares: &Shares, thread: usize, threads: usize) -> Vec<(usize, bool)> {
        std::iter::from_fn(|| shares.take(thread, threads)).collect()
    }

    #[test]
    fn each_task_is_taken_once_by_whoever_takes() {
        for (tasks, threads) in [(0, 1), (1, 1), (1, 4), (7, 3), (64, 5)] {
            let shares = Shares::new(5);
            for _ in 0..2 {
                shares.renew(tasks, threads);
                // Some threads take none of their own.
                let mut taken: Vec<_> = all(&shares, threads / 2, threads).into_iter().map(|(task, _)| task).collect();
                let own = share(tasks, threads / 2, threads);
                assert!(taken.iter().copied().take(own.len()).eq(own));
                taken.sort_unstable();
                assert_eq!(taken, (0..tasks).collect::<Vec<_>>());
                assert!((0..threads).all(|thread| shares.take(thread, threads).is_none()));
            }
        }
    }

    #[test]
    fn threads_at_once_take_each_task_once() {
        let shares = Shares::new(4);
        shares.renew(10_000, 4);
        let mut taken: Vec<usize> = std::thread::scope(|scope| {
            let shares = &shares;
            let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || all(shares, thread, 4))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).map(|(task, _)| task).collect()
        });
        taken.sort_unstable();
        assert_eq!(taken, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_of_a_share_is_told() {
        let shares = Shares::new(2);
        shares.renew(6, 2);
        let told = [(0, false), (1, false), (2, true), (5, false), (4, false), (3, false)];
        assert_eq!(all(&shares, 0, 2), told);
    }
}
