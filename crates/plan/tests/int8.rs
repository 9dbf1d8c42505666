//! Inference in 8 bits: the same integers everywhere, close to what the network computes, and what is refused.

use crate::common::*;
use cnn_kernels::InstructionSet;
use cnn_kernels::inference::ConvAlgorithm;
use cnn_network::Network;
use cnn_network::definition::*;
use cnn_plan::{Calibration, Calibrator, InferenceOptions, InferencePlan, Numeric};
use cnn_weights::Weights;

/// What has a kernel of 8-bit numbers and what has none: residual units, a normalisation before a convolution,
/// concatenations, pools with and without counted padding, local response normalisation, tanh, a sum of three, a linear
/// layer of maps.
fn network() -> Result<Network, Failure> {
    let three = sum()
        .branch(chain().then("one", conv(1).out(48)))
        .branch(chain().and(max_pool(3).stride(1).pad(1)))
        .branch(chain().then("bn", batch_norm()).relu());
    let body = chain()
        .then("stem", conv(7).out(24).stride(2).pad(3))
        .relu()
        .then("lrn", lrn())
        .and(max_pool(3).stride(2).pad(1))
        .then("shortcut", shortcut())
        .relu()
        .then("before", before())
        .then("three", three)
        .then("outer", concatenations(chain().and(avg_pool(3).stride(1).pad(1))))
        .and(avg_pool(2))
        .flatten()
        .then("fc", linear(30))
        .then("tanh", tanh(1.0, 1.0))
        .then("scores", linear(11));
    Ok(body.named("mixed", [3, 45, 38]).at_usual_input()?)
}

fn calibrated(network: &Network, weights: &Weights, images: &[f32]) -> Result<Calibration, Failure> {
    let mut calibrator = Calibrator::new(network, weights)?;
    calibrator.observe(images)?;
    Ok(calibrator.calibration()?)
}

/// The network with weights, images, and the scales found on them.
fn ready(batch: usize) -> Result<(Network, Weights, Vec<f32>, Calibration), Failure> {
    let network = network()?;
    let weights = Weights::initialised(&network, 5);
    let images = images(&network, batch);
    let calibration = calibrated(&network, &weights, &images)?;
    Ok((network, weights, images, calibration))
}

/// The largest difference, of the largest number.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-12_f32, |most, x| most.max(x.abs()));
    // NaN comes last in this order, so it is the largest of all.
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap_or(0.0) / largest
}

#[test]
fn the_answers_are_close_and_the_same_on_every_instruction_set() -> Result<(), Failure> {
    let _alone = alone();
    let (network, weights, images, calibration) = ready(3)?;
    let nodes = ["shortcut.bn1", "before", "outer", "lrn"];
    let exact = InferencePlan::new(&network, &weights, InferenceOptions::default().with_nodes(&nodes))?;
    let exact = exact.outputs(&mut exact.workspace(3)?, &images)?;
    let mut first: Option<Vec<Vec<f32>>> = None;
    for set in InstructionSet::ALL.into_iter().filter(|set| set.available()) {
        let options = InferenceOptions::default().with_nodes(&nodes).on(set).int8(&calibration);
        let plan = InferencePlan::new(&network, &weights, options)?;
        let found = plan.outputs(&mut plan.workspace(3)?, &images)?;
        for (number, (found, exact)) in found.iter().zip(&exact).enumerate() {
            let apart = apart(found, exact);
            assert!(apart < 0.1, "output {number}, {set}: {apart}");
        }
        let bits = |outputs: &[Vec<f32>]| outputs.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        if let Some(first) = &first {
            assert_eq!(bits(&found), bits(first), "{set}");
        }
        first.get_or_insert(found);
    }
    Ok(())
}

