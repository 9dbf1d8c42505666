//! One inference plan, called by several threads at once.

use super::plan::plan_of;
use super::times::Times;
use super::workload::Workload;
use anyhow::{Context, Result, anyhow};
use cnn_plan::InferencePlan;
use std::time::Instant;

/// Images a second of one caller and of several, in turns: the median of so many each. A turn is `runs` calls of each.
pub fn callers(workload: &Workload, callers: usize, runs: u32) -> Result<[f64; 2]> {
    const TURNS: usize = 5;
    let batch = workload.batch()?;
    let plan = plan_of(workload, &batch.images)?;
    let mut rates = [Vec::new(), Vec::new()];
    for turn in 0..=TURNS {
        for (rates, threads) in rates.iter_mut().zip([1, callers]) {
            let rate = rate(&plan, &batch.images, (threads, workload.batch, runs))?;
            // The first turn warms up.
            rates.extend((turn > 0).then_some(rate));
        }
    }
    Ok(rates.map(|rates| Times::new(rates).median()))
}

/// Images a second of so many threads, each of which calls so many times with a batch.
fn rate(plan: &InferencePlan, images: &[f32], (threads, batch, runs): (usize, usize, u32)) -> Result<f64> {
    let mut workspaces = (0..threads).map(|_| plan.workspace(batch)).collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    std::thread::scope(|scope| {
        let calls: Vec<_> = workspaces
            .iter_mut()
            .map(|workspace| {
                std::thread::Builder::new().spawn_scoped(scope, move || {
                    let mut outputs = vec![0.0; batch * plan.output_len(0)];
                    (0..runs).try_for_each(|_| plan.run(workspace, images, &mut [outputs.as_mut_slice()]))
                })
            })
            .collect::<Result<_, _>>()
            .context("the system makes no thread for each caller")?;
        for call in calls {
            call.join().map_err(|_| anyhow!("a caller panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok((threads * batch) as f64 * f64::from(runs) / started.elapsed().as_secs_f64())
}
