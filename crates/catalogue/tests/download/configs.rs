//! `hf:owner/repository`: its `config.json` first, then its weights.

use crate::Test;
use crate::hub::{COMMIT, file, options, sha256};
use crate::server::{Reply, Request, Sent, Server};
use cnn_catalogue::{Error, find_with};
use std::fs;

pub const TESTS: &[Test] = &[
    ("a_repository_says_what_its_weights_are", a_repository_says_what_its_weights_are),
    ("a_config_that_is_none_is_one_sentence", a_config_that_is_none_is_one_sentence),
    ("a_config_without_an_end_is_cut", a_config_without_an_end_is_cut),
];

const CONFIG: &str = r#"{"architecture": "resnet18", "num_classes": 2, "label_names": ["robin", "wren"],
    "pretrained_cfg": {"input_size": [3, 224, 224], "interpolation": "bilinear", "crop_pct": 0.875,
    "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}"#;

/// A small file as the hub answers it: at once, under git's own name for it.
fn small(bytes: &[u8], request: &Request) -> Reply {
    Reply::file(bytes, request).with("X-Repo-Commit", COMMIT).with("ETag", format!("\"{}\"", &sha256(bytes)[..40]))
}

fn a_repository_says_what_its_weights_are() {
    let server = Server::new(|request| match request.path.as_str() {
        "/somebody/birds/resolve/v1.0/config.json" => {
            Reply::new(307).with("X-Repo-Commit", COMMIT).with("Location", "/api/resolve-cache/config.json?etag=1")
        }
        "/api/resolve-cache/config.json?etag=1" => small(CONFIG.as_bytes(), request),
        "/somebody/birds/resolve/v1.0/model.safetensors" => Reply::file(&file(), request)
            .with("X-Repo-Commit", COMMIT)
            .with("X-Linked-Etag", sha256(&file()))
            .with("X-Linked-Size", file().len()),
        _ => Reply::new(404),
    });
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    let name = "hf:somebody/birds@v1.0";
    let error = find_with(name, &options.clone().offline()).unwrap_err();
    assert!(matches!(&error, Error::Offline { .. }), "{error}");
    let weights = find_with(name, &options).unwrap();
    assert_eq!((weights.name.as_str(), weights.network.as_str()), (name, "resnet18"));
    assert_eq!(weights.classes.names(), ["robin", "wren"]);
    let path = weights.fetch(&options).unwrap();
    assert!(fs::read(&path).unwrap() == file());
    assert!(path.starts_with(folder.path().join("hub/models--somebody--birds/snapshots").join(COMMIT)));
    let asked = server.requests().len();
    let again = find_with(name, &options.clone().offline()).unwrap();
    assert_eq!(again, weights);
    assert_eq!(again.fetch(&options.offline()).unwrap(), path);
    assert_eq!(server.requests().len(), asked);
}

fn a_config_that_is_none_is_one_sentence() {
    let texts: [Vec<u8>; 5] = [
        b"<html>sign in</html>".to_vec(),
        b"[".repeat(1 << 20),
        br#"{"architecture": 7}"#.to_vec(),
        CONFIG.replace("resnet18", "efficientnet_b0").into_bytes(),
        vec![0xff; 1000],
    ];
    for text in texts {
        let server = Server::new(move |request| small(&text, request));
        let folder = tempfile::tempdir().unwrap();
        let error = find_with("hf:a/b", &options(&server, folder.path())).unwrap_err().to_string();
        assert!(!error.contains('\n') && error.len() < 400, "{error}");
        assert!(error.contains("expected timm's form") || error.contains("no network here"), "{error}");
    }
}

fn a_config_without_an_end_is_cut() {
    let endless =
        |_: &Request| Reply::new(200).with("X-Repo-Commit", COMMIT).with("ETag", "abcdef012345").sent(Sent::Endless);
    let promised = |_: &Request| {
        Reply::new(200).with("X-Repo-Commit", COMMIT).with("ETag", "abcdef012345").with("Content-Length", 1_u64 << 60)
    };
    for server in [Server::new(endless), Server::new(promised)] {
        let folder = tempfile::tempdir().unwrap();
        let error = find_with("hf:a/b", &options(&server, folder.path())).unwrap_err();
        assert!(matches!(&error, Error::TooLarge { .. }), "{error}");
        let partial = folder.path().join("hub/models--a--b/blobs/abcdef012345.incomplete");
        assert_eq!(partial.metadata().map_or(0, |file| file.len()), 0);
    }
}
