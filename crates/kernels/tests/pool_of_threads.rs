//! The pool: every task once, loops within loops, panics.

mod common;

use cnn_kernels::threads::{busy, for_each, set_threads, threads};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

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
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for_each(10, |outer| for_each(5, |inner| _ = done[outer * 5 + inner].fetch_add(1, Ordering::Relaxed)));
            });
        }
    });
    assert!(each_is(&done, 3));
}

/// Which threads work on a loop that is long enough for all to come.
fn at_work() -> usize {
    let seen = Mutex::new(BTreeSet::new());
    for_each(40, |_| {
        thread::sleep(Duration::from_millis(2));
        seen.lock().expect("no task panics").insert(format!("{:?}", thread::current().id()));
    });
    let seen = seen.into_inner().expect("no task panics");
    seen.len()
}

/// The same beside so many busy threads.
fn beside(others: usize) -> usize {
    let barrier = Barrier::new(others + 1);
    thread::scope(|scope| {
        for _ in 0..others {
            scope.spawn(|| {
                let _busy = busy();
                barrier.wait();
                barrier.wait();
            });
        }
        barrier.wait();
        let found = at_work();
        barrier.wait();
        found
    })
}

#[test]
fn busy_threads_keep_their_cores() {
    let _alone = common::alone();
    set_threads(3);
    let all = at_work();
    // Twice on one thread is once; and whoever is busy alone is helped by all.
    let (first, second) = (busy(), busy());
    assert_eq!(at_work(), all);
    assert_eq!([1, 2, 3].map(beside), [2, 1, 1]);
    // It lasts until the last has gone, whichever that is: others leave the thread its core until then.
    let elsewhere = || thread::scope(|scope| scope.spawn(at_work).join().expect("no task panics"));
    assert_eq!(elsewhere(), all - 1);
    drop(first);
    assert_eq!(elsewhere(), all - 1);
    drop(second);
    assert_eq!([elsewhere(), at_work()], [all; 2]);
    set_threads(0);
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
            let said = outcome.unwrap_err().downcast::<String>().expect("the message of a failed assertion");
            assert!(said.contains("meant to fail"), "{said}");
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

#[test]
fn the_number_of_threads_is_bounded_and_told() {
    let _alone = common::alone();
    let own = set_threads(0);
    let most = 16.max(4 * own);
    for (asked, given) in [(1, 1), (2, 2), (most, most), (most + 1, most), (10_000, most), (usize::MAX, most)] {
        assert_eq!([set_threads(asked), threads()], [given; 2], "{asked} threads");
    }
    let done = counters(1000);
    for_each(1000, |task| _ = done[task].fetch_add(1, Ordering::Relaxed));
    assert!(each_is(&done, 1));
    set_threads(0);
}

/// Callers and workers that have to sleep in the middle of loops, and loops that begin while workers fall asleep.
#[test]
fn loops_end_however_long_anyone_waits() {
    let _alone = common::alone();
    let pauses: &[u64] = if cfg!(miri) { &[0] } else { &[0, 20, 90, 110, 400, 3000] };
    for width in [2, 3] {
        set_threads(width);
        for pause in pauses {
            let pause = Duration::from_micros(*pause);
            for round in 0..ROUNDS {
                let done = counters(7);
                for_each(7, |task| {
                    if task % 3 == round % 3 {
                        thread::sleep(pause);
                    }
                    done[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(each_is(&done, 1), "{width} threads, {pause:?}");
                thread::sleep(pause);
            }
        }
    }
    set_threads(0);
}

/// A process that can have no more threads goes on with those it has. The sanitizer needs memory for each thread itself.
#[cfg(all(target_os = "linux", not(miri), not(exact_scratch)))]
#[test]
fn threads_that_cannot_be_had_are_done_without() {
    const CHILD: &str = "CNN_TEST_FEW_THREADS";
    let _alone = common::alone();
    if std::env::var_os(CHILD).is_none() {
        let own = std::env::current_exe().expect("a test knows its program");
        let name = "threads_that_cannot_be_had_are_done_without";
        let child = std::process::Command::new(own).args(["--exact", name, "--nocapture"]).env(CHILD, "1").output();
        let child = child.expect("the test starts itself");
        assert!(child.status.success() && String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
        return;
    }
    // A thread's stack takes two megabytes.
    let pages = std::fs::read_to_string("/proc/self/statm").expect("the system tells the memory in use");
    let pages: u64 = pages.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number of pages");
    let most = pages * 4096 + (1 << 20);
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: only this process is limited, and `limit` outlives the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    assert_eq!(set_threads(4), 4);
    for _ in 0..3 {
        let done = counters(10);
        for_each(10, |task| _ = done[task].fetch_add(1, Ordering::Relaxed));
        assert!(each_is(&done, 1));
        assert_eq!(threads(), 1);
    }
}

/// More tasks than are counted run on the caller's thread, and later loops on all.
#[test]
fn more_tasks_than_are_counted_leave_the_pool_as_it_was() {
    let Ok(tasks) = usize::try_from(1_u64 << 32) else { return };
    let _alone = common::alone();
    set_threads(2);
    let all = at_work();
    let ended = catch_unwind(|| {
        for_each(tasks, |task| {
            if task == 3 {
                panic!("the fourth")
            }
        })
    });
    assert_eq!(ended.expect_err("a task has panicked").downcast_ref::<&str>(), Some(&"the fourth"));
    assert_eq!(at_work(), all);
    set_threads(0);
}