/// Pictures lie four pixels a cell where that pays; a convolution that remains of one column must not be taken for one that
/// Winograd's algorithm computes.
#[test]
fn first_convolutions_of_every_width_and_step_are_computed() -> Result<(), Failure> {
    let _alone = alone();
    let bf16 = Numeric::Bf16.available(InstructionSet::chosen()).is_ok();
    for channels in [1, 3, 4] {
        for (kernel, stride, pad) in [
            ([3, 3], [1, 4], [1, 1]),
            ([7, 4], [1, 4], [3, 0]),
            ([3, 4], [1, 4], [1, 2]),
            ([3, 3], [1, 1], [1, 1]),
            ([7, 7], [2, 2], [3, 3]),
            ([11, 11], [4, 4], [2, 2]),
            ([5, 5], [3, 3], [0, 0]),
            ([1, 8], [2, 1], [0, 5]),
        ] {
            let first = conv(kernel).out(40).stride(stride).pad(pad);
            let body = chain().then("first", first).relu().global_avg_pool().flatten().then("fc", linear(9));
            let network = body.named("first", [channels, 61, 66]).at_usual_input()?;
            let (weights, images) = (Weights::initialised(&network, 5), images(&network, 2));
            let calibration = calibrated(&network, &weights, &images)?;
            let nodes = InferenceOptions::default().usual_batch(2).of_nodes(&["first"]);
            let exact = InferencePlan::new(&network, &weights, nodes)?;
            let exact = exact.outputs(&mut exact.workspace(2)?, &images)?;
            let bf16 = bf16.then(|| nodes.numeric(Numeric::Bf16));
            let forced = ConvAlgorithm::ALL.into_iter().filter_map(|algorithm| bf16.map(|bf16| bf16.by(algorithm)));
            let bf16 = bf16.into_iter().chain(forced).map(|options| (options, 0.02));
            for (options, most) in [(nodes.int8(&calibration), 0.05)].into_iter().chain(bf16) {
                let plan = InferencePlan::new(&network, &weights, options)?;
                for (found, exact) in plan.outputs(&mut plan.workspace(2)?, &images)?.iter().zip(&exact) {
                    let apart = apart(found, exact);
                    assert!(
                        apart < most,
                        "{channels} channels, {kernel:?} by {stride:?}, {}: {apart}",
                        options.numeric
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn bits_depend_neither_on_threads_nor_on_the_batch() -> Result<(), Failure> {
    let _alone = alone();
    let (network, weights, images, calibration) = ready(5)?;
    let plan = InferencePlan::new(&network, &weights, InferenceOptions::default().int8(&calibration))?;
    assert_bits_depend_on_nothing(&plan, &images)
}

#[test]
fn eight_callers_at_once_get_the_answers_of_one() -> Result<(), Failure> {
    let _alone = alone();
    let (network, weights, images, calibration) = ready(8)?;
    let plan = InferencePlan::new(&network, &weights, InferenceOptions::default().int8(&calibration))?;
    let batches: Vec<Vec<f32>> = images.chunks(network.input().elements()).map(<[f32]>::to_vec).collect();
    assert_callers_agree(&plan, &batches)
}

#[test]
fn what_is_computed_in_32_bits_says_why() -> Result<(), Failure> {
    let _alone = alone();
    let (network, weights, _, calibration) = ready(1)?;
    let plan = InferencePlan::new(&network, &weights, InferenceOptions::default().int8(&calibration))?;
    let workspace = plan.workspace(1)?;
    let mut wide: Vec<&str> =
        plan.report(&workspace, 1).iter().filter(|step| step.in_f32.is_some()).map(|step| step.path).collect();
    wide.sort_unstable();
    assert_eq!(wide, ["lrn", "outer.avg_pool", "outer.cat", "tanh", "three.add"]);
    Ok(())
}

#[test]
fn scales_come_back_from_their_file_and_those_of_others_are_refused() -> Result<(), Failure> {
    let _alone = alone();
    let (network, weights, images, calibration) = ready(2)?;
    assert_eq!(calibration.images(), 2);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mixed.int8.json");
    calibration.write(&path)?;
    assert_eq!(Calibration::read(&path)?, calibration);
    let said = calibration.clone().of_pictures("divided by 255");
    said.write(&path)?;
    assert_eq!(Calibration::read(&path)?.prepared(), Some("divided by 255"));
    let refusal = |network: &Network, weights: &Weights, options| {
        InferencePlan::new(network, weights, options).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let options = InferenceOptions::default().int8(&calibration);
    let message = refusal(&network, &Weights::initialised(&network, 6), options);
    assert!(message.starts_with("mixed in int8: the scales were found with other weights: tensor "), "{message}");
    let other = chain().then("stem", conv(1).out(4)).named("other", [3, 45, 38]).at_usual_input()?;
    let message = refusal(&other, &Weights::initialised(&other, 5), options);
    assert_eq!(message, "other in int8: the scales are those of mixed");
    let message = refusal(&network, &weights, InferenceOptions::default().numeric(Numeric::Int8));
    assert!(message.starts_with("mixed in int8: 8-bit numbers need scales: "), "{message}");
    let message = Calibrator::new(&network, &weights)?.calibration().err().map(|error| error.to_string());
    assert_eq!(message.as_deref(), Some("mixed in int8: scales cannot be found without an image"));
    let mut calibrator = Calibrator::new(&network, &weights)?;
    let message = calibrator.observe(&vec![f32::NAN; network.input().elements()]).err().map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.contains("is not finite on image 1")));
    // Nothing of that image is in what is found of others.
    calibrator.observe(&images)?;
    assert_eq!(calibrator.calibration()?, calibration);

    let text = std::fs::read_to_string(&path)?;
    let node = network.nodes().iter().find_map(|node| calibration.range(&node.path)).ok_or("no node has a range")?;
    let highest = serde_json::to_string(&node[1])?;
    assert!(text.contains(&highest) && highest != "7.5");
    let damaged = folder.path().join("damaged.json");
    let edited = "it is not as it was written: damaged or edited; find the ranges anew";
    let cases = [
        ("\"images\": ", "\"images\": 1", edited),
        ("\"network\": \"mixed", "\"network\": \"mixed2", edited),
        ("int8 ranges 3", "int8 ranges 9", "its format is"),
        ("\"checksum\"", "\"sum\"", "it holds no ranges of a network in int8: "),
        ("divided by", "less", edited),
        (&highest, "7.5", edited),
        ("\"network\"", "\"net\"", "it holds no ranges of a network in int8: "),
        ("\"images\": 2", "\"images\": -2", "it holds no ranges of a network in int8: "),
        ("{", "[", "it holds no ranges of a network in int8: "),
    ];
    for (from, to, expected) in cases {
        std::fs::write(&damaged, text.replacen(from, to, 1))?;
        let message = Calibration::read(&damaged).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(expected) && !message.contains('\n'), "{from}: {message}");
    }
    let message = Calibration::read(folder.path()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("it cannot be read: "), "{message}");
    Ok(())
}

/// A plan's file as if narrow numbers had been multiplied by instructions of an unknown name that is as long.
fn of_another_cpu(file: &[u8], own: &str) -> Result<Vec<u8>, Failure> {
    let length = u32::from_le_bytes(file[8..12].try_into()?) as usize;
    let text = std::str::from_utf8(&file[16..16 + length])?;
    let line = text.lines().find(|line| line.starts_with("instructions: ")).ok_or("no instructions")?;
    let (_, by) = line.split_once(&format!(", {own} by ")).ok_or("nothing says by what")?;
    let text = text.replacen(line, &line.replace(&format!(" by {by}"), &format!(" by {}", "x".repeat(by.len()))), 1);
    let sum = crc32fast::hash(text.as_bytes()).to_le_bytes();
    Ok([&file[..12], &sum, text.as_bytes(), &file[16 + length..]].concat())
}

#[test]
fn plans_of_narrow_numbers_come_back_from_their_files() -> Result<(), Failure> {
    let _alone = alone();
    let (network, weights, images, calibration) = ready(2)?;
    let folder = tempfile::tempdir()?;
    let usual = InferenceOptions::default();
    let bf16 = Numeric::Bf16.available(InstructionSet::chosen()).is_ok().then(|| usual.numeric(Numeric::Bf16));
    for options in [usual.int8(&calibration)].into_iter().chain(bf16) {
        let plan = InferencePlan::new(&network, &weights, options)?;
        let path = folder.path().join("mixed.plan");
        assert_comes_back(&plan, &weights, options, (&images, &path))?;
        let message = InferencePlan::open(&path, &network, None, usual).err().map(|error| error.to_string());
        assert!(message.is_some_and(|message| message.contains("made for other options: ")));
    }
    // The CPU of a file may have multiplied by other instructions, whose weights lie in another order.
    for (own, options) in [("int8", usual.int8(&calibration)), ("bf16", usual.numeric(Numeric::Bf16))] {
        if bf16.is_none() && options.numeric == Numeric::Bf16 {
            continue;
        }
        let path = folder.path().join(own);
        InferencePlan::new(&network, &weights, options)?.save(&path)?;
        std::fs::write(&path, of_another_cpu(&std::fs::read(&path)?, own)?)?;
        let message = InferencePlan::open(&path, &network, None, options).err().map(|error| error.to_string());
        assert!(message.is_some_and(|message| message.contains("made for other instructions: ")), "{own}");
    }
    // Another calibration is another plan.
    let path = folder.path().join("mixed.plan");
    InferencePlan::new(&network, &weights, usual.int8(&calibration))?.save(&path)?;
    let other = calibrated(&network, &weights, &images[..network.input().elements()])?;
    let message = InferencePlan::open(&path, &network, None, usual.int8(&other)).err().map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.contains("made for other options: ")));
    Ok(())
}
