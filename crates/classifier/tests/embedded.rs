//! The weights that come with the crate, and pictures in files.

use cnn_classifier::{Classifier, Features, Form, Known, Trained, embedded};
use cnn_core::Weights;
use cnn_core::weights::Tensor;
use cnn_data::{Card, DigitsConfig, Fit, Interpolation, Picture, Preparation, digits};
use std::path::PathBuf;

type Failure = Box<dyn std::error::Error>;

#[test]
fn lenet_reads_digits_it_has_not_seen() -> Result<(), Failure> {
    let classifier = Classifier::open("lenet")?;
    let data = digits(DigitsConfig { train: 1, test: 400, seed: 977 })?;
    let mut right = 0;
    for index in 0..data.test().len() {
        let answers = classifier.classify(&data.test().picture(index)?, 10)?;
        assert_eq!(answers.len(), 10);
        assert!(answers.is_sorted_by(|a, b| a.probability >= b.probability));
        assert!((answers.iter().map(|answer| answer.probability).sum::<f32>() - 1.0).abs() < 1e-5);
        right += usize::from(answers[0].index as u32 == data.test().labels()[index]);
    }
    assert!(right >= 372, "{right} of 400");
    Ok(())
}

#[test]
fn every_embedded_weights_say_what_they_are() -> Result<(), Failure> {
    let mut bytes = 0;
    for name in embedded::NAMES {
        let trained = Trained::open(name, &Known::default())?;
        assert_eq!((trained.card.network.as_str(), trained.card.classes.len()), (name, 10));
        assert!(trained.notes.is_empty());
        bytes += trained.weights.to_bytes()?.len();
    }
    assert!(bytes <= 1_500_000, "{bytes}");
    Ok(())
}

#[test]
fn files_are_answered_in_their_order_and_a_bad_one_has_its_own_problem() -> Result<(), Failure> {
    let (place, classifier) = (tempfile::tempdir()?, Classifier::open("lenet")?);
    let data = digits(DigitsConfig { train: 1, test: 30, seed: 5 })?;
    let mut files = Vec::new();
    for index in 0..data.test().len() {
        let path = place.path().join(format!("{index:02}.png"));
        let bytes = if index == 11 { b"no picture".to_vec() } else { data.test().picture(index)?.png()? };
        std::fs::write(&path, bytes)?;
        files.push(path);
    }
    let mut found: Vec<(PathBuf, Option<String>)> = Vec::new();
    classifier.classify_files(
        &files,
        1,
        |path| Picture::open(path),
        |(path, answers)| {
            found.push((path, answers.ok().map(|answers| answers[0].class.clone())));
            true
        },
    )?;
    assert_eq!(found.iter().map(|(path, _)| path).collect::<Vec<_>>(), files.iter().collect::<Vec<_>>());
    for (index, (path, class)) in found.iter().enumerate() {
        // An image alone, and one among others, give the same.
        let alone = Picture::open(path).map_err(cnn_classifier::Error::from);
        let alone = alone.and_then(|picture| classifier.classify(&picture, 1)).ok();
        assert_eq!(class.clone(), alone.map(|answers| answers[0].class.clone()), "{index}");
        assert_eq!(class.is_none(), index == 11);
    }
    let mut seen = 0;
    classifier.classify_files(
        &files,
        1,
        |path| Picture::open(path),
        |_| {
            seen += 1;
            seen < 3
        },
    )?;
    assert_eq!(seen, 3);
    Ok(())
}

#[test]
fn features_are_pooled_or_maps() -> Result<(), Failure> {
    let trained = Trained::open("resnet20_cifar", &Known::default())?;
    let pixels = (0..3 * 32 * 32).map(|place| (place * 7 % 256) as u8).collect();
    let picture = Picture::new([3, 32, 32], pixels)?;
    let usual = Features::new(&trained, None, Form::Pooled)?;
    assert_eq!((usual.dims(), usual.of(&picture)?.len()), (&[64][..], 64));
    let maps = Features::new(&trained, Some("layer3"), Form::Maps)?;
    assert_eq!(maps.dims(), [64, 8, 8]);
    let (maps, pooled) = (maps.of(&picture)?, Features::new(&trained, Some("layer3"), Form::Pooled)?.of(&picture)?);
    for (channel, pooled) in maps.chunks_exact(64).zip(&pooled) {
        assert!((channel.iter().sum::<f32>() / 64.0 - pooled).abs() < 1e-5);
    }
    // What the last layer reads is the mean of the last maps.
    assert!(usual.of(&picture)?.iter().zip(&pooled).all(|(a, b)| (a - b).abs() < 1e-5));
    let message = Features::new(&trained, Some("layer4"), Form::Maps).unwrap_err().to_string();
    assert!(message.contains("layer4") && message.contains("layer3"), "{message}");
    Ok(())
}

