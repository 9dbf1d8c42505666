//! The filters of the first convolution.

use super::picture::pixels;
use crate::error::Result;
use crate::explainer::Explainer;
use cnn_figures::svg::escaped;
use std::fmt::Write;

/// No more filters than this are shown.
const MOST: usize = 256;

pub(super) fn section(explainer: &Explainer, body: &mut String) -> Result<()> {
    let Some(filters) = explainer.first_filters() else { return Ok(()) };
    let [height, width] = filters.size;
    if height * width == 1 {
        return Ok(());
    }
    let colours = filters.channels == 3;
    let shown = filters.filters.len().min(MOST);
    let columns = (1.6 * (shown as f64).sqrt()).ceil() as usize;
    let channels = if colours { 3 } else { 1 };
    let (sheet_width, rows) = (columns * (width + 1), shown.div_ceil(columns));
    let mut bytes = vec![128u8; sheet_width * rows * (height + 1) * channels];
    for (number, filter) in filters.filters.iter().take(MOST).enumerate() {
        let kept = &filter[..channels * height * width];
        let most = kept.iter().fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
        let (top, left) = (number / columns * (height + 1), number % columns * (width + 1));
        for (at, x) in kept.iter().enumerate() {
            let (channel, row, column) = (at / (height * width), at / width % height, at % width);
            let place = ((top + row) * sheet_width + left + column) * channels + channel;
            bytes[place] = (127.5 + 127.5 * x / most).round() as u8;
        }
    }
    let address = pixels(&bytes, channels, sheet_width)?;
    let mut notes = vec![
        match colours {
            true => "each as the colours it looks for",
            false => "grey is 0, white positive, black negative",
        }
        .to_string(),
    ];
    if !colours && filters.channels > 1 {
        notes.push(format!("of {} channels the first", filters.channels));
    }
    if shown < filters.filters.len() {
        notes.push(format!("the first {shown} of {}", filters.filters.len()));
    }
    let _ = writeln!(
        body,
        "<section>\n<h2>What the first layer looks for</h2>\n<p class=\"faint\">The {shown} filters of <code>{}</code>, \
         {height}×{width}: {}, each from its own greatest magnitude.</p>\n<img class=\"filters\" src=\"{address}\" \
         style=\"width: {}px\" alt=\"The filters of the first convolution\">\n</section>",
        escaped(&filters.node),
        notes.join("; "),
        sheet_width * (960 / sheet_width).clamp(1, 7)
    );
    Ok(())
}
