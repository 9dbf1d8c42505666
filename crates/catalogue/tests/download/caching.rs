//! What is in the cache afterwards, and what is done with what was there.

use crate::Test;
use crate::hub::{BYTES, COMMIT, RESOLVE, blobs, file, good, options, sha256, weights};
use crate::server::{Reply, Server};
use cnn_catalogue::cnn_data::Card;
use cnn_catalogue::{Error, Progress};
use std::fs;
use std::sync::{Arc, Mutex};

pub const TESTS: &[Test] = &[
    ("a_file_is_fetched_once_and_is_there_without_a_network", a_file_is_fetched_once_and_is_there_without_a_network),
    ("progress_goes_up_to_the_whole_file", progress_goes_up_to_the_whole_file),
    ("a_file_put_there_by_hand_is_found", a_file_put_there_by_hand_is_found),
    ("a_file_cut_short_is_fetched_again", a_file_cut_short_is_fetched_again),
    (
        "contents_that_are_there_under_another_commit_are_not_fetched",
        contents_that_are_there_under_another_commit_are_not_fetched,
    ),
    ("a_cache_that_cannot_be_written_is_one_sentence", a_cache_that_cannot_be_written_is_one_sentence),
    ("without_a_network_the_sentence_says_what_to_do", without_a_network_the_sentence_says_what_to_do),
];

fn a_file_is_fetched_once_and_is_there_without_a_network() {
    let (server, folder) = (good(), tempfile::tempdir().unwrap());
    let options = options(&server, folder.path());
    assert_eq!(weights().cached(&options).unwrap(), None);
    let path = weights().fetch(&options).unwrap();
    let repository = folder.path().join("hub/models--timm--vgg16.tv_in1k");
    assert_eq!(path, repository.join("snapshots").join(COMMIT).join("model.safetensors"));
    assert_eq!(fs::read(&path).unwrap(), file());
    assert_eq!(fs::read_to_string(repository.join("refs/main")).unwrap(), COMMIT);
    #[cfg(unix)]
    assert_eq!(fs::read_link(&path).unwrap().to_str().unwrap(), format!("../../blobs/{}", sha256(&file())));
    assert_eq!(fs::read_dir(blobs(folder.path())).unwrap().count(), 1);
    let asked = server.requests().len();
    assert_eq!(weights().fetch(&options).unwrap(), path);
    assert_eq!(weights().fetch(&options.clone().offline()).unwrap(), path);
    assert_eq!(weights().cached(&options).unwrap(), Some(path));
    let read = weights().weights(&options).unwrap();
    assert_eq!(read.get("features.0.weight").unwrap().dims(), [100_000]);
    assert_eq!(Card::of(&read).unwrap(), Some(weights().card()));
    assert_eq!(server.requests().len(), asked);
}

fn progress_goes_up_to_the_whole_file() {
    let (server, folder) = (good(), tempfile::tempdir().unwrap());
    let seen = Arc::<Mutex<Vec<Progress>>>::default();
    let kept = seen.clone();
    let options = options(&server, folder.path()).with_progress(move |progress| kept.lock().unwrap().push(progress));
    weights().fetch(&options).unwrap();
    let (seen, total) = (seen.lock().unwrap(), file().len() as u64);
    assert!(seen.len() > 3 && seen.is_sorted_by_key(|progress| progress.done));
    assert!(seen.iter().all(|progress| progress.total == Some(total)));
    assert_eq!(seen.last().unwrap().done, total);
}

fn a_file_put_there_by_hand_is_found() {
    let (server, folder) = (good(), tempfile::tempdir().unwrap());
    let options = options(&server, folder.path()).offline();
    let Err(Error::Offline { place, address, .. }) = weights().fetch(&options) else { panic!("it is not there") };
    assert_eq!(address, format!("{}{RESOLVE}", server.address));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, file()).unwrap();
    assert_eq!(weights().fetch(&options).unwrap(), place);
}

fn a_file_cut_short_is_fetched_again() {
    let (server, folder) = (good(), tempfile::tempdir().unwrap());
    let options = options(&server, folder.path());
    let path = weights().fetch(&options).unwrap();
    let whole = file();
    // Cut, and as long as it should be with a header that says something else.
    for damaged in [whole[..whole.len() - 1].to_vec(), vec![b'x'; whole.len()], Vec::new()] {
        fs::write(&path, &damaged).unwrap();
        assert_eq!(weights().cached(&options).unwrap(), None);
        let error = weights().fetch(&options.clone().offline()).unwrap_err();
        assert!(matches!(&error, Error::Damaged { .. }), "{error}");
        assert_eq!(weights().fetch(&options).unwrap(), path);
        assert!(fs::read(&path).unwrap() == whole);
    }
}

fn contents_that_are_there_under_another_commit_are_not_fetched() {
    let (server, folder) = (good(), tempfile::tempdir().unwrap());
    let options = options(&server, folder.path());
    let blob = blobs(folder.path()).join(sha256(&file()));
    fs::create_dir_all(blob.parent().unwrap()).unwrap();
    fs::write(&blob, file()).unwrap();
    assert!(fs::read(weights().fetch(&options).unwrap()).unwrap() == file());
    assert!(server.starts(BYTES).is_empty());
}

fn a_cache_that_cannot_be_written_is_one_sentence() {
    let (server, folder) = (good(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("hub"), "a file").unwrap();
    let error = weights().fetch(&options(&server, folder.path())).unwrap_err().to_string();
    assert!(error.starts_with("cannot ") && error.contains("/hub/") && !error.contains('\n'), "{error}");
}

fn without_a_network_the_sentence_says_what_to_do() {
    // A port that nobody listens on any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(|_| Reply::new(404));
    let options = options(&server, folder.path()).with_endpoint(&address).with_mirror(&address);
    for name in ["vgg16:tv_in1k", "vgg16:imagenet1k_v1"] {
        let weights = cnn_catalogue::find(name).unwrap();
        let error = weights.fetch(&options).unwrap_err();
        assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
        let (text, place) = (error.to_string(), weights.place(&options).unwrap());
        assert!(text.starts_with(&format!("{} cannot be reached (", weights.address(&options))), "{text}");
        assert!(text.ends_with(&format!("can be fetched elsewhere and put at {}", place.display())), "{text}");
    }
}