#[test]
fn what_is_not_known_is_asked_for() -> Result<(), Failure> {
    let weights = || -> Result<Weights, Failure> {
        Ok(embedded::weights("lenet")?.ok_or("no weights")?.of_any_network().from_source("w".to_string()))
    };
    let message = |known: Known| Ok::<String, Failure>(Trained::new(&weights()?, &known).unwrap_err().to_string());
    let lenet = Known { network: Some("lenet".to_string()), ..Known::default() };
    assert_eq!(message(Known::default())?, "w: nothing says of which network these weights are; name it");
    let unknown = Known { network: Some("lenett".to_string()), ..Known::default() };
    assert!(message(unknown)?.starts_with("w: there is no network lenett; did you mean lenet"));
    let problem = message(lenet.clone())?;
    assert!(problem.starts_with("w: nothing says how a picture is prepared for these weights"), "{problem}");
    let prepared = Known {
        preparation: Some(Preparation::mnist().fitted(Fit::Resize {
            height: 32,
            width: 32,
            interpolation: Interpolation::Bilinear,
        })),
        ..lenet
    };
    let names = Known { classes: Some(vec!["one".to_string()]), ..prepared.clone() };
    assert_eq!(message(names)?, "w: 1 name of a class is given, but lenet has 10 outputs with these weights");
    let trained = Trained::new(&weights()?, &prepared)?;
    assert_eq!(trained.card.classes[9], "9");
    assert_eq!(trained.notes, ["nothing names the 10 classes: they are called by their numbers"]);
    let message = Trained::open("lenett", &Known::default()).unwrap_err().to_string();
    let expected = "lenett: no file, no run's folder and no weights of that name; did you mean lenet";
    assert!(message.starts_with(expected), "{message}");
    let folder = tempfile::tempdir()?;
    let name = folder.path().display().to_string();
    let message = Trained::open(&name, &Known::default()).unwrap_err().to_string();
    assert_eq!(message, format!("{name}: no run's folder, since best.safetensors is not in it"));
    Ok(())
}

/// What a card says is held to what it can mean, and the file is named that holds it.
#[test]
fn a_card_that_cannot_be_is_refused_by_the_name_of_its_file() -> Result<(), Failure> {
    let weights = embedded::weights("lenet")?.ok_or("no weights")?;
    let card = Card::of(&weights)?.ok_or("no card")?;
    let problem = |change: &dyn Fn(&mut Card)| -> Result<String, Failure> {
        let mut changed = card.clone();
        change(&mut changed);
        let changed = changed.put_on(weights.clone())?.from_source("w".to_string());
        Ok(Trained::new(&changed, &Known::default()).err().map_or_else(String::new, |problem| problem.to_string()))
    };
    assert_eq!(problem(&|_| {})?, "");
    for (images, size) in [([0, 0], "0×0"), ([100_000, 100_000], "100000×100000"), ([1 << 40, 2], "1099511627776×2")]
    {
        let expected =
            format!("w: the card in its metadata: pictures of {size}, but sides from 1 to 4096 are expected");
        assert_eq!(problem(&|card| card.images = Some(images))?, expected);
    }
    let found = problem(&|card| card.input = [1, 40, 40])?;
    assert!(found.starts_with("w: the card in its metadata: it reads 1×40×40, but "), "{found}");
    let found = problem(&|card| card.preparation.std = vec![0.0])?;
    assert!(found.starts_with("w: ") && found.contains("finite deviations above 0"), "{found}");
    Ok(())
}

/// A network without a convolution at its beginning has no channels of its own to say.
#[test]
fn nothing_is_said_of_weights_that_fit_as_they_are() -> Result<(), Failure> {
    let network = cnn_zoo::find("mnist_mlp")?.architecture(10).at_usual_input()?;
    let weights = Weights::initialised(&network, 3);
    let known = Known {
        network: Some("mnist_mlp".to_string()),
        classes: Some((0..10).map(|class| class.to_string()).collect()),
        preparation: Some(Preparation::mnist()),
        ..Known::default()
    };
    assert_eq!(Trained::new(&weights, &known)?.notes, Vec::<String>::new());
    Ok(())
}

