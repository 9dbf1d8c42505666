//! The inference plan on every network of the zoo: by several sizes and batches what the evaluation in 64 bits computes. A small
//! network is computed for every size with every batch and on every instruction set of the CPU, a large one for each size with
//! one batch, on the widest set or the one that `CNN_INSTRUCTION_SET` names.
//!
//! A run takes one share of the networks, so that many runs see all of them: `CNN_SHARE=K/N` says which, as `--share` of
//! `verify-parity` does, and `CNN_EVERY_NETWORK` takes all.

use crate::Failure;
use crate::memory::alone;
use cnn_core::initialisation::{Law, Scheme};
use cnn_core::weights::Tensor;
use cnn_core::{Network, Op, Weights};
use cnn_plan::{
    Calibrator, Error, Evaluation, EvaluationPlan, InferenceOptions, InferencePlan, InstructionSet, Numeric, Parameters,
};
use cnn_verify::Share;
use cnn_zoo::Entry;

/// Largest difference from 64 bits, of the largest number, by what is computed with.
const TOLERANCES: [(Numeric, f64); 3] = [(Numeric::F32, 1e-4), (Numeric::Bf16, 0.1), (Numeric::Int8, 0.3)];
/// Pixels beyond which an image is asked for half as wide and high.
const LARGE: usize = 100 * 100;

/// Multiply-adds of an image up to which a network is small.
const SMALL: usize = 50_000_000;
const BATCHES: [usize; 3] = [1, 3, 8];
/// Convolutions from which on untrained units add up to numbers that 32 bits do not hold.
const DEEP: usize = 500;

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
    Ok(std::env::var("CNN_SHARE").unwrap_or("38/40".to_string()).parse()?)
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
        for (number, network) in networks.into_iter().enumerate() {
            let _alone = alone(&network);
            let small = network.summary().macs <= SMALL;
            let batches = if small { &BATCHES[..] } else { &BATCHES[number..=number] };
            for batch in batches {
                near_64_bits(&network, *batch, &sets(small)?).map_err(|error| format!("{}: {error}", entry.name))?;
            }
        }
        seen += 1;
    }
    assert!(seen > 0, "a share of no network");
    Ok(())
}

/// What a network is computed on.
fn sets(all: bool) -> Result<Vec<InstructionSet>, Failure> {
    Ok(match (InstructionSet::forced()?, all) {
        (None, true) => InstructionSet::ALL.into_iter().filter(|set| set.available()).collect(),
        (forced, _) => vec![forced.unwrap_or_else(InstructionSet::chosen)],
    })
}

/// Weights with the scales of all batch normalisations times 0.05, so that a thousand untrained residual units add up to
/// numbers that 32 bits hold.
fn damped(network: &Network, weights: &Weights) -> Result<Weights, Failure> {
    let mut damped = Weights::new();
    for spec in network.tensors() {
        let is_scale = spec.dims.len() == 1 && spec.name.ends_with("weight");
        let factor = if is_scale { 0.05 } else { 1.0 };
        let values = weights.numbers_of::<f32>(network, &spec.name)?.iter().map(|x| x * factor).collect::<Vec<f32>>();
        damped.insert(&spec.name, Tensor::new(&spec.name, &spec.dims, values)?);
    }
    Ok(damped)
}

/// Holds each way of computing that the CPU has to its tolerance.
fn near_64_bits(network: &Network, batch: usize, sets: &[InstructionSet]) -> Result<(), Failure> {
    let what = format!("{} {} × {batch}", network.name(), network.input());
    let mut weights = Weights::initialised(network, 11);
    if network.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_))).count() > DEEP {
        println!("{what}: batch normalisation damped, since 32 bits do not hold its numbers otherwise");
        weights = damped(network, &weights)?;
    }
    let images: Vec<f64> =
        (0..batch * network.input().elements()).map(|i| ((i * 7919) % 997) as f64 / 500.0 - 1.0).collect();
    let evaluation = Evaluation::<f64>::new(&EvaluationPlan::new(network)?);
    let expected = evaluation.outputs(&Parameters::new(network, &weights)?, &images)?.swap_remove(0);
    let largest = expected.iter().fold(1e-12, |most: f64, x| most.max(x.abs()));
    assert!(largest < f64::from(f32::MAX) / 1e6, "{what}: 32 bits do not hold {largest}");
    let images: Vec<f32> = images.into_iter().map(|x| x as f32).collect();
    let mut calibrator = Calibrator::new(network, &weights)?;
    calibrator.observe(&images)?;
    let calibration = calibrator.calibration()?;
    drop(calibrator);
    for (set, (numeric, tolerance)) in sets.iter().flat_map(|set| TOLERANCES.map(|mode| (*set, mode))) {
        let options = InferenceOptions::default().usual_batch(batch).int8(&calibration).numeric(numeric).on(set);
        let plan = match InferencePlan::new(network, &weights, options) {
            Err(Error::Numeric { .. }) => {
                println!("{what} {numeric} on {set}: left out, the CPU has no instructions for it");
                continue;
            }
            plan => plan?,
        };
        let found = plan.outputs(&mut plan.workspace(batch)?, &images)?.swap_remove(0);
        assert_eq!(found.len(), expected.len());
        // NaN comes last in this order, so it is the largest of all.
        let apart = found.iter().zip(&expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
        let difference = apart.max_by(f64::total_cmp).unwrap_or(f64::NAN) / largest;
        println!("{what} {numeric} on {set}: {difference:.1e}");
        assert!(difference < tolerance, "{what} {numeric} on {set}: {difference}");
    }
    Ok(())
}
