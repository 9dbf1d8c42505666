//! The page of a server, used in a real browser.

use cnn_serve::cnn_classifier::cnn_data::{DigitsConfig, digits};
use cnn_serve::cnn_classifier::{Known, Trained, embedded};
use cnn_serve::{Server, Settings};
use cnn_testing::{Browser, Tests};

fn main() {
    let browser = Browser::find();
    let missing = browser.as_ref().err().copied();
    let used = browser.clone().ok();
    Tests::new()
        .unless(missing, "one_draws_and_watches_every_layer", move || {
            used.into_iter().for_each(|browser| one_draws_and_watches_every_layer(&browser));
        })
        .run()
}

fn one_draws_and_watches_every_layer(browser: &Browser) {
    let place = tempfile::tempdir().unwrap();
    // A file name with markup in it.
    let picture = place.path().join("<img src=x onerror=alert(1)>.png");
    let data = digits(DigitsConfig { train: 1, test: 1, seed: 7 }).unwrap();
    std::fs::write(&picture, data.test().picture(0).unwrap().png().unwrap()).unwrap();
    let label = data.test().labels()[0].to_string();

    let mut settings = Settings::default();
    settings.address.set_port(0);
    let mut networks: Vec<Trained> =
        embedded::NAMES.iter().map(|name| Trained::open(name, &Known::default()).unwrap()).collect();
    // Names of classes with markup in them.
    networks[1].card.classes.iter_mut().for_each(|class| class.insert_str(0, "<b>"));
    let server = Server::new(networks, settings).unwrap();
    let address = format!("http://{}/", server.address());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let running = std::thread::spawn(move || {
        server.run(async {
            let _ = ended.await;
        })
    });
    let seen: serde_json::Value = serde_json::from_str(&browser.uses(&address, &[&picture])).unwrap();
    drop(end);
    running.join().unwrap().unwrap();

    assert_eq!(seen["errors"], serde_json::json!([]), "{seen}");
    assert_eq!(seen["elsewhere"], serde_json::json!([]), "{seen}");
    assert_eq!(seen["drawn"], "7", "{seen}");
    assert_eq!(seen["dropped"], label, "{seen}");
    assert_eq!((&seen["closed"], &seen["turned"]), (&true.into(), &true.into()), "{seen}");
    assert!(seen["arithmetic"].as_str().unwrap().contains("bias"), "{seen}");
    assert_eq!(seen["kernel"][0], "13", "{seen}");
    assert!(seen["second"][0].as_str().unwrap().starts_with("<b>"), "{seen}");
    assert!(seen["second"][1].as_str().unwrap().starts_with("resnet20_cifar"), "{seen}");
    assert_eq!(seen["followed"], true, "{seen}");
    assert_eq!((&seen["beyond_1440"], &seen["beyond_390"]), (&0.into(), &0.into()), "{seen}");
    // The median of dozens of strokes, of the fastest of some drawings.
    let [strokes, milliseconds] = ["strokes", "milliseconds"].map(|name| seen[name].as_f64().unwrap());
    assert!(strokes >= 10.0 && milliseconds < 30.0, "{seen}");
    println!("from a stroke to the picture: {milliseconds} ms, to its drawing {} ms", seen["computing"]);
}
