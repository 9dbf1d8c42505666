//! Several who want one file at once, and what one process says to whom.

use crate::Test;
use crate::hub::{BYTES, NAME, file, hub, options, weights};
use crate::server::{Reply, Sent, Server};
use cnn_catalogue::{Options, find};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

pub const TESTS: &[Test] = &[
    ("threads_fetch_a_file_once", threads_fetch_a_file_once),
    ("processes_fetch_a_file_once", processes_fetch_a_file_once),
    ("one_that_is_killed_leaves_the_file_to_the_next", one_that_is_killed_leaves_the_file_to_the_next),
    ("a_token_goes_to_the_hub_alone", a_token_goes_to_the_hub_alone),
    ("the_environment_can_keep_the_network_out", the_environment_can_keep_the_network_out),
];

/// What makes this program another process that fetches and prints the path.
const OTHER: &str = "CNN_CATALOGUE_FETCHES";

/// Whether this is the other process; then it has done its work.
pub fn is_other_process() -> bool {
    let other = env::var_os(OTHER).is_some();
    if other {
        let options = Options::new().with_attempts(3, Duration::from_millis(10));
        match find(NAME).and_then(|weights| weights.fetch(&options)) {
            Ok(path) => println!("{}", path.display()),
            Err(error) => println!("error: {error}"),
        }
    }
    other
}

fn other(server: &Server, folder: &std::path::Path, more: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(OTHER, "1").env("HF_ENDPOINT", &server.address).env("HF_HOME", folder);
    command.env_remove("HF_HUB_CACHE").env_remove("HF_HUB_OFFLINE").env_remove("HF_TOKEN");
    command.envs(more.iter().copied()).stdout(Stdio::piped()).spawn().unwrap()
}

fn said(child: Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_string()
}

fn slow() -> Server {
    hub(|file, request| Reply::file(file, request).sent(Sent::Slowly(40_000, Duration::from_millis(40))))
}

fn threads_fetch_a_file_once() {
    let (server, folder) = (slow(), tempfile::tempdir().unwrap());
    let options = options(&server, folder.path());
    let paths: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| weights().fetch(&options).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0]));
    assert!(fs::read(&paths[0]).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0]);
}

fn processes_fetch_a_file_once() {
    let (server, folder) = (slow(), tempfile::tempdir().unwrap());
    let children: Vec<Child> = (0..3).map(|_| other(&server, folder.path(), &[])).collect();
    let paths: Vec<String> = children.into_iter().map(said).collect();
    assert!(paths.iter().all(|path| *path == paths[0]), "{paths:?}");
    assert!(fs::read(&paths[0]).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0]);
}

fn one_that_is_killed_leaves_the_file_to_the_next() {
    let server = hub(|file, request| match request.earlier {
        0 => Reply::file(file, request).sent(Sent::Stalled(123_456)),
        _ => Reply::file(file, request),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut child = other(&server, folder.path(), &[]);
    let partial = crate::hub::partial(folder.path());
    let kept = || partial.metadata().map_or(0, |file| file.len());
    while kept() < 123_456 {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let path = said(other(&server, folder.path(), &[]));
    assert!(fs::read(&path).unwrap() == file(), "{path}");
    assert_eq!(server.starts(BYTES), [0, 123_456]);
}

fn a_token_goes_to_the_hub_alone() {
    let content = Server::new(|request| Reply::file(&file(), request));
    let elsewhere = format!("{}/far", content.address);
    let server = Server::new(move |_| crate::hub::described(&file()).with("Location", &elsewhere));
    let folder = tempfile::tempdir().unwrap();
    let path = said(other(&server, folder.path(), &[("HF_TOKEN", "hf_secret")]));
    assert!(fs::read(&path).unwrap() == file(), "{path}");
    let sent = |server: &Server| {
        server.requests().iter().map(|request| request.headers.get("authorization").cloned()).collect::<Vec<_>>()
    };
    assert_eq!(sent(&server), [Some("Bearer hf_secret".to_string()), Some("Bearer hf_secret".to_string())]);
    assert_eq!(sent(&content), [None]);
}

fn the_environment_can_keep_the_network_out() {
    let (server, folder) = (slow(), tempfile::tempdir().unwrap());
    let text = said(other(&server, folder.path(), &[("HF_HUB_OFFLINE", "1")]));
    assert!(
        text.starts_with("error: vgg16:tv_in1k is not in the cache, and offline it cannot be fetched: put "),
        "{text}"
    );
    assert!(server.requests().is_empty());
}
