//! What 8-bit numbers stand for: for each node of a network the range of its values.

use crate::error::{Error, Result};
use cnn_network::Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The first line of a file says what it is; the version counts changes of its form.
const FORMAT: &str = "cnn int8 ranges 3";
/// No file is longer.
const LONGEST: u64 = 1 << 26;

/// Ranges of a network's values with certain weights, from which the scales of 8-bit numbers follow. A
/// [`Calibrator`](crate::Calibrator) finds them on images. They belong to the network of this name and to weights of the
/// same numbers: those of others are refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration(Fields);

/// As they are written. What is read is a calibration only once it was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: String,
    /// The network's name.
    network: String,
    /// Images it was found on.
    images: u64,
    /// For each node the lowest and the highest value that 8 bits are to hold.
    ranges: BTreeMap<String, [f32; 2]>,
    /// A checksum of the numbers of each tensor, in 32 bits.
    weights: BTreeMap<String, u32>,
    /// How pictures became the numbers that were observed, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prepared: Option<String>,
    /// A checksum of all others: what is edited or damaged may well be ranges of something.
    checksum: u32,
}

impl Fields {
    fn checksum(&self) -> u32 {
        let Self { format, network, images, ranges, weights, prepared, checksum: _ } = self;
        crc32fast::hash(format!("{:?}", (format, network, images, ranges, weights, prepared)).as_bytes())
    }
}

/// What a file of any version says of itself.
#[derive(Deserialize)]
struct Head {
    format: String,
}

impl Calibration {
    pub(super) fn new(
        network: &Network,
        images: u64,
        ranges: BTreeMap<String, [f32; 2]>,
        weights: BTreeMap<String, u32>,
    ) -> Self {
        let (format, network) = (FORMAT.to_string(), network.name().to_string());
        Self::summed(Fields { format, network, images, ranges, weights, prepared: None, checksum: 0 })
    }

    fn summed(fields: Fields) -> Self {
        Self(Fields { checksum: fields.checksum(), ..fields })
    }

    /// The same of pictures that became numbers in this way. Other numbers have other ranges, so whoever prepares pictures
    /// compares it with [`Calibration::prepared`].
    #[must_use]
    pub fn of_pictures(self, prepared: impl Into<String>) -> Self {
        Self::summed(Fields { prepared: Some(prepared.into()), ..self.0 })
    }

    /// How the pictures became numbers that the ranges were found on, as [`Calibration::of_pictures`] was told.
    pub fn prepared(&self) -> Option<&str> {
        self.0.prepared.as_deref()
    }

    /// The name of the network whose ranges they are.
    pub fn network(&self) -> &str {
        &self.0.network
    }

    /// Images the ranges were found on.
    pub fn images(&self) -> u64 {
        self.0.images
    }

    /// The lowest and the highest value of a node that 8 bits are to hold, by its path.
    pub fn range(&self, node: &str) -> Option<[f32; 2]> {
        self.0.ranges.get(node).copied()
    }

    /// Reads a file that [`Calibration::write`] has written.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that holds something else.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = cnn_system::file::read_text(path, LONGEST)
            .map_err(|error| problem(path, &format!("it cannot be read: {error}")))?;
        // Another version has other fields.
        if let Ok(Head { format }) = serde_json::from_str(&text)
            && format != FORMAT
        {
            let format: String = format.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(problem(path, &format!("its format is {format:?}, not {FORMAT:?}; find the ranges anew")));
        }
        let found: Fields = serde_json::from_str(&text)
            .map_err(|error| problem(path, &format!("it holds no ranges of a network in int8: {error}")))?;
        // A file may also say what is no number by one that is too large.
        if found.ranges.values().any(|[low, high]| !(low.is_finite() && high.is_finite() && low <= high)) {
            return Err(problem(path, "a range in it is none"));
        }
        if found.checksum != found.checksum() {
            return Err(problem(path, "it is not as it was written: damaged or edited; find the ranges anew"));
        }
        Ok(Self(found))
    }

    /// Writes them to a file, JSON. It is there whole, or as it was before.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let write = || -> std::io::Result<()> {
            let mut text = serde_json::to_vec_pretty(&self.0)?;
            text.push(b'\n');
            cnn_system::whole::write(path, &text)
        };
        write().map_err(|error| problem(path, &format!("it cannot be written: {error}")))
    }

    /// A checksum of all that it says.
    pub(super) fn checksum(&self) -> u32 {
        self.0.checksum
    }

    pub(super) fn check_network(&self, network: &Network) -> Result<()> {
        if self.0.network == network.name() {
            return Ok(());
        }
        let other: String = self.0.network.chars().filter(|c| !c.is_control()).take(80).collect();
        Err(refused(network.name(), format!("the scales are those of {other}")))
    }

    /// Refuses weights of other numbers, given the checksums of their tensors.
    pub(super) fn check_weights(&self, sums: &BTreeMap<String, u32>) -> Result<()> {
        match sums.iter().find(|(name, sum)| self.0.weights.get(*name) != Some(*sum)) {
            None => Ok(()),
            Some((name, _)) => Err(refused(
                &self.0.network,
                format!("the scales were found with other weights: tensor {name} differs; find them anew for these"),
            )),
        }
    }
}

fn refused(network: &str, why: String) -> Error {
    Error::Calibration { network: network.to_string(), why }
}

fn problem(path: &Path, why: &str) -> Error {
    Error::CalibrationFile { path: path.to_path_buf(), why: why.to_string() }
}
