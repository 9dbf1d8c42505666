//! What this process holds in memory, where the system says so.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_are_found() {
        let status = "Name:\txtask\nVmPeak:\t  90 kB\nVmHWM:\t     12 kB\nVmRSS:\t      8 kB\n";
        assert_eq!(Memory::parse(status), Memory { resident: Some(8192), peak: Some(12288) });
        assert_eq!(Memory::parse(""), Memory { resident: None, peak: None });
    }
}
