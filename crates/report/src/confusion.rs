//! The confusion matrix and the calibration as pictures.

use crate::judgement::Judgement;
use crate::style::canvas;
use cnn_figures::axis::{Range, Scale, Unit};
use cnn_figures::svg::Rectangle;
use cnn_figures::{Axis, Plot, shortened};

/// The side of the matrix: cells shrink with the number of classes.
const SIDE: f64 = 640.0;
/// The largest and the smallest side of a cell.
const CELL: [f64; 2] = [64.0, 6.0];
/// A cell at least as large holds its count, and a row as high its class's name.
const READABLE: [f64; 2] = [26.0, 11.0];
/// Shades, the faintest for a share above 0.
const SHADES: f64 = 7.0;

/// Rows are true classes, columns predicted ones; a cell's shade is its share of the row.
pub(crate) fn matrix(judgement: &Judgement, names: &[String]) -> String {
    let classes = judgement.confusion.len();
    let cell = (SIDE / classes.max(1) as f64).clamp(CELL[1], CELL[0]);
    let longest = names.iter().map(|name| shortened(name, 20).chars().count()).max().unwrap_or(0);
    let margin = (34.0 + 7.0 * longest as f64).max(46.0);
    let [left, top] = [margin + 24.0, 66.0];
    let extent = cell * classes as f64;
    let mut canvas = canvas();
    canvas.text("title", [left, 18.0], "true class (row) against predicted class (column)");
    canvas.text("small", [left, 36.0], "the stronger, the larger the share of its row; blue is right, red is wrong");
    // Where names or numbers would run into each other, only some columns have theirs.
    let every = (READABLE[0] / cell).ceil() as usize;
    let named = names.iter().all(|name| name.chars().count() as f64 * 6.5 < cell);
    for (row, counts) in judgement.confusion.iter().enumerate() {
        let total = counts.iter().sum::<usize>().max(1);
        let y = top + row as f64 * cell;
        let name = match names.get(row).map(|name| shortened(name, 20)) {
            None => row.to_string(),
            Some(name) if named => name.into_owned(),
            // The column has the number alone.
            Some(name) => format!("{name} · {row}"),
        };
        if cell >= READABLE[1] || row % every == 0 {
            canvas.text("end", [left - 8.0, y + cell / 2.0 + 4.0], &name);
        }
        if row % every == 0 {
            let name = names.get(row).filter(|_| named).cloned().unwrap_or_else(|| row.to_string());
            canvas.text("middle", [left + (row as f64 + 0.5) * cell, top - 8.0], &name);
        }
        for (column, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // The root keeps single mistakes visible.
            let shade = (SHADES * (*count as f64 / total as f64).sqrt()).ceil();
            let kind = if row == column { "right" } else { "wrong" };
            let gap = if cell > 12.0 { 1.0 } else { 0.0 };
            let at = [left + column as f64 * cell + gap, y + gap];
            let [width, height] = [cell - 2.0 * gap; 2];
            canvas.rectangle(&format!("{kind} s{shade}"), Rectangle { at, width, height });
            if cell >= READABLE[0] {
                let over = if shade > 4.0 { " over" } else { "" };
                let middle = [at[0] + width / 2.0, at[1] + height / 2.0 + 4.0];
                canvas.text(&format!("number{over}"), middle, &count.to_string());
            }
        }
    }
    canvas.rectangle("frame", Rectangle { at: [left, top], width: extent, height: extent });
    canvas.finish("Confusion matrix", [(left + extent + 20.0).max(left + 400.0), top + extent + 16.0])
}

/// How often the model is right, over how sure it is.
pub(crate) fn calibration(judgement: &Judgement) -> String {
    let frame = Rectangle { at: [64.0, 40.0], width: 300.0, height: 300.0 };
    let Rectangle { at: [left, top], width, height } = frame;
    let shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    let axis = || Axis::fixed(Range { low: 0.0, high: 1.0 }, &shares, Scale::Linear, Unit::Percent);
    let plot = Plot { frame, x: axis(), y: axis() };
    let mut canvas = canvas();
    canvas.text("title", [left, 20.0], "accuracy over the model's own confidence");
    plot.grid(&mut canvas);
    let bins = judgement.calibration.len().max(1) as f64;
    for (index, bin) in judgement.calibration.iter().enumerate().filter(|(_, bin)| bin.images > 0) {
        let [x, y] = plot.place([index as f64 / bins, bin.accuracy]);
        let bar = Rectangle { at: [x + 1.0, y], width: width / bins - 2.0, height: top + height - y };
        canvas.rectangle("bar", bar);
    }
    canvas.line("even", &[plot.place([0.0, 0.0]), plot.place([1.0, 1.0])]);
    plot.frame(&mut canvas, "confidence; dashes: as often right as sure");
    canvas.finish("Calibration", [left + width + 30.0, top + height + 46.0])
}
