//! The module as a page runs it: under node, by the page's own script, compared with the portable kernels of this computer.

use cnn_browser::Looking;
use cnn_classifier::cnn_data::{Card, DigitsConfig, Fit, Picture, Preparation, digits};
use cnn_classifier::embedded;
use cnn_explain::{Engine, LivePage};
use cnn_kernels::InstructionSet;
use cnn_plan::InferenceOptions;
use cnn_testing::{Browser, Tests};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

fn main() {
    let browser = Browser::find();
    let used = browser.clone().ok();
    Tests::new()
        .always("bytes_are_prepared_as_pictures_are", bytes_are_prepared_as_pictures_are)
        .always("what_is_no_network_is_refused", what_is_no_network_is_refused)
        .unless(missing(), "a_page_computes_what_this_computer_does", a_page_computes_what_this_computer_does)
        .unless(missing().or(browser.as_ref().err().copied()), "a_page_of_one_file_is_all_it_takes", move || {
            used.into_iter().for_each(|browser| a_page_of_one_file_is_all_it_takes(&browser));
        })
        .run()
}

fn missing() -> Option<&'static str> {
    if Command::new("node").arg("--version").output().is_err() {
        return Some("node");
    }
    let folder = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output().ok();
    let folder = folder.and_then(|output| String::from_utf8(output.stdout).ok());
    let there = folder.is_some_and(|folder| Path::new(folder.trim()).is_dir());
    (!there).then_some("Rust's target wasm32-unknown-unknown")
}

fn weights(name: &str) -> Vec<u8> {
    embedded::weights(name).unwrap().unwrap().to_bytes().unwrap()
}

/// Pictures that are like strokes: a few bright bytes on a dark ground.
fn pictures(length: usize, count: usize) -> Vec<u8> {
    (0..length * count).map(|i| if i % 37 < 5 { (i * 7919 % 251) as u8 } else { 0 }).collect()
}

fn bytes_are_prepared_as_pictures_are() {
    for name in embedded::NAMES {
        let weights = embedded::weights(name).unwrap().unwrap();
        let card = Card::of(&weights).unwrap().unwrap();
        let length = card.input.iter().product();
        let bytes = pictures(length, 1);
        let preparation = Preparation { fit: Fit::None, ..card.preparation.clone() };
        let numbers = preparation.prepare(&Picture::new(card.input, bytes.clone()).unwrap()).unwrap();
        let mut looking = Looking::new(&weights.to_bytes().unwrap(), InferenceOptions::default()).unwrap();
        assert_eq!(looking.prepared(&bytes), numbers, "{name}");
        assert_eq!(looking.opened().input, card.input);
        assert!(looking.look(&bytes, false).unwrap().len() > 4 * card.classes.len());
    }
}

fn what_is_no_network_is_refused() {
    let refused = |bytes: &[u8]| Looking::new(bytes, InferenceOptions::default()).unwrap_err();
    for bytes in [&b""[..], b"no weights", &[255; 64]] {
        assert!(!refused(bytes).contains('\n'));
    }
    let lenet = embedded::weights("lenet").unwrap().unwrap();
    let card = Card::of(&lenet).unwrap().unwrap();
    let with = |card: Card| refused(&card.put_on(lenet.clone()).unwrap().to_bytes().unwrap());
    assert!(with(Card { network: "<b>lenet".to_string(), ..card.clone() }).contains("<b>lenet"));
    let other = with(Card { network: "lenet_linear".to_string(), ..card.clone() });
    assert!(other.contains("lenet_linear"), "{other}");
    assert!(with(Card { input: [1, 0, 0], ..card.clone() }).contains('0'));
    assert!(with(Card { input: [3, 32, 32], ..card.clone() }).contains('3'));
    let bare = lenet.clone().without_metadata(cnn_weights::CARD).to_bytes().unwrap();
    assert!(refused(&bare).starts_with("it does not say which network"), "{}", refused(&bare));
}

