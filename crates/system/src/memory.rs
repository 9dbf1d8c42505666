//! Memory that is there to be asked for.
//!
//! An allocation that fails ends the process, and one that the system grants without having it ends it later. So whoever
//! is about to ask for much looks first, and can say in a sentence what is too large.

use crate::Bytes;
use std::path::Path;

/// More was to be asked for than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed} of memory are needed, {available} are available")]
pub struct Shortage {
    /// What was to be asked for.
    pub needed: Bytes,
    /// What there is.
    pub available: Bytes,
}

/// What is asked for without a look, since looking takes longer.
const SMALL: Bytes = Bytes(64_000_000);

/// Refuses to go on where `needed` is more than [`available`]. Less than 64 MB are always granted, and so is everything
/// where the system does not tell.
///
/// ```
/// use cnn_system::{Bytes, memory};
///
/// assert!(memory::ask(Bytes(1000)).is_ok());
/// if cfg!(target_os = "linux") {
///     assert!(memory::ask(Bytes(u64::MAX)).is_err());
/// }
/// ```
///
/// # Errors
///
/// [`Shortage`] with both numbers.
pub fn ask(needed: Bytes) -> Result<(), Shortage> {
    if needed < SMALL {
        return Ok(());
    }
    match available() {
        Some(available) if needed > available => Err(Shortage { needed, available }),
        _ => Ok(()),
    }
}

/// Memory that this process can still get: the least of what the machine has free, swap included, what its control group
/// leaves, and what a limit on its addresses leaves (`ulimit -v`). Linux tells; elsewhere it is unknown.
pub fn available() -> Option<Bytes> {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let status = read("/proc/self/status");
    let group = Group { limit: &read("/sys/fs/cgroup/memory.max"), statistics: &read("/sys/fs/cgroup/memory.stat") };
    let all = [of_machine(&read("/proc/meminfo")), group.left(), of_addresses(&read("/proc/self/limits"), &status)];
    all.into_iter().flatten().min().map(Bytes)
}

/// The number behind `name` in lines like `MemAvailable:  12 kB`, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

fn of_machine(memory: &str) -> Option<u64> {
    Some(field(memory, "MemAvailable")?.saturating_add(field(memory, "SwapFree").unwrap_or(0)))
}

/// A control group's files.
struct Group<'a> {
    limit: &'a str,
    statistics: &'a str,
}

impl Group<'_> {
    /// What is cached of files is given back when it is needed, so that only `anon` counts.
    fn left(&self) -> Option<u64> {
        let limit: u64 = self.limit.trim().parse().ok()?;
        let held = self.statistics.lines().find_map(|line| line.strip_prefix("anon "));
        Some(limit.saturating_sub(held.and_then(|held| held.trim().parse().ok()).unwrap_or(0)))
    }
}

fn of_addresses(limits: &str, status: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(limit.saturating_sub(field(status, "VmSize").unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_read_as_linux_writes_it() {
        assert_eq!(of_machine("MemFree: 1 kB\nMemAvailable:   12 kB\nSwapFree: 4 kB\n"), Some(16 * 1024));
        assert_eq!(of_machine("MemFree: 1 kB\n"), None);
        let left = |limit| Group { limit, statistics: "anon 1000\nfile 5000\n" }.left();
        assert_eq!([left("max\n"), left("4096\n"), left("10\n"), left("")], [None, Some(3096), Some(0), None]);
        let limits =
            |limit| format!("Limit  Soft Limit  Hard Limit  Units\nMax address space  {limit}  unlimited  bytes\n");
        assert_eq!(of_addresses(&limits("4096"), "VmSize:\t 1 kB\n"), Some(3072));
        assert_eq!(of_addresses(&limits("unlimited"), "VmSize:\t 1 kB\n"), None);
    }

    #[test]
    fn a_shortage_is_a_sentence() {
        let shortage = Shortage { needed: Bytes(8_000_000_000), available: Bytes(1_500_000) };
        assert_eq!(shortage.to_string(), "8.00 GB of memory are needed, 1.5 MB are available");
    }
}
