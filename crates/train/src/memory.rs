//! What this process holds in memory, where the system says so, and what it will need.

use crate::error::{Error, Result};
use cnn_core::{Bytes, Network, Op, memory};

/// Bytes of this process that are, or were at most, in memory. Linux tells them; elsewhere they are unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub resident: Option<u64>,
    /// The most since the process began.
    pub peak: Option<u64>,
}

impl Memory {
    /// What the system says now.
    pub fn now() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    /// Reads `VmRSS` and `VmHWM`, which are in units of 1024 bytes.
    fn parse(status: &str) -> Self {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
        };
        Self { resident: bytes("VmRSS"), peak: bytes("VmHWM") }
    }
}

/// Refuses what cannot fit in memory, before anything is done for it. `needed` is in bytes, and a lower bound: what
/// passes may still be too large.
///
/// # Errors
///
/// More than the machine has, or the process may have.
pub(crate) fn check_fits(what: &str, needed: u64, way_out: &'static str) -> Result<()> {
    memory::ask(Bytes(needed)).map_err(|shortage| Error::Memory { what: what.to_string(), shortage, way_out })
}

/// Bytes that a pass of a batch through the network needs at least: its tensors, and the input and output of the
/// convolution or linear layer that has the largest.
pub(crate) fn least_bytes(network: &Network, batch: usize) -> u64 {
    let maps = network.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_) | Op::Linear(_))).map(|node| {
        let inputs = node.inputs.iter().map(|input| bytes(network.node(*input).shape.elements(), batch));
        inputs.fold(bytes(node.shape.elements(), batch), u64::saturating_add)
    });
    tensor_bytes(network).saturating_add(maps.max().unwrap_or(0))
}

/// Bytes of a network's tensors.
pub(crate) fn tensor_bytes(network: &Network) -> u64 {
    network.tensors().map(|spec| bytes(spec.elements(), 1)).fold(0, u64::saturating_add)
}

/// Bytes of so many numbers for each of a batch.
pub(crate) fn bytes(elements: usize, batch: usize) -> u64 {
    (elements as u64).saturating_mul(batch as u64).saturating_mul(size_of::<f32>() as u64)
}

/// Refuses the evaluation of batches of so many images where it cannot fit in memory.
///
/// # Errors
///
/// More than the machine has, or the process may have.
pub fn check_evaluation_fits(network: &Network, batch: usize) -> Result<()> {
    let what = format!("{} with {batch} images at a time", network.name());
    check_fits(&what, least_bytes(network, batch), "fewer or smaller images may fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_fit_is_refused_in_a_sentence() {
        assert!(check_fits("it", 1, "nothing helps").is_ok());
        if memory::available().is_some() {
            let message = check_fits("it", u64::MAX, "nothing helps").unwrap_err().to_string();
            assert!(
                message.starts_with("it does not fit: at least 18446744.07 TB of memory are needed, "),
                "{message}"
            );
            assert!(message.ends_with(" are available; nothing helps"), "{message}");
        }
    }

    #[test]
    fn the_least_is_weights_and_the_largest_layer() {
        use cnn_core::definition::*;
        let network = chain().and(conv(3).out(4)).relu().and(conv(1).out(2)).named("small", [1, 8, 8]);
        let network = network.at_usual_input().unwrap();
        // 1·8·8 in and 4·6·6 out of an image, against 4·6·6 and 2·6·6.
        assert_eq!(least_bytes(&network, 5), 4 * (5 * (144 + 72) + 40 + 10));
    }

    #[test]
    fn both_lines_are_found() {
        let status = "Name:\txtask\nVmPeak:\t  90 kB\nVmHWM:\t     12 kB\nVmRSS:\t      8 kB\n";
        assert_eq!(Memory::parse(status), Memory { resident: Some(8192), peak: Some(12288) });
        assert_eq!(Memory::parse(""), Memory { resident: None, peak: None });
    }
}
