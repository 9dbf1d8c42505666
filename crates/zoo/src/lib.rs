//! Every network by name.
//!
//! ```
//! let lenet = cnn_zoo::find("lenet")?;
//! let net = lenet.architecture(10).at_usual_input()?;
//! assert_eq!(net.summary().parameters, 61_706);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod entry;
mod family;
mod published;

pub use cnn_core;
pub use cnn_core::definition::Paper;
pub use entry::Entry;
pub use family::Family;
pub use published::{Benchmark, Published, Source, published};

use cnn_core::definition::Listing;
use cnn_core::error::{did_you_mean, near_names};
use std::fmt;
use std::sync::LazyLock;

/// Every network with the name its definition has, family by family.
static NAMED: LazyLock<Vec<(String, Family, &'static Listing)>> = LazyLock::new(|| {
    let of = |family: Family| family.catalogue().iter().map(move |listing| (family, listing));
    let named =
        |(family, listing): (Family, &'static Listing)| (listing.architecture().name().to_string(), family, listing);
    Family::ALL.into_iter().flat_map(of).map(named).collect()
});

/// Every network, family by family.
pub fn all() -> impl Iterator<Item = Entry> {
    NAMED.iter().map(|(name, family, listing)| Entry { name, family: *family, classes: listing.classes, listing })
}

/// The network of this very name.
///
/// # Errors
///
/// A name that no network has, with the names most like it.
pub fn find(name: &str) -> Result<Entry, UnknownNetwork> {
    all()
        .find(|entry| entry.name == name)
        .ok_or_else(|| UnknownNetwork { name: name.to_string(), near: near_names(name, all().map(|entry| entry.name)) })
}

/// A name that no network has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownNetwork {
    /// The name.
    pub name: String,
    /// Names most like it.
    pub near: Vec<String>,
}

impl fmt::Display for UnknownNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no network {}{}", self.name, did_you_mean(&self.near))
    }
}

impl std::error::Error for UnknownNetwork {}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = all().map(|entry| entry.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_unknown_name_gets_near_ones() {
        let message = find("lenett").map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with("there is no network lenett; did you mean lenet"), "{message}");
        assert_eq!(find("zzz").map(|_| ()).unwrap_err().to_string(), "there is no network zzz");
    }
}
