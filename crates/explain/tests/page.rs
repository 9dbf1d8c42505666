//! The page: one file, texts as texts, and small enough.

use cnn_explain::{Collection, Error, Explainer, Page, Sample, Subject};
use cnn_network::Network;
use cnn_network::definition::*;
use cnn_plan::Predictor;
use cnn_weights::{Tensor, Weights};

type Failure = Box<dyn std::error::Error>;

fn network(name: &str) -> Result<Network, Failure> {
    let entry = cnn_zoo::find(name)?;
    Ok(entry.architecture(entry.classes).without_heads().at_usual_input()?)
}

fn page(network: &Network, name: &str, classes: &[String]) -> Result<String, Failure> {
    let mut explainer = Explainer::new(network, &Weights::initialised(network, 1))?;
    let pixels: Vec<u8> = (0..network.input().elements()).map(|i| (i * 7919 % 251) as u8).collect();
    let image = pixels.iter().map(|pixel| f32::from(*pixel) / 64.0 - 2.0).collect();
    let subjects = [Subject { name, image, pixels }];
    let notes = ["a note with <b>markup</b>".to_string()];
    Ok(Page { title: name, classes, notes: &notes, subjects: &subjects, top: 3, collection: None }
        .html(&mut explainer)?)
}

/// What a browser would run or load is what the page's own source brings.
fn assert_harmless(html: &str) {
    assert_eq!(
        html.matches("<script").count() - html.matches("<script type=\"application/json\"").count(),
        // What outlines in the picture what a place sees; the arithmetic; the points.
        1 + usize::from(html.contains("id=\"numbers\"")) + usize::from(html.contains("id=\"points\""))
    );
    assert!(!html.contains("<b>") && !html.contains("<img src=x") && !html.contains("=a>\"'"));
    assert!(!html.contains("http:") && !html.contains("https:"));
    let sources = html.split("src=\"").skip(1);
    assert!(sources.into_iter().all(|source| source.starts_with("data:image/png;base64,")));
}

#[test]
fn names_with_markup_are_shown_as_text() -> Result<(), Failure> {
    let network = network("lenet")?;
    let evil = "</script></title><img src=x onerror=a>\"'&.png";
    let classes: Vec<String> = (0..10).map(|class| format!("<b>{class}</b></table>")).collect();
    let html = page(&network, evil, &classes)?;
    assert_harmless(&html);
    assert!(html.contains("&lt;img src=x onerror=a&gt;") && html.contains("&lt;b&gt;"), "the names are not there");
    Ok(())
}

#[test]
fn a_small_network_brings_its_numbers() -> Result<(), Failure> {
    let network = network("lenet")?;
    let html = page(&network, "picture.png", &[])?;
    assert_harmless(&html);
    assert!(html.len() < 2_000_000, "{}", html.len());
    let (_, rest) = html.split_once("id=\"numbers\">").ok_or("no numbers")?;
    let numbers: serde_json::Value = serde_json::from_str(rest.split_once("</script>").ok_or("no end")?.0)?;
    let nodes = numbers["nodes"].as_object().ok_or("no nodes")?;
    assert_eq!(nodes.len(), network.nodes().len());
    let conv = nodes.values().find(|node| node["path"] == "conv2").ok_or("no conv2")?;
    assert_eq!(conv["op"]["kind"], "conv");
    assert_eq!(conv["op"]["kernel"], serde_json::json!([5, 5]));
    assert_eq!(conv["sheet"]["reduced"], 1);
    assert_eq!(conv["sheet"]["channels"].as_array().map(Vec::len), Some(16));
    Ok(())
}

