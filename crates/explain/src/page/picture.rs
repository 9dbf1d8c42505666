//! Pictures within a page.

use crate::error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Colours of maps: viridis, which grows evenly brighter and is told apart by colour-blind eyes.
const COLOURS: colorous::Gradient = colorous::VIRIDIS;

/// Numbers as colours, `width` to a row: `least` is the darkest, `greatest` the brightest. NaN is the darkest.
pub(crate) fn coloured(numbers: &[f32], width: usize, least: f32, greatest: f32) -> Result<String> {
    let extent = greatest - least;
    let index = |x: &f32| if extent > 0.0 { (255.0 * (x - least) / extent).round() as u8 } else { 0 };
    indexed(&numbers.iter().map(index).collect::<Vec<_>>(), width)
}

/// Red, green and blue of each of the 256 colours.
pub(crate) fn palette() -> Vec<u8> {
    (0..256).flat_map(|i| COLOURS.eval_rational(i, 256).as_array()).collect()
}

/// Places of the colours, `width` to a row, as an address within a page.
pub(crate) fn indexed(places: &[u8], width: usize) -> Result<String> {
    let mut bytes = Vec::new();
    let mut encoder = encoder(&mut bytes, places.len(), width, png::ColorType::Indexed);
    encoder.set_palette(palette());
    encoder.write_header()?.write_image_data(places)?;
    Ok(address("png", &bytes))
}

/// Red, green and blue of each pixel, or one grey, `width` pixels to a row.
pub(crate) fn pixels(bytes: &[u8], channels: usize, width: usize) -> Result<String> {
    let colour = if channels == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale };
    let mut packed = Vec::new();
    encoder(&mut packed, bytes.len() / channels, width, colour).write_header()?.write_image_data(bytes)?;
    Ok(address("png", &packed))
}

fn encoder(
    bytes: &mut Vec<u8>,
    pixels: usize,
    width: usize,
    colour: png::ColorType,
) -> png::Encoder<'static, &mut Vec<u8>> {
    let mut encoder = png::Encoder::new(bytes, width as u32, (pixels / width.max(1)) as u32);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder
}

/// A picture's file as an address within a page; `kind` is `png` or `jpeg`.
pub(crate) fn address(kind: &str, file: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", STANDARD.encode(file))
}

/// Numbers as text: little-endian f32 in base64.
pub(crate) fn packed(numbers: &[f32]) -> String {
    STANDARD.encode(numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}
