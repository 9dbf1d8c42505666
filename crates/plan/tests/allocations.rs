//! A plan allocates nothing after its first call, whatever it computes with.

// It serves the other tests too.
#[allow(dead_code)]
mod common;

use cnn_kernels::{InstructionSet, threads};
use cnn_network::Network;
use cnn_network::definition::*;
use cnn_plan::{
    Calibrator, Dropout, InferenceOptions, InferencePlan, Numeric, Parameters, Targets, TrainingOptions, TrainingPlan,
    TrainingRun,
};
use cnn_weights::Weights;
use common::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Whatever any thread allocates is counted.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn allocations() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.allocations + stats.reallocations
}

/// Bytes that a step of training allocates behind the second.
fn allocated_by_a_step(network: &Network, numeric: Numeric) -> Result<usize, Failure> {
    let plan = TrainingPlan::new(network, TrainingOptions { numeric, ..TrainingOptions::default() })?;
    let mut run = TrainingRun::new(&plan, Dropout::default());
    let mut parameters = Parameters::new(network, &Weights::initialised(network, 5))?;
    let images = images(network, 3);
    let mut step = || -> Result<usize, Failure> {
        let before = INSTRUMENTED_SYSTEM.stats().bytes_allocated;
        let forward = run.forward(&mut parameters, &images)?;
        let loss = forward.cross_entropy(&Targets::new(&[0, 1, 2]))?;
        forward.backward(&loss.gradients, &mut |_: usize, _: &mut [f32], _: &[f32]| {}).unwrap();
        Ok(INSTRUMENTED_SYSTEM.stats().bytes_allocated - before)
    };
    step()?;
    step()?;
    step()
}

#[test]
fn a_step_in_bf16_allocates_no_memory_for_what_it_rounds() -> Result<(), Failure> {
    let _alone = alone();
    if Numeric::Bf16.available(InstructionSet::chosen()).is_err() {
        return Ok(());
    }
    threads::set_threads(1);
    let layers = chain()
        .then("stem", conv(7).out(64).stride(2).pad(3))
        .relu()
        .then("three", conv(3).out(64).pad(1))
        .relu()
        .then("one", conv(1).out(128))
        .global_avg_pool()
        .then("scores", linear(11));
    let network = layers.named("plain", [3, 45, 38]).at_usual_input()?;
    let [exact, rounded] = [Numeric::F32, Numeric::Bf16].map(|numeric| allocated_by_a_step(&network, numeric));
    let (exact, rounded) = (exact?, rounded?);
    // Lists of taps differ with the algorithms; rounded weights alone would be 76 KB.
    assert!(rounded < exact + 16 * 1024, "{rounded} bytes, {exact} in f32");
    Ok(())
}

/// What all calls allocate behind the first, of the largest batch.
fn allocated(plan: &InferencePlan, images: &[f32]) -> Result<usize, Failure> {
    let each = plan.network().input().elements();
    let mut workspace = plan.workspace(3)?;
    let mut outputs: Vec<Vec<f32>> = (0..plan.targets().len()).map(|o| vec![0.0; 3 * plan.output_len(o)]).collect();
    let mut call = |batch: usize| -> Result<usize, Failure> {
        let mut slices: Vec<&mut [f32]> =
            outputs.iter_mut().enumerate().map(|(o, output)| &mut output[..batch * plan.output_len(o)]).collect();
        let before = allocations();
        plan.run(&mut workspace, &images[..batch * each], &mut slices)?;
        Ok(allocations() - before)
    };
    call(3)?;
    Ok(call(3)? + call(1)? + call(2)? + call(3)?)
}

#[test]
fn nothing_is_allocated_after_the_first_call_in_any_mode() -> Result<(), Failure> {
    let _alone = alone();
    // Steps of the plan's own, and with two threads; and operations of the other kernels, whose scratch memory belongs to a
    // thread, which may take its first task in any call.
    let own = chain()
        .then("stem", conv(7).out(24).stride(2).pad(3))
        .relu()
        .and(max_pool(3).stride(2).pad(1))
        .then("shortcut", shortcut())
        .relu()
        .then("before", before())
        .and(avg_pool(2))
        .flatten()
        .then("scores", linear(11));
    let three = sum()
        .branch(chain().then("one", conv(1).out(24)))
        .branch(chain().and(max_pool(3).stride(1).pad(1)))
        .branch(chain().then("bn", batch_norm()).relu());
    let others = chain()
        .then("stem", conv(5).out(24).stride(2).pad(2))
        .then("lrn", lrn())
        .then("three", three)
        .then("outer", concatenations(chain().and(avg_pool(3).stride(1).pad(1))))
        .flatten()
        .then("fc", linear(30))
        .then("tanh", tanh(1.0, 1.0))
        .then("scores", linear(11));
    for (name, body, nodes, count) in [("own", own, ["shortcut.bn1"], 2), ("others", others, ["lrn"], 1)] {
        threads::set_threads(count);
        let network = body.named(name, [3, 45, 38]).at_usual_input()?;
        let (weights, images) = (Weights::initialised(&network, 5), images(&network, 3));
        let mut calibrator = Calibrator::new(&network, &weights)?;
        calibrator.observe(&images)?;
        let calibration = calibrator.calibration()?;
        let usual = InferenceOptions::default().with_nodes(&nodes);
        let bf16 = Numeric::Bf16.available(InstructionSet::chosen()).is_ok().then(|| usual.numeric(Numeric::Bf16));
        for options in [usual, usual.int8(&calibration)].into_iter().chain(bf16) {
            let plan = InferencePlan::new(&network, &weights, options)?;
            assert_eq!(allocated(&plan, &images)?, 0, "{name} in {}", options.numeric);
        }
    }
    assert!(allocations() > 0, "it counts");
    Ok(())
}
