//! Whether all ranks do the same.

use crate::error::{Error, Result};
use crate::ranks::Ranks;

impl Ranks {
    /// Compares what every rank says of itself, name by name, with what rank 0 says. All ranks get the same answer. Of
    /// texts with several lines the first that differs is told.
    ///
    /// # Errors
    ///
    /// The first difference; a rank that failed.
    pub fn agree(&self, said: &[(&str, String)]) -> Result<()> {
        let bytes: Vec<u8> =
            said.iter().flat_map(|(name, value)| [*name, "\0", value, "\0"].concat().into_bytes()).collect();
        let all = self.gather(bytes)?;
        let all: Vec<Vec<(String, String)>> = all.iter().map(|bytes| pairs(bytes)).collect();
        let first = all.first().map(Vec::as_slice).unwrap_or_default();
        for (rank, other) in all.iter().enumerate().skip(1) {
            if let Some((what, here, there)) = difference(first, other) {
                return Err(Error::Differs { rank, what, here, there });
            }
        }
        Ok(())
    }
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\0');
    std::iter::from_fn(|| Some((parts.next()?.to_string(), parts.next()?.to_string()))).collect()
}

/// What differs, what it is at first, what it is elsewhere.
fn difference(first: &[(String, String)], other: &[(String, String)]) -> Option<(String, String, String)> {
    let missing = "nothing".to_string();
    for number in 0..first.len().max(other.len()) {
        let (here, there) = (first.get(number), other.get(number));
        if here == there {
            continue;
        }
        let what = here.or(there).map(|(name, _)| name.clone()).unwrap_or_default();
        let (Some((_, here)), Some((_, there))) = (here, there) else {
            return Some((what, missing.clone(), missing));
        };
        let (mut here, mut there) = (here.lines(), there.lines());
        loop {
            let (left, right) = (here.next(), there.next());
            if left != right || left.is_none() {
                let shown = |line: Option<&str>| line.map_or_else(|| missing.clone(), str::to_string);
                return Some((what, shown(left), shown(right)));
            }
        }
    }
    None
}
