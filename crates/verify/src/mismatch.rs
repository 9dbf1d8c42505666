//! A difference between a network and what it is held to.

use std::fmt;

/// One number, shape or name that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The network.
    pub network: String,
    /// The node, tensor or quantity, for example `node layer1.0.conv1` or `parameters`.
    pub place: String,
    /// What the reference says.
    pub expected: String,
    /// What the network has.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, place, expected, found } = self;
        write!(f, "{network}: {place}: expected {expected}, found {found}")
    }
}

/// The mismatches of one network, as they are found.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    network: &'a str,
    pub(crate) mismatches: Vec<Mismatch>,
}

impl<'a> Findings<'a> {
    pub(crate) fn of(network: &'a str) -> Self {
        Self { network, mismatches: Vec::new() }
    }

    /// Notes a mismatch unless both are equal.
    pub(crate) fn equal<T: PartialEq + Readable>(&mut self, place: impl ToString, expected: T, found: T) {
        if expected != found {
            self.differ(place, expected.read(), found.read());
        }
    }

    /// Notes a mismatch.
    pub(crate) fn differ(&mut self, place: impl ToString, expected: impl ToString, found: impl ToString) {
        self.mismatches.push(Mismatch {
            network: self.network.to_string(),
            place: place.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }
}

/// How a value stands in a mismatch.
pub(crate) trait Readable {
    fn read(&self) -> String;
}

impl Readable for usize {
    fn read(&self) -> String {
        self.to_string()
    }
}

impl Readable for &[usize] {
    fn read(&self) -> String {
        cnn_core::shape::times(self)
    }
}
