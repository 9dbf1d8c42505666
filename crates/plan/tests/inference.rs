//! The inference plan: what it computes beside the main output, what callers share, and what is refused.

use crate::common::*;
use cnn_kernels::InstructionSet;
use cnn_network::Network;
use cnn_network::definition::*;
use cnn_network::oracle::{self, Batch, Mode};
use cnn_plan::{
    ConvAlgorithm, EvaluationPlan, GradientPlan, InferenceOptions, InferencePlan, Numeric, Parameters, Predictor,
};
use cnn_weights::Weights;

/// Everything that is fused, on odd sizes: residual units with and without a projection, a normalisation before a
/// convolution, concatenations within one another, pools, groups, and a linear layer of maps.
fn network() -> Result<Network, Failure> {
    let body = chain()
        .then("stem", conv(5).out(24).stride(2).pad(2))
        .relu()
        .and(max_pool(3).stride(2).pad(1))
        .then("shortcut", shortcut())
        .relu()
        .then("before", before())
        .then("outer", concatenations(chain().and(max_pool(3).stride(1).pad(1))))
        .and(avg_pool(2))
        .flatten()
        .then("fc", linear(30))
        .relu()
        .then("scores", linear(11));
    Ok(body.named("fused", [3, 45, 38]).at_usual_input()?)
}

fn by_oracle(network: &Network, weights: &Weights, images: &[f32], paths: &[&str]) -> Result<Vec<Vec<f64>>, Failure> {
    let nodes = paths.iter().map(|path| network.find(path)).collect::<Result<Vec<_>, _>>()?;
    let named = network
        .tensors()
        .map(|spec| Ok((spec.name.clone(), weights.numbers_of::<f64>(network, &spec.name)?.into_owned())));
    let named = named.collect::<Result<_, Failure>>()?;
    let batch = Batch { shape: network.input(), values: images.iter().map(|x| f64::from(*x)).collect() };
    let values = oracle::run(network, &named, &batch, Mode::Evaluation, &nodes)?;
    nodes.iter().map(|node| Ok(values[node.index()].as_ref().ok_or("not computed")?.values.clone())).collect()
}

fn close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-12, |most: f64, x| most.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() <= 1e-5 * largest, "{what}: {found}, not {expected}");
    }
}

/// The image is among them, though it lies in no place of the plan's own.
#[test]
fn a_step_moves_what_it_reads_and_writes() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let plan = InferencePlan::new(&network, &Weights::initialised(&network, 5), InferenceOptions::default())?;
    let workspace = plan.workspace(1)?;
    let first = plan.report(&workspace, 1).swap_remove(0);
    assert_eq!((first.path, first.value_bytes), ("stem", 4 * (3 * 45 * 38 + 24 * 23 * 19)));
    Ok(())
}

#[test]
fn nodes_are_given_beside_the_main_output_on_every_instruction_set() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let weights = Weights::initialised(&network, 5);
    let images = images(&network, 3);
    // Within chains that are one step otherwise, within a concatenation, and a pool.
    let nodes = ["shortcut.conv1", "shortcut.bn1", "before", "outer", "outer.inner", "max_pool", "input"];
    let paths: Vec<&str> = [network.output().path.as_str()].into_iter().chain(nodes.iter().copied()).collect();
    let expected = by_oracle(&network, &weights, &images, &paths)?;
    for set in InstructionSet::ALL.into_iter().filter(|set| set.available()) {
        for algorithm in ConvAlgorithm::ALL {
            let options = InferenceOptions::default().with_nodes(&nodes).on(set).by(algorithm);
            let plan = InferencePlan::new(&network, &weights, options)?;
            let found = plan.outputs(&mut plan.workspace(3)?, &images)?;
            for ((found, expected), path) in found.iter().zip(&expected).zip(&paths) {
                close(found, expected, &format!("{path}, {set}, {}", algorithm.name()));
            }
        }
    }
    Ok(())
}

#[test]
fn bits_depend_neither_on_threads_nor_on_the_batch() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let plan = InferencePlan::new(&network, &Weights::initialised(&network, 5), InferenceOptions::default())?;
    assert_bits_depend_on_nothing(&plan, &images(&network, 5))
}

