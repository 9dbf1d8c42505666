//! What the tests of inference plans share.

use cnn_kernels::threads;
use cnn_network::Network;
use cnn_network::definition::*;
use cnn_plan::{InferenceOptions, InferencePlan};
use cnn_weights::Weights;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub type Failure = Box<dyn std::error::Error>;

/// The process has one pool of threads, and these tests change how many.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A residual unit with a projection.
pub fn shortcut() -> Branches {
    sum()
        .branch(
            chain()
                .then("conv1", conv(3).out(32).pad(1).no_bias())
                .then("bn1", batch_norm())
                .relu()
                .then("conv2", conv(3).out(48).pad(1).groups(2).no_bias())
                .then("bn2", batch_norm()),
        )
        .branch(chain().then("project", conv(1).out(48).no_bias()).then("bn", batch_norm()))
}

/// A residual unit that normalises before its convolution.
pub fn before() -> Branches {
    sum().branch(chain().then("norm", batch_norm()).relu().then("conv", conv(3).out(48).pad(1))).branch(chain())
}

/// Two concatenations, one within the other, whose last branch begins so.
pub fn concatenations(last: Chain) -> Branches {
    let inner =
        concat().branch(chain().then("a", conv(1).out(16)).relu()).branch(chain().then("b", conv(5).out(20).pad(2)));
    concat().branch(chain().then("inner", inner)).branch(last.then("c", conv(1).out(7)).relu())
}

pub fn images(network: &Network, batch: usize) -> Vec<f32> {
    (0..batch * network.input().elements()).map(|i| ((i * 7919) % 997) as f32 / 500.0 - 1.0).collect()
}

/// The main output has the same bits with any number of threads, and in batches of any size; of five images.
pub fn assert_bits_depend_on_nothing(plan: &InferencePlan, images: &[f32]) -> Result<(), Failure> {
    let mut all: Vec<Vec<u32>> = Vec::new();
    for count in [1, 2, 3, 7] {
        threads::set_threads(count);
        let mut workspace = plan.workspace(5)?;
        for batch in [1, 2, 5] {
            let mut found = Vec::new();
            for images in images.chunks(batch * plan.network().input().elements()) {
                found.extend(plan.outputs(&mut workspace, images)?.swap_remove(0).into_iter().map(f32::to_bits));
            }
            all.push(found);
        }
    }
    threads::set_threads(0);
    assert!(all.iter().all(|found| *found == all[0]));
    Ok(())
}

/// Eight callers at once get what one gets, for batches of at most three images.
pub fn assert_callers_agree(plan: &InferencePlan, batches: &[Vec<f32>]) -> Result<(), Failure> {
    let mut workspace = plan.workspace(3)?;
    let expected = batches.iter().map(|images| plan.outputs(&mut workspace, images)).collect::<Result<Vec<_>, _>>()?;
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (plan, expected) = (plan.clone(), &expected);
                scope.spawn(move || {
                    let Ok(mut workspace) = plan.workspace(3) else { return false };
                    (0..2 * batches.len()).map(|i| (i * 7 + caller) % batches.len()).all(|number| {
                        plan.outputs(&mut workspace, &batches[number]).is_ok_and(|found| found == expected[number])
                    })
                })
            })
            .collect();
        for caller in callers {
            assert!(caller.join().unwrap_or(false), "another answer");
        }
    });
    Ok(())
}

/// A plan comes back from its file, with its weights at hand and without, and can be saved again, byte by byte.
pub fn assert_comes_back(
    plan: &InferencePlan,
    weights: &Weights,
    options: InferenceOptions<'_>,
    (images, path): (&[f32], &Path),
) -> Result<(), Failure> {
    let batch = images.len() / plan.network().input().elements();
    let expected = plan.outputs(&mut plan.workspace(batch)?, images)?;
    plan.save(path)?;
    for weights in [None, Some(weights)] {
        let opened = InferencePlan::open(path, plan.network(), weights, options)?;
        assert_eq!(opened.outputs(&mut opened.workspace(batch)?, images)?, expected);
        let again = path.with_extension("again");
        opened.save(&again)?;
        assert_eq!(std::fs::read(&again)?, std::fs::read(path)?);
    }
    Ok(())
}
