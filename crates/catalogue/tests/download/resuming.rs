//! Connections that break, and files that are half there.

use crate::Test;
use crate::hub::{BYTES, blobs, file, hub, options, partial, weights};
use crate::server::{Reply, Sent};
use cnn_catalogue::Error;
use std::fs;
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("a_cut_connection_is_taken_up_where_it_ended", a_cut_connection_is_taken_up_where_it_ended),
    ("what_came_is_kept_for_the_next_time", what_came_is_kept_for_the_next_time),
    ("what_was_kept_of_another_file_is_thrown_away", what_was_kept_of_another_file_is_thrown_away),
    ("a_server_without_ranges_begins_anew", a_server_without_ranges_begins_anew),
    ("a_slow_server_is_waited_for", a_slow_server_is_waited_for),
    ("a_server_that_stalls_is_asked_again", a_server_that_stalls_is_asked_again),
    ("a_server_that_fails_is_asked_again", a_server_that_fails_is_asked_again),
    ("what_is_in_the_way_of_the_partial_file_is_removed", what_is_in_the_way_of_the_partial_file_is_removed),
];

fn a_cut_connection_is_taken_up_where_it_ended() {
    let server = hub(|file, request| match request.earlier {
        0 => Reply::file(file, request).sent(Sent::Cut(150_000)),
        1 => Reply::file(file, request).sent(Sent::Cut(100_000)),
        _ => Reply::file(file, request),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = weights().fetch(&options(&server, folder.path())).unwrap();
    assert!(fs::read(path).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0, 150_000, 250_000]);
    assert!(!partial(folder.path()).exists());
}

fn what_came_is_kept_for_the_next_time() {
    let server = hub(|file, request| match request.earlier {
        0..3 => Reply::file(file, request).sent(Sent::Cut(1000)),
        _ => Reply::file(file, request),
    });
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    let error = weights().fetch(&options).unwrap_err();
    assert!(matches!(&error, Error::Cut { done: 3000, attempts: 3, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("after 3.0 kB of 400.1 kB and 3 attempts; what came is kept"), "{text}");
    assert_eq!(fs::read(partial(folder.path())).unwrap(), file()[..3000]);
    assert!(fs::read(weights().fetch(&options).unwrap()).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0, 1000, 2000, 3000]);
}

fn what_was_kept_of_another_file_is_thrown_away() {
    for kept in [b"something else".repeat(100), vec![0; file().len()], vec![0; file().len() + 7]] {
        let server = hub(Reply::file);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(blobs(folder.path())).unwrap();
        fs::write(partial(folder.path()), &kept).unwrap();
        let path = weights().fetch(&options(&server, folder.path())).unwrap();
        assert!(fs::read(path).unwrap() == file());
        assert_eq!(server.starts(BYTES), [kept.len(), 0]);
    }
}

fn a_server_without_ranges_begins_anew() {
    let server = hub(|file, request| match request.earlier {
        0 => Reply::new(200).body(file).sent(Sent::Cut(150_000)),
        _ => Reply::new(200).body(file),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = weights().fetch(&options(&server, folder.path())).unwrap();
    assert!(fs::read(path).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0, 150_000]);
}

fn a_slow_server_is_waited_for() {
    let server = hub(|file, request| Reply::file(file, request).sent(Sent::Slowly(40_000, Duration::from_millis(150))));
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    weights().fetch(&options(&server, folder.path())).unwrap();
    assert!(begun.elapsed() > Duration::from_secs(1), "longer than the patience of half a second");
    assert_eq!(server.starts(BYTES), [0]);
}

fn a_server_that_stalls_is_asked_again() {
    let server = hub(|file, request| match request.earlier {
        0 => Reply::file(file, request).sent(Sent::Stalled(200_000)),
        _ => Reply::file(file, request),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = weights().fetch(&options(&server, folder.path())).unwrap();
    assert!(fs::read(path).unwrap() == file());
    assert_eq!(server.starts(BYTES), [0, 200_000]);

    let server = hub(|file, request| Reply::file(file, request).sent(Sent::Stalled(0)));
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let error = weights().fetch(&options(&server, folder.path())).unwrap_err();
    assert!(matches!(&error, Error::Cut { done: 0, attempts: 3, .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

fn a_server_that_fails_is_asked_again() {
    let server = hub(|file, request| match request.earlier {
        0 => Reply::new(503).with("Retry-After", 0),
        1 => Reply::new(429),
        _ => Reply::file(file, request),
    });
    let folder = tempfile::tempdir().unwrap();
    weights().fetch(&options(&server, folder.path())).unwrap();
    assert_eq!(server.starts(BYTES), [0, 0, 0]);

    let server = hub(|_, _| Reply::new(502));
    let error = weights().fetch(&options(&server, tempfile::tempdir().unwrap().path())).unwrap_err().to_string();
    assert!(error.contains("the server answers 502, after 0 bytes of 400.1 kB and 3 attempts"), "{error}");
}

#[cfg(not(unix))]
fn what_is_in_the_way_of_the_partial_file_is_removed() {}

#[cfg(unix)]
fn what_is_in_the_way_of_the_partial_file_is_removed() {
    let server = hub(Reply::file);
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "of somebody").unwrap();
    fs::create_dir_all(blobs(folder.path())).unwrap();
    std::os::unix::fs::symlink(&elsewhere, partial(folder.path())).unwrap();
    let options = options(&server, folder.path());
    assert!(fs::read(weights().fetch(&options).unwrap()).unwrap() == file());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "of somebody");
}
