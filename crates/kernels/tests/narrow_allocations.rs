//! No narrow kernel allocates: what a call needs is known before.

#![cfg(not(miri))]

use cnn_kernels::narrow::{Finish, Origin, Pool, Source, Target, Weights, bf16, transfer};
use cnn_kernels::pool::{Average, Max};
use cnn_kernels::{Conv, InstructionSet, Region, View, threads};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which counts.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn calls_allocate_nothing() {
    let set = InstructionSet::chosen();
    threads::set_threads(2);
    let conv = Conv {
        in_channels: 40,
        out_channels: 70,
        groups: 1,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
    };
    let (from, to) = (Region::new(2, 40, [9, 20]), Region::new(2, 70, [9, 20]));
    let bytes = Weights::<u8>::new(&conv, set, &vec![1; conv.weights()]);
    let halves = Weights::<bf16>::new(&conv, set, &vec![1.0; conv.weights()]);
    let mut workspace = vec![0.0; bytes.workspace(&from).max(halves.workspace(&from))];
    let (read, mut written) = (vec![1; from.len()], vec![0; to.len()]);
    let (read_halves, mut written_halves) = (vec![bf16::ONE; from.len()], vec![bf16::ZERO; to.len()]);
    let wide = vec![1.0; from.len()];
    let pool = Max { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] };
    let pool = Pool::max(&pool, [9, 20], [9, 20]).unwrap();
    let (mut pooled, global) = (vec![0; from.len()], Pool::average(&Average::global([9, 20]), [9, 20]).unwrap());
    let small = Region::new(2, 40, [1, 1]);
    let mut calls = || {
        let finish = Finish::default();
        bytes.convolve(Source::plain(&read, from), Target::Narrow(&mut written, to), &finish, &mut workspace);
        let source = Source::plain(&read_halves, from);
        halves.convolve(source, Target::Narrow(&mut written_halves, to), &Finish::default(), &mut workspace);
        pool.run(set, Source::plain(&read, from), Target::Narrow(&mut pooled, from), &finish);
        global.run(set, Source::plain(&read, from), Target::Narrow(&mut pooled, small), &finish);
        transfer(set, Origin::Wide(View::plain(&wide, from)), Target::Narrow(&mut pooled, from), &finish);
    };
    // The pool makes its threads when they are first needed, and on a busy machine whoever started this test may still be
    // writing down that it did. What allocates, allocates in every call.
    let mut allocations = || {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        calls();
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    let found: Vec<usize> = std::iter::repeat_with(&mut allocations).take(10).collect();
    assert!(found.contains(&0), "{found:?}");
    assert!(ALLOCATIONS.load(Ordering::Relaxed) > 0, "it counts");
}
