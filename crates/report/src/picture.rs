//! Images within a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A PNG as an address within a page.
pub(crate) fn address(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}
