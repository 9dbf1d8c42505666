//! Small whole files of every container, changed at random from a seed: whatever comes of reading them is an error or
//! weights, never a panic, and never much memory.
//!
//! `MUTATIONS` is how many files are tried (20,000 if it is not set), `MUTATIONS_SEED` where the random numbers begin.

#![cfg(feature = "pytorch")]

use cnn_network::Network;
use cnn_network::definition::*;
use cnn_weights::{Allowed, Weights};
use std::path::Path;

type Failure = Box<dyn std::error::Error>;

/// The most memory that the process may ever have held, in bytes. A million operations of a pickle take a third of it.
const MOST_MEMORY: u64 = 1_200_000_000;

/// Numbers that are chosen for places that may be lengths, offsets or counts.
const EXTREMES: [u64; 10] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, 1 << 60, u64::MAX];

struct Random(u64);

impl Random {
    /// A number below `below`, which is not 0.
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % below
    }
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Whole files, safetensors among them.
fn seeds(network: &Network) -> Result<Vec<Vec<u8>>, Failure> {
    let mut names: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    names.retain(|path| path.extension().is_some_and(|ending| ending != "py") && path.is_file());
    names.sort();
    assert!(names.len() > 15, "only {} goldens", names.len());
    let files = names.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    Ok([files, vec![Weights::initialised(network, 7).to_bytes()?]].concat())
}

fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(10) {
            0..4 => bytes[at] = random.below(256) as u8,
            4 => bytes[at] ^= 1 << random.below(8),
            5 => {
                let (extreme, width) = (EXTREMES[random.below(EXTREMES.len())], [1, 2, 4, 8][random.below(4)]);
                let end = bytes.len().min(at + width);
                bytes[at..end].copy_from_slice(&extreme.to_le_bytes()[..end - at]);
            }
            6 => bytes.truncate(at),
            7 => {
                // A piece of this file or another one, put in or over.
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                let piece = other[from..other.len().min(from + 1 + random.below(64))].to_vec();
                let over = if random.below(2) == 0 { at } else { bytes.len().min(at + piece.len()) };
                drop(bytes.splice(at..over, piece));
            }
            8 => drop(bytes.drain(at..(at + 1 + random.below(32)).min(bytes.len()))),
            _ => {
                let piece = bytes[at..(at + 1 + random.below(16)).min(bytes.len())].to_vec();
                let many = piece.repeat(1 + random.below(40));
                drop(bytes.splice(at..at, many));
            }
        }
    }
    bytes
}

#[test]
fn no_changed_file_panics_or_takes_much_memory() -> Result<(), Failure> {
    let body = chain().then("conv1", conv(3).out(4).no_bias()).then("bn1", batch_norm()).relu().global_avg_pool();
    let network = body.then("fc", linear(3)).named("small", [3, 8, 8]).at_usual_input()?;
    let (seeds, mut random) = (seeds(&network)?, Random(number_of("MUTATIONS_SEED", 9)));
    let mut outcomes = [0u64; 3];
    let allowed = Allowed { classes: true, heads: true, channels: true };
    for _ in 0..number_of("MUTATIONS", 20_000) {
        let bytes = mutated(&seeds, &mut random);
        let Ok(weights) = Weights::from_bytes(bytes, "a file").map_err(|error| one_line(&error.to_string())) else {
            outcomes[0] += 1;
            continue;
        };
        let loading = weights.load(&network, allowed).map(|loading| (loading.to_string(), loading.weights()));
        match loading {
            Ok((_, Ok(loaded))) => {
                outcomes[2] += 1;
                for (name, tensor) in loaded.iter() {
                    match tensor.numbers::<f32>(name) {
                        Ok(values) => assert_eq!(values.len(), tensor.elements()),
                        Err(error) => one_line(&error.to_string()),
                    }
                }
            }
            Ok((_, Err(error))) | Err(error) => {
                outcomes[1] += 1;
                one_line(&error.to_string());
            }
        }
    }
    println!("refused {}, other weights {}, taken {}", outcomes[0], outcomes[1], outcomes[2]);
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
    if let Some(peak) = peak_memory() {
        assert!(peak < MOST_MEMORY, "{peak} bytes at the peak");
    }
    Ok(())
}

/// Holds an error to one line of a bounded length, which no panic of the reader made.
fn one_line(message: &str) {
    assert!(!message.contains('\n') && message.len() < 2000, "{message}");
    assert!(!message.contains("its reader gave up"), "{message}");
}

fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
