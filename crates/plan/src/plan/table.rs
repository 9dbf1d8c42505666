//! A plan as a table: a line for each stage.

use super::{Plan, Value};
use std::fmt;

impl fmt::Display for Plan {
    /// Each stage with what it does, what it reads, and what it gives: a store, its channels and size, and the map it
    /// is seen through.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} stages, {} stores in {} buffers, {} numbers per image",
            self.network.name(),
            self.lowered.stages.len(),
            self.lowered.stores.len(),
            self.slots.lengths.len(),
            self.numbers_per_image()
        )?;
        let path = self.lowered.stages.iter().map(|stage| stage.path.len()).max().unwrap_or(0);
        let work = self.lowered.stages.iter().map(|stage| stage.work.name().len()).max().unwrap_or(0);
        for stage in &self.lowered.stages {
            let inputs: Vec<String> = stage.inputs.iter().map(Value::to_string).collect();
            let Value { channels, size: [height, width], .. } = stage.output;
            writeln!(
                f,
                "{:path$}  {:work$}  {} → {}  {channels}×{height}×{width}",
                stage.path,
                stage.work.name(),
                inputs.join(" "),
                stage.output
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    /// `s3` for a store, `s3[2..]` from its third block of channels on, `s3/m1` through a map.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.store)?;
        if self.first_block > 0 {
            write!(f, "[{}..]", self.first_block)?;
        }
        match self.map {
            Some(map) => write!(f, "/m{map}"),
            None => Ok(()),
        }
    }
}
