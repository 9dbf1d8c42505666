//! JPEG, to the pixels of libjpeg-turbo.

use super::colours::{self, Colours, Model};
use super::{BESIDE, Decoded, Encoded, HELD, Head, Problem, damage};
use image::metadata::Orientation;
use libjpeg_turbo_rs::{DecodeLimits, Decoder, PixelFormat};

/// The most scans of a progressive image: each costs a pass over all of it, however few bytes it has.
const SCANS: usize = 500;

pub(super) fn head(encoded: Encoded<'_>) -> Result<Head, Problem> {
    let mut orientation = Orientation::NoTransforms;
    for (marker, body) in segments(encoded.bytes) {
        match (marker, body) {
            // A frame: bits of a value, height, width, components.
            (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, [_, a, b, c, d, components @ ..]) => {
                let side = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
                let grey = components.first() == Some(&1);
                return Ok(Head { size: [side(*a, *b), side(*c, *d)], orientation, grey });
            }
            (0xe1, [b'E', b'x', b'i', b'f', 0, _, exif @ ..]) => {
                orientation = Orientation::from_exif_chunk(exif).unwrap_or(orientation);
            }
            _ => {}
        }
    }
    Err(damage(format!("the JPEG has no frame within its first {} bytes", encoded.bytes.len())))
}

pub(super) fn decoded(encoded: Encoded<'_>) -> Result<Decoded, Problem> {
    // Of an image that ends early a decoder makes grey.
    if !ends(encoded.bytes) {
        return Err(damage(format!("the JPEG has no end within its {} bytes", encoded.bytes.len())));
    }
    let orientation = head(encoded)?.orientation;
    let pixels = encoded.reading.max_pixels;
    let limits = DecodeLimits {
        max_pixels: pixels,
        max_scans: SCANS,
        max_memory: Some(pixels.saturating_mul(HELD).saturating_add(BESIDE)),
        ..DecodeLimits::default()
    };
    let decoder = Decoder::new_with_limits(encoded.bytes, limits).map_err(damage)?;
    let image = decoder.decode_image().map_err(damage)?;
    if image.precision != 8 {
        return Err(format!("expected a JPEG of 8 bits, found one of {}", image.precision));
    }
    let (planes, model) = match image.pixel_format {
        PixelFormat::Grayscale => (image.data, Model::Grey),
        PixelFormat::Rgb => (colours::planes(&image.data, 3, 3), Model::Rgb),
        PixelFormat::Cmyk => (colours::inverted_cmyk(&image.data), Model::Cmyk),
        other => return Err(format!("expected a JPEG in grey, RGB or CMYK, found {other:?}")),
    };
    let size = [image.height, image.width];
    let expected = size[0] * size[1] * if model == Model::Grey { 1 } else { 3 };
    if planes.len() != expected {
        return Err(damage(format!("expected {expected} bytes of pixels, found {}", planes.len())));
    }
    Ok(Decoded { size, planes, colours: Colours::eight(model), orientation })
}

/// The segments before the first scan: marker and body.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        loop {
            let (head, _) = rest.split_first_chunk::<4>()?;
            match *head {
                // A marker may be preceded by any number of these.
                [0xff, 0xff, ..] => rest = &rest[1..],
                [0xff, SCAN, ..] => return None,
                [0xff, marker, high, low] => {
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    let body = rest.get(4..2 + length)?;
                    rest = &rest[2 + length..];
                    return Some((marker, body));
                }
                _ => return None,
            }
        }
    })
}

/// Begins the pixels.
const SCAN: u8 = 0xda;

/// Whether a JPEG's marker of its end follows the beginning of its pixels: one before that is a thumbnail's.
fn ends(bytes: &[u8]) -> bool {
    let before: usize = segments(bytes).map(|(_, body)| body.len() + 4).sum();
    bytes.get(before + 2..).is_some_and(|rest| rest.windows(2).any(|pair| pair == [0xff, 0xd9]))
}
