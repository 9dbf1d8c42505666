//! Images as PNG.

use crate::error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cnn_data::{Images, sheet};

/// The bytes of a PNG of image `index`: grey, or red, green, blue. Of any other number of channels, the first in grey.
pub(crate) fn png(images: &Images, index: usize) -> Result<Vec<u8>> {
    let sheet = sheet(images, &[index], 1)?;
    let (colour, pixels) = match sheet.channels {
        3 => (png::ColorType::Rgb, sheet.pixels),
        1 => (png::ColorType::Grayscale, sheet.pixels),
        channels => (png::ColorType::Grayscale, sheet.pixels.iter().step_by(channels).copied().collect()),
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, sheet.width as u32, sheet.height as u32);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// A PNG as an address within a page.
pub(crate) fn address(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}
