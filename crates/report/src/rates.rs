//! What a search for a learning rate found, as a picture.

use crate::error::{Error, Result};
use crate::style::canvas;
use cnn_figures::axis::Unit;
use cnn_figures::svg::{Point, Rectangle};
use cnn_figures::{Axis, Plot};
use cnn_train::{FoundRates, write_whole};
use std::path::Path;

const SIZE: [f64; 2] = [560.0, 340.0];

/// Draws the loss over the learning rate, with the rates that are suggested.
///
/// # Errors
///
/// A file that cannot be written.
pub fn write_rates(found: &FoundRates, path: &Path) -> Result<()> {
    write_whole(path, draw(found).as_bytes()).map_err(Error::from)
}

fn draw(found: &FoundRates) -> String {
    let [width, height] = SIZE;
    let mut canvas = canvas();
    let frame = Rectangle { at: [60.0, 34.0], width: width - 84.0, height: height - 110.0 };
    let losses = || found.points.iter().map(|point| point.loss);
    let x = Axis::by_decades(found.points.iter().map(|point| point.learning_rate), Unit::Number);
    let plot = Plot { frame, x, y: Axis::over(losses(), 6.0, Unit::Number) };
    canvas.text("title", [frame.at[0], 20.0], "training loss over the learning rate");
    plot.grid(&mut canvas);
    plot.frame(&mut canvas, "learning rate");
    let curve: Vec<Point> = found.points.iter().map(|point| plot.place([point.learning_rate, point.loss])).collect();
    canvas.line("series c0", &curve);
    let marks = [(found.steepest, 1, "it falls fastest at"), (found.largest, 2, "a tenth of where it is least:")];
    let mut line = height - 30.0;
    for (rate, colour, words) in marks {
        let Some(rate) = rate else { continue };
        let at = plot.place([rate, 0.0])[0];
        canvas.line(&format!("series c{colour} dashed"), &[[at, frame.at[1]], [at, frame.at[1] + frame.height]]);
        canvas.line(&format!("series c{colour} dashed"), &[[frame.at[0], line], [frame.at[0] + 26.0, line]]);
        canvas.text("small", [frame.at[0] + 34.0, line + 4.0], &format!("{words} {rate:.2e}"));
        line += 18.0;
    }
    canvas.finish("A search for a learning rate", SIZE)
}
