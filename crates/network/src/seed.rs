//! Every random number of the project comes from one seed through [`stream`].
//!
//! A stream is addressed by name, so what one part draws never depends on how much another drew before it: a tensor
//! is initialised, a batch shuffled and a digit drawn to the same bits whatever else runs, on any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The project's generator: ChaCha with 8 rounds, the same values on every platform.
pub type Rng = ChaCha8Rng;

/// The generator for the purpose `name` under `seed`, for example `stream(7, "init conv1.weight")`.
///
/// Streams of different names are independent; the same pair always gives the same sequence.
pub fn stream(seed: u64, name: &str) -> Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(fnv1a(name.as_bytes()));
    rng
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): stable across versions, unlike the standard library's hasher.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn a_stream_is_a_function_of_seed_and_name() {
        let first = |seed, name| stream(seed, name).next_u64();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
    }
}
