//! From a file of weights and a picture to class names.
//!
//! ```text
//! Trained::open(a file, a run's folder, a name)   weights, network, classes and preparation brought together
//!     → Classifier::new   classify, classify_files    the most probable classes, with names
//!     → Features::new     of                          what a node makes of a picture
//! pictures(files, folders, patterns)              the files that are meant
//! ```
//!
//! ```
//! use cnn_classifier::Classifier;
//! use cnn_data::Picture;
//!
//! # let place = tempfile::tempdir()?;
//! # let path = place.path().join("digit.png");
//! # let digits = cnn_data::digits(cnn_data::DigitsConfig { train: 1, test: 1, seed: 1 })?;
//! # std::fs::write(&path, digits.test().picture(0)?.png()?)?;
//! let classifier = Classifier::open("lenet")?; // or a file, or a run's folder
//! for answer in classifier.classify(&Picture::open(path)?, 3)? {
//!     println!("{:5.1} % {}", 100.0 * answer.probability, answer.class);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod classifier;
pub mod embedded;
mod error;
mod features;
mod files;
mod find;
mod trained;

pub use classifier::{Answer, Classifier};
pub use cnn_catalogue;
pub use cnn_core;
pub use cnn_data;
pub use error::{Error, Result};
pub use features::{Features, Form};
pub use files::Judged;
pub use find::{Found, pictures};
pub use trained::{Known, Trained, ends_as_weights, weights};

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