/// What is public may be put together anew: names and pictures that are not the network's are refused, not cut to fit.
#[test]
fn a_card_that_is_not_the_networks_is_refused() -> Result<(), Failure> {
    let trained = Trained::open("lenet", &Known::default())?;
    let problem = |change: &dyn Fn(&mut Trained)| {
        let mut changed = trained.clone();
        change(&mut changed);
        Classifier::new(&changed).map(|_| "a classifier".to_string()).unwrap_or_else(|problem| problem.to_string())
    };
    let source = trained.weights.source();
    for (names, said) in [
        (0, "0 names of classes are"),
        (1, "1 name of a class is"),
        (2, "2 names of classes are"),
        (5, "5 names of classes are"),
        (11, "11 names of classes are"),
        (20, "20 names of classes are"),
    ] {
        let found = problem(&|trained| trained.card.classes = vec!["a class".to_string(); names]);
        assert_eq!(found, format!("{source}: {said} given, but lenet has 10 outputs with these weights"));
    }
    let [channels, height, width] = trained.card.input;
    let found = problem(&|trained| trained.card.input = [channels, height, 2 * width]);
    let expected =
        format!("the picture becomes {channels}×{height}×{}, but lenet reads {channels}×{height}×{width}", 2 * width);
    assert_eq!(found, expected);
    assert_eq!(problem(&|_| {}), "a classifier");
    let mut wide = trained.clone();
    wide.card.input = [channels, height, 2 * width];
    assert_eq!(Features::new(&wide, None, Form::Pooled).unwrap_err().to_string(), expected);
    // As many numbers, in other rows.
    let mut turned = trained.clone();
    turned.card.preparation.fit = Fit::resize([height / 2, 2 * width]);
    let picture = Picture::new([1, 9, 9], vec![7; 81])?;
    let problem = Classifier::new(&turned)?.classify(&picture, 1).unwrap_err().to_string();
    let found = format!("{channels}×{}×{}", height / 2, 2 * width);
    assert_eq!(problem, format!("the picture becomes {found}, but lenet reads {channels}×{height}×{width}"));
    Ok(())
}

/// The layer that makes the scores may have no tensors of its own, as that of radial basis functions.
#[test]
fn weights_of_every_small_network_are_for_as_many_classes_as_they_were_made_for() -> Result<(), Failure> {
    let mut seen = 0;
    for entry in cnn_zoo::all() {
        let own = entry.architecture(entry.classes).at_usual_input()?;
        if own.summary().parameters > 3_000_000 {
            continue;
        }
        for classes in [entry.classes, 7] {
            // A layer of fixed codes has no other number.
            let Ok(network) = entry.architecture(classes).without_heads().at_usual_input() else { continue };
            let scores = network.node(network.outputs()[0].node).shape.dims().to_vec();
            let weights = Weights::initialised(&network, 1);
            let found = weights.sizes(&entry.architecture(entry.classes))?.classes;
            assert!(found.is_none_or(|found| scores == [found]), "{}: {found:?}, not {scores:?}", entry.name);
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
    Ok(())
}

#[test]
fn an_answer_that_is_no_number_is_none() -> Result<(), Failure> {
    let mut large = Weights::new();
    for (name, tensor) in embedded::weights("lenet")?.ok_or("no weights")?.iter() {
        let values: Vec<f32> = tensor.numbers::<f32>(name)?.iter().map(|x| x * 1e10).collect();
        large.insert(name.to_string(), Tensor::new(name, tensor.dims(), values)?);
    }
    let known = Known {
        network: Some("lenet".to_string()),
        preparation: Some(Preparation::mnist().fitted(Fit::Resize {
            height: 32,
            width: 32,
            interpolation: Interpolation::Bilinear,
        })),
        ..Known::default()
    };
    let trained = Trained::new(&large, &known)?;
    let classifier = Classifier::new(&trained)?;
    let data = digits(DigitsConfig { train: 1, test: 1, seed: 977 })?;
    let problem = classifier.classify(&data.test().picture(0)?, 3).unwrap_err();
    assert!(problem.to_string().starts_with("lenet gives no finite answer for this picture"), "{problem}");
    let features = Features::new(&trained, None, Form::Pooled)?;
    let problem = features.of(&data.test().picture(0)?).unwrap_err();
    assert!(problem.to_string().starts_with("lenet gives no finite answer for this picture"), "{problem}");
    // Of several files each is named.
    let folder = tempfile::tempdir()?;
    let files = ["one.png", "two.png"].map(|name| folder.path().join(name));
    for file in &files {
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seven.png"), file)?;
    }
    let mut found = Vec::new();
    features.of_files(
        &files,
        |path| Picture::open(path),
        |(path, values)| {
            found.push((path, values.unwrap_err().to_string()));
            true
        },
    )?;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(path, problem)| problem.starts_with(&path.display().to_string())), "{found:?}");
    Ok(())
}
