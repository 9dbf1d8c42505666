//! Memory that is there to be asked for.
//!
//! An allocation that fails ends the process, and one that the system grants without having it ends it later. So whoever
//! is about to ask for much looks first, and can say in a sentence what is too large.

use crate::Bytes;
use std::path::{Component, Path, PathBuf};

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
/// and those above it leave, and what a limit on its addresses leaves (`ulimit -v`). Linux tells; elsewhere it is unknown.
pub fn available() -> Option<Bytes> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let status = read(Path::new("/proc/self/status"));
    let groups = groups(&read(Path::new("/proc/self/cgroup"))).into_iter().filter_map(|group| {
        Group { limit: &read(&group.limit), statistics: &read(&group.statistics), held: group.held }.left()
    });
    let machine = of_machine(&read(Path::new("/proc/meminfo")));
    let addresses = of_addresses(&read(Path::new("/proc/self/limits")), &status);
    groups.chain(machine).chain(addresses).min().map(Bytes)
}

/// Where a control group tells what it may hold.
#[derive(Debug, PartialEq, Eq)]
struct GroupFiles {
    limit: PathBuf,
    statistics: PathBuf,
    /// The line of the statistics that counts what is not cached of files.
    held: &'static str,
}

/// The control groups of a process and all above them, in the second version of control groups and in the first, from
/// what `/proc/self/cgroup` says: lines of a number, controllers and a path.
fn groups(text: &str) -> Vec<GroupFiles> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, limit, held) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max", "anon "),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "total_rss ")
            }
            _ => continue,
        };
        // A path above the root of what this process sees, `/../x`, is of no folder here: the root alone is looked at.
        let named: PathBuf = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let below = if path.contains("..") { Path::new("") } else { &named };
        found.extend(below.ancestors().map(|group| {
            let folder = Path::new(root).join(group);
            GroupFiles { limit: folder.join(limit), statistics: folder.join("memory.stat"), held }
        }));
    }
    found
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
    held: &'static str,
}

impl Group<'_> {
    /// What is cached of files is given back when it is needed, so that only the rest counts.
    fn left(&self) -> Option<u64> {
        let limit: u64 = self.limit.trim().parse().ok()?;
        let held = self.statistics.lines().find_map(|line| line.strip_prefix(self.held));
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
        let left = |limit| Group { limit, statistics: "anon 1000\nfile 5000\n", held: "anon " }.left();
        assert_eq!([left("max\n"), left("4096\n"), left("10\n"), left("")], [None, Some(3096), Some(0), None]);
        let limits =
            |limit| format!("Limit  Soft Limit  Hard Limit  Units\nMax address space  {limit}  unlimited  bytes\n");
        assert_eq!(of_addresses(&limits("4096"), "VmSize:\t 1 kB\n"), Some(3072));
        assert_eq!(of_addresses(&limits("unlimited"), "VmSize:\t 1 kB\n"), None);
    }

    #[test]
    fn limits_of_the_groups_above_are_looked_at() {
        let limits = |text: &str| groups(text).into_iter().map(|group| group.limit).collect::<Vec<_>>();
        let of = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let second = ["a/b/memory.max", "a/memory.max", "memory.max"].map(|name| format!("/sys/fs/cgroup/{name}"));
        assert_eq!(limits("0::/a/b\n"), of(&second.each_ref().map(String::as_str)));
        assert_eq!(limits("0::/\n"), of(&["/sys/fs/cgroup/memory.max"]));
        assert_eq!(limits("0::/../c\n"), of(&["/sys/fs/cgroup/memory.max"]));
        let first = ["/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        assert_eq!(limits("9:cpu,cpuacct:/a\n8:memory:/a\n"), of(&first));
        assert_eq!(limits("nothing\n"), of(&[]));
    }

    #[test]
    fn a_shortage_is_a_sentence() {
        let shortage = Shortage { needed: Bytes(8_000_000_000), available: Bytes(1_500_000) };
        assert_eq!(shortage.to_string(), "8.00 GB of memory are needed, 1.5 MB are available");
    }
}
