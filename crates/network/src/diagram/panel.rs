//! A stage in its frame.

use super::drawing::{draw_run, run_size, text_width};
use super::pieces::Piece;
use crate::shape::Shape;
use cnn_figures::svg::{Canvas, Rectangle};

/// Between a stage's border and what it holds; height of its heading.
const INSET: f64 = 12.0;
const HEADING: f64 = 24.0;

/// A stage, or equal ones in a row.
pub(super) struct Panel {
    pub(super) label: String,
    pub(super) last_label: Option<String>,
    pub(super) times: usize,
    pub(super) pieces: Vec<Piece>,
    pub(super) output: Shape,
    pub(super) head: bool,
}

impl Panel {
    fn heading(&self) -> String {
        match &self.last_label {
            Some(last) => format!("{} … {last}  ×{}", self.label, self.times),
            None => self.label.clone(),
        }
    }

    pub(super) fn width(&self) -> f64 {
        let heading = text_width(&self.heading()) * 1.1 + text_width(&self.output.to_string()) + 24.0;
        run_size(&self.pieces)[0].max(heading) + 2.0 * INSET
    }

    pub(super) fn height(&self) -> f64 {
        HEADING + run_size(&self.pieces)[1] + INSET
    }

    /// Draws the panel below `y`; returns its lower edge.
    pub(super) fn draw(&self, canvas: &mut Canvas, centre: f64, y: f64, width: f64) -> f64 {
        let left = centre - width / 2.0;
        let height = self.height();
        let class = if self.head { "head" } else { "stage" };
        canvas.rectangle(class, Rectangle { at: [left, y], width, height });
        canvas.text("label", [left + 8.0, y + 15.0], &self.heading());
        canvas.text("shape", [left + width - 8.0, y + 15.0], &self.output.to_string());
        draw_run(&self.pieces, canvas, [centre, y + HEADING]);
        y + height
    }
}
