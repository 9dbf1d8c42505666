//! What explains a network, held to what it must be by definition.

use cnn_explain::{About, Cam, Exciting, Explainer, Live, Occlusion, SmoothGrad, cam_node, seen};
use cnn_network::Network;
use cnn_network::definition::*;
use cnn_plan::{GradientPlan, GradientRun, Parameters, Predictor};
use cnn_weights::{Tensor, Weights};

type Failure = Box<dyn std::error::Error>;

/// Strides, padding, dilation, branches of different fields, and an odd size.
fn network() -> Result<Network, Failure> {
    let fork = concat()
        .branch(chain().then("near", conv(1).out(3)))
        .branch(chain().then("far", conv(3).out(3).pad(2).dilation(2)));
    let body = chain()
        .then("stem", conv(3).out(4).stride(2).pad(1))
        .relu()
        .and(max_pool(2).stride(1))
        .then("fork", fork)
        .and(avg_pool(2))
        .flatten()
        .then("fc", linear(3));
    Ok(body.named("fields", [1, 19, 15]).at_usual_input()?)
}

fn image(network: &Network) -> Vec<f32> {
    (0..network.input().elements()).map(|i| ((i * 7919) % 997) as f32 / 500.0 - 1.0).collect()
}

fn explainer(network: &Network) -> Result<Explainer, Failure> {
    Ok(Explainer::new(network, &Weights::initialised(network, 11))?)
}

/// Scores beyond what `f32` holds are no probabilities.
#[test]
fn no_answer_is_refused() -> Result<(), Failure> {
    let network = network()?;
    let mut weights = Weights::new();
    for (name, tensor) in Weights::initialised(&network, 11).iter() {
        let values: Vec<f32> = tensor.numbers::<f32>(name)?.iter().map(|x| 1e14 * x).collect();
        weights.insert(name, Tensor::new(name, tensor.dims(), values)?);
    }
    let expected =
        "fields gives no finite answer for this picture: is it prepared as those the weights were trained on were?";
    let image = image(&network);
    let said = Explainer::new(&network, &weights)?.probabilities(&image).unwrap_err();
    assert_eq!(said.to_string(), expected);
    let about = About { title: String::new(), classes: Vec::new(), drawn: [1, 1], notes: Vec::new() };
    let mut live = Live::new(&network, &weights, about, Default::default())?;
    assert_eq!(live.look(&image, false).unwrap_err().to_string(), expected);
    Ok(())
}

/// No pixel outside of what a unit sees has a gradient, over many images; and every row and column of it has one.
#[test]
fn a_unit_sees_what_has_a_gradient() -> Result<(), Failure> {
    let network = network()?;
    let [height, width] = network.input().size().ok_or("no map")?.axes();
    let nodes = network.ids().skip(1).filter(|id| network.node(*id).shape.size().is_some());
    let mut checked = 0;
    for node in nodes {
        let shape = network.node(node).shape;
        let [rows, columns] = shape.size().ok_or("no map")?.axes();
        let input = network.find("input")?;
        let mut run = GradientRun::<f64>::new(&GradientPlan::new(&network, &[node], &[input])?);
        for [row, column] in [[0, 0], [rows / 2, columns / 2], [rows - 1, columns - 1]] {
            let (mut any_row, mut any_column) = (vec![false; height], vec![false; width]);
            for seed in 0..24 {
                let mut parameters = Parameters::new(&network, &Weights::initialised(&network, seed))?;
                let images: Vec<f64> =
                    (0..height * width).map(|i| ((i * 7919 + 31 * seed as usize) % 997) as f64 / 500.0 - 1.0).collect();
                let forward = run.forward(&mut parameters, &images)?;
                let mut begin = vec![0.0; shape.elements()];
                for channel in 0..shape.channels() {
                    begin[(channel * rows + row) * columns + column] = 1.0 + channel as f64;
                }
                let begin = forward.gradients(&[Some(&begin)])?;
                forward.backward(&begin, &mut |_, gradient: &mut [f64]| {
                    for place in (0..gradient.len()).filter(|place| gradient[*place] != 0.0) {
                        (any_row[place / width], any_column[place % width]) = (true, true);
                    }
                })?;
            }
            let found = seen(&network, node, [row, column])?;
            let expected = |any: &[bool]| {
                let first = any.iter().position(|any| *any).unwrap_or(0);
                first..any.iter().rposition(|any| *any).map_or(0, |last| last + 1)
            };
            let path = &network.node(node).path;
            assert_eq!(found.rows, expected(&any_row), "rows of {path} at {row}, {column}");
            assert_eq!(found.columns, expected(&any_column), "columns of {path} at {row}, {column}");
            checked += 1;
        }
    }
    assert!(checked >= 18, "{checked}");
    assert!(seen(&network, network.find("stem")?, [99, 0]).is_err());
    Ok(())
}

