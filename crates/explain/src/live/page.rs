//! The page of networks that are looked at while the picture changes.

use crate::error::{Error, Result};
use crate::page::picture::palette;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cnn_figures::svg::escaped;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::io::Write;

/// Its networks, and what computes them.
#[derive(Clone, Copy, Debug)]
pub struct LivePage<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// What each network is called there; the first is shown first.
    pub networks: &'a [String],
    /// What must be known of the page, a line each.
    pub notes: &'a [String],
    /// What computes.
    pub engine: Engine<'a>,
}

/// What computes the networks of a page.
#[derive(Clone, Copy, Debug)]
pub enum Engine<'a> {
    /// The server that the page is from.
    Server,
    /// The page itself: a WebAssembly module, and for each network its file of weights.
    Module {
        /// The module.
        module: &'a [u8],
        /// The weights of each network.
        weights: &'a [&'a [u8]],
    },
}

#[derive(Serialize)]
struct Data<'a> {
    palette: String,
    networks: &'a [String],
    module: Option<String>,
    weights: Vec<String>,
}

impl LivePage<'_> {
    /// The page, as HTML: one file. With a module it needs nothing beside itself.
    ///
    /// # Errors
    ///
    /// What memory does not hold.
    pub fn html(&self) -> Result<String> {
        let (module, weights) = match self.engine {
            Engine::Server => (None, Vec::new()),
            Engine::Module { module, weights } => {
                (Some(packed(module)?), weights.iter().map(|weights| packed(weights)).collect::<Result<_>>()?)
            }
        };
        let engine = match module {
            Some(_) => include_str!("module.js"),
            None => include_str!("server.js"),
        };
        let connect = if module.is_some() { "" } else { "; connect-src 'self'" };
        let data = Data { palette: STANDARD.encode(palette()), networks: self.networks, module, weights };
        // Within a script element only `<` could end it.
        let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
        let notes: String = self.notes.iter().map(|note| format!("<li>{}</li>\n", escaped(note))).collect();
        let notes = if notes.is_empty() { notes } else { format!("<ul class=\"notes\">\n{notes}</ul>\n") };
        let title = escaped(self.title);
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline' \
             'wasm-unsafe-eval'{connect}\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{}\n{}\n\
             </style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{notes}{}</main>\n<script type=\"application/json\" \
             id=\"data\">{data}</script>\n<script>\n{}{engine}{}{}</script>\n</body>\n</html>\n",
            include_str!("../page/style.css").trim(),
            include_str!("live.css").trim(),
            include_str!("live.html"),
            include_str!("../page/hover.js"),
            include_str!("live.js"),
            include_str!("kernel.js"),
        ))
    }
}

/// Bytes packed by gzip, as text.
fn packed(bytes: &[u8]) -> Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    Ok(STANDARD.encode(packed.map_err(Error::Packing)?))
}
