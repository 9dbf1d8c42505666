//! Servers that answer something else than the file.

use crate::Test;
use crate::hub::{BYTES, COMMIT, RESOLVE, blobs, described, file, hub, options, weights};
use crate::server::{Reply, Sent, Server};
use cnn_catalogue::Error;
use std::fs;

pub const TESTS: &[Test] = &[
    ("a_wrong_checksum_leaves_nothing", a_wrong_checksum_leaves_nothing),
    ("a_refusal_is_final_and_says_what_to_do", a_refusal_is_final_and_says_what_to_do),
    ("redirects_are_followed_and_counted", redirects_are_followed_and_counted),
    ("a_body_of_another_length_is_refused", a_body_of_another_length_is_refused),
    ("what_the_hub_says_cannot_lead_out_of_the_cache", what_the_hub_says_cannot_lead_out_of_the_cache),
];

fn a_wrong_checksum_leaves_nothing() {
    let server = hub(|file, request| {
        let mut wrong = file.to_vec();
        wrong[200_000] ^= 1;
        if request.earlier == 0 { Reply::file(&wrong, request) } else { Reply::file(file, request) }
    });
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    let error = weights().fetch(&options).unwrap_err();
    assert!(matches!(&error, Error::Checksum { .. }), "{error}");
    assert!(error.to_string().ends_with("; it was removed"), "{error}");
    assert_eq!(fs::read_dir(blobs(folder.path())).unwrap().count(), 0);
    assert_eq!(weights().cached(&options).unwrap(), None);
    assert!(fs::read(weights().fetch(&options).unwrap()).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0, 0]);
}

fn a_refusal_is_final_and_says_what_to_do() {
    for (status, says) in [
        (401, "the server answers 401, it wants to know who asks: a repository that is not there, or a private"),
        (403, "the server answers 403, it does not give the file"),
        (404, "the server answers 404, there is no such file"),
        (418, "the server answers 418, which is not an answer to a download"),
    ] {
        let refusing = Server::new(move |_| Reply::new(status));
        let bytes_refused = hub(move |_, _| Reply::new(status));
        for (server, requests) in [(refusing, 1), (bytes_refused, 3)] {
            let folder = tempfile::tempdir().unwrap();
            let error = weights().fetch(&options(&server, folder.path())).unwrap_err().to_string();
            assert!(error.contains(says) && error.starts_with(&server.address), "{error}");
            assert_eq!(server.requests().len(), requests, "{status}");
        }
    }
}

fn redirects_are_followed_and_counted() {
    let content = Server::new(|request| Reply::file(&file(), request));
    let elsewhere = format!("{}/far", content.address);
    let moved = "/moved/resolve/main/model.safetensors";
    let server = Server::new(move |request| match request.path.as_str() {
        RESOLVE => Reply::new(307).with("Location", moved),
        path if path == moved => described(&file()).with("Location", &elsewhere),
        _ => Reply::new(404),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = weights().fetch(&options(&server, folder.path())).unwrap();
    assert!(fs::read(path).unwrap() == file());
    assert_eq!(content.starts("/far"), [0]);

    for (to, says) in
        [(RESOLVE, "at most 10 redirects"), ("file:///etc/passwd", "\"file:///etc/passwd\""), ("", "\"\"")]
    {
        let server = Server::new(move |_| Reply::new(302).with("Location", to));
        let error = weights().fetch(&options(&server, folder.path().join("new").as_path())).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

fn a_body_of_another_length_is_refused() {
    let longer = |file: &[u8]| [file, b"more"].concat();
    let cases: [(&str, Server); 4] = [
        ("after 3 attempts", hub(|file, _| Reply::new(200).with("Content-Length", file.len()).body(&file[..9]))),
        ("found one of 400100", hub(|file, _| Reply::new(200).body(&file[..1]).with("Content-Length", 400_100))),
        ("bytes, found more", hub(move |file, _| Reply::new(200).body(&longer(file)).sent(Sent::Chunked))),
        ("bytes, found more", hub(|_, _| Reply::new(200).sent(Sent::Endless))),
    ];
    for (says, server) in cases {
        let folder = tempfile::tempdir().unwrap();
        let error = weights().fetch(&options(&server, folder.path())).unwrap_err().to_string();
        let says = says.replace("after 3 attempts", "3 attempts");
        assert!(error.contains(&says), "{error}");
        assert_eq!(weights().cached(&options(&server, folder.path())).unwrap(), None);
    }
    // Without a length, but whole.
    let server = hub(|file, _| Reply::new(200).body(file).sent(Sent::Chunked));
    let folder = tempfile::tempdir().unwrap();
    assert!(fs::read(weights().fetch(&options(&server, folder.path())).unwrap()).unwrap() == file());
}

fn what_the_hub_says_cannot_lead_out_of_the_cache() {
    let good = || described(&file());
    let replies = [
        good().with("X-Repo-Commit", "../../../../outside"),
        good().with("X-Repo-Commit", format!("{COMMIT}/..")),
        good().with("X-Repo-Commit", ""),
        good().with("X-Linked-Etag", "\"../../../outside\""),
        good().with("X-Linked-Etag", "/outside/of/the/cache"),
        good().with("X-Linked-Etag", ".hidden.name"),
        good().with("X-Linked-Etag", "a".repeat(5000)),
        Reply::new(200).body(&file()),
    ];
    for reply in replies {
        let server = Server::new(move |_| reply.clone());
        let folder = tempfile::tempdir().unwrap();
        let error = weights().fetch(&options(&server, folder.path())).unwrap_err();
        assert!(matches!(&error, Error::Server { .. }), "{error}");
        assert!(error.to_string().len() < 400 && fs::read_dir(folder.path()).unwrap().count() == 0, "{error}");
    }
}