#[test]
fn every_node_of_a_large_network_has_its_facts() -> Result<(), Failure> {
    let network = network("resnet20_cifar")?;
    let html = page(&network, "picture.png", &[])?;
    assert_harmless(&html);
    assert!(html.len() < 6_000_000, "{}", html.len());
    assert!(!html.contains("id=\"numbers\""));
    for node in network.nodes().iter().skip(1) {
        assert!(html.contains(&format!("<p class=\"path\">{}</p>", node.path)), "{}", node.path);
    }
    let link = "as <a href=\"#layer1/layer1.0\">layer1.0</a>";
    assert!(html.contains(link) && html.contains("id=\"layer1/layer1.0\""), "no unit is folded");
    Ok(())
}

#[test]
fn a_picture_of_another_size_is_refused() -> Result<(), Failure> {
    let network = network("lenet")?;
    let mut explainer = Explainer::new(&network, &Weights::initialised(&network, 1))?;
    let subjects = [Subject { name: "short", image: vec![0.0; 7], pixels: vec![0; 7] }];
    let page = Page { title: "short", classes: &[], notes: &[], subjects: &subjects, top: 1, collection: None };
    assert!(page.html(&mut explainer).is_err_and(|error| error.to_string().contains("not one image")));
    Ok(())
}

/// A picture of the number `i`, as LeNet reads it.
fn sample(network: &Network, i: usize) -> Sample {
    let pixels: Vec<u8> = (0..network.input().elements()).map(|at| (at * (i + 3) % 251) as u8).collect();
    let image = pixels.iter().map(|pixel| f32::from(*pixel) / 64.0 - 2.0).collect();
    Sample { image, pixels, label: i % 10 }
}

/// Each image has a point and a small picture; each channel of the first layer and of Grad-CAM's maps the images that
/// excite it most. Names are texts.
#[test]
fn a_data_set_is_shown() -> Result<(), Failure> {
    let network = network("lenet")?;
    let mut explainer = Explainer::new(&network, &Weights::initialised(&network, 1))?;
    let collection = Collection::of(&explainer, "<b>set</b>", &[], 40, |i| Ok::<_, Error>(sample(&network, i)))?;
    let Sample { image, pixels, .. } = sample(&network, 0);
    let classes: Vec<String> = (0..10).map(|class| format!("<b>{class}</b></script>")).collect();
    let subjects = [Subject { name: "first", image, pixels }];
    let collection = Some(&collection);
    let html = Page { title: "set", classes: &classes, notes: &[], subjects: &subjects, top: 3, collection }
        .html(&mut explainer)?;
    assert_harmless(&html);
    assert!(html.len() < 2_000_000 && html.contains("&lt;b&gt;set&lt;/b&gt;"), "{}", html.len());
    let (_, rest) = html.split_once("id=\"points\">").ok_or("no points")?;
    let points: serde_json::Value = serde_json::from_str(rest.split_once("</script>").ok_or("no end")?.0)?;
    assert_eq!(points["labels"].as_array().map(Vec::len), Some(40));
    assert_eq!((&points["ways"][0][0], &points["ways"][1][0]), (&"t-SNE".into(), &"principal components".into()));
    assert_eq!(points["ways"][0][1].as_array().map(Vec::len), Some(80));
    // 6 channels and 16, 6 images each.
    assert_eq!(html.matches("<i class=\"part0\"").count(), 36);
    assert_eq!(html.matches("<i class=\"part1\"").count(), 96);
    Ok(())
}

/// A network without maps has less to be done, and is done as well.
#[test]
fn the_work_on_a_page_is_told_to_its_end() -> Result<(), Failure> {
    for name in ["lenet", "mnist_mlp"] {
        let network = network(name)?;
        let mut explainer = Explainer::new(&network, &Weights::initialised(&network, 1))?;
        let subject = |i| {
            let Sample { image, pixels, .. } = sample(&network, i);
            Subject { name, image, pixels }
        };
        let subjects = [subject(0), subject(1)];
        let page = Page { title: name, classes: &[], notes: &[], subjects: &subjects, top: 3, collection: None };
        let mut told = Vec::new();
        page.html_told(&mut explainer, &mut |done, all| told.push((done, all)))?;
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1), "{name}: {told:?}");
        assert!(told.last().is_some_and(|(done, all)| done == all), "{name}: {told:?}");
    }
    Ok(())
}