#[test]
fn the_number_of_threads_may_change_while_plans_run() -> Result<(), Failure> {
    use std::sync::atomic::{AtomicBool, Ordering};
    let _alone = alone();
    let network =
        chain().then("conv", conv(3).out(300).pad(1)).relu().then("last", conv(1).out(500)).named("wide", [16, 9, 9]);
    let network = network.at_usual_input()?;
    let plan = InferencePlan::new(&network, &Weights::initialised(&network, 5), InferenceOptions::default())?;
    let images = images(&network, 1);
    let expected = plan.outputs(&mut plan.workspace(1)?, &images)?;
    let done = AtomicBool::new(false);
    let alike = std::thread::scope(|scope| {
        scope.spawn(|| {
            for threads in (1..5).cycle() {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                cnn_kernels::threads::set_threads(threads);
                std::thread::yield_now();
            }
        });
        let run = || Ok::<_, Failure>(plan.outputs(&mut plan.workspace(1)?, &images)? == expected);
        let alike = (0..2000).map(|_| run()).collect::<Result<Vec<_>, _>>();
        done.store(true, Ordering::SeqCst);
        alike
    });
    cnn_kernels::threads::set_threads(0);
    assert!(alike?.into_iter().all(|alike| alike));
    Ok(())
}

#[test]
fn eight_callers_at_once_get_the_answers_of_one() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let plan = InferencePlan::new(&network, &Weights::initialised(&network, 5), InferenceOptions::default())?;
    let of = |seed: usize| -> Vec<f32> {
        let numbers = (1 + seed % 3) * network.input().elements();
        (0..numbers).map(|i| ((i * 31 + seed * 17) % 101) as f32 / 50.0 - 1.0).collect()
    };
    assert_callers_agree(&plan, &(0..12).map(of).collect::<Vec<_>>())
}

#[test]
fn what_does_not_fit_is_one_sentence() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let weights = Weights::initialised(&network, 5);
    let plan = InferencePlan::new(&network, &weights, InferenceOptions::default())?;
    let mut workspace = plan.workspace(2)?;
    let images = images(&network, 3);
    let message = plan.outputs(&mut workspace, &images[1..]).unwrap_err().to_string();
    assert_eq!(message, "fused: 15389 numbers are not whole images of 3×45×38, 5130 numbers each");
    let message = plan.outputs(&mut workspace, &images).unwrap_err().to_string();
    assert_eq!(message, "fused: 3 images, the workspace holds 2; ask the plan for a larger one");
    let message = plan.run(&mut workspace, &images[..5130], &mut []).unwrap_err().to_string();
    assert_eq!(message, "fused: room for 0 outputs, there are 1");
    let message = plan.run(&mut workspace, &images[..5130], &mut [&mut [0.0; 10]]).unwrap_err().to_string();
    assert_eq!(message, "scores: room for 10 numbers, the output has 11 in this batch");
    let message = plan.workspace(usize::MAX / 4).unwrap_err().to_string();
    assert!(message.ends_with("more than there is: a smaller batch takes less"), "{message}");
    let options = InferenceOptions::default().with_nodes(&["nowhere"]);
    let message = InferencePlan::new(&network, &weights, options).unwrap_err().to_string();
    assert!(message.contains("nowhere"), "{message}");
    Ok(())
}

