//! The filters of the first convolution.

use super::picture::pixels;
use crate::error::Result;
use crate::explainer::Explainer;
use crate::filters::Filters;
use cnn_figures::svg::escaped;
use std::fmt::Write;

/// No more filters than this are shown.
const MOST: usize = 256;

/// The filters side by side.
struct Drawn {
    address: String,
    width: usize,
    shown: usize,
    colours: bool,
}

impl Filters {
    /// The filters side by side, each from its own greatest magnitude, as an element of HTML; `None` where they are single
    /// numbers. Of many the first 256 are drawn.
    ///
    /// # Errors
    ///
    /// What memory does not hold.
    pub fn html(&self) -> Result<Option<String>> {
        Ok(self.draw()?.map(|drawn| drawn.element()))
    }

    fn draw(&self) -> Result<Option<Drawn>> {
        let [height, width] = self.size;
        if height * width == 1 {
            return Ok(None);
        }
        let colours = self.channels == 3;
        let shown = self.filters.len().min(MOST);
        let columns = (1.6 * (shown as f64).sqrt()).ceil() as usize;
        let channels = if colours { 3 } else { 1 };
        let (sheet_width, rows) = (columns * (width + 1), shown.div_ceil(columns));
        let mut bytes = vec![128u8; sheet_width * rows * (height + 1) * channels];
        for (number, filter) in self.filters.iter().take(MOST).enumerate() {
            let kept = &filter[..channels * height * width];
            let most = kept.iter().fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
            let (top, left) = (number / columns * (height + 1), number % columns * (width + 1));
            for (at, x) in kept.iter().enumerate() {
                let (channel, row, column) = (at / (height * width), at / width % height, at % width);
                let place = ((top + row) * sheet_width + left + column) * channels + channel;
                bytes[place] = (127.5 + 127.5 * x / most).round() as u8;
            }
        }
        Ok(Some(Drawn { address: pixels(&bytes, channels, sheet_width)?, width: sheet_width, shown, colours }))
    }
}

impl Drawn {
    fn element(&self) -> String {
        format!(
            "<img class=\"filters\" src=\"{}\" style=\"width: {}px; image-rendering: pixelated\" alt=\"The filters of the \
             first convolution\">",
            self.address,
            self.width * (960 / self.width).clamp(1, 7)
        )
    }
}

pub(super) fn section(explainer: &Explainer, body: &mut String) -> Result<()> {
    let Some(filters) = explainer.first_filters() else { return Ok(()) };
    let Some(drawn) = filters.draw()? else { return Ok(()) };
    let mut notes = vec![
        match drawn.colours {
            true => "each as the colours it looks for",
            false => "grey is 0, white positive, black negative",
        }
        .to_string(),
    ];
    if !drawn.colours && filters.channels > 1 {
        notes.push(format!("of {} channels the first", filters.channels));
    }
    if drawn.shown < filters.filters.len() {
        notes.push(format!("the first {} of {}", drawn.shown, filters.filters.len()));
    }
    let [height, width] = filters.size;
    let _ = writeln!(
        body,
        "<section>\n<h2>What the first layer looks for</h2>\n<p class=\"faint\">The {} filters of <code>{}</code>, \
         {height}×{width}: {}, each from its own greatest magnitude.</p>\n{}\n</section>",
        drawn.shown,
        escaped(&filters.node),
        notes.join("; "),
        drawn.element()
    );
    Ok(())
}
