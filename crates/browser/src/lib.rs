//! Networks of the zoo for web pages. `cargo xtask explain --live` compiles this crate to WebAssembly and puts it into a
//! page, which calls [`open`] once for a network and [`look`] for every picture.
//!
//! The functions speak the plugin protocol of Typst: bytes in, bytes or a sentence out.
//!
//! ```
//! use cnn_browser::Looking;
//! use cnn_classifier::embedded;
//!
//! let weights = embedded::weights("lenet")?.ok_or("the LeNet that comes along")?;
//! let mut looking = Looking::new(&weights.to_bytes()?, Default::default())?;
//! assert_eq!(looking.opened().input, [1, 32, 32]);
//! assert!(looking.look(&[0; 3], false).unwrap_err().contains("3 numbers are not one image of 1×32×32"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// What the macros write has no documentation of its own.
#![cfg_attr(target_arch = "wasm32", allow(missing_docs))]

mod card;
mod looking;

pub use looking::Looking;

use std::cell::RefCell;
use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
wasm_minimal_protocol::initiate_protocol!();

thread_local! {
    static OPEN: RefCell<BTreeMap<Vec<u8>, Looking>> = const { RefCell::new(BTreeMap::new()) };
}

/// Opens weights, a safetensors file with a card, and keeps the network as `key`. Gives what a page needs to know of it, as
/// JSON: [`cnn_explain::Opened`].
///
/// # Errors
///
/// As [`Looking::new`].
#[cfg_attr(target_arch = "wasm32", wasm_minimal_protocol::wasm_func)]
pub fn open(key: &[u8], weights: &[u8]) -> Result<Vec<u8>, String> {
    let looking = Looking::new(weights, Default::default())?;
    let opened = serde_json::to_vec(looking.opened()).map_err(|problem| problem.to_string())?;
    OPEN.with_borrow_mut(|open| open.insert(key.to_vec(), looking));
    Ok(opened)
}

/// What a network makes of the bytes of a picture: [`cnn_explain::Live::look`]. `asked` is its key and a byte that says
/// whether all numbers are wanted.
///
/// # Errors
///
/// A network that is not open, bytes that are not one picture, scores that are not finite.
#[cfg_attr(target_arch = "wasm32", wasm_minimal_protocol::wasm_func)]
pub fn look(asked: &[u8], pixels: &[u8]) -> Result<Vec<u8>, String> {
    let Some((exact, key)) = asked.split_last() else { return Err("no network is named".to_string()) };
    OPEN.with_borrow_mut(|open| {
        let looking = open.get_mut(key).ok_or("this network is not open")?;
        looking.look(pixels, *exact != 0)
    })
}

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