#[test]
fn a_plan_comes_back_from_its_file_and_what_is_not_it_is_refused() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let weights = Weights::initialised(&network, 5);
    let options = InferenceOptions::default().with_nodes(&["before"]);
    let plan = InferencePlan::new(&network, &weights, options)?;
    let images = images(&network, 2);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("fused.plan");
    assert_comes_back(&plan, &weights, options, (&images, &path))?;
    let refusal = |path: &std::path::Path, weights: Option<&Weights>, options| {
        InferencePlan::open(path, &network, weights, options).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let others = Weights::initialised(&network, 6);
    assert!(refusal(&path, Some(&others), options).contains("made for other weights: "));
    assert!(refusal(&path, None, InferenceOptions::default()).contains("made for other nodes: "));
    assert!(refusal(&path, None, options.usual_batch(8)).contains("made for other options: "));
    let portable = options.on(InstructionSet::Portable);
    let set = InstructionSet::chosen();
    if set != InstructionSet::Portable {
        assert!(refusal(&path, None, portable).ends_with(&format!("made for other instructions: {set}, not portable")));
    }
    let other =
        chain().then("other", conv(1).out(4)).then("before", conv(1)).named("other", [3, 45, 38]).at_usual_input()?;
    let message = InferencePlan::open(&path, &other, None, options).err().map(|error| error.to_string());
    assert!(message.unwrap_or_default().contains("made for other network: fused "));
    assert!(refusal(&folder.path().join("nothing"), None, options).contains("it cannot be read: "));
    assert!(refusal(folder.path(), None, options).contains("it cannot be read: "));

    let expected = plan.outputs(&mut plan.workspace(2)?, &images)?;
    // Not a byte may be another, and none may be missing.
    let bytes = std::fs::read(&path)?;
    let damaged = folder.path().join("damaged.plan");
    let mut older = bytes.clone();
    older[7] -= 1;
    std::fs::write(&damaged, &older)?;
    assert!(refusal(&damaged, None, options).ends_with("made by another version of this crate"));
    let mut places: Vec<usize> = (0..600).chain((600..bytes.len()).step_by(4099)).collect();
    places.retain(|place| *place < bytes.len());
    let mut changed = 0;
    for place in places {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x55;
        std::fs::write(&damaged, &bytes)?;
        match InferencePlan::open(&damaged, &network, None, options) {
            Err(error) => {
                let message = error.to_string();
                assert!(!message.contains('\n') && message.contains(": it "), "{place}: {message}");
                changed += 1;
            }
            // Between two runs of numbers there are bytes that nobody reads.
            Ok(plan) => assert_eq!(plan.outputs(&mut plan.workspace(2)?, &images)?, expected, "{place}"),
        }
    }
    assert!(changed > 600, "{changed} refused");
    for length in [0, 3, 16, 100, bytes.len() / 2, bytes.len() - 64] {
        std::fs::write(&damaged, &bytes[..length])?;
        assert!(refusal(&damaged, None, options).contains(": it "), "{length}");
    }
    for behind in [1, 4, 10, 64] {
        std::fs::write(&damaged, [&bytes[..], &vec![0; behind]].concat())?;
        assert!(refusal(&damaged, None, options).ends_with("it is damaged"), "{behind} bytes behind the end");
    }
    Ok(())
}

#[test]
fn a_plan_computes_at_least_one_node_and_one_of_its_network() -> Result<(), Failure> {
    let _alone = alone();
    let small = chain().flatten().then("fc", linear(3)).named("small", [1, 2, 2]).at_usual_input()?;
    let large = network()?;
    let weights = Weights::initialised(&small, 5);
    let fc = small.find("fc")?;
    let none = "small: no node is asked for; a plan computes the value of at least one";
    let said = [
        Predictor::of_nodes(&small, &weights, &[]).err(),
        EvaluationPlan::of_nodes(&small, &[]).err(),
        EvaluationPlan::of_paths(&small, &[]).err(),
        GradientPlan::new(&small, &[], &[fc]).err(),
    ];
    for error in said {
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(none));
    }
    assert!(GradientPlan::new(&small, &[fc], &[]).is_ok());
    let others = [large.find("fc")?];
    let said = [
        EvaluationPlan::of_nodes(&small, &others).err(),
        GradientPlan::new(&small, &others, &[fc]).err(),
        GradientPlan::new(&small, &[fc], &others).err(),
        Parameters::<f32>::for_nodes(&small, &weights, &others).err(),
    ];
    for error in said {
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with("small has 3 nodes and none at position "), "{message}");
    }
    let batch = |numbers: usize| Batch { shape: small.input(), values: vec![0.5; numbers] };
    let oracle = |numbers, nodes: &[_]| {
        let named = small.tensors().map(|spec| (spec.name.clone(), vec![0.5; spec.elements()])).collect();
        oracle::run(&small, &named, &batch(numbers), Mode::Evaluation, nodes).err().map(|error| error.to_string())
    };
    assert_eq!(oracle(8, &[fc]), None);
    assert!(oracle(8, &others).is_some_and(|message| message.contains("none at position")));
    for numbers in [0, 3, 5] {
        let expected = format!("small: {numbers} numbers are no whole samples of 4 each");
        assert_eq!(oracle(numbers, &[fc]), Some(expected));
    }
    Ok(())
}