/// What a page of ten images says of each as a point.
fn points(network: &Network, explainer: &mut Explainer) -> Result<serde_json::Value, Failure> {
    let collection = Collection::of(explainer, "set", &[], 10, |i| Ok::<_, Error>(sample(network, i)))?;
    let Sample { image, pixels, .. } = sample(network, 0);
    let (subjects, collection) = ([Subject { name: "first", image, pixels }], Some(&collection));
    let html =
        Page { title: "set", classes: &[], notes: &[], subjects: &subjects, top: 1, collection }.html(explainer)?;
    let (_, rest) = html.split_once("id=\"points\">").ok_or("no points")?;
    Ok(serde_json::from_str(rest.split_once("</script>").ok_or("no end")?.0)?)
}

/// Where classes are equally probable, the first is the answer, as it is in predictions.
#[test]
fn the_first_of_equal_classes_is_the_answer() -> Result<(), Failure> {
    let network = network("lenet")?;
    let mut zeros = Weights::new();
    for (name, tensor) in Weights::initialised(&network, 1).iter() {
        zeros.insert(name, Tensor::new(name, tensor.dims(), vec![0.0_f32; tensor.elements()])?);
    }
    let mut explainer = Explainer::new(&network, &zeros)?;
    let points = points(&network, &mut explainer)?;
    assert_eq!(points["answers"], serde_json::json!(vec![0; 10]));
    Ok(())
}

/// The shares of the answers are the probabilities that a network gives, which get no second softmax.
#[test]
fn probabilities_are_shown_as_they_are() -> Result<(), Failure> {
    let body = chain().then("conv", conv(3).out(10)).and(scale(30.0)).and(adaptive_avg_pool(1)).softmax().flatten();
    let network = body.named("ends", [1, 8, 8]).at_usual_input()?;
    let weights = Weights::initialised(&network, 1);
    let (mut explainer, predictor) = (Explainer::new(&network, &weights)?, Predictor::new(&network, &weights)?);
    let points = points(&network, &mut explainer)?;
    let mut greatest = 0.0f32;
    for i in 0..10 {
        let expected = predictor.probabilities(&sample(&network, i).image)?.into_iter().fold(0.0f32, f32::max);
        let found = points["shares"][i].as_f64().ok_or("no share")?;
        assert!((found - f64::from(1000.0 * expected)).abs() < 1.0, "{found} {expected}");
        greatest = greatest.max(expected);
    }
    assert!(greatest > 0.5, "a second softmax would hardly change {greatest}");
    Ok(())
}

/// What a place of a map sees is in the page: of the first convolution 5×5 pixels, one further at each step.
#[test]
fn the_page_knows_what_a_place_sees() -> Result<(), Failure> {
    let network = network("lenet")?;
    let html = page(&network, "picture.png", &[])?;
    let (_, rest) = html.split_once("id=\"fields\">").ok_or("no fields")?;
    let fields: serde_json::Value = serde_json::from_str(rest.split_once("</script>").ok_or("no end")?.0)?;
    let id = network.find("conv1")?.index().to_string();
    let position = fields["nodes"][&id]["spans"][0].as_u64().ok_or("no spans")? as usize;
    let span = fields["spans"][position].as_array().ok_or("no span")?;
    assert_eq!(span.len(), 56);
    assert_eq!(span[..4], [0, 5, 1, 6].map(serde_json::Value::from));
    Ok(())
}

#[test]
fn too_many_images_are_refused() -> Result<(), Failure> {
    let network = network("lenet")?;
    let explainer = Explainer::new(&network, &Weights::initialised(&network, 1))?;
    for count in [0, 1, Collection::MOST + 1] {
        let refused = Collection::of(&explainer, "set", &[], count, |i| Ok::<_, Error>(sample(&network, i)));
        assert!(refused.is_err_and(|error| error.to_string().contains("from 2 to 2000")), "{count}");
    }
    Ok(())
}
