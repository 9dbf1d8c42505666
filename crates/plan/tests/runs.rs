//! What a plan computes, held against the f64 oracle and its finite differences; and what threads share.

use cnn_network::Network;
use cnn_network::definition::*;
use cnn_network::network::NodeId;
use cnn_network::oracle::{self, Batch, Mode};
use cnn_plan::{
    Dropout, Evaluation, EvaluationPlan, GradientPlan, GradientRun, Parameters, Predictor, Targets, TrainingOptions,
    TrainingPlan, TrainingRun,
};
use cnn_weights::{Tensor, Weights};
use std::collections::BTreeMap;

type Failure = Box<dyn std::error::Error>;

/// A residual unit, a concatenation and a pool on odd sizes, and maps as output.
fn network() -> Result<Network, Failure> {
    let unit = sum()
        .branch(chain().then("conv1", conv(3).out(20).pad(1).no_bias()).then("bn1", batch_norm()).relu())
        .branch(chain().then("project", conv(1).out(20)));
    let body = chain()
        .then("stem", conv(3).out(6).stride(2).pad(1))
        .then("unit", unit)
        .relu()
        .and(concat().branch(chain().then("left", conv(1).out(5))).branch(chain().and(avg_pool(3).stride(1).pad(1))))
        .then("last", conv(1).out(4));
    Ok(body.named("maps", [3, 9, 7]).at_usual_input()?)
}

fn images(network: &Network, batch: usize) -> Vec<f64> {
    (0..batch * network.input().elements()).map(|i| ((i * 7919) % 997) as f64 / 500.0 - 1.0).collect()
}

fn oracle_weights(network: &Network, weights: &Weights) -> Result<BTreeMap<String, Vec<f64>>, Failure> {
    let named = network
        .tensors()
        .map(|spec| Ok((spec.name.clone(), weights.numbers_of::<f64>(network, &spec.name)?.into_owned())));
    named.collect()
}

/// The values of the nodes of some paths in training mode.
fn expected(
    network: &Network,
    weights: &BTreeMap<String, Vec<f64>>,
    images: &[f64],
    paths: &[&str],
) -> Result<Vec<Vec<f64>>, Failure> {
    let nodes = paths.iter().map(|path| network.find(path)).collect::<Result<Vec<_>, _>>()?;
    let batch = Batch { shape: network.input(), values: images.to_vec() };
    let values = oracle::run(network, weights, &batch, Mode::Training, &nodes)?;
    let value = |node: &NodeId| Ok(values[node.index()].as_ref().ok_or("not computed")?.values.clone());
    nodes.iter().map(value).collect()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-12, |most: f64, x| most.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{what} at {i}: {a}, not {b}");
    }
}

/// `Σ aᵢ yᵢ²` of the output and of an inner node: a loss of one's own on maps.
fn own_loss(output: &[f64], inner: &[f64]) -> f64 {
    let weighted = |values: &[f64], by: f64| values.iter().map(|y| by * y * y).sum::<f64>();
    weighted(output, 0.5) + weighted(inner, 0.125)
}

