//! Tests of data that a checkout does not bring: where it is absent they count as ignored, and what is missing and where it
//! was looked for is printed. The standard harness decides what is ignored when it compiles, so such tests have their own.
//!
//! In the crate's `Cargo.toml`:
//!
//! ```toml
//! [dev-dependencies]
//! cnn-testing.workspace = true
//!
//! [[test]]
//! name = "published"
//! harness = false
//! ```
//!
//! In `tests/published.rs`:
//!
//! ```no_run
//! use cnn_testing::{Data, Tests};
//!
//! fn main() {
//!     let mnist = Data::MNIST.find();
//!     Tests::new()
//!         .needing(&mnist, "four_files", |folder| assert_eq!(folder.read_dir().unwrap().count(), 4))
//!         .run()
//! }
//! ```
//!
//! A test fails by a panic, as elsewhere. `cargo test` shows `test four_files ... ignored` and counts it.

mod browser;

pub use browser::Browser;

use libtest_mimic::{Arguments, Failed, Trial};
use std::fmt;
use std::path::{Path, PathBuf};

/// Data that tests read from a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// What it is, for whoever reads that it is missing.
    pub name: &'static str,
    /// The environment variable that names its folder.
    pub variable: &'static str,
    /// Its folder below `shared/data` beside the checkout, where the variable is not set.
    pub beside: Option<&'static str>,
    /// What must lie in the folder, as a path below it.
    pub holds: &'static str,
}

impl Data {
    /// The four IDX files of MNIST, plain or packed.
    pub const MNIST: Self =
        Self { name: "MNIST's four IDX files", variable: "MNIST_DIR", beside: Some("mnist-idx"), holds: "" };
    /// MNIST in a cache of the Hugging Face hub.
    pub const HUB_MNIST: Self = Self {
        name: "MNIST in a cache of the Hugging Face hub",
        variable: "HF_HOME",
        beside: Some("hf-home"),
        holds: "hub/datasets--ylecun--mnist",
    };
    /// CIFAR-10 in the cache of the Hugging Face hub that the environment names.
    pub const HUB_CIFAR10: Self = Self {
        name: "CIFAR-10 in a cache of the Hugging Face hub",
        variable: "HF_HOME",
        beside: None,
        holds: "hub/datasets--cifar10",
    };

    /// Looks for it: in the folder that the variable names, else beside the checkout.
    pub fn find(self) -> Found {
        let beside = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
        let folder = std::env::var_os(self.variable).map(PathBuf::from).or_else(|| self.beside.map(beside));
        let folder = folder.map(|folder| folder.canonicalize().unwrap_or(folder));
        let present = folder.as_ref().is_some_and(|folder| folder.join(self.holds).is_dir());
        Found { data: self, folder, present }
    }
}

/// Where data was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    data: Data,
    /// None where the variable is not set and nothing lies beside.
    folder: Option<PathBuf>,
    present: bool,
}

impl Found {
    /// The folder, if the data is there.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref().filter(|_| self.present)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Data { name, variable, holds, .. } = self.data;
        match &self.folder {
            Some(folder) if self.present => write!(f, "{name}: found in {}", folder.display()),
            Some(folder) => {
                write!(f, "{name}: not found in {}; {variable} names another folder", folder.join(holds).display())
            }
            None => write!(f, "{name}: {variable} is not set, which names its folder"),
        }
    }
}

/// The tests of one file.
#[derive(Default)]
pub struct Tests {
    trials: Vec<Trial>,
    missing: Vec<String>,
}

impl Tests {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A test that gets the folder of its data, and is ignored where that is absent.
    #[must_use]
    pub fn needing(mut self, data: &Found, name: &str, test: impl FnOnce(&Path) + Send + 'static) -> Self {
        if !data.present {
            self.missing.push(format!("skipped: {name} needs {data}"));
        }
        let found = data.clone();
        let run = move || match found.folder() {
            Some(folder) => {
                test(folder);
                Ok(())
            }
            // Asked for with --ignored all the same.
            None => Err(Failed::from(found.to_string())),
        };
        self.trials.push(Trial::test(name, run).with_ignored_flag(!data.present));
        self
    }

    /// A test that needs something else of the machine, and is ignored where `missing` says what that is.
    #[must_use]
    pub fn unless(mut self, missing: Option<&str>, name: &str, test: impl FnOnce() + Send + 'static) -> Self {
        if let Some(missing) = missing {
            self.missing.push(format!("skipped: {name} needs {missing}"));
        }
        let reason = missing.map(str::to_string);
        let run = move || match reason {
            None => {
                test();
                Ok(())
            }
            Some(reason) => Err(Failed::from(reason)),
        };
        self.trials.push(Trial::test(name, run).with_ignored_flag(missing.is_some()));
        self
    }

    /// A test that needs none.
    #[must_use]
    pub fn always(mut self, name: &str, test: impl FnOnce() + Send + 'static) -> Self {
        self.trials.push(Trial::test(name, || {
            test();
            Ok(())
        }));
        self
    }

    /// Runs them as the arguments of the process say, which are those of the standard harness, and ends the process.
    pub fn run(self) -> ! {
        let arguments = Arguments::from_args();
        if !arguments.list {
            self.missing.iter().for_each(|line| eprintln!("{line}"));
        }
        libtest_mimic::run(&arguments, self.trials).exit()
    }
}

impl fmt::Debug for Tests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tests").field("tests", &self.trials.len()).field("missing", &self.missing).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_where_it_was_looked_for() {
        let absent =
            Data { name: "a set", variable: "NO_SUCH_VARIABLE", beside: Some("no such set"), holds: "" }.find();
        assert_eq!(absent.folder(), None);
        let text = absent.to_string();
        assert!(text.starts_with("a set: not found in ") && text.contains("shared/data/no such set"), "{text}");
        assert!(text.ends_with("; NO_SUCH_VARIABLE names another folder"), "{text}");
        let nowhere = Data { name: "a set", variable: "NO_SUCH_VARIABLE", beside: None, holds: "" }.find();
        assert_eq!(nowhere.to_string(), "a set: NO_SUCH_VARIABLE is not set, which names its folder");
    }

    #[test]
    fn a_test_without_its_data_is_ignored_and_one_with_it_is_run() {
        let found = |present| Found { data: Data::MNIST, folder: Some(std::env::temp_dir()), present };
        let tests = Tests::new()
            .needing(&found(false), "absent", |_| panic!("it must not run"))
            .needing(&found(true), "present", |folder| assert!(folder.is_dir()))
            .needing(&found(true), "failing", |_| panic!("as a test does"))
            .unless(Some("a program"), "programless", || panic!("it must not run"))
            .unless(None, "with its program", || ())
            .always("always", || ());
        assert_eq!(tests.missing.len(), 2);
        assert_eq!(tests.missing[1], "skipped: programless needs a program");
        assert!(tests.missing[0].starts_with("skipped: absent needs MNIST's four IDX files: not found in "));
        let conclusion = libtest_mimic::run(&Arguments { quiet: true, ..Arguments::default() }, tests.trials);
        assert_eq!([conclusion.num_passed, conclusion.num_ignored, conclusion.num_failed], [3, 2, 1]);
    }
}