/// A unit of padding alone, and one whose inputs are of padding alone, depend on nothing.
#[test]
fn what_sees_only_padding_sees_nothing() -> Result<(), Failure> {
    let pointwise = || conv(1).out(2).pad(1);
    for (network, side) in [
        (chain().then("first", conv(3).out(2)).then("padded", pointwise()).named("window", [1, 8, 8]), 8),
        (chain().and(adaptive_avg_pool(4)).then("padded", pointwise()).named("spans", [1, 9, 9]), 9),
    ] {
        let network = network.at_usual_input()?;
        let padded = network.find("padded")?;
        let [rows, columns] = network.node(padded).shape.size().ok_or("no map")?.axes();
        for row in 0..rows {
            for column in 0..columns {
                let found = seen(&network, padded, [row, column])?;
                let padding = |at: usize, count: usize| at == 0 || at + 1 == count;
                assert_eq!(found.rows.is_empty(), padding(row, rows), "{row}, {column}");
                assert_eq!(found.columns.is_empty(), padding(column, columns), "{row}, {column}");
                assert!(found.rows.end <= side && found.columns.end <= side);
            }
        }
    }
    Ok(())
}

/// Without noise the average of gradients is the gradient; with it the seed decides.
#[test]
fn smooth_gradients_come_from_their_seed() -> Result<(), Failure> {
    let network = network()?;
    let (mut explainer, image) = (explainer(&network)?, image(&network));
    let plain = explainer.input_gradient(&image, 1)?;
    let mut smooth = |noise: f64, seed: u64| {
        explainer.smooth_gradient(&image, 1, SmoothGrad { samples: 11, noise, seed }).map(|maps| maps.numbers)
    };
    let none = smooth(0.0, 1)?;
    assert!(none.iter().zip(&plain.numbers).all(|(a, b)| (a - b).abs() < 1e-5));
    assert_eq!(smooth(0.2, 1)?, smooth(0.2, 1)?);
    assert_ne!(smooth(0.2, 1)?, smooth(0.2, 2)?);
    assert!(smooth(f64::NAN, 1).is_err());
    Ok(())
}

/// A square is worth the difference of the probabilities with and without it; the last square ends where the image does.
#[test]
fn occlusion_is_the_probability_that_is_lost() -> Result<(), Failure> {
    let network = network()?;
    let (explainer, image) = (explainer(&network)?, image(&network));
    let heat = explainer.occlusion(&image, 2, Occlusion { side: 4, step: 3, cover: 0.0 })?;
    assert_eq!(heat.size, [6, 5]);
    let mut covered = image.clone();
    for row in 15..19 {
        covered[row * 15 + 11..(row + 1) * 15].fill(0.0);
    }
    let [before, after] = [&image, &covered].map(|image| explainer.probabilities(image).map(|rows| rows[0][2]));
    assert!((heat.numbers[29] - (before? - after?)).abs() < 1e-6);
    let refused = [(0, 1), (1, 0), (16, 1)].map(|(side, step)| Occlusion { side, step, cover: 0.0 });
    assert!(refused.into_iter().all(|occlusion| explainer.occlusion(&image, 2, occlusion).is_err()));
    Ok(())
}

/// What a network ends in, and whether there are scores before it.
fn ends() -> Vec<(Chain, bool)> {
    let (scores, maps) = (|| chain().flatten().then("fc", linear(4)).and(scale(30.0)), || conv(3).out(4));
    let one = || chain().then("maps", maps()).and(scale(30.0)).and(adaptive_avg_pool(1)).softmax();
    vec![
        (scores(), true),
        (scores().softmax(), true),
        (scores().softmax().flatten(), true),
        (scores().softmax().dropout(0.5), true),
        (one().flatten(), true),
        (one().dropout(0.5).flatten(), true),
        (chain().then("maps", maps()).and(scale(30.0)).softmax().global_avg_pool(), false),
    ]
}