#[test]
fn shards_have_a_run_and_a_gradient_each() -> Result<(), Failure> {
    let network = |out| {
        let body = chain().then("bn", batch_norm()).flatten().then("fc", linear(out));
        body.named("sharded", [1, 2, 2]).at_usual_input()
    };
    let (own, other) = (network(3)?, network(4)?);
    let run = |network: &Network| -> Result<TrainingRun, Failure> {
        Ok(TrainingRun::new(&TrainingPlan::new(network, TrainingOptions::default())?, Dropout::default()))
    };
    let mut parameters = Parameters::new(&own, &Weights::initialised(&own, 7))?;
    let image = [0.5, -1.0, 2.0, 0.25];
    let shards = [&image[..], &[]];
    let mut share = |all: Vec<Vec<f64>>| -> Result<Vec<f64>, cnn_plan::Error> {
        Ok((0..all[0].len()).map(|at| all.iter().map(|sums| sums[at]).sum()).collect())
    };
    let cases = [
        (vec![], "0 runs for 2 shards of a batch, where each has its own, in the shards' order"),
        (vec![run(&own)?], "1 runs for 2 shards of a batch, where each has its own, in the shards' order"),
        (vec![run(&own)?, run(&other)?], "sharded: the run of shard 1 is by another plan than that of shard 0"),
    ];
    for (mut runs, expected) in cases {
        let forward = TrainingRun::forward_together(&mut runs, &mut parameters, &shards, &mut share);
        assert_eq!(forward.err().map(|error| error.to_string()).as_deref(), Some(expected));
    }
    let mut runs = [run(&own)?, run(&own)?];
    let expected = "gradients for 1 shards of a batch, where each has its own, in the shards' order";
    for given in [vec![], vec![true], vec![false, false], vec![true, true]] {
        let forward = TrainingRun::forward_together(&mut runs, &mut parameters, &shards, &mut share)?;
        let gradient = forward.gradients(0, &[Some(&[1.0, 0.0, 0.0])])?;
        let gradients: Vec<_> = given.iter().map(|given| given.then(|| gradient.clone())).collect();
        let message = forward.backward(&gradients, &mut |_, _, _: &[f32]| {}, &mut share).err();
        assert!(message.is_some_and(|error| error.to_string().ends_with(expected)), "{given:?}");
    }
    // Sums that are not one for each number, in either direction.
    let mut short = |all: Vec<Vec<f64>>| -> Result<Vec<f64>, cnn_plan::Error> { Ok(all[0][1..].to_vec()) };
    let message = TrainingRun::forward_together(&mut runs, &mut parameters, &shards, &mut short).err();
    let expected = "2 sums over all shards, expected 3: what shares them adds vectors of one length";
    assert_eq!(message.map(|error| error.to_string()).as_deref(), Some(expected));
    let forward = TrainingRun::forward_together(&mut runs, &mut parameters, &shards, &mut share)?;
    let gradient = [Some(forward.gradients(0, &[Some(&[1.0, 0.0, 0.0])])?), None];
    let message = forward.backward(&gradient, &mut |_, _, _: &[f32]| {}, &mut short).err();
    let expected = "1 sums over all shards, expected 2: what shares them adds vectors of one length";
    assert_eq!(message.map(|error| error.to_string()).as_deref(), Some(expected));
    let forward = TrainingRun::forward_together(&mut runs, &mut parameters, &shards, &mut share)?;
    let gradient = forward.gradients(0, &[Some(&[1.0, 0.0, 0.0])])?;
    let mut received = 0;
    forward.backward(&[Some(gradient), None], &mut |_, _, _: &[f32]| received += 1, &mut share)?;
    assert_eq!(received, 4);
    Ok(())
}

/// A backward pass takes the gradients of its own forward pass and no others, and computes nothing from others.
#[test]
fn gradients_of_another_pass_are_refused() -> Result<(), Failure> {
    let named =
        |classes: usize| chain().flatten().then("fc", linear(classes)).named("passes", [1, 2, 2]).at_usual_input();
    // As many numbers in blocks of channels, and yet another network's.
    let (network, other) = (named(3)?, named(5)?);
    let images = [0.5f32, -1.0, 2.0, 0.25].repeat(4);
    let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
    let mut run = TrainingRun::new(&plan, Dropout::default());
    let mut parameters = Parameters::new(&network, &Weights::initialised(&network, 7))?;
    let of_four = run.forward(&mut parameters, &images)?.cross_entropy(&Targets::new(&[0, 1, 2, 0]))?.gradients;
    let of_one = run.forward(&mut parameters, &images[..4])?.gradients(&[Some(&[1.0, 0.0, 0.0])])?;
    let of_other = {
        let mut parameters = Parameters::new(&other, &Weights::initialised(&other, 7))?;
        let plan = TrainingPlan::new(&other, TrainingOptions::default())?;
        let mut run = TrainingRun::new(&plan, Dropout::default());
        run.forward(&mut parameters, &images[..8])?.cross_entropy(&Targets::new(&[0, 4]))?.gradients
    };
    let way_out = "here: one backward pass takes the gradients of its own forward pass";
    let [input, logits] = [network.nodes()[0].path.as_str(), "fc"].map(|path| network.find(path));
    let mut to_input = GradientRun::new(&GradientPlan::new(&network, &[logits?], &[input?])?);
    for (gradients, found) in [(&of_four, "4×3×1×1"), (&of_one, "1×3×1×1"), (&of_other, "2×5×1×1")] {
        let expected = format!("passes: a gradient of {found} for output fc, which is of 2×3×1×1 {way_out}");
        let mut received = 0;
        let forward = run.forward(&mut parameters, &images[..8])?;
        let refused = forward.backward(gradients, &mut |_: usize, _: &mut [f32], _: &[f32]| received += 1);
        assert_eq!(refused.err().map(|error| error.to_string()).as_ref(), Some(&expected));
        let refused = to_input.forward(&mut parameters, &images[..8])?.backward(gradients, &mut |_, _| received += 1);
        assert_eq!(refused.err().map(|error| error.to_string()).as_ref(), Some(&expected));
        let mut runs = [TrainingRun::new(&plan, Dropout::default())];
        let mut share = |mut all: Vec<Vec<f64>>| -> Result<Vec<f64>, cnn_plan::Error> { Ok(all.remove(0)) };
        let forward = TrainingRun::forward_together(&mut runs, &mut parameters, &[&images[..8]], &mut share)?;
        let mut receive = |_: usize, _: usize, _: &[f32]| received += 1;
        let refused = forward.backward(&[Some(gradients.clone())], &mut receive, &mut share);
        assert_eq!(refused.err().map(|error| error.to_string()).as_ref(), Some(&expected));
        assert_eq!(received, 0);
    }
    // The right ones are taken.
    let forward = run.forward(&mut parameters, &images[..8])?;
    let right = forward.cross_entropy(&Targets::new(&[0, 1]))?.gradients;
    forward.backward(&right, &mut |_: usize, _: &mut [f32], _: &[f32]| {})?;
    Ok(())
}