/// What a plan of some nodes asks for is what these take: the rest of the network may be larger than any memory.
#[test]
fn a_plan_in_16_bits_needs_no_memory_for_other_nodes() -> Result<(), Failure> {
    let _alone = alone();
    if let Err(why) = Numeric::Bf16.available(InstructionSet::chosen()) {
        println!("not run: {why}");
        return Ok(());
    }
    let body = |out| chain().then("conv", conv(3).out(16)).global_avg_pool().then("fc", linear(out));
    let [small, vast] = [3, 1 << 37].map(|out| body(out).named("vast", [3, 8, 8]).at_usual_input());
    let mut weights = Weights::initialised(&small?, 5);
    for name in ["fc.weight", "fc.bias"] {
        weights.remove(name);
    }
    let options = InferenceOptions::default().numeric(Numeric::Bf16).of_nodes(&["conv"]);
    InferencePlan::new(&vast?, &weights, options)?;
    Ok(())
}

#[test]
fn instructions_that_the_cpu_lacks_are_refused() -> Result<(), Failure> {
    let _alone = alone();
    let network = chain().flatten().then("fc", linear(3)).named("small", [1, 2, 2]).at_usual_input()?;
    let weights = Weights::initialised(&network, 5);
    let path = tempfile::tempdir()?.path().join("small.plan");
    // No CPU has them all.
    for set in InstructionSet::ALL.into_iter().filter(|set| !set.available()) {
        for numeric in Numeric::ALL {
            let options = InferenceOptions::default().on(set).numeric(numeric);
            let made = InferencePlan::new(&network, &weights, options);
            for plan in [made, InferencePlan::open(&path, &network, None, options)] {
                let message = plan.err().map(|error| error.to_string());
                assert_eq!(message, Some(format!("{numeric}: this CPU has no {set}")));
            }
        }
    }
    Ok(())
}

#[test]
fn a_linear_layer_that_reads_through_a_normalisation_comes_back_too() -> Result<(), Failure> {
    let _alone = alone();
    let body = chain().and(max_pool(2)).then("bn", batch_norm()).flatten().then("scores", linear(5));
    let network = body.named("mapped", [3, 6, 6]).at_usual_input()?;
    let plan = InferencePlan::new(&network, &Weights::initialised(&network, 5), InferenceOptions::default())?;
    let images = images(&network, 2);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mapped.plan");
    plan.save(&path)?;
    let opened = InferencePlan::open(&path, &network, None, InferenceOptions::default())?;
    let expected = plan.outputs(&mut plan.workspace(2)?, &images)?;
    assert_eq!(opened.outputs(&mut opened.workspace(2)?, &images)?, expected);
    Ok(())
}

/// A linear layer that is packed in several parts, the last of them no whole panel, from a file and from memory.
#[test]
fn large_linear_layers_are_packed_in_parts() -> Result<(), Failure> {
    let _alone = alone();
    let body = chain().and(max_pool(2)).flatten().then("wide", linear(1411)).relu().then("scores", linear(7));
    let network = body.named("wide", [4, 41, 39]).at_usual_input()?;
    let weights = Weights::initialised(&network, 3);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wide.safetensors");
    std::fs::write(&path, weights.to_bytes()?)?;
    let images = images(&network, 2);
    let expected = by_oracle(&network, &weights, &images, &["scores"])?;
    for set in InstructionSet::ALL.into_iter().filter(|set| set.available()) {
        let answers = [weights.clone(), Weights::read(&path)?].map(|weights| {
            let plan = InferencePlan::new(&network, &weights, InferenceOptions::default().on(set))?;
            Ok::<_, Failure>(plan.outputs(&mut plan.workspace(2)?, &images)?.swap_remove(0))
        });
        let [from_memory, from_file] = answers;
        let from_memory = from_memory?;
        close(&from_memory, &expected[0], &format!("{set:?}"));
        assert_eq!(from_memory, from_file?, "{set:?}");
    }
    Ok(())
}

/// Two plans may have workspaces of the same sizes, and tasks that differ.
#[test]
fn a_workspace_is_for_one_plan() -> Result<(), Failure> {
    let _alone = alone();
    let network = network()?;
    let weights = Weights::initialised(&network, 5);
    let plan = || InferencePlan::new(&network, &weights, InferenceOptions::default());
    let (one, other) = (plan()?, plan()?);
    let images = images(&network, 1);
    let mut workspace = one.workspace(1)?;
    one.clone().outputs(&mut workspace, &images)?;
    let run = std::panic::AssertUnwindSafe(|| other.outputs(&mut workspace, &images).map(drop));
    assert!(std::panic::catch_unwind(run).is_err(), "another plan's workspace is taken");
    Ok(())
}