/// Whatever comes after a softmax, nobody applies a second one, and it is the scores before it that are differentiated.
#[test]
fn a_network_that_gives_probabilities_gets_no_second_softmax() -> Result<(), Failure> {
    let mut largest = 0.0f32;
    for (end, has_scores) in ends() {
        let network = chain().and(end).named("ends", [1, 6, 5]).at_usual_input()?;
        let (weights, image) = (Weights::initialised(&network, 5), image(&network));
        let mut explainer = Explainer::new(&network, &weights)?;
        let expected = Predictor::new(&network, &weights)?.probabilities(&image)?;
        let close = |found: &[f32]| found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
        let found = explainer.probabilities(&image)?.swap_remove(0);
        assert!(found.len() == 4 && close(&found), "{found:?} {expected:?}");
        largest = found.iter().fold(largest, |largest, p| largest.max(*p));

        let about = About { title: String::new(), classes: Vec::new(), drawn: [6, 5], notes: Vec::new() };
        let frame = Live::new(&network, &weights, about, Default::default())?.look(&image, false)?;
        let live: Vec<f32> =
            frame.chunks_exact(4).take(4).map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]])).collect();
        assert!(close(&live), "{live:?} {expected:?}");

        let scores = explainer.activations(&image, &[network.score_node()])?.swap_remove(0).swap_remove(0).numbers;
        let total: f32 = scores.iter().map(|x| x.exp()).sum();
        assert_eq!(close(&scores.iter().map(|x| x.exp() / total).collect::<Vec<_>>()), has_scores);
        assert_eq!(explainer.input_gradient(&image, 3)?.numbers.len(), 30);
    }
    assert!(largest > 0.9, "a second softmax would hardly change {largest}");
    Ok(())
}

#[test]
fn the_images_that_excite_a_channel_are_ranked() -> Result<(), Failure> {
    let network = network()?;
    let explainer = explainer(&network)?;
    let images: Vec<Vec<f32>> =
        (0..7).map(|k| image(&network).iter().map(|x| x * (1.0 + ((k * 3) % 7) as f32)).collect()).collect();
    let node = network.find("stem")?;
    let all = images.iter().cloned().map(Ok::<_, cnn_explain::Error>);
    let best = explainer.exciting(node, all, 3)?;
    assert_eq!(best.len(), 4);
    for (channel, found) in best.iter().enumerate() {
        let mut expected: Vec<(usize, f32)> = Vec::new();
        for (number, image) in images.iter().enumerate() {
            let maps = explainer.activations(image, &[node])?.swap_remove(0).swap_remove(0);
            let greatest = maps.channels().nth(channel).ok_or("no channel")?.iter().copied().fold(f32::MIN, f32::max);
            expected.push((number, greatest));
        }
        expected.sort_by(|a, b| b.1.total_cmp(&a.1));
        let found: Vec<(usize, f32)> = found.iter().map(|Exciting { image, value, .. }| (*image, *value)).collect();
        assert_eq!(found, expected[..3]);
    }
    Ok(())
}

#[test]
fn bad_questions_are_refused() -> Result<(), Failure> {
    let network = network()?;
    let (mut explainer, image) = (explainer(&network)?, image(&network));
    assert!(explainer.slopes(&image, &[3], &[]).is_err_and(|error| error.to_string().contains("no class 3")));
    assert!(explainer.slopes(&image, &[1, 1], &[]).is_err());
    assert!(explainer.input_gradient(&image[1..], 1).is_err());
    assert!(explainer.saliency(&[image.clone(), image.clone()].concat(), 1).is_err());
    let vector = network.find("fc")?;
    assert!(explainer.cam(&image, &[1], Some(vector), Cam::GradCam).is_err());
    Ok(())
}

#[test]
fn a_node_of_another_network_is_refused() -> Result<(), Failure> {
    let network = network()?;
    let (mut explainer, image) = (explainer(&network)?, image(&network));
    let longer = (0..40).fold(chain(), |body, _| body.relu()).named("longer", [1, 2, 2]).at_usual_input()?;
    let other = longer.outputs()[0].node;
    let expected = network.check_nodes(&[other]).unwrap_err().to_string();
    let refusals = [
        explainer.cam(&image, &[1], Some(other), Cam::GradCam).err(),
        seen(&network, other, [0, 0]).err(),
        explainer.activations(&image, &[other]).err(),
        explainer.slopes(&image, &[1], &[other]).err(),
        explainer.exciting(other, [Ok(image.clone())], 1).err(),
    ];
    for (number, refusal) in refusals.into_iter().enumerate() {
        assert!(refusal.is_some_and(|refusal| refusal.to_string().ends_with(&expected)), "{number}");
    }
    Ok(())
}

/// The last maps of every network, but where there are none.
#[test]
fn every_network_has_a_node_for_grad_cam() -> Result<(), Failure> {
    for entry in cnn_zoo::all() {
        let network = entry.architecture(entry.classes).without_heads().at_usual_input()?;
        match cam_node(&network) {
            Some(node) => {
                assert!(network.node(node).shape.size().is_some_and(|size| size.area() > 1), "{}", entry.name)
            }
            None => assert!(["mnist_mlp"].contains(&entry.name), "{}", entry.name),
        }
    }
    for (name, path) in
        [("lenet", "max_pool_1"), ("resnet50", "layer4"), ("alexnet", "features"), ("inception_v3", "Mixed_7c")]
    {
        let network = cnn_zoo::find(name)?.architecture(10).without_heads().at_usual_input()?;
        assert_eq!(cam_node(&network), Some(network.find(path)?), "{name}");
    }
    Ok(())
}
