//! A pair of axes around a frame.

use crate::axis::Axis;
use crate::svg::{Canvas, Point, Rectangle};

/// From the frame to the text at the ticks: left of it, and below it.
const LABELS: [f64; 2] = [6.0, 16.0];
/// From the middle of a line of text to its baseline.
const HALF_LINE: f64 = 4.0;

/// Where values lie in a picture: `x` grows to the right, `y` upwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// What the axes enclose.
    pub frame: Rectangle,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
}

impl Plot {
    /// The position of a value of each axis. It lies within the frame.
    pub fn place(&self, [x, y]: Point) -> Point {
        let Rectangle { at: [left, top], width, height } = self.frame;
        [left + width * self.x.share(x), top + height * (1.0 - self.y.share(y))]
    }

    /// Draws what lies behind the values: a line at every tick, and its text.
    pub fn grid(&self, canvas: &mut Canvas) {
        let Rectangle { at: [left, top], width, height } = self.frame;
        for tick in self.x.ticks() {
            let at = left + width * self.x.share(*tick);
            canvas.line("grid", &[[at, top], [at, top + height]]);
            canvas.text("middle", [at, top + height + LABELS[1]], &self.x.label(*tick));
        }
        for tick in self.y.ticks() {
            let at = top + height * (1.0 - self.y.share(*tick));
            canvas.line("grid", &[[left, at], [left + width, at]]);
            canvas.text("end", [left - LABELS[0], at + HALF_LINE], &self.y.label(*tick));
        }
    }

    /// Draws the frame, and below it what the horizontal axis shows.
    pub fn frame(&self, canvas: &mut Canvas, what: &str) {
        let Rectangle { at: [left, top], width, height } = self.frame;
        canvas.rectangle("frame", self.frame);
        canvas.text("middle", [left + width / 2.0, top + height + 2.0 * LABELS[1]], what);
    }
}