#[test]
fn parameters_are_not_named_as_another_network_s() -> Result<(), Failure> {
    let named =
        |classes: usize| chain().flatten().then("fc", linear(classes)).named("sizes", [1, 2, 2]).at_usual_input();
    let deeper = chain().flatten().then("fc", linear(3)).then("fc2", linear(3)).named("deeper", [1, 2, 2]);
    let (network, other, deeper) = (named(3)?, named(5)?, deeper.at_usual_input()?);
    let parameters = Parameters::<f32>::new(&network, &Weights::initialised(&network, 7))?;
    assert_eq!(parameters.to_weights(&network).iter().count(), 2);
    for (own, other) in [(&network, &other), (&network, &deeper), (&deeper, &network)] {
        let parameters = Parameters::<f32>::new(own, &Weights::initialised(own, 7))?;
        let named = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parameters.to_weights(other)));
        assert!(named.is_err(), "{} as {}", own.name(), other.name());
    }
    Ok(())
}

/// Probabilities are given once, and a cross-entropy takes no softmax of its own for scores.
#[test]
fn a_softmax_at_the_end_is_not_taken_twice() -> Result<(), Failure> {
    let body = || chain().flatten().then("fc", linear(3));
    for ending in [body().softmax(), body().softmax().flatten(), body().softmax().dropout(0.5)] {
        let network = ending.named("ends", [1, 2, 2]).at_usual_input()?;
        let weights = Weights::initialised(&network, 7);
        let predictor = Predictor::new(&network, &weights)?;
        let image = [0.5, -1.0, 2.0, 0.25];
        assert_eq!(predictor.probabilities(&image)?, predictor.logits(&image)?);
        let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
        let message = plan.check_targets(&Targets::new(&[1]), 1).err().map(|error| error.to_string());
        let expected =
            "ends: output logits is a softmax, and a cross-entropy takes one of its own; leave it out to train";
        assert_eq!(message.as_deref(), Some(expected));
    }
    Ok(())
}

#[test]
fn maps_and_inner_nodes_train_by_a_loss_of_ones_own() -> Result<(), Failure> {
    let network = network()?;
    let weights = Weights::initialised(&network, 3);
    let images = images(&network, 2);
    let plan = TrainingPlan::new(&network, TrainingOptions { nodes: &["unit", "stem"], ..Default::default() })?;
    let mut run = TrainingRun::<f64>::new(&plan, Dropout::default());
    let mut parameters = Parameters::<f64>::new(&network, &weights)?;
    let forward = run.forward(&mut parameters, &images)?;
    let (output, unit, stem) = (forward.output(0), forward.output(1), forward.output(2));
    let by_oracle = expected(&network, &oracle_weights(&network, &weights)?, &images, &["last", "unit", "stem"])?;
    for (found, (expected, path)) in [&output, &unit, &stem].iter().zip(by_oracle.iter().zip(["last", "unit", "stem"]))
    {
        close(found, expected, 1e-12, path);
    }
    // The stem's values are read, and the loss does not depend on them but through the others.
    let of_output: Vec<f64> = output.to_vec();
    let of_unit: Vec<f64> = unit.iter().map(|y| 0.25 * y).collect();
    let gradients = forward.gradients(&[Some(&of_output), Some(&of_unit), None])?;
    let mut received: Vec<Option<Vec<f64>>> = vec![None; network.tensors().count()];
    forward.backward(&gradients, &mut |tensor: usize, _: &mut [f64], gradient: &[f64]| {
        received[tensor] = Some(gradient.to_vec());
    })?;

    let before = oracle_weights(&network, &weights)?;
    let loss = |weights: &BTreeMap<String, Vec<f64>>| -> Result<f64, Failure> {
        let values = expected(&network, weights, &images, &["last", "unit"])?;
        Ok(own_loss(&values[0], &values[1]))
    };
    for (spec, gradient) in network.tensors().zip(&received).filter(|(spec, _)| spec.trained()) {
        let gradient = gradient.as_ref().ok_or_else(|| format!("{} has no gradient", spec.name))?;
        for at in [0, gradient.len() / 2, gradient.len() - 1] {
            let moved = |by: f64| {
                let mut weights = before.clone();
                weights.get_mut(&spec.name).ok_or("no tensor")?[at] += by;
                loss(&weights)
            };
            let difference = (moved(1e-5)? - moved(-1e-5)?) / 2e-5;
            let scale = gradient.iter().fold(1e-6, |most: f64, x| most.max(x.abs()));
            assert!(
                (difference - gradient[at]).abs() < 1e-6 * scale.max(1.0),
                "{} at {at}: {} not {difference}",
                spec.name,
                gradient[at]
            );
        }
    }
    Ok(())
}

