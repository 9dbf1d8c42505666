//! Published weights of the classic convolutional networks: where they are, what they are for, and their download.
//!
//! ```text
//! find("resnet50:imagenet1k_v2")   →  Published   file, checksum, preparation, classes, accuracy, licence, source
//! find("hf:owner/repository")      →  Published   the same, read from the repository's config.json
//! Published::fetch(&Options)       →  the file's path: from the cache, else fetched, whole and with the right checksum
//! imagenet::names()                →  the names of the 1000 classes
//! ```
//!
//! ```
//! let weights = cnn_catalogue::find("densenet121:ra_in1k")?;
//! assert_eq!(weights.top1, Some(76.5));
//! assert_eq!(weights.input, [3, 288, 288]);
//! assert_eq!(weights.classes.names()[207], "golden retriever");
//! # Ok::<(), cnn_catalogue::Error>(())
//! ```
//!
//! Files are kept where the tools that publish them keep them, so that one download serves all: those of the Hugging Face
//! hub in its cache, others in torch's (see [`Options`]). The download needs the feature `hub`; without it files that are
//! there are found all the same.

mod cache;
mod catalogue;
mod digest;
#[cfg(feature = "hub")]
mod download;
mod error;
mod fetch;
pub mod imagenet;
mod name;
mod options;
mod published;
mod repository;
mod results;
mod timm;

pub use catalogue::all;
pub use cnn_data;
pub use cnn_weights::Weights;
pub use digest::Digest;
pub use error::{Error, Result};
pub use name::{find, find_with};
pub use options::{Options, Progress};
pub use published::{Classes, Origin, Published};
pub use repository::Repository;
pub use results::results;

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
