//! Colours as they are stored, and the way to red, green and blue: the bytes that the Python Imaging Library's
//! `convert("RGB")` gives, which leaves transparency out. Sixteen bits are scaled by taking the upper eight; of grey
//! sixteen bits, which Pillow cuts off at 255, too.

use std::fmt;

/// What a file stores for a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colours {
    pub(super) model: Model,
    pub(super) bits: u8,
}

/// Which colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    Cmyk,
    Palette,
}

impl Colours {
    pub(super) fn eight(model: Model) -> Self {
        Self { model, bits: 8 }
    }

    /// Whether one plane says all.
    pub(super) fn is_grey(self) -> bool {
        matches!(self.model, Model::Grey | Model::GreyAlpha)
    }
}

impl fmt::Display for Colours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.model {
            Model::Grey => "grey",
            Model::GreyAlpha => "grey with alpha",
            Model::Rgb => "RGB",
            Model::Rgba => "RGBA",
            Model::Cmyk => "CMYK",
            Model::Palette => "palette",
        })?;
        match self.bits {
            8 => Ok(()),
            bits => write!(f, ", {bits} bits"),
        }
    }
}

/// The first `kept` of `stored` interleaved bytes, plane by plane.
pub(super) fn planes(interleaved: &[u8], stored: usize, kept: usize) -> Vec<u8> {
    let mut planes = vec![0; interleaved.len() / stored * kept];
    let plane = (planes.len() / kept).max(1);
    match (planes.chunks_exact_mut(plane).collect::<Vec<_>>().as_mut_slice(), stored) {
        // The usual case in one pass.
        ([red, green, blue], 3) => {
            let (pixels, _) = interleaved.as_chunks::<3>();
            for (pixel, ((red, green), blue)) in
                pixels.iter().zip(red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()))
            {
                [*red, *green, *blue] = *pixel;
            }
        }
        (planes, _) => {
            for (channel, plane) in planes.iter_mut().enumerate() {
                for (out, byte) in plane.iter_mut().zip(interleaved.iter().skip(channel).step_by(stored)) {
                    *out = *byte;
                }
            }
        }
    }
    planes
}

/// The upper eight of sixteen bits.
pub(super) fn upper(sixteen: &[u16]) -> Vec<u8> {
    sixteen.iter().map(|value| (value >> 8) as u8).collect()
}

/// Planes of red, green and blue from interleaved cyan, magenta, yellow and black that are stored inverted, as Adobe does
/// and every JPEG of four colours is taken.
pub(super) fn inverted_cmyk(interleaved: &[u8]) -> Vec<u8> {
    let (pixels, _) = interleaved.as_chunks::<4>();
    let mut planes = vec![0; pixels.len() * 3];
    for (channel, plane) in planes.chunks_exact_mut(pixels.len().max(1)).enumerate() {
        for (out, pixel) in plane.iter_mut().zip(pixels) {
            let light = u32::from(pixel[3]);
            let product = u32::from(255 - pixel[channel]) * light + 128;
            // A product of bytes over 255, rounded.
            *out = light.saturating_sub((product + (product >> 8)) >> 8) as u8;
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_come_apart() {
        assert_eq!(planes(&[1, 2, 3, 4, 5, 6], 3, 3), [1, 4, 2, 5, 3, 6]);
        assert_eq!(planes(&[1, 2, 3, 255, 4, 5, 6, 0], 4, 3), [1, 4, 2, 5, 3, 6]);
        assert_eq!(planes(&[1, 9, 2, 9], 2, 1), [1, 2]);
    }

    /// `Image.new("CMYK", (1, 1), …).convert("RGB")` of Pillow, of 255 minus these.
    #[test]
    fn inverted_colours_are_pillows() {
        assert_eq!(inverted_cmyk(&[255, 255, 255, 255]), [255, 255, 255]);
        assert_eq!(inverted_cmyk(&[10, 200, 30, 77]), [3, 60, 9]);
        assert_eq!(inverted_cmyk(&[0, 128, 255, 128]), [0, 64, 128]);
        assert_eq!(inverted_cmyk(&[10, 200, 30, 0]), [0, 0, 0]);
    }
}