fn a_page_computes_what_this_computer_does() {
    let module = module();
    let place = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../explain/src/live/module.js");
    for name in embedded::NAMES {
        let weights = weights(name);
        let options = InferenceOptions::default().on(InstructionSet::Portable);
        let mut here = Looking::new(&weights, options).unwrap();
        let length = here.opened().input.iter().product();
        let bytes = pictures(length, 20);
        let [file, seen, answers] = ["weights", "pictures", "answers"].map(|name| place.path().join(name));
        std::fs::write(&file, &weights).unwrap();
        std::fs::write(&seen, &bytes).unwrap();
        let node = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/module.mjs"))
            .args([&script, &module, &file, &seen, &answers])
            .output()
            .unwrap();
        assert!(node.status.success(), "{}", String::from_utf8_lossy(&node.stderr));
        let said: serde_json::Value = serde_json::from_slice(&node.stdout).unwrap();
        assert_eq!(said["opened"], serde_json::to_value(here.opened()).unwrap());
        let refused = said["refused"].as_str().unwrap();
        assert!(refused.contains("are not one image") && refused.lines().count() == 2, "{refused}");
        let expected: Vec<u8> = bytes.chunks(length).flat_map(|picture| here.look(picture, true).unwrap()).collect();
        assert!(std::fs::read(&answers).unwrap() == expected, "{name} differs from the portable kernels");
        println!("{name}: {} ms a picture in the module", said["milliseconds"]);
    }
}

fn a_page_of_one_file_is_all_it_takes(browser: &Browser) {
    let place = tempfile::tempdir().unwrap();
    let data = digits(DigitsConfig { train: 1, test: 1, seed: 7 }).unwrap();
    let [picture, own, page] = ["digit.png", "<b>own.safetensors", "page.html"].map(|name| place.path().join(name));
    std::fs::write(&picture, data.test().picture(0).unwrap().png().unwrap()).unwrap();
    std::fs::write(&own, weights("resnet20_cifar")).unwrap();
    let (module, weights) = (std::fs::read(module()).unwrap(), weights("lenet"));
    let networks = ["</script><b>lenet".to_string()];
    let notes = ["<b>a note".to_string()];
    let engine = Engine::Module { module: &module, weights: &[&weights] };
    let html = LivePage { title: "<b>one file", networks: &networks, notes: &notes, engine }.html().unwrap();
    assert!(html.len() <= 1_500_000, "{}", html.len());
    std::fs::write(&page, &html).unwrap();

    let address = format!("file://{}", page.display());
    let seen: serde_json::Value = serde_json::from_str(&browser.uses(&address, &[&picture, &own])).unwrap();
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen}");
    assert_eq!(seen["elsewhere"], serde_json::json!([]), "{seen}");
    assert_eq!(seen["drawn"], "7", "{seen}");
    assert_eq!(seen["dropped"], data.test().labels()[0].to_string(), "{seen}");
    assert!(seen["arithmetic"].as_str().unwrap().contains("bias"), "{seen}");
    assert_eq!(
        seen["networks"],
        serde_json::json!(["</script><b>lenet", "resnet20_cifar, <b>own.safetensors"]),
        "{seen}"
    );
    assert!(seen["own"].as_str().unwrap().starts_with("resnet20_cifar"), "{seen}");
    assert_eq!((&seen["beyond_1440"], &seen["beyond_390"]), (&0.into(), &0.into()), "{seen}");
    println!("a page of {} bytes; a stroke is computed and painted in {} ms", html.len(), seen["computing"]);
}

/// Compiles it as `cargo xtask explain --live` does.
fn module() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--profile", "page", "--package", "cnn-browser", "--target", TARGET])
        .arg("--manifest-path")
        .arg(workspace.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-C target-feature=+simd128")
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join(TARGET).join("page/cnn_browser.wasm")
}
