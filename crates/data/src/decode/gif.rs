//! GIF: the first picture, in the colours of its palette, those of transparent pixels too.

use super::colours::{self, Colours, Model};
use super::{BESIDE, Decoded, Encoded, HELD, Head, Problem, damage};
use gif::{ColorOutput, DecodeOptions, Decoder, Frame, MemoryLimit};
use image::metadata::Orientation;
use std::num::NonZeroU64;

pub(super) fn head(encoded: Encoded<'_>) -> Result<Head, Problem> {
    let mut decoder = decoder(encoded)?;
    let screen = [usize::from(decoder.height()), usize::from(decoder.width())];
    let frame = first(&mut decoder)?;
    Ok(Head { size: size(screen, frame), orientation: Orientation::NoTransforms, grey: false })
}

pub(super) fn decoded(encoded: Encoded<'_>) -> Result<Decoded, Problem> {
    let mut decoder = decoder(encoded)?;
    let screen = [usize::from(decoder.height()), usize::from(decoder.width())];
    let frame = first(&mut decoder)?.clone();
    let size = size(screen, &frame);
    let [top, left, height, width] = [frame.top, frame.left, frame.height, frame.width].map(usize::from);
    let mut indices = vec![0; height * width];
    decoder.read_into_buffer(&mut indices).map_err(damage)?;
    // Beside the frame the screen shows what is transparent, or the first colour.
    let mut screen = vec![frame.transparent.unwrap_or(0); size[0] * size[1]];
    let lines = screen.chunks_exact_mut(size[1]).skip(top);
    for (line, indices) in lines.zip(indices.chunks_exact(width)) {
        line[left..left + width].copy_from_slice(indices);
    }
    let palette = decoder.palette().map_err(damage)?;
    let (palette, _) = palette.as_chunks::<3>();
    let colour = |index: &u8| palette.get(usize::from(*index)).copied().unwrap_or_default();
    let interleaved: Vec<u8> = screen.iter().flat_map(colour).collect();
    Ok(Decoded {
        size,
        planes: colours::planes(&interleaved, 3, 3),
        colours: Colours::eight(Model::Palette),
        orientation: Orientation::NoTransforms,
    })
}

fn decoder<'a>(encoded: Encoded<'a>) -> Result<Decoder<&'a [u8]>, Problem> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    let most = encoded.reading.max_pixels.saturating_mul(HELD).saturating_add(BESIDE);
    options.set_memory_limit(NonZeroU64::new(most).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options.read_info(encoded.bytes).map_err(damage)
}

fn first<'d>(decoder: &'d mut Decoder<&[u8]>) -> Result<&'d Frame<'static>, Problem> {
    match decoder.next_frame_info().map_err(damage)? {
        Some(frame) if frame.width > 0 && frame.height > 0 => Ok(frame),
        Some(_) => Err("expected at least one pixel, found none".to_string()),
        None => Err(damage("the GIF has no picture")),
    }
}

/// The screen, or more where the picture goes beyond it.
fn size(screen: [usize; 2], frame: &Frame<'_>) -> [usize; 2] {
    let end = |start: u16, length: u16| usize::from(start) + usize::from(length);
    [screen[0].max(end(frame.top, frame.height)), screen[1].max(end(frame.left, frame.width))]
}
