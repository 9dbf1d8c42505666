//! The pool: every task once, loops within loops, panics.

mod common;

use cnn_kernels::threads::{for_each, set_threads, threads};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

const ROUNDS: usize = if cfg!(miri) { 2 } else { 20 };

fn counters(count: usize) -> Vec<AtomicUsize> {
    (0..count).map(|_| AtomicUsize::new(0)).collect()
}

fn each_is(counters: &[AtomicUsize], count: usize) -> bool {
    counters.iter().all(|counter| counter.load(Ordering::Relaxed) == count)
}

#[test]
fn every_task_runs_once() {
    let _alone = common::alone();
    for width in [1, 2, 3, 8, 2, 1] {
        set_threads(width);
        assert_eq!(threads(), width);
        for tasks in [0, 1, 2, 7, if cfg!(miri) { 20 } else { 1000 }] {
            for _ in 0..ROUNDS {
                let done = counters(tasks);
                for_each(tasks, |task| {
                    done[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(each_is(&done, 1), "{tasks} tasks on {width} threads");
            }
        }
    }
    set_threads(0);
    assert!(threads() > 0);
}

#[test]
fn loops_within_loops_and_beside_them() {
    let _alone = common::alone();
    set_threads(3);
    let done = counters(50);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for_each(10, |outer| for_each(5, |inner| _ = done[outer * 5 + inner].fetch_add(1, Ordering::Relaxed)));
            });
        }
    });
    assert!(each_is(&done, 3));
}

#[test]
fn a_panic_comes_out_after_the_others_have_run() {
    let _alone = common::alone();
    for width in [1, 2, 3] {
        set_threads(width);
        for _ in 0..ROUNDS {
            let done = AtomicUsize::new(0);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                for_each(40, |task| {
                    assert_ne!(task, 39, "meant to fail");
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert!(outcome.is_err());
            assert_eq!(done.load(Ordering::Relaxed), 39);
            // The pool works on, and has forgotten it.
            for_each(40, |_| _ = done.fetch_add(1, Ordering::Relaxed));
            assert_eq!(done.load(Ordering::Relaxed), 79);
        }
    }
}

#[test]
fn a_panic_within_a_loop_in_a_loop_comes_out() {
    let _alone = common::alone();
    set_threads(3);
    let outcome = catch_unwind(|| for_each(6, |outer| for_each(6, |inner| assert_ne!([outer, inner], [3, 4]))));
    assert!(outcome.is_err());
}
