//! The inference plan on every network of the zoo: by several sizes and batches what the evaluation in 64 bits computes.
//!
//! A run takes one share of the networks, so that many runs see all of them: `CNN_SHARE=K/N` says which, as `--share` of
//! `verify-parity` does, and `CNN_EVERY_NETWORK` takes all.

use crate::Failure;
use crate::memory::alone;
use cnn_core::initialisation::{Law, Scheme};
use cnn_core::{Network, Weights};
use cnn_plan::{Calibrator, Error, Evaluation, EvaluationPlan, InferenceOptions, InferencePlan, Numeric, Parameters};
use cnn_verify::Share;
use cnn_zoo::Entry;

/// Largest difference from 64 bits, of the largest number, by what is computed with.
const TOLERANCES: [(Numeric, f64); 3] = [(Numeric::F32, 1e-4), (Numeric::Bf16, 0.1), (Numeric::Int8, 0.3)];
/// Pixels beyond which an image is asked for half as wide and high.
const LARGE: usize = 100 * 100;

/// Three sizes a network takes: about its usual one, another shape, and odd numbers.
fn networks(entry: &Entry) -> Vec<Network> {
    let [c, h, w] = entry.architecture(10).usual_input();
    let (h, w) = if h * w > LARGE { (h / 2, w / 2) } else { (h, w) };
    let sizes = [[h, w], [h + 16, w], [h + 5, w + 9], [2 * h, 2 * w], [2 * h + 8, 2 * w + 16], [2 * h + 13, 2 * w]];
    // He's weights, so that an image arrives at the outputs.
    let architecture = entry.architecture(10).without_heads().initialised(Scheme::TORCH.conv(Law::KaimingFanIn));
    let taken = sizes.into_iter().filter_map(|[h, w]| architecture.at([c, h, w]).ok());
    taken.take(3).collect()
}

/// By itself a test sees a share that takes seconds; that of each run of CI is chosen by its commit.
fn share() -> Result<Share, Failure> {
    if std::env::var_os("CNN_EVERY_NETWORK").is_some() {
        return Ok("1/1".parse()?);
    }
    Ok(std::env::var("CNN_SHARE").unwrap_or("33/40".to_string()).parse()?)
}

#[test]
fn every_network_is_inferred_as_it_is_evaluated_in_64_bits() -> Result<(), Failure> {
    let entries: Vec<Entry> = cnn_zoo::all().collect();
    let costs: Vec<f64> =
        entries.iter().map(|entry| networks(entry).iter().map(|network| network.summary().macs as f64).sum()).collect();
    let chosen = share()?.of(&costs);
    let mut seen = 0;
    for entry in entries.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(entry, _)| entry) {
        let networks = networks(entry);
        assert_eq!(networks.len(), 3, "{}: three sizes", entry.name);
        for (network, batch) in networks.into_iter().zip([1, 3, 8]) {
            let _alone = alone(&network);
            let what = format!("{} {} × {batch}", entry.name, network.input());
            let Some(differences) = differences(&network, batch).map_err(|error| format!("{}: {error}", entry.name))?
            else {
                println!("{what}: left out, 32 bits do not hold its numbers");
                continue;
            };
            for ((numeric, tolerance), difference) in TOLERANCES.into_iter().zip(differences) {
                let Some(difference) = difference else {
                    println!("{what} {numeric}: left out, the CPU has no instructions for it");
                    continue;
                };
                println!("{what} {numeric}: {difference:.1e}");
                assert!(difference < tolerance, "{what} {numeric}: {difference}");
            }
        }
        seen += 1;
    }
    assert!(seen > 0, "a share of no network");
    Ok(())
}

/// The largest difference of any output, of the largest number, in each way of computing that the CPU has; nothing where
/// that number is too large for 32 bits, as with a thousand layers whose weights are not trained.
fn differences(network: &Network, batch: usize) -> Result<Option<[Option<f64>; 3]>, Failure> {
    let weights = Weights::initialised(network, 11);
    let images: Vec<f64> =
        (0..batch * network.input().elements()).map(|i| ((i * 7919) % 997) as f64 / 500.0 - 1.0).collect();
    let evaluation = Evaluation::<f64>::new(&EvaluationPlan::new(network)?);
    let expected = evaluation.outputs(&Parameters::new(network, &weights)?, &images)?.swap_remove(0);
    let largest = expected.iter().fold(1e-12, |most: f64, x| most.max(x.abs()));
    if largest > f64::from(f32::MAX) / 1e6 {
        return Ok(None);
    }
    let images: Vec<f32> = images.into_iter().map(|x| x as f32).collect();
    let mut calibrator = Calibrator::new(network, &weights)?;
    calibrator.observe(&images)?;
    let calibration = calibrator.calibration()?;
    drop(calibrator);
    let mut differences = [None; 3];
    for ((numeric, _), difference) in TOLERANCES.iter().zip(&mut differences) {
        let options = InferenceOptions::default().usual_batch(batch).int8(&calibration).numeric(*numeric);
        let plan = match InferencePlan::new(network, &weights, options) {
            Err(Error::Numeric { .. }) => continue,
            plan => plan?,
        };
        let found = plan.outputs(&mut plan.workspace(batch)?, &images)?.swap_remove(0);
        let pairs = found.iter().zip(&expected);
        let most = pairs.fold(0.0, |most: f64, (found, expected)| most.max((f64::from(*found) - expected).abs()));
        *difference = Some(most / largest);
    }
    Ok(Some(differences))
}
