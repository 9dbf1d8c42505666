//! What weights say of themselves.

use crate::weights::Weights;
use serde_json::Value;

/// The key of the metadata under which this project keeps what weights are for, as JSON. One key alone, since the order
/// of several is not kept.
pub const CARD: &str = "cnn";

impl Weights {
    /// The same weights for whatever network they fit: what they say of themselves is left out.
    #[must_use]
    pub fn of_any_network(self) -> Self {
        self.without_metadata(CARD)
    }

    /// The network the weights say they are of, if they say so.
    pub fn network(&self) -> Option<String> {
        let card: Value = serde_json::from_str(self.metadata().get(CARD)?).ok()?;
        card.get("network")?.as_str().map(str::to_string)
    }
}