#[test]
fn threads_share_a_predictor_and_get_the_same_bits() -> Result<(), Failure> {
    let network = network()?;
    let predictor = Predictor::new(&network, &Weights::initialised(&network, 5))?;
    let of = |seed: usize| -> Vec<f32> {
        (0..(1 + seed % 3) * network.input().elements())
            .map(|i| ((i * 31 + seed * 17) % 101) as f32 / 50.0 - 1.0)
            .collect()
    };
    let expected = (0..24).map(|seed| predictor.logits(&of(seed))).collect::<Result<Vec<_>, _>>()?;
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (predictor, of, expected) = (predictor.clone(), &of, &expected);
                scope.spawn(move || {
                    (0..24)
                        .map(|i| (i * 7 + caller) % 24)
                        .all(|seed| predictor.logits(&of(seed)).is_ok_and(|found| found == expected[seed]))
                })
            })
            .collect();
        for caller in callers {
            assert!(caller.join().unwrap_or(false), "another answer");
        }
    });
    Ok(())
}

#[test]
fn an_evaluation_of_nodes_needs_no_more_than_they_do() -> Result<(), Failure> {
    let network = network()?;
    let all = Weights::initialised(&network, 3);
    let mut some = Weights::new();
    for name in ["stem.weight", "stem.bias"] {
        some.insert(name, all.get(name).ok_or("no tensor")?.clone());
    }
    let images: Vec<f32> = images(&network, 1).into_iter().map(|x| x as f32).collect();
    let stem = Predictor::of_nodes(&network, &some, &["stem"])?.outputs(&images)?;
    let whole = Predictor::of_nodes(&network, &all, &["last", "stem", "input"])?.outputs(&images)?;
    assert_eq!(stem[0], whole[1]);
    assert_eq!(whole[2], images);
    let message = Predictor::new(&network, &some).unwrap_err().to_string();
    assert!(message.starts_with("maps: the weights have no tensor"), "{message}");
    Ok(())
}

#[test]
fn a_plan_is_a_value() -> Result<(), Failure> {
    let (one, two) = (
        TrainingPlan::new(&network()?, TrainingOptions::default())?,
        TrainingPlan::new(&network()?, TrainingOptions::default())?,
    );
    assert_eq!(one, two);
    let frozen: Vec<bool> = network()?.tensors().map(|spec| spec.name.starts_with("stem")).collect();
    assert_ne!(one, TrainingPlan::new(&network()?, TrainingOptions { frozen: &frozen, ..Default::default() })?);
    let table = one.to_string();
    assert_eq!(table.lines().count(), 1 + table.lines().skip(1).filter(|line| line.contains('→')).count());
    assert!(table.contains("unit.conv1") && table.contains("batch norm"), "{table}");
    Ok(())
}

