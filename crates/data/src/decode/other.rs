//! PNG, BMP, TIFF and WebP.

use super::colours::{self, Colours, Model};
use super::{BESIDE, Decoded, Encoded, HELD, Head, Problem};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

pub(super) fn head(encoded: Encoded<'_>, format: ImageFormat) -> Result<Head, Problem> {
    let mut decoder = decoder(encoded, format)?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().map_err(problem)?;
    let grey = !decoder.color_type().has_color();
    Ok(Head { size: [height as usize, width as usize], orientation, grey })
}

pub(super) fn decoded(encoded: Encoded<'_>, format: ImageFormat) -> Result<Decoded, Problem> {
    let mut decoder = decoder(encoded, format)?;
    let orientation = decoder.orientation().map_err(problem)?;
    let stored = decoder.original_color_type();
    let image = DynamicImage::from_decoder(decoder).map_err(problem)?;
    let size = [image.height() as usize, image.width() as usize];
    let (planes, model, bits) = match image {
        DynamicImage::ImageLuma8(image) => (image.into_raw(), Model::Grey, 8),
        DynamicImage::ImageLumaA8(image) => (colours::planes(&image.into_raw(), 2, 1), Model::GreyAlpha, 8),
        DynamicImage::ImageRgb8(image) => (colours::planes(&image.into_raw(), 3, 3), Model::Rgb, 8),
        DynamicImage::ImageRgba8(image) => (colours::planes(&image.into_raw(), 4, 3), Model::Rgba, 8),
        DynamicImage::ImageLuma16(image) => (colours::upper(&image.into_raw()), Model::Grey, 16),
        DynamicImage::ImageLumaA16(image) => {
            (colours::planes(&colours::upper(&image.into_raw()), 2, 1), Model::GreyAlpha, 16)
        }
        DynamicImage::ImageRgb16(image) => (colours::planes(&colours::upper(&image.into_raw()), 3, 3), Model::Rgb, 16),
        DynamicImage::ImageRgba16(image) => {
            (colours::planes(&colours::upper(&image.into_raw()), 4, 3), Model::Rgba, 16)
        }
        other => (colours::planes(&other.into_rgb8().into_raw(), 3, 3), Model::Rgb, 32),
    };
    let model = if stored == ExtendedColorType::Cmyk8 { Model::Cmyk } else { model };
    let bits = if bits == 8 { stored_bits(stored) } else { bits };
    Ok(Decoded { size, planes, colours: Colours { model, bits }, orientation })
}

/// Bits of one value, where they are fewer than eight.
fn stored_bits(stored: ExtendedColorType) -> u8 {
    match stored {
        ExtendedColorType::L1 | ExtendedColorType::La1 | ExtendedColorType::Rgb1 | ExtendedColorType::Rgba1 => 1,
        ExtendedColorType::L2 | ExtendedColorType::La2 | ExtendedColorType::Rgb2 | ExtendedColorType::Rgba2 => 2,
        ExtendedColorType::L4 | ExtendedColorType::La4 | ExtendedColorType::Rgb4 | ExtendedColorType::Rgba4 => 4,
        _ => 8,
    }
}

fn decoder<'a>(encoded: Encoded<'a>, format: ImageFormat) -> Result<impl ImageDecoder + 'a, Problem> {
    let mut reader = ImageReader::with_format(Cursor::new(encoded.bytes), format);
    let mut limits = Limits::default();
    let all = encoded.reading.max_pixels.saturating_mul(HELD).saturating_add(BESIDE);
    // The rest of a PNG than its pixels is unpacked before they are: profiles of colours, a line.
    let beside = |width: u64| BESIDE.saturating_add(width.saturating_mul(LINES));
    limits.max_alloc = Some(png_width(encoded.bytes).filter(|_| format == ImageFormat::Png).map_or(all, beside));
    reader.limits(limits);
    reader.into_decoder().map_err(problem)
}

/// Bytes that a PNG's decoder may hold for each pixel of a line: some lines of 16 bits and four channels.
const LINES: u64 = 64;

/// The width that the head of a PNG tells.
fn png_width(bytes: &[u8]) -> Option<u64> {
    bytes.get(16..20).and_then(|width| Some(u64::from(u32::from_be_bytes(width.try_into().ok()?))))
}

/// A palette in a TIFF is no damage.
fn problem(error: ImageError) -> Problem {
    match error {
        ImageError::Unsupported(error) => super::one_line("it is of a kind that is not read", error),
        ImageError::Limits(_) => {
            "it has more pixels, or needs more memory to be decoded, than max-pixels allows: that sets the bound"
                .to_string()
        }
        error => super::damage(error),
    }
}
