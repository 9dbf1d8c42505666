//! Files that are not on the hub, such as torchvision's.

use crate::Test;
use crate::hub::{options, sha256};
use crate::server::{Reply, Sent, Server};
use cnn_catalogue::{Digest, Error, Published, find};
use std::fs;

pub const TESTS: &[Test] = &[
    ("a_file_is_kept_under_its_name", a_file_is_kept_under_its_name),
    ("the_digits_in_its_name_are_compared", the_digits_in_its_name_are_compared),
    ("a_half_file_is_gone_on_with", a_half_file_is_gone_on_with),
    ("a_file_of_another_size_is_fetched_again", a_file_of_another_size_is_fetched_again),
    ("without_a_checksum_there_must_be_a_length", without_a_checksum_there_must_be_a_length),
];

const PATH: &str = "/models/resnet18-f37072fd.pth";

fn bytes() -> Vec<u8> {
    (0..300_000_u32).map(|index| (index % 251) as u8).collect()
}

/// torchvision's entry for a file of the tests' own.
fn weights() -> Published {
    let mut weights = find("resnet18:imagenet1k_v1").unwrap();
    assert_eq!(weights.digest.as_ref().unwrap().as_str(), "f37072fd");
    weights.digest = Digest::new(&sha256(&bytes())[..8]);
    weights.bytes = Some(bytes().len() as u64 + 500);
    weights
}

fn a_file_is_kept_under_its_name() {
    let server = Server::new(|request| Reply::file(&bytes(), request));
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    let path = weights().fetch(&options).unwrap();
    assert_eq!(path, folder.path().join("checkpoints/resnet18-f37072fd.pth"));
    assert!(fs::read(&path).unwrap() == bytes());
    assert_eq!(weights().fetch(&options.offline()).unwrap(), path);
    assert_eq!(server.starts(PATH), [0]);
    assert!(!path.with_extension("pth.part").exists());
}

fn the_digits_in_its_name_are_compared() {
    let server = Server::new(|request| Reply::file(&bytes()[1..], request));
    let folder = tempfile::tempdir().unwrap();
    let error = weights().fetch(&options(&server, folder.path())).unwrap_err().to_string();
    let [expected, found] = [&bytes()[..], &bytes()[1..]].map(|bytes| sha256(bytes)[..8].to_string());
    let says = format!(": expected a file whose SHA-256 begins with {expected}, found {found}; it was removed");
    assert!(error.ends_with(&says), "{error}");
    let left: Vec<_> =
        fs::read_dir(folder.path().join("checkpoints")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.extension().unwrap() == "lock"), "{left:?}");
}

fn a_half_file_is_gone_on_with() {
    let server = Server::new(|request| match request.earlier {
        0..3 => Reply::file(&bytes(), request).sent(Sent::Cut(10_000)),
        _ => Reply::file(&bytes(), request),
    });
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    assert!(matches!(weights().fetch(&options), Err(Error::Cut { done: 30_000, .. })));
    assert_eq!(weights().cached(&options).unwrap(), None);
    assert!(fs::read(weights().fetch(&options).unwrap()).unwrap() == bytes());
    assert_eq!(server.starts(PATH), [0, 10_000, 20_000, 30_000]);
}

fn a_file_of_another_size_is_fetched_again() {
    let server = Server::new(|request| Reply::file(&bytes(), request));
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    let place = weights().place(&options).unwrap();
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, &bytes()[..1000]).unwrap();
    let error = weights().fetch(&options.clone().offline()).unwrap_err();
    assert!(matches!(&error, Error::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("(expected about 300500 bytes, found 1000)"), "{error}");
    assert!(fs::read(weights().fetch(&options).unwrap()).unwrap() == bytes());
}

fn without_a_checksum_there_must_be_a_length() {
    let cifar = find("resnet20_cifar").unwrap();
    let server = Server::new(|request| match request.earlier {
        0 => Reply::new(200).body(&bytes()).sent(Sent::Chunked),
        _ => Reply::file(&bytes(), request),
    });
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    let error = cifar.fetch(&options).unwrap_err().to_string();
    assert!(error.contains("expected a length or a checksum, found neither"), "{error}");
    assert_eq!(cifar.fetch(&options).unwrap(), folder.path().join("checkpoints/resnet20-12fca82f.th"));
}