#[test]
fn what_does_not_fit_is_one_sentence_and_changes_nothing() -> Result<(), Failure> {
    let network = network()?;
    let weights = Weights::initialised(&network, 3);
    let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
    let mut run = TrainingRun::<f64>::new(&plan, Dropout::default());
    let mut parameters = Parameters::<f64>::new(&network, &weights)?;
    let images = images(&network, 2);
    let message = run.forward(&mut parameters, &images[1..]).unwrap_err().to_string();
    assert_eq!(message, "maps: 377 numbers are not whole images of 3×9×7, 189 numbers each");
    let message = run.forward(&mut parameters, &[]).unwrap_err().to_string();
    assert_eq!(message, "maps: 0 numbers are not whole images of 3×9×7, 189 numbers each");

    let other = chain().then("other", conv(1).out(4)).named("other", [3, 9, 7]).at_usual_input()?;
    let mut others = Parameters::<f64>::new(&other, &Weights::initialised(&other, 1))?;
    let message = run.forward(&mut others, &images).unwrap_err().to_string();
    assert!(message.starts_with("maps: the parameters are another network's: "), "{message}");

    let forward = run.forward(&mut parameters, &images)?;
    let message = forward.cross_entropy(&Targets::new(&[0, 1])).unwrap_err().to_string();
    assert_eq!(
        message,
        "maps: output logits is 4×5×4, not a vector of scores; give the gradients of its numbers instead"
    );
    let message = forward.gradients(&[Some(&[1.0])]).unwrap_err().to_string();
    assert_eq!(message, "maps: output last has 160 numbers in this batch, its gradient 1");
    let message = forward.gradients(&[None, None]).unwrap_err().to_string();
    assert_eq!(message, "maps: gradients of 2 outputs, there are 1");
    drop(forward);
    assert_eq!(run.passes(), 1);

    let nan = Tensor::new("stem.bias", &[6], vec![0.0f32, f32::NAN, 0.0, 0.0, 0.0, 0.0])?;
    let mut damaged = weights.clone();
    damaged.insert("stem.bias", nan);
    let message = Parameters::<f32>::new(&network, &damaged).unwrap_err().to_string();
    assert_eq!(message, "the weights: tensor stem.bias holds NaN at position 1, which is no weight");

    let pool = chain().and(max_pool(17)).named("pool", [1, 20, 20]).at_usual_input()?;
    let message = EvaluationPlan::new(&pool).unwrap_err().to_string();
    assert!(message.contains("at most 256 taps, not of 289"), "{message}");
    Ok(())
}

#[test]
fn a_batch_of_one_trains_where_every_channel_has_two_values() -> Result<(), Failure> {
    let wide = chain().then("bn", batch_norm()).global_avg_pool().named("wide", [2, 1, 2]).at_usual_input()?;
    let narrow = chain().then("bn", batch_norm()).global_avg_pool().named("narrow", [2, 1, 1]).at_usual_input()?;
    let step = |network: &Network| -> Result<(), Failure> {
        let plan = TrainingPlan::new(network, TrainingOptions::default())?;
        let mut parameters = Parameters::<f32>::new(network, &Weights::initialised(network, 1))?;
        let images = vec![0.5; network.input().elements()];
        let before: Vec<Vec<f32>> = parameters.values().map(<[f32]>::to_vec).collect();
        let stepped = TrainingRun::new(&plan, Dropout::default()).forward(&mut parameters, &images).map(drop);
        let after: Vec<Vec<f32>> = parameters.values().map(<[f32]>::to_vec).collect();
        assert_eq!(stepped.is_ok(), before != after, "{}: the statistics move if the step is taken", network.name());
        Ok(stepped?)
    };
    step(&wide)?;
    let message = step(&narrow).unwrap_err().to_string();
    assert_eq!(message, "bn: batch normalisation cannot train on a single value per channel (2×1×1, batch of 1)");
    Ok(())
}

#[test]
fn an_evaluation_works_with_whatever_parameters_it_is_given() -> Result<(), Failure> {
    let network = network()?;
    let evaluation = Evaluation::<f32>::new(&EvaluationPlan::new(&network)?);
    let images = vec![0.25; 189];
    let of = |seed| Parameters::<f32>::new(&network, &Weights::initialised(&network, seed));
    let (one, two) = (of(1)?, of(2)?);
    let first = evaluation.outputs(&one, &images)?;
    assert_ne!(first, evaluation.outputs(&two, &images)?);
    assert_eq!(first, evaluation.outputs(&one.clone(), &images)?);
    Ok(())
}

#[test]
fn a_map_has_no_probabilities() -> Result<(), Box<dyn std::error::Error>> {
    use cnn_network::definition::{chain, conv};
    let network = chain().then("scores", conv(1).out(10)).named("map", [1, 8, 8]).at_usual_input()?;
    let predictor = cnn_plan::Predictor::new(&network, &cnn_weights::Weights::initialised(&network, 1))?;
    let problem = predictor.probabilities(&[0.5; 64]).unwrap_err().to_string();
    assert_eq!(problem, "map: output scores is 10×8×8, not a vector of scores, and has no probabilities of classes");
    Ok(())
}
