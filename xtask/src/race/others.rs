//! How busy other programs keep the machine, while nobody of the race computes.

use std::time::Duration;

/// How long is looked.
const LOOK: Duration = Duration::from_millis(500);

/// The part of the cores that others keep busy, from 0 to 1. Linux tells it; elsewhere it is unknown.
pub fn busy() -> Option<f64> {
    let before = Ticks::now()?;
    std::thread::sleep(LOOK);
    let after = Ticks::now()?;
    let all = after.all.saturating_sub(before.all);
    (all > 0).then(|| 1.0 - after.idle.saturating_sub(before.idle) as f64 / all as f64)
}

/// Clock ticks of all cores since the machine started.
#[derive(Debug, PartialEq, Eq)]
struct Ticks {
    all: u64,
    idle: u64,
}

impl Ticks {
    fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads the line `cpu`: user, nice, system, idle, waiting for a disk, and what else keeps a core busy; a guest's
    /// ticks behind them are part of the user's.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).map(|word| word.parse().ok()).collect::<Option<_>>()?;
        Some(Self { all: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_all_cores_is_read() {
        let stat = "cpu  10 1 2 30 4 0 1 2 9 9\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(Ticks::parse(stat), Some(Ticks { all: 50, idle: 34 }));
        assert_eq!(Ticks::parse("intr 5"), None);
    }
}
