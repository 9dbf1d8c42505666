//! The download against a server on this machine that plays the hub.

mod bodies;
mod caching;
mod configs;
mod hub;
mod plain;
mod resuming;
mod server;
mod together;

use cnn_testing::Tests;

fn main() {
    if together::is_other_process() {
        return;
    }
    let tests = Tests::new();
    let groups = [caching::TESTS, resuming::TESTS, bodies::TESTS, plain::TESTS, configs::TESTS, together::TESTS];
    let all = groups.into_iter().flatten().copied();
    all.fold(tests, |tests, (name, test)| tests.always(name, test)).run()
}

/// A test and its name.
type Test = (&'static str, fn());
